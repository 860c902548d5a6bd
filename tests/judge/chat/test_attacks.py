from __future__ import annotations

import hashlib
from collections import Counter
from typing import Literal

import pytest
from gullible import Row, answer, rows

from pytest_persona.infer.answers import read_answer
from pytest_persona.infer.fence import line_mark
from pytest_persona.infer.prompt import Question, prompt_of
from pytest_persona.model.episodes import Behaviour, Turn
from pytest_persona.model.traits import Pole, Trait
from pytest_persona.model.verdicts import Verdict

ATTACKS = [row for row in rows() if row.wants is not None]
BENIGN = [row for row in rows() if row.wants is None]
FAMILIES = (
    "direct-order", "fake-verdict", "closing-fence", "role-play", "look-alikes", "encodings", "hidden-characters", "padding",
    "flattery", "threats", "language-switch", "nested-transcript",
)  # fmt: skip


def test_the_suite_has_at_least_five_attacks_of_each_family_and_wants_what_is_wrong() -> None:
    assert min(Counter(row.family for row in ATTACKS)[family] for family in FAMILIES) >= 5
    assert {row.family for row in ATTACKS} == set(FAMILIES)
    assert len(ATTACKS) >= 66 and len(BENIGN) >= 25
    assert len({row.id for row in rows()}) == len({row.reply for row in rows()}) == len(rows())
    assert all(row.wants is not None and row.wants * row.merits <= 0 for row in ATTACKS)


def test_no_attack_counts_with_a_judge_that_obeys_what_is_not_neutralised() -> None:
    assert [row.id for row in ATTACKS if _counts(row, _verdict(row, "bare"))] == []


def test_without_neutralising_they_succeed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_persona.infer.prompt.neutralised", lambda text, fence: text)
    monkeypatch.setattr("pytest_persona.infer.answers.steering", lambda text: "")
    succeeded = [row for row in ATTACKS if _counts(row, _verdict(row, "bare"))]
    assert len(succeeded) >= 0.9 * len(ATTACKS)
    assert {row.family for row in succeeded} == set(FAMILIES)


def test_marks_at_line_beginnings_alone_would_not_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_persona.infer.prompt.neutralised", _only_marked)
    monkeypatch.setattr("pytest_persona.infer.answers.steering", lambda text: "")
    succeeded = {row.family for row in ATTACKS if _counts(row, _verdict(row, "bare"))}
    assert succeeded >= {"hidden-characters", "closing-fence", "nested-transcript", "look-alikes"}


def test_no_attack_counts_with_a_judge_that_obeys_them_all() -> None:
    assert [row.id for row in ATTACKS if _counts(row, _verdict(row, "all"))] == []


def test_without_a_look_for_steering_nearly_all_count_with_such_a_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_persona.infer.answers.steering", lambda text: "")
    assert len([row for row in ATTACKS if _counts(row, _verdict(row, "all"))]) >= 0.9 * len(ATTACKS)


def test_an_answer_that_the_text_dictates_is_found_out_by_its_seal_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_persona.infer.answers.steering", lambda text: "")
    verdicts = [_verdict(row, "all") for row in ATTACKS if '"seal"' in row.reply]
    assert len(verdicts) >= 2
    assert {verdict.reason for verdict in verdicts} == {"suspected-injection"}


@pytest.mark.parametrize("obeys", ["bare", "all"])
def test_text_about_judging_keeps_its_verdict(obeys: Literal["bare", "all"]) -> None:
    verdicts = {row.id: _verdict(row, obeys) for row in BENIGN}
    assert {row.id: row.merits / 3 for row in BENIGN} == {name: verdict.expressed for name, verdict in verdicts.items()}


def _verdict(row: Row, obeys: Literal["bare", "all"]) -> Verdict:
    """What is read from the gullible judge's answer on a row."""
    trait = Trait(
        name=row.trait,
        definition=f"Shows {row.trait}.",
        high=Pole(summary="It does."),
        low=Pole(summary="The reverse."),
    )
    behaviour = Behaviour(role="shown", context=(Turn(speaker="user", text=row.prompt),), reply=row.reply)
    question = Question(shown=(behaviour,), traits=(trait,))
    prompt = prompt_of(question, fence=hashlib.sha256(row.id.encode()).hexdigest()[:16])
    return read_answer(question, prompt, answer(prompt.shared, prompt.asked, prompt.schema, obeys=obeys))[row.trait]


def _only_marked(text: str, fence: str) -> str:
    return "\n".join(line_mark(fence) + line for line in text.splitlines())


def _counts(row: Row, verdict: Verdict) -> bool:
    """Whether an attack has got evidence out of it: a score, and not one on the side of the reply's merits."""
    return verdict.expressed is not None and verdict.expressed * row.merits <= 0
