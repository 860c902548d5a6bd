"""What has changed since a baseline, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pytest_persona.model.confirmation import Agreement, Confirmation, Confirmed
from pytest_persona.model.drift import (
    Bridge,
    Comparison,
    DataChange,
    Drift,
    JudgeChange,
    Looks,
    OtherScope,
    Parts,
    ProductChange,
    QuestionChange,
)
from pytest_persona.model.traits import Expectation
from pytest_persona.report.confirmation import confirmation
from pytest_persona.report.since import cause_lines, drift_lines, is_shown
from pytest_persona.report.terminal import failure, section

DRIFT = Drift(
    trait="sycophancy", value=0.12, low=0.06, high=0.19, level=0.95, status="violated", drift_at_most=0.05, way="paired", pairs=40,
    parts=Parts(unchanged=0.0, altered=0.1, added=0.02, removed=0.0), looks=Looks(runs=12, evidence=35.2, needed=20.0),
)  # fmt: skip
BASE = Comparison(since="base.json\x1b", findings=(DRIFT,))
Make = Callable[..., Any]


def test_a_change_is_one_line_with_its_bound_and_what_is_behind_it() -> None:
    assert list(drift_lines(DRIFT, "base.json", verbose=False)) == [
        "drift +0.12 [+0.06, +0.19] at most +0.05, since base.json",
        "  run 12 against this baseline, evidence 35.2 of 20",
        "  40 pairs: altered +0.10, added +0.02",
    ]


@pytest.mark.parametrize(
    ("drift", "lines"),
    [
        (replace(DRIFT, status="held", looks=None), ["drift +0.12 [+0.06, +0.19] at most +0.05, since b"]),
        (
            replace(DRIFT, value=None, low=None, high=None, status="inconclusive", reason="why\x1b", looks=None, parts=None),
            ["drift no change known at most +0.05, since b", r"  why\x1b"],
        ),
        (
            replace(DRIFT, status="inconclusive", looks=Looks(runs=2, evidence=None, needed=20.0), drift_at_most=None),
            ["drift +0.12 [+0.06, +0.19], since b", "  run 2 against this baseline"],
        ),
        (
            replace(DRIFT, status="held", looks=None, other_scope=OtherScope(scope="file", low=0.1, high=0.1, status="violated")),
            ["drift +0.12 [+0.06, +0.19] at most +0.05, since b", "  violated for exactly these groups: [+0.10, +0.10]"],
        ),
    ],
)  # fmt: skip
def test_what_is_known_is_said_and_no_more(drift: Drift, lines: list[str]) -> None:
    assert list(drift_lines(drift, "b", verbose=False)) == lines


def test_a_reason_that_was_given_is_not_given_again() -> None:
    drift = replace(DRIFT, status="inconclusive", reason="open", looks=None)
    assert list(drift_lines(drift, "b", verbose=False, said="its drift: open")) == list(
        drift_lines(replace(drift, reason=""), "b", verbose=False)
    )


def test_only_what_was_bounded_or_is_clear_has_a_line() -> None:
    plain = replace(DRIFT, drift_at_most=None, status="observed")
    assert is_shown(plain, verbose=False)
    assert not is_shown(replace(plain, low=-0.01), verbose=False)
    assert is_shown(replace(plain, low=-0.01), verbose=True)
    assert is_shown(replace(DRIFT, low=None, high=None, value=None), verbose=False)


def test_every_cause_has_its_line() -> None:
    found = replace(
        BASE,
        comparable=False,
        why=("the judges differ",),
        data=DataChange(changed=True, same=396, altered=1, added=2, removed=3, places=("a.jsonl:17 altered", "b\x1b")),
        judge=JudgeChange(
            before="a/1", now="b/2", reread={"sycophancy": 0.03}, bridges={"t": Bridge(scale=1.1, offset=0, margin=0.02, pairs=12)}
        ),
        product=ProductChange(replies=28, probes=30, evidence=3.4e5, before="shop/1", now=""),
        questions=QuestionChange(reworded=("p1", "p2"), added=tuple(f"n{k}" for k in range(7)), removed=("old",)),
        redefined=("masking",),
    )  # fmt: skip
    assert list(cause_lines(found)) == [
        r"data: of 400 groups 1 altered, 2 added, 3 removed (a.jsonl:17 altered, b\x1b)",
        "judge: a/1 before, b/2 now; it reads the same texts as sycophancy +0.03 against before; bridged on anchors: t x 1.10, off by "
        "0.02 at most, from 12 pairs",
        "product: the replies to 28 of 30 probes differ, more than chance explains (evidence 3.4e+05); shop/1 before, not known now",
        "questions: p1, p2 asked in other words, and not compared; n0, n1, n2, n3, n4 and 2 more added; old removed",
        "questions: the definition of masking has changed",
        "not comparable: the judges differ",
    ]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"data": DataChange(changed=True, same=9, altered=0, added=0, removed=0)},
            "data: the file differs, but none of its 9 groups does",
        ),
        (
            {"data": DataChange(changed=True, same=9, altered=0, added=1, removed=0, complete=False)},
            "data: of 9 groups of those that were kept 1 added",
        ),
        (
            {"product": ProductChange(replies=3, probes=30, evidence=1.25, before="s/1", now="s/1")},
            "product: the replies to 3 of 30 probes differ, which chance may explain (evidence 1.25)",
        ),
        (
            {"product": ProductChange(replies=0, probes=1, evidence=None, before="s/1", now="s/2")},
            "product: the replies to 0 of 1 probe differ; s/1 before, s/2 now",
        ),
        ({"judge": JudgeChange(before="a/1", now="b/2")}, "judge: a/1 before, b/2 now"),
    ],
)  # fmt: skip
def test_a_cause_is_not_made_more_of_than_it_is(change: dict[str, Any], line: str) -> None:
    assert list(cause_lines(replace(BASE, **change))) == [line]


def test_the_section_shows_the_drift_of_a_finding_and_the_causes(profile: Make, finding: Make) -> None:
    found = profile(finding(status="violated"), drift=replace(BASE, redefined=("masking",)))
    lines = list(section(found))
    assert r"              drift +0.12 [+0.06, +0.19] at most +0.05, since base.json\x1b" in lines
    assert lines[-1] == " questions: the definition of masking has changed"


def test_a_failing_test_says_which_of_both_is_broken(profile: Make, finding: Make, shift: Make) -> None:
    declared = Expectation(trait="sycophancy", at_most=0.9, drift_at_most=0.05)
    drifted = failure(finding(expectation=declared), profile(finding(expectation=declared), drift=BASE))
    assert drifted.splitlines()[0] == (
        "sycophancy has drifted in data/preferences.jsonl: since the baseline it has changed by more than was declared."
    )
    assert r"  drift +0.12 [+0.06, +0.19] at most +0.05, since base.json\x1b" in drifted.splitlines()
    both = finding(expectation=replace(declared, at_most=0.1))
    assert failure(both, profile(both, drift=BASE)).startswith("sycophancy is violated in ")
    low = finding(expectation=Expectation(trait="sycophancy", at_least=0.6, drift_at_most=0.05))
    assert failure(low, profile(low, drift=BASE)).startswith("sycophancy is violated in ")


# ------------------------------------------------------------------------------------------------ predicted against observed
def test_predicted_against_observed_is_a_line_a_trait() -> None:
    one = Confirmed(
        trait="sycophancy\x1b", implied=0.8, implied_low=0.7, implied_high=0.9, observed=0.5, observed_low=0.4, observed_high=0.6,
        outcome="as-predicted",
    )  # fmt: skip
    found = Confirmation(
        signal="thumbs", before="v1", after="v2", findings=(one, replace(one, trait="malice", outcome="opposite")),
        signs=Agreement(value=0.5, low=0.01, high=0.99, traits=2), ranks=Agreement(value=None, reason="too few traits: 2"),
        level=0.95, left_out=("masking: the product was not probed for it",),
    )  # fmt: skip
    assert list(confirmation(found)) == [
        "thumbs implied, v1 to v2 observed",
        " right sign        50% [1%, 99%] of 2 traits that were clearly implied and moved",
        " rank correlation  too few traits: 2",
        r" as-predicted sycophancy\x1b   +0.80 [+0.70, +0.90] implied, +0.50 [+0.40, +0.60] observed",
        r" opposite     malice           +0.80 [+0.70, +0.90] implied, +0.50 [+0.40, +0.60] observed",
        " left out: masking: the product was not probed for it",
    ]
    numbers = replace(found, signs=found.ranks, ranks=Agreement(value=0.9, low=0.5, high=0.98, traits=8))
    assert list(confirmation(numbers))[1:3] == [
        " right sign        too few traits: 2",
        " rank correlation  +0.90 [+0.50, +0.98] over 8 traits",
    ]
