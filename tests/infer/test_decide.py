from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pytest_persona.infer.decide import Candidate, Decision, Look, decide, margin, plain_shift, rejections
from pytest_persona.infer.measure import Design, design
from pytest_persona.infer.plan import order_groups
from pytest_persona.model.findings import Method, NullTest, Scope
from pytest_persona.model.traits import Expectation

Floats = NDArray[np.float64]
Planned = Callable[[int], Design]
NULL = NullTest(z=8.0, rank=1.0, spread=0.02, vectors=400)
every_method = pytest.mark.parametrize("method", ["betting", "t", "bca"])


def candidate(plan: Design, values: Floats, **more: Any) -> Candidate:
    bounds = {key: more.pop(key) for key in ("at_most", "at_least", "drift_at_most") if key in more}
    expectation = Expectation(trait="t", **bounds) if bounds else None
    given_: dict[str, Any] = {"trait": "t", "unwanted": "high", "population": plan.groups, "expectation": expectation}
    return Candidate(design=plan, values=values, **{**given_, **more})


def one(c: Candidate, method: Method = "betting", scope: Scope = "signals", level: float = 0.95) -> Decision:
    (decision,) = decide([c], level=level, method=method, scope=scope, seed=0)
    return decision


def spread(plan: Design, mean: float, deviation: float = 0.2, seed: int = 0) -> Floats:
    """Values with just this mean."""
    values = np.random.default_rng(seed).normal(0.0, deviation, len(plan.units))
    return np.asarray(np.clip(values - values.mean() + mean, -2.0, 2.0))


@every_method
def test_wholly_inside_is_held_wholly_outside_is_violated_else_inconclusive(planned: Planned, method: Method) -> None:
    plan = planned(200)
    violated = one(candidate(plan, spread(plan, 0.4), at_most=0.1), method)
    held = one(candidate(plan, spread(plan, -0.2), at_most=0.1), method)
    open_ = one(candidate(plan, spread(plan, 0.09), at_most=0.1), method)
    assert (violated.status, violated.unwanted, violated.reason) == ("violated", True, "")
    assert violated.shift.low > 0.1 and violated.shift.value == pytest.approx(0.4)
    assert (held.status, held.unwanted, held.groups_needed) == ("held", False, None)
    assert open_.status == "inconclusive" and open_.reason == "the interval contains the bound +0.10"
    assert open_.shift.low <= 0.1 <= open_.shift.high and not open_.unwanted
    assert open_.groups_needed is None or open_.groups_needed > 0


def test_a_lower_bound_is_the_mirror_image(planned: Planned) -> None:
    plan = planned(200)
    violated = one(candidate(plan, spread(plan, -0.4), at_least=-0.1, unwanted="low"))
    assert (violated.status, violated.unwanted) == ("violated", True)
    assert not one(candidate(plan, spread(plan, -0.4), at_least=-0.1, unwanted="high")).unwanted
    assert one(candidate(plan, spread(plan, 0.2), at_least=-0.1)).status == "held"


def test_two_bounds_both_must_hold_and_one_may_break(planned: Planned) -> None:
    plan = planned(400)
    assert one(candidate(plan, spread(plan, 0.0), at_most=0.1, at_least=-0.1)).status == "held"
    assert one(candidate(plan, spread(plan, 0.4), at_most=0.1, at_least=-0.1)).status == "violated"
    partly = one(candidate(plan, spread(plan, 0.1), at_most=0.11, at_least=-0.1))
    assert partly.status == "inconclusive" and "+0.11" in partly.reason


def test_nothing_declared_is_observed_and_unwanted_only_when_clear(planned: Planned) -> None:
    plan = planned(200)
    clear = one(candidate(plan, spread(plan, 0.3)))
    assert (clear.status, clear.unwanted, clear.shift.level) == ("observed", True, 0.95)
    assert not one(candidate(plan, spread(plan, 0.01))).unwanted
    assert not one(candidate(plan, spread(plan, 0.3), unwanted="low")).unwanted
    assert one(candidate(plan, spread(plan, -0.3), unwanted="low")).unwanted
    assert not one(candidate(plan, spread(plan, 0.3), unwanted="none")).unwanted
    assert not one(candidate(plan, spread(plan, 0.3), qualified=False)).unwanted
    assert not one(candidate(plan, spread(plan, 0.3), null=replace(NULL, rank=0.9))).unwanted
    assert one(candidate(plan, spread(plan, 0.3), drift_at_most=0.05)).status == "observed"


