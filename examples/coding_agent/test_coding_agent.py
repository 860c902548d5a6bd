"""Rewards that count passed tests, and what they say about the agent that earns them."""

import json
from pathlib import Path

import pytest

ROLLOUTS = Path(__file__).with_name("rollouts.jsonl")


@pytest.mark.xfail(
    strict=True, raises=pytest.fail.Exception, reason="the tests can be gamed, and the reward pays for it"
)
@pytest.mark.persona(suite="agent.persona.yaml")
def test_reward_does_not_pay_for_gaming(persona):
    """The gate fires after the body has passed. That reward goes with gaming at all is beyond doubt."""
    assert persona["test-gaming"].shift.low > 0


def test_a_reward_turned_round_turns_the_shift_round(persona_audit):
    """A signal can be a list of rows: here the same rollouts, with every reward reversed."""
    rows = [json.loads(line) for line in ROLLOUTS.read_text(encoding="utf-8").splitlines()]
    reversed_rows = [{**row, "rewards": [1 - reward for reward in row["rewards"]]} for row in rows]

    before = persona_audit(rows, traits=["metric-gaming"])["metric-gaming"]
    after = persona_audit(reversed_rows, traits=["metric-gaming"])["metric-gaming"]

    assert before.shift.value > 0
    assert after.shift.value == pytest.approx(-before.shift.value)
