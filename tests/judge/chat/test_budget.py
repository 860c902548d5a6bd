"""Budgets, prices and what a request is expected to cost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_persona.infer.prompt import Prompt
from pytest_persona.infer.tokens import estimate
from pytest_persona.judge.chat.budget import Budget, Prices, Purse
from pytest_persona.judge.chat.client import Reply
from pytest_persona.judge.chat.ledger import Ledger
from pytest_persona.net.faults import backoff, patience

PRICES = Prices(input=3.0, output=15.0, cached=0.3)
PROMPT = Prompt(
    shared="some words " * 300,
    asked="and more of them " * 100,
    schema={},
    seal="s",
    texts=(),
    cut=False,
    most_tokens=1000,
)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "verdicts.sqlite")
    yield ledger
    ledger.close()


def replied(output: int) -> Reply:
    return Reply(text="t", stop="end", model="m", input_tokens=1000, output_tokens=output, cached_tokens=600)


def test_prices_are_per_million_tokens() -> None:
    assert PRICES.cost(1_000_000, 0) == 3.0
    assert PRICES.cost(1000, 100, 600) == pytest.approx((400 * 3 + 600 * 0.3 + 100 * 15) / 1e6)
    assert Prices(input=3.0, output=15.0).cost(1000, 0, 600) == pytest.approx(0.003)


@pytest.mark.parametrize("wrong", [{"input": -1.0}, {"output": float("nan")}, {"cached": float("inf")}])
def test_what_is_no_price_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"the {next(iter(wrong))} price is"):
        Prices(**{"input": 1.0, "output": 1.0, **wrong})


def test_a_budget_in_money_without_prices_is_refused() -> None:
    with pytest.raises(ValueError) as caught:
        Budget(money=5.0)
    assert str(caught.value) == (
        "a budget in money needs the model's prices per million input and output tokens, which are not known;"
        " name them, or give the budget in tokens"
    )


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"tokens": 5, "money": 1.0, "prices": PRICES}, "in tokens or in money, not in both"),
        ({"tokens": 0}, "a budget of 0 allows no question"),
        ({"money": -1.0, "prices": PRICES}, "a budget of -1.0 allows no question"),
        ({"tokens": float("nan")}, "allows no question"),
    ],
)
def test_what_is_no_budget_is_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Budget(**wrong)


@pytest.mark.parametrize(
    ("budget", "words", "limit", "amount"),
    [
        (Budget(tokens=200_000), "200,000 tokens", 200_000, 1100),
        (Budget(tokens=200_000, prices=PRICES), "200,000 tokens", 200_000, 1100),
        (Budget(money=5.0, prices=PRICES), "5.00", 5.0, PRICES.cost(1000, 100, 600)),
        (Budget(), "no limit", None, 1100),
    ],
)
def test_a_budget_counts_in_its_unit(budget: Budget, words: str, limit: float | None, amount: float) -> None:
    assert (str(budget), budget.limit, budget.amount(1000, 100, 600)) == (words, limit, amount)


def test_a_request_is_expected_to_cost_what_is_sent_and_what_replies_have_taken_so_far(ledger: Ledger) -> None:
    purse = Purse(Budget(tokens=1_000_000), ledger, "r")
    sent = estimate(PROMPT.shared) + estimate(PROMPT.asked)
    first = purse.reserve(PROMPT, 1000) or 0.0
    assert first == pytest.approx(sent + 500)
    purse.settle(first, replied(200), 1000)
    second = purse.reserve(PROMPT, 1000) or 0.0
    assert second == pytest.approx(sent + 200, abs=1)
    purse.settle(second, None, 1000)
    assert purse.reserve(PROMPT, 1000) == second
    purse.flush()
    other = Purse(Budget(tokens=1_000_000), ledger, "r")
    # Spent: the one reply, and what is reserved for the third.
    assert ledger.reserve("r", 1_000_000 - 1200 - second - 1, 1_000_000)
    assert other.reserve(PROMPT, 1) is None


def test_without_a_limit_nothing_is_reserved_and_money_is_counted(tmp_path: Path) -> None:
    purse = Purse(Budget(prices=PRICES), None, "r")  # type: ignore[arg-type]
    assert purse.reserve(PROMPT, 1000) == 0.0
    purse.settle(0.0, replied(100), 1000)
    purse.flush()
    assert purse.cost(replied(100)) == PRICES.cost(1000, 100, 600)
    assert Purse(Budget(), None, "r").cost(replied(100)) is None  # type: ignore[arg-type]


def test_waits_double_are_scattered_and_the_same_for_the_same_question() -> None:
    waits = [backoff("key", attempt) for attempt in range(1, 20)]
    assert waits == [backoff("key", attempt) for attempt in range(1, 20)]
    for attempt, wait in enumerate(waits):
        longest = min(30.0, 0.5 * 2**attempt)
        assert longest / 2 <= wait <= longest
    assert len({backoff(f"key {n}", 1) for n in range(100)}) == 100
    assert 7.25 <= backoff("key", 1, retry_after=7.0) <= 7.5


def test_one_attempt_takes_at_most_half_of_the_time() -> None:
    assert [patience(left, 120.0) for left in (120.0, 70.0, 5.0)] == [60.0, 60.0, 5.0]
