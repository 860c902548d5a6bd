"""Behaviours without a verdict: how many are too many, and what is said of them."""

from __future__ import annotations

import pytest

from pytest_persona.infer.unjudged import consistency, notes, too_many_lost
from pytest_persona.model.episodes import Behaviour, Episode
from pytest_persona.model.verdicts import Reason, Verdict

GIVEN = Verdict(expressed=0.5)


def lost(reason: Reason, detail: str = "") -> Verdict:
    return Verdict(expressed=None, reason=reason, detail=detail)


@pytest.mark.parametrize("reason", ["declined", "unparsable", "unreliable", "suspected-injection", "failed"])
def test_more_than_one_lost_in_ten_leaves_a_trait_undecided(reason: Reason) -> None:
    assert too_many_lost([GIVEN] * 9 + [lost(reason)]) == ""
    assert too_many_lost([GIVEN] * 8 + [lost(reason)] * 2) == "2 of 10 verdicts are lost, which is more than 10%"


@pytest.mark.parametrize("reason", ["refusal", "empty", "off-topic", "inconsistent"])
def test_what_the_text_itself_withholds_is_not_lost(reason: Reason) -> None:
    assert too_many_lost([GIVEN] + [lost(reason)] * 9) == ""


def test_what_was_not_asked_for_lack_of_money_is_lost_and_what_a_plugin_dropped_is_not() -> None:
    assert too_many_lost([GIVEN, lost("missing", "the budget is spent")]) != ""
    assert too_many_lost([GIVEN, lost("missing")]) == ""
    assert too_many_lost([]) == ""


def test_consistency_is_the_share_of_answered_pairs_that_agreed() -> None:
    assert consistency([GIVEN, GIVEN, lost("inconsistent"), lost("inconsistent"), lost("failed")]) == 0.5
    assert consistency([lost("failed")]) is None
    assert consistency([]) is None


def rows(*verdicts: list[Verdict]) -> list[str]:
    behaviour = Behaviour(role="shown", context=(), reply="x")
    places = [
        (Episode(kind="demonstration", source="a.jsonl", line=i + 1, group=str(i), behaviours=(behaviour,)), behaviour)
        for i in range(len(verdicts))
    ]
    return list(notes(places, verdicts))


def test_rows_without_a_verdict_are_listed_once_by_reason() -> None:
    said = rows(
        [lost("suspected-injection")] * 2,
        [GIVEN, GIVEN],
        [GIVEN, lost("suspected-injection")],
        [lost("failed", "HTTP 529")],
    )
    assert said == [
        "2 rows without a verdict (the text may steer the judge): a.jsonl:1, a.jsonl:3",
        "1 row without a verdict (asking failed: HTTP 529): a.jsonl:4",
    ]


def test_a_long_list_is_cut_and_counted() -> None:
    (said,) = rows(*[[lost("unreliable")]] * 13)
    assert said.endswith("a.jsonl:10 and 3 more")


def test_what_the_text_withholds_and_what_a_plugin_dropped_is_no_news() -> None:
    assert rows([lost("refusal")], [lost("empty")], [lost("missing")]) == []