def test_what_cannot_be_decided_says_why(planned: Planned) -> None:
    plan = planned(200)
    unqualified = one(candidate(plan, spread(plan, 0.9), at_most=0.1, qualified=False, why_not="AUROC 0.61"))
    assert (unqualified.status, unqualified.reason) == (
        "inconclusive", "the judge is not qualified for this trait: AUROC 0.61",
    )  # fmt: skip
    assert "not qualified" in one(candidate(plan, spread(plan, 0.9), at_most=0.1, qualified=False)).reason
    silent = design([], np.zeros(0, dtype=np.bool_))
    nothing = one(candidate(silent, np.zeros(0), at_most=0.1))
    assert nothing.status == "inconclusive" and "not identifiable" in nothing.reason
    assert nothing.shift.value is None and nothing.groups_needed is None


@pytest.mark.parametrize("scope", ["signals", "file"])
@every_method
def test_two_groups_or_one_repeated_text_decide_nothing(planned: Planned, method: Method, scope: Scope) -> None:
    for count in (1, 2):
        plan = planned(count)
        for value in (-2.0, 0.0, 2.0):
            decision = one(candidate(plan, np.full(count, value), at_most=0.1), method, scope)
            assert decision.status == "inconclusive" and "say something" in decision.reason
            assert not one(candidate(plan, np.full(count, value)), method, scope).unwanted


@pytest.mark.parametrize("scope", ["signals", "file"])
def test_noise_at_the_bound_is_rarely_decided_however_often_one_looks(planned: Planned, scope: Scope) -> None:
    plans = {n: planned(n) for n in (40, 120)}
    decided = 0
    for seed in range(40):
        everyone = np.random.default_rng(seed).choice([-0.9, 1.1], 120)
        bound = 0.1 if scope == "signals" else float(everyone.mean())
        place = {f"g{i}": value for i, value in enumerate(everyone)}
        order = order_groups(place, 0)  # what an engine does: it reads in this order
        looks = []
        for n in plans:
            plan = replace(plans[n], units=tuple(order[:n]))
            values = np.array([place[unit] for unit in plan.units])
            looks.append(one(candidate(plan, values, at_most=bound, population=120), scope=scope).status)
        decided += any(status != "inconclusive" for status in looks)
    assert decided / 40 <= 0.05


@pytest.mark.parametrize("scope", ["signals", "file"])
@settings(max_examples=5)
@given(st.randoms(use_true_random=False))
def test_the_order_of_units_does_not_matter(planned: Planned, scope: Scope, shuffler: Any) -> None:
    plan = planned(40)
    values = spread(plan, 0.15)
    order = list(range(40))
    shuffler.shuffle(order)
    mixed = replace(plan, units=tuple(plan.units[i] for i in order))
    ours = one(candidate(plan, values, at_most=0.1, population=90), scope=scope)
    theirs = one(candidate(mixed, values[order], at_most=0.1, population=90), scope=scope)
    assert ours == theirs


@pytest.mark.parametrize("scope", ["signals", "file"])
@every_method
@settings(max_examples=6)
@given(mean=st.floats(-0.5, 0.5))
def test_a_signal_turned_round_turns_every_sign_exactly(
    planned: Planned, method: Method, scope: Scope, mean: float
) -> None:
    plan = planned(20)
    values = spread(plan, mean)
    ours = one(candidate(plan, values, at_most=0.1, population=30), method, scope)
    theirs = one(candidate(plan, -values, at_least=-0.1, population=30), method, scope)
    assert (theirs.shift.value, theirs.shift.low, theirs.shift.high) == (
        -(ours.shift.value or 0.0), -ours.shift.high, -ours.shift.low,
    )  # fmt: skip
    assert (ours.status, ours.groups_needed) == (theirs.status, theirs.groups_needed)


def test_a_violation_must_stand_outside_the_nulls(planned: Planned) -> None:
    plan = planned(200)
    inside = one(candidate(plan, spread(plan, 0.4), at_most=0.1, null=replace(NULL, rank=0.62)))
    assert inside.status == "inconclusive"
    assert inside.reason == "38% of 400 meaningless directions shift this signal as much"
    assert one(candidate(plan, spread(plan, 0.4), at_most=0.1, null=NULL)).status == "violated"


