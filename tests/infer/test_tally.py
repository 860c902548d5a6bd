"""Answers to questionnaires, read off replies and counted."""

from __future__ import annotations

import pytest

from pytest_persona.infer.rate import upper_bound
from pytest_persona.infer.tally import answer_in, tally

YES_NO = ("Yes", "No")


@pytest.mark.parametrize(
    ("reply", "answers", "said"),
    [
        ("Yes", YES_NO, 0),
        (" yes.\n", YES_NO, 0),
        ("**No**, I would not say yes to that.", YES_NO, 1),
        ('"Yes" is what I would say', YES_NO, 0),
        ("No", ("No", "Yes"), 0),
        ("I would say no.", YES_NO, 1),
        ("I would say yes and no.", YES_NO, None),
        ("Nothing of the kind; yesterday perhaps.", YES_NO, None),
        ("I know not.", YES_NO, None),
        ("", YES_NO, None),
        ("word " * 60 + "yes", YES_NO, None),
        ("(A)", ("(A)", "(B)"), 0),
        ("My answer is (B), since", ("(A)", "(B)"), 1),
    ],
)
def test_the_answer_a_reply_begins_with_else_the_only_one(
    reply: str, answers: tuple[str, str], said: int | None
) -> None:
    assert answer_in(reply, answers) == said


def test_shares_are_of_clear_answers_and_their_interval_is_exact() -> None:
    replies = [("Yes", YES_NO)] * 7 + [("No", YES_NO)] * 3 + [("Well.", YES_NO)] * 2
    found = tally("q.jsonl", replies, failed=4, level=0.9)
    assert (found.name, found.matching, found.other, found.unclear, found.failed) == ("q.jsonl", 7, 3, 2, 4)
    assert found.high == upper_bound(7, 10, 0.95)
    assert found.low == pytest.approx(1.0 - upper_bound(3, 10, 0.95))
    assert found.low is not None and found.high is not None and found.low < 0.7 < found.high


def test_without_a_clear_answer_there_is_no_share() -> None:
    found = tally("q.jsonl", [("Well.", YES_NO)], failed=1, level=0.95)
    assert (found.matching, found.other, found.unclear, found.low, found.high) == (0, 0, 1, None, None)
