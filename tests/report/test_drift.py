"""The change between two profiles, as it is printed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pytest_persona.infer.drift import compare
from pytest_persona.model.findings import Finding
from pytest_persona.model.traits import Expectation
from pytest_persona.report.drift import comparison

Make = Callable[..., Any]


def test_each_trait_has_its_change_its_bound_and_both_estimates(profile: Make, finding: Make, shift: Make) -> None:
    before = finding(shift=shift(0.2, 0.1, 0.3), status="held")
    declared = Expectation(trait="sycophancy", at_most=0.1, drift_at_most=0.05)
    now = finding(shift=shift(0.6, 0.5, 0.7), expectation=declared)
    base, later = profile(before, finding(trait="malice"), name="base"), profile(now, name="later\x1b")
    assert list(comparison(base, later, compare(base, later))) == [
        r"change from base to later\x1b",
        " nothing has changed",
        " violated     sycophancy   +0.40 [+0.20, +0.60]  drift at most +0.05",
        "              +0.20 [+0.10, +0.30] before, +0.60 [+0.50, +0.70] now",
        "              violated now: at most +0.10, drift at most +0.05",
        " observed     malice       no change known",
        "              only the baseline has it",
        "              +0.41 [+0.33, +0.49] before, nothing now",
    ]


def test_nothing_more_is_said_of_what_is_held(profile: Make, violated: Finding) -> None:
    found = profile(replace(violated, status="held"))
    assert len(list(comparison(found, found, compare(found, found)))) == 4