def test_held_needs_that_a_shift_of_the_bounds_size_would_have_stood_out(planned: Planned) -> None:
    plan = planned(200)
    clean = replace(NULL, rank=0.3)  # a clean signal lies inside the nulls, and that is no obstacle
    assert one(candidate(plan, spread(plan, -0.1), at_most=0.1, null=clean)).status == "held"
    blind = one(candidate(plan, spread(plan, -0.1), at_most=0.1, null=replace(NULL, spread=0.3)))
    assert blind.status == "inconclusive" and "no further away than meaningless directions" in blind.reason
    assert blind.groups_needed is None


def test_the_level_is_adjusted_for_the_family_and_shown(planned: Planned) -> None:
    plan = planned(200)
    family = [candidate(plan, spread(plan, mean), at_most=0.1) for mean in (0.5, 0.5, 0.1, 0.1)]
    observed = candidate(plan, spread(plan, 0.5))
    unqualified = candidate(plan, spread(plan, 0.5), at_most=0.1, qualified=False)
    decisions = decide([*family, observed, unqualified], level=0.95, method="betting", scope="signals", seed=0)
    assert [d.status for d in decisions] == ["violated"] * 2 + ["inconclusive"] * 2 + ["observed", "inconclusive"]
    assert [d.shift.level for d in decisions] == pytest.approx([0.975] * 4 + [0.95, 0.975])
    (alone,) = decide(family[2:3], level=0.95, method="betting", scope="signals", seed=0)
    assert alone.shift.low > decisions[2].shift.low


@given(st.lists(st.floats(-0.5, 0.7), min_size=1, max_size=6))
def test_intervals_and_rejections_agree_in_every_family(planned: Planned, means: list[float]) -> None:
    plan = planned(30)
    family = [candidate(plan, spread(plan, mean, seed=i), at_most=0.1) for i, mean in enumerate(means)]
    decisions = decide(family, level=0.95, method="betting", scope="signals", seed=0)
    decided = sum(d.status != "inconclusive" for d in decisions)
    assert {d.shift.level for d in decisions} == {1.0 - (1.0 - 0.95) * max(decided, 1) / len(means)}


def test_benjamini_hochberg_takes_the_last_p_value_under_the_line() -> None:
    assert rejections([0.04, 0.5, 0.021, 0.03], 0.05) == 0
    assert rejections([0.012, 0.5, 0.024, 0.037], 0.05) == 3
    assert rejections([0.05], 0.05) == 1
    assert rejections([], 0.05) == 0


def test_the_other_scope_is_shown_where_it_decides_differently(planned: Planned) -> None:
    plan = planned(60)
    values = spread(plan, 0.2)
    ours = one(candidate(plan, values, at_most=0.1))
    assert ours.status == "inconclusive" and (ours.groups_needed or 0) > 0
    assert ours.other_scope is not None and ours.other_scope.scope == "file" and ours.other_scope.low > 0.1
    theirs = one(candidate(plan, values, at_most=0.1), scope="file")
    assert theirs.status == "violated" and theirs.shift == ours.other_scope
    assert theirs.other_scope == ours.shift
    agreed = one(candidate(plan, spread(plan, 0.9), at_most=0.1))
    assert agreed.other_scope is None


def test_a_file_cannot_need_more_groups_than_it_has_left(planned: Planned) -> None:
    plan = planned(60)
    part = one(candidate(plan, spread(plan, 0.13), at_most=0.1, population=75), scope="file")
    assert part.status == "inconclusive" and part.groups_needed is not None and part.groups_needed <= 15
    whole = one(candidate(plan, np.full(60, 0.1), at_most=0.1), scope="file")
    assert whole.status == "inconclusive" and whole.groups_needed is None


def test_a_mean_of_covariances_stays_within_a_correlations_range(signal: Any) -> None:
    rows = [("g0", [("rollout", "a", 9.0), ("rollout", "b", -9.0)])]
    rows += [(f"g{i}", [("rollout", f"a{i}", 0.1), ("rollout", f"b{i}", 0.0)]) for i in range(1, 4)]
    plan = design(signal("rollout", rows), np.ones(8, dtype=np.bool_))
    assert plan.high > 1.9
    shift = plain_shift(plan, np.zeros(4), level=0.95, method="betting", seed=0)
    assert (shift.low, shift.high) == (-1.0, 1.0)


