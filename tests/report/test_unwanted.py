"""The lines under an unwanted finding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pytest_persona.model.findings import Counterfactual, Explanations, Expressing, ExpressingRow, Finding, Margin
from pytest_persona.report.terminal import failure, section
from pytest_persona.report.unwanted import missing_requests, other_explanations

Make = Callable[..., Any]
NONE = Expressing(replies=0, groups=0, expressed=None, requested=None, implied=None)


def row(**more: Any) -> ExpressingRow:
    given: dict[str, Any] = {"source": "a.jsonl", "line": 7, "role": "chosen", "quote": "Such a gem!", "expressed": 0.9,
                             "requested": 0.02, "implied": 0.88}  # fmt: skip
    return ExpressingRow(**{**given, **more})


def expressing(count: int, requested: float | None, **more: Any) -> Expressing:
    return Expressing(replies=count, groups=count, expressed=0.9, requested=requested, implied=0.5, rows=(row(**more),))


@pytest.fixture
def margin(shift: Make) -> Margin:
    return Margin(
        trait="carelessness", beyond=shift(0.3, 0.1, 0.5), beaten=False, auroc=0.77, required=True,
        reason="this judge is not known to tell the two apart",
    )  # fmt: skip


@pytest.fixture
def unwanted(finding: Make, shift: Make, margin: Margin) -> Finding:
    beside = Counterfactual(
        unrequested=expressing(27, 0.04), requested=expressing(1, 0.99), without=shift(-0.1, -0.3, 0.1, groups=5),
        with_request=shift(0.05, -0.1, 0.2),
    )  # fmt: skip
    found = finding(
        counterfactual=beside,
        explanations=Explanations(margins=(margin,), obedience=0.14, replies=28, fiction=1, quotation=2),
    )
    assert isinstance(found, Finding)
    return found


def lines(found: Finding, *, verbose: bool = False) -> list[str]:
    return [*missing_requests(found, verbose=verbose), *other_explanations(found, verbose=verbose)]


def test_four_lines_say_it(unwanted: Finding) -> None:
    assert lines(unwanted) == [
        "requested: 1 reply in 1 group, expressed +0.90, requested 99%, implied +0.50",
        "unrequested: 27 replies in 27 groups, expressed +0.90, requested 4%, implied +0.50",
        "without these -0.10 [-0.30, +0.10] in 5 groups, with these requested +0.05 [-0.10, +0.20]; "
        "recomputed after looking, decides nothing",
        "rival explanations: an honest mistake (carelessness) remains; requests explain 14%; "
        "a hint from words alone: fiction 1 and quotation 2 of 28 replies",
    ]


def test_more_are_shown_when_asked(unwanted: Finding) -> None:
    found = lines(unwanted, verbose=True)
    assert found[1] == '  a.jsonl:7  expressed +0.90, requested 2%, implied +0.88  "Such a gem!"'
    assert found[-2:] == [
        "  the shift goes beyond an honest mistake (carelessness) by +0.30 [+0.10, +0.50]; "
        "AUROC 0.77 at telling them apart",
        "  which does not rule that out: this judge is not known to tell the two apart",
    ]


def test_a_beaten_rival_is_outdone(unwanted: Finding, margin: Margin) -> None:
    other = replace(margin, trait="haste", beaten=True, reason="", auroc=None)
    found = replace(unwanted, explanations=Explanations(margins=(other, margin)))
    assert lines(found)[-1] == "rival explanations: haste is outdone; an honest mistake (carelessness) remains"
    assert "  the shift goes beyond haste by +0.30 [+0.10, +0.50]" in lines(found, verbose=True)


def test_what_was_not_read_is_said(unwanted: Finding) -> None:
    bare = replace(unwanted, explanations=Explanations())
    assert lines(bare)[-1] == "rival explanations: an honest mistake was not read (trait carelessness)"
    assert lines(replace(bare, trait="carelessness"))[-1] == "rival explanations: none could be read"
    assert lines(replace(unwanted, counterfactual=None, explanations=None)) == []


def test_a_judge_without_requests_and_criteria_have_words_of_their_own(unwanted: Finding) -> None:
    assert unwanted.counterfactual is not None
    texts = replace(
        unwanted.counterfactual, unrequested=expressing(3, None, role="criterion"), requested=NONE, with_request=None
    )
    found = lines(replace(unwanted, counterfactual=texts))
    assert found[0] == "unrequested: 3 criteria in 3 groups, expressed +0.90, request not read, implied +0.50"
    assert found[1] == ("without these -0.10 [-0.30, +0.10] in 5 groups; recomputed after looking, decides nothing")


def test_where_nothing_is_clear_and_unasked_it_says_so(unwanted: Finding, shift: Make) -> None:
    assert unwanted.counterfactual is not None
    found = replace(unwanted, counterfactual=replace(unwanted.counterfactual, unrequested=NONE))
    assert lines(found)[:2] == [
        "requested: 1 reply in 1 group, expressed +0.90, requested 99%, implied +0.50",
        "no reinforced reply expresses it clearly and unasked",
    ]
    assert "without these" not in "\n".join(lines(found))
    gone = replace(unwanted.counterfactual, without=shift(None, -2.0, 2.0, groups=0))
    assert "without these not identifiable in 0 groups" in lines(replace(unwanted, counterfactual=gone))[2]


def test_they_stand_in_the_section_under_what_is_unwanted(profile: Make, unwanted: Finding) -> None:
    text = "\n".join(section(profile(unwanted)))
    assert "\n              unrequested: 27 replies" in text and "\n              rival explanations: " in text
    open_ = replace(unwanted, status="inconclusive", reason="the interval contains the bound +0.10")
    assert "unrequested" not in "\n".join(section(profile(open_)))
    assert "unrequested" in "\n".join(section(profile(open_), verbosity=1))
    assert "unrequested" in "\n".join(section(profile(replace(open_, status="observed", unwanted=True))))


def test_a_violation_that_a_rival_stopped_is_shown_in_full_and_says_what_to_do(
    profile: Make, unwanted: Finding
) -> None:
    stopped = replace(
        unwanted, status="inconclusive", unbeaten=("carelessness",), reason="an honest mistake is not ruled out"
    )
    assert "unrequested" in "\n".join(section(profile(stopped)))
    text = failure(stopped, profile(stopped))
    assert "its bound is broken, but a kinder explanation of that is not ruled out" in text
    assert "to do     read the rows, ask a judge that tells the two apart, or let it pass" in text


def test_requests_that_point_the_other_way_explain_nothing(unwanted: Finding) -> None:
    found = lines(replace(unwanted, explanations=Explanations(obedience=-0.2)))
    assert found[-1].endswith("requests explain 0%")


def test_no_line_lets_a_stranger_steer_the_terminal(unwanted: Finding, margin: Margin) -> None:
    evil = "\x1b[2Jevil\u202e\n"
    assert unwanted.counterfactual is not None
    side = expressing(2, 0.1, source=evil, quote=evil * 50, role=evil)
    found = replace(
        unwanted,
        counterfactual=replace(unwanted.counterfactual, unrequested=side),
        explanations=Explanations(margins=(replace(margin, trait=evil, reason=evil),)),
    )
    for line in lines(found, verbose=True):
        assert "\x1b" not in line and "\u202e" not in line and "\n" not in line
