"""The change between two profiles."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_persona.infer.drift import compare, obstacles
from pytest_persona.model.episodes import SignalInfo
from pytest_persona.model.findings import Finding, JudgeInfo, Profile, Shift
from pytest_persona.model.traits import Expectation
from pytest_persona.model.verdicts import Usage

ENDS = st.tuples(*[st.floats(-2.0, 2.0, allow_subnormal=False)] * 3).map(sorted)


def finding(trait: str, low: float, value: float | None, high: float, **more: Any) -> Finding:
    shift = Shift(value=value, low=low, high=high, level=more.pop("level", 0.95), groups=40)
    bound = more.pop("bound", None)
    declared = None if bound is None else Expectation(trait=trait, drift_at_most=bound)
    defaults: dict[str, Any] = {"status": "observed", "estimand": "contrast", "qualified": True, "auroc": 0.9}
    return Finding(
        trait=trait, shift=shift, expressed=shift, requested=shift, expectation=declared, **{**defaults, **more}
    )


def profile(*findings: Finding, kind: str = "preference", fingerprint: str = "aa") -> Profile:
    info: Any = SignalInfo(path="p", kind=kind, format="f", episodes=9, groups=9, sha256="0")  # type: ignore[arg-type]
    judge = JudgeInfo(name="embedded", fingerprint=fingerprint, network=False)
    return Profile(name="p", signal=info, judge=judge, findings=findings, usage=Usage())


def only(before: Finding, after: Finding) -> Any:
    (change,) = compare(profile(before), profile(after)).findings
    return change


def test_a_change_is_now_minus_before_with_the_ends_furthest_apart() -> None:
    change = only(finding("t", 0.1, 0.2, 0.3), finding("t", 0.4, 0.5, 0.7))
    assert (change.value, change.low, change.high) == pytest.approx((0.3, 0.1, 0.6))
    assert change.level == pytest.approx(0.9)
    assert (change.status, change.reason, change.drift_at_most) == ("observed", "", None)


@given(ENDS, ENDS, st.floats(0, 1), st.floats(0, 1))
def test_the_interval_holds_every_change_that_the_two_intervals_allow(
    before: list[float], now: list[float], a: float, b: float
) -> None:
    change = only(finding("t", *before), finding("t", *now))
    truth_before = min(max(before[0] + a * (before[2] - before[0]), before[0]), before[2])
    truth_now = min(max(now[0] + b * (now[2] - now[0]), now[0]), now[2])
    assert change.low <= truth_now - truth_before <= change.high
    assert change.low <= change.value <= change.high


@given(ENDS, ENDS)
def test_comparing_the_other_way_round_turns_every_sign(before: list[float], now: list[float]) -> None:
    there = only(finding("t", *before), finding("t", *now))
    back = only(finding("t", *now), finding("t", *before))
    assert (back.value, back.low, back.high) == (-there.value, -there.high, -there.low)


@given(ENDS)
def test_a_profile_has_never_drifted_from_itself(ends: list[float]) -> None:
    same = finding("t", *ends, bound=0.0)
    change = only(same, same)
    assert change.value == 0.0
    assert change.status != "violated"


@given(ENDS, ENDS, st.floats(-2.0, 2.0))
def test_a_bound_is_decided_on_the_whole_interval(before: list[float], now: list[float], bound: float) -> None:
    change = only(finding("t", *before), finding("t", *now, bound=bound))
    expected = "held" if change.high <= bound else "violated" if change.low > bound else "inconclusive"
    assert change.status == expected
    assert bool(change.reason) == (expected == "inconclusive")


@given(ENDS, ENDS, st.floats(0.5, 0.999), st.floats(0.5, 0.999))
def test_the_level_is_what_both_intervals_guarantee_together(
    before: list[float], now: list[float], first: float, second: float
) -> None:
    change = only(finding("t", *before, level=first), finding("t", *now, level=second))
    assert 0.0 <= change.level <= min(first, second)
    assert change.level == pytest.approx(max(0.0, first + second - 1.0))


@pytest.mark.parametrize(
    ("before", "now", "reason"),
    [
        ({}, {"qualified": False}, "the judge is not qualified for it"),
        ({"qualified": False}, {}, "the judge is not qualified for it"),
        ({"estimand": "absolute"}, {}, "one is absolute and the other is not"),
    ],
)
def test_what_cannot_be_trusted_decides_nothing(before: Any, now: Any, reason: str) -> None:
    change = only(finding("t", 0.0, 0.1, 0.2, **before), finding("t", 1.0, 1.1, 1.2, bound=0.1, **now))
    assert (change.status, change.reason) == ("inconclusive", reason)


def test_a_shift_that_is_not_identifiable_has_no_change() -> None:
    change = only(finding("t", 0.0, 0.1, 0.2), finding("t", -2.0, None, 2.0, bound=3.0))
    assert (change.value, change.status) == (None, "inconclusive")
    assert change.reason == "its shift is not identifiable"


def test_an_unqualified_trait_without_a_bound_is_only_observed() -> None:
    change = only(finding("t", 0.0, 0.1, 0.2), finding("t", 0.0, 0.1, 0.2, qualified=False))
    assert (change.status, change.reason) == ("observed", "the judge is not qualified for it")


def test_traits_of_one_profile_alone_are_listed_with_no_numbers() -> None:
    base = profile(finding("gone", 0.0, 0.1, 0.2), finding("both", 0.0, 0.1, 0.2))
    now = profile(finding("new", 0.0, 0.1, 0.2, bound=0.1), finding("both", 0.0, 0.1, 0.2))
    new, both, gone = compare(base, now).findings
    assert [new.trait, both.trait, gone.trait] == ["new", "both", "gone"]
    assert (new.status, new.reason) == ("inconclusive", "the baseline does not have it")
    assert (gone.status, gone.reason) == ("observed", "only the baseline has it")
    assert (gone.value, gone.low, gone.high, gone.level) == (None,) * 4


def test_profiles_of_one_kind_are_comparable() -> None:
    assert obstacles(profile(), profile()) == ()
    assert compare(profile(), profile()).comparable


def test_other_kinds_are_not() -> None:
    found = compare(profile(), profile(finding("t", 0.0, 0.1, 0.2, bound=0.1), kind="rollout"), since="base.json")
    assert found.why == ("the kinds of signal differ: preference before, rollout now",)
    assert not found.comparable
    assert (found["t"].status, found["t"].value) == ("inconclusive", None)
    assert (
        found["t"].reason == "not comparable with base.json: the kinds of signal differ: preference before, rollout now"
    )


def test_another_judge_needs_the_groups() -> None:
    found = compare(profile(finding("t", 0.0, 0.1, 0.2)), profile(finding("t", 0.0, 0.1, 0.2), fingerprint="bb"))
    assert not found.comparable
    assert found.causes == ("judge",)
    assert found.why == ("the judges differ, and one of the profiles kept nothing of its groups",)


def test_the_order_is_that_of_now() -> None:
    first, second = finding("a", 0.0, 0.1, 0.2), finding("b", 0.0, 0.1, 0.2)
    assert list(compare(profile(first, second), profile(second, first))) == ["b", "a"]


def test_drift_is_decided_even_where_the_trait_was_once_bound_otherwise() -> None:
    before = finding("t", 0.0, 0.1, 0.2, bound=5.0)
    change = only(before, replace(finding("t", 1.0, 1.1, 1.2), expectation=Expectation(trait="t", drift_at_most=0.1)))
    assert change.status == "violated"