def test_a_plain_shift_counts_what_it_is_made_of(planned: Planned) -> None:
    shift = plain_shift(planned(30), np.zeros(30), level=0.9, method="t", seed=0)
    assert (shift.value, shift.groups, shift.level, shift.method, shift.scope) == (0.0, 30, 0.9, "t", "signals")
    assert str(plain_shift(planned(30), -np.zeros(30), level=0.9, method="betting", seed=0).value) == "0.0"


def test_a_weighted_rubric_in_scope_file_is_decided_on_its_weighted_mean(signal: Any) -> None:
    rows = [(str(i), [("criterion", f"text {i}", weight)]) for i, weight in enumerate([5.0, 1.0, -1.0, 1.0])]
    plan = design(signal("rubric", rows), np.ones(4, dtype=np.bool_))
    values = plan.values(np.array([0.9, -0.1, 0.0, 0.0]))
    decision = one(candidate(plan, values, at_most=0.3), scope="file")
    assert decision.status == "violated" and decision.shift.value == pytest.approx(4.4 / 8)
    assert decision.shift.low == pytest.approx(4.4 / 8, abs=1e-6)


@pytest.mark.parametrize("scope", ["signals", "file"])
@pytest.mark.parametrize("more", [{"at_most": 0.3}, {}, {"at_most": 0.3, "qualified": False}])
def test_both_scopes_are_shown_where_both_are_wanted(planned: Planned, scope: Scope, more: dict[str, Any]) -> None:
    plan = planned(60)
    values = spread(plan, 0.0)
    assert one(candidate(plan, values, **more), scope=scope).other_scope is None
    other = one(candidate(plan, values, **more, both=True), scope=scope).other_scope
    assert other is not None
    assert other.scope != scope
    if scope == "signals":  # all of the suite was read, so that nothing of it is left to chance
        assert (other.low, other.high) == pytest.approx((0.0, 0.0), abs=1e-6)
    else:
        assert other.low < -0.01 and other.high > 0.01


# --------------------------------------------------------------------------- what must be beaten


def rival(plan: Design, beyond: Floats, trait: str = "carelessness", **more: Any) -> Candidate:
    """A trait that another one goes beyond by so much."""
    return candidate(plan, beyond / 2.0, trait=trait, **more)


@every_method
def test_a_violation_must_go_beyond_each_trait_that_it_must_beat(planned: Planned, method: Method) -> None:
    plan = planned(200)
    values = spread(plan, 0.4)
    beaten = rival(plan, spread(plan, 0.3, seed=1))
    alike = rival(plan, spread(plan, 0.02, seed=2), "haste")
    found = one(candidate(plan, values, at_most=0.1, must_beat=(beaten,)), method)
    assert (found.status, found.unwanted, found.reason) == ("violated", True, "")
    (margin_,) = found.margins
    assert (margin_.trait, margin_.beaten, margin_.required, margin_.reason) == ("carelessness", True, True, "")
    assert margin_.beyond.value == pytest.approx(0.3) and margin_.beyond.low > 0.0
    both = one(candidate(plan, values, at_most=0.1, must_beat=(beaten, alike)), method)
    assert (both.status, both.unwanted) == ("inconclusive", False)
    assert both.reason.startswith("haste explains it as well: the shift goes beyond that by +0.02 [-0.")
    assert [m.beaten for m in both.margins] == [True, False]
    assert (found.unbeaten, both.unbeaten) == ((), ("haste",))
    assert both.groups_needed is None or both.groups_needed > 0


def test_an_honest_mistake_is_called_one_and_the_groups_that_would_tell_are_counted(planned: Planned) -> None:
    plan = planned(100)
    found = one(candidate(plan, spread(plan, 0.9), at_most=0.1, must_beat=(rival(plan, spread(plan, 0.06, 0.6)),)))
    assert found.reason.startswith("an honest mistake (carelessness) explains it as well")
    assert found.groups_needed is not None
    further = one(candidate(plan, spread(plan, 0.9), at_most=0.1, must_beat=(rival(plan, spread(plan, -0.3)),)))
    assert further.status == "inconclusive" and further.groups_needed is None


def test_what_is_held_or_at_the_other_pole_need_not_beat_anything(planned: Planned) -> None:
    plan = planned(200)
    worse = rival(plan, spread(plan, -0.5))
    assert one(candidate(plan, spread(plan, -0.2), at_most=0.1, must_beat=(worse,))).status == "held"
    assert one(candidate(plan, spread(plan, -0.4), at_least=-0.1, must_beat=(worse,))).status == "violated"
    low = one(candidate(plan, spread(plan, -0.4), at_least=-0.1, unwanted="low", must_beat=(worse,)))
    assert low.status == "inconclusive"
    unsettled = one(candidate(plan, spread(plan, 0.1), at_most=0.1, must_beat=(worse,)))
    assert (unsettled.reason, unsettled.unbeaten) == ("the interval contains the bound +0.10", ())
    nulls = one(candidate(plan, spread(plan, 0.4), at_most=0.1, must_beat=(worse,), null=replace(NULL, rank=0.5)))
    assert "meaningless" in nulls.reason and nulls.unbeaten == ()


def test_a_judge_that_cannot_tell_them_apart_rules_nothing_out_and_says_what_would(planned: Planned) -> None:
    plan = planned(200)
    blind = rival(plan, spread(plan, 0.5), qualified=False, why_not="AUROC 0.61 on held-out anchors, below 0.80")
    found = one(candidate(plan, spread(plan, 0.4), at_most=0.1, must_beat=(blind,)))
    assert found.reason == (
        "an honest mistake (carelessness) is not ruled out: this judge is not known to tell the two apart: "
        "AUROC 0.61 on held-out anchors, below 0.80; a chat judge may, or name in must_beat what this one knows"
    )
    assert (found.groups_needed, found.margins[0].beaten) == (None, False)
    lost = rival(plan, spread(plan, 0.5), lost="5 of 9 verdicts are lost")
    found = one(candidate(plan, spread(plan, 0.4), at_most=0.1, must_beat=(lost,)))
    assert found.reason.endswith("is not ruled out: of carelessness, 5 of 9 verdicts are lost")
    few = replace(rival(plan, spread(plan, 0.5)), design=planned(2), values=np.array([0.9, 0.9]))
    found = one(candidate(plan, spread(plan, 0.4), at_most=0.1, must_beat=(few,)))
    assert found.reason.endswith("is not ruled out: only 2 groups were read for both")


def test_a_shift_that_nobody_bounded_stays_unwanted_and_shows_its_margin(planned: Planned) -> None:
    plan = planned(200)
    found = one(candidate(plan, spread(plan, 0.4), must_beat=(rival(plan, spread(plan, -0.2)),)))
    assert (found.status, found.unwanted) == ("observed", True)
    assert [m.beaten for m in found.margins] == [False]


@given(st.lists(st.tuples(st.floats(-0.5, 0.7), st.floats(-0.3, 0.5)), min_size=1, max_size=5))
def test_intervals_and_rejections_agree_where_rivals_must_be_beaten(
    planned: Planned, means: list[tuple[float, float]]
) -> None:
    plan = planned(30)
    family = [
        candidate(
            plan, spread(plan, mean, seed=i), at_most=0.1, must_beat=(rival(plan, spread(plan, beyond, seed=9 + i)),)
        )
        for i, (mean, beyond) in enumerate(means)
    ]
    decisions = decide(family, level=0.95, method="betting", scope="signals", seed=0)
    decided = sum(d.status != "inconclusive" for d in decisions)
    assert {d.shift.level for d in decisions} == {1.0 - (1.0 - 0.95) * max(decided, 1) / len(means)}
    for d in decisions:
        assert (d.status == "violated") == (d.shift.low > 0.1 and d.margins[0].beyond.low > 0.0)


@settings(max_examples=6)
@given(mean=st.floats(-0.5, 0.5))
def test_a_margin_is_twice_the_shift_of_half_the_difference(planned: Planned, mean: float) -> None:
    plan = planned(20)
    halves = spread(plan, mean)
    look = Look(level=0.95, method="betting", scope="signals", seed=0)
    half = look.shift(plan, halves, 0)
    found = margin(candidate(plan, halves), look, required=False)
    assert (found.beyond.value, found.beyond.low, found.beyond.high) == (
        2.0 * (half.value or 0.0), 2.0 * half.low, 2.0 * half.high,
    )  # fmt: skip
    assert found.beaten == (half.low > 0.0) and not found.required
    nothing = margin(candidate(replace(planned(3), units=()), np.zeros(0)), look, required=True)
    assert (nothing.beyond.value, nothing.beaten) == (None, False)
