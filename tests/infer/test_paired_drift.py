"""The change between two profiles that kept their groups: in pairs, with its parts and its interval."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_persona.infer.drift import compare
from pytest_persona.infer.sequence import past_run
from pytest_persona.model.drift import Drift
from pytest_persona.model.findings import Profile
from pytest_persona.model.history import PastRun

Make = Callable[..., Profile]
VALUES = st.lists(st.floats(-2, 2).map(lambda v: round(v, 4)), min_size=4, max_size=25)


def named(values: Any) -> dict[str, float | None]:
    return {f"g{k}": None if v is None else float(v) for k, v in enumerate(values)}


def drift(base: Profile, now: Profile, **more: Any) -> Drift:
    return compare(base, now, **more)["t"]


def altered(profiled: Make, before: Any, after: Any, **more: Any) -> Drift:
    return drift(profiled(named(before), content="x"), profiled(named(after), content="y", **more))


@given(VALUES, st.randoms(use_true_random=False))
def test_the_change_is_the_mean_difference_within_its_interval_and_its_parts_add_up(
    profiled: Make, before: list[float], random: Any
) -> None:
    after = [round(random.uniform(-2, 2), 4) for _ in before]
    texts = {f"g{k}": random.choice(["same", f"new {k}"]) for k in range(len(before))}
    after = [b if texts[f"g{k}"] == "same" else a for k, (b, a) in enumerate(zip(before, after, strict=True))]
    found = drift(profiled(named(before), content="same"), profiled(named(after), content=texts))
    assert found.value == pytest.approx(np.mean(after) - np.mean(before), abs=1e-9)
    assert found.low is not None and found.high is not None and found.value is not None
    assert found.low <= found.value <= found.high
    if found.way == "same":
        assert (found.low, found.high) == (0.0, 0.0)
        return
    assert (found.way, found.pairs, found.level) == ("paired", len(before), 0.95)
    assert found.parts is not None
    parts = (found.parts.unchanged, found.parts.altered, found.parts.added, found.parts.removed)
    assert sum(parts) == pytest.approx(found.value, abs=1e-9)
    assert parts[0] == pytest.approx(0.0) and parts[2:] == (0.0, 0.0)


@given(VALUES, VALUES)
def test_comparing_the_other_way_round_turns_every_sign(
    profiled: Make, before: list[float], after: list[float]
) -> None:
    one, other = profiled(named(before), content="x"), profiled(named(after), content="y")
    there, back = drift(one, other), drift(other, one)
    assert there.value is not None and back.value is not None and there.low is not None and back.high is not None
    assert back.value == pytest.approx(-there.value, abs=1e-9)
    assert back.high == pytest.approx(-there.low, abs=1e-6)
    assert there.way == back.way


def test_pairs_are_worth_more_than_two_estimates(profiled: Make) -> None:
    rng = np.random.default_rng(0)
    before = np.clip(rng.normal(0.0, 0.9, 200), -1.8, 1.8)
    after = np.clip(before + 0.2 + rng.normal(0.0, 0.1, 200), -2, 2)
    paired = altered(profiled, before, after)
    renamed = profiled({f"h{k}": float(v) for k, v in enumerate(after)}, content="y")
    apart = drift(profiled(named(before), content="x"), renamed)
    assert (paired.way, apart.way, apart.pairs, apart.parts) == ("paired", "separate", 0, None)
    assert paired.value == pytest.approx(apart.value)
    assert paired.high - paired.low < 0.5 * (apart.high - apart.low)  # type: ignore[operator]


def test_only_what_both_have_read_is_paired(profiled: Make) -> None:
    before = profiled(named([0.0] * 10), content="x", unread=["g8", "g9"])
    after = profiled(named([0.4] * 8 + [-2.0, -2.0]), content="y", unread=["g0"])
    found = drift(before, after)
    assert (found.pairs, found.way, found.value) == (7, "paired", pytest.approx(0.4))


def test_groups_that_came_and_went_have_their_part(profiled: Make) -> None:
    before = named([0.0] * 40 + [-1.0] * 2)
    after = {**named([0.1] * 40), **{f"new{k}": 1.1 for k in range(10)}}
    found = drift(profiled(before, content="x"), profiled(after, content="y"))
    assert found.way == "partly-paired"
    assert found.value == pytest.approx(np.mean([0.1] * 40 + [1.1] * 10) - np.mean([0.0] * 40 + [-1.0] * 2))
    assert found.parts is not None
    assert (found.parts.altered, found.parts.added) == (pytest.approx(0.1), pytest.approx(0.2))
    assert found.parts.removed == pytest.approx(2 / 42)
    assert found.low < found.value < found.high  # type: ignore[operator]


def test_what_was_not_read_counts_as_much_as_what_was(profiled: Make) -> None:
    """Of 20 new groups 10 were read, of 40 old ones 20: a third of all is new, whatever was read."""
    before = profiled(named([0.0] * 40), content="x")
    after = {**named([0.1] * 40), **{f"new{k}": 1.1 for k in range(20)}}
    unread = [f"g{k}" for k in range(20, 40)] + [f"new{k}" for k in range(10, 20)]
    found = drift(before, profiled(after, content="y", unread=unread))
    assert (found.pairs, found.way) == (20, "partly-paired")
    assert found.parts is not None
    assert found.parts.added == pytest.approx((1.1 - 0.1) / 3)


def test_one_row_more_widens_the_interval_a_little(profiled: Make) -> None:
    rng = np.random.default_rng(1)
    before = rng.normal(0.0, 0.5, 200).clip(-2, 2)
    after = named((before + 0.1).clip(-2, 2))
    plain = drift(profiled(named(before), content="x"), profiled(after, content="y"))
    more = drift(profiled(named(before), content="x"), profiled({**after, "new": 1.0}, content="y"))
    assert (plain.way, more.way) == ("paired", "partly-paired")
    assert 1.0 < (more.high - more.low) / (plain.high - plain.low) < 1.5  # type: ignore[operator]


def test_where_most_is_new_pairs_say_little(profiled: Make) -> None:
    after = {**named([0.0] * 3), **{f"new{k}": 0.5 for k in range(10)}}
    assert drift(profiled(named([0.0] * 13), content="x"), profiled(after, content="y")).way == "separate"


def test_groups_with_the_same_texts_on_both_sides_are_one_unit(profiled: Make) -> None:
    before, after = profiled(named([0.0] * 6), content="x"), profiled(named([0.5] * 5 + [0.0]), content="y")
    alike = [(profile.units, ["a"] * 5 + ["b"]) for profile in (before, after)]
    for units, content in alike:
        object.__setattr__(units, "content", tuple(f"{c}{id(units)}" for c in content))
    found = drift(before, after)
    assert (found.value, found.pairs) == (pytest.approx(0.25), 6)
    assert found.status == "observed"


def test_a_file_that_is_the_same_has_not_drifted_however_few_its_groups(profiled: Make) -> None:
    same = named([0.3, None])
    found = drift(profiled(same, sha256="s"), profiled(same, sha256="s", bound=0.0))
    assert (found.way, found.value, found.low, found.high, found.status) == ("same", 0.0, 0.0, 0.0, "held")


def test_two_pairs_decide_nothing(profiled: Make) -> None:
    found = altered(profiled, [0.0, 0.0], [1.9, 1.8], bound=0.1)
    assert found.status == "inconclusive"
    assert found.reason == "only 2 of 2 can be paired, and say different things; 3 must"


def test_exactly_these_groups_leave_nothing_open_once_all_are_read(profiled: Make) -> None:
    before, after = np.zeros(10), np.linspace(-0.2, 0.4, 10)
    found = altered(profiled, before, after, settings={"scope": "file"}, bound=0.11)
    assert found.value == pytest.approx(found.low, abs=1e-6)
    assert (found.high, found.status) == (pytest.approx(found.value, abs=1e-6), "held")


def test_where_exactly_these_groups_are_decided_differently_that_is_shown(profiled: Make) -> None:
    before = named(np.zeros(40))
    texts = dict.fromkeys(before, "x") | {"g0": "y"}
    found = drift(profiled(before, content="x"), profiled(before | {"g0": 1.0}, content=texts, bound=0.1))
    assert found.status == "inconclusive"
    assert found.other_scope is not None
    other = found.other_scope
    assert (other.scope, other.status) == ("file", "held")
    assert (other.low, other.high) == (pytest.approx(1 / 40, abs=1e-6), pytest.approx(1 / 40, abs=1e-6))
    wide = drift(profiled(before, content="x"), profiled(before | {"g0": 1.0}, content=texts, bound=1.9))
    assert (wide.status, wide.other_scope) == ("held", None)


def test_with_a_sample_of_a_larger_file_these_groups_mean_nothing_in_particular(profiled: Make) -> None:
    found = altered(profiled, np.zeros(10), np.linspace(-0.2, 0.4, 10), settings={"scope": "file"}, of=99)
    assert found.low < found.value < found.high  # type: ignore[operator]


@pytest.mark.parametrize(
    ("pole", "by", "bound", "status"),
    [
        ("high", 0.9, 0.1, "violated"), ("high", -0.9, 0.1, "held"), ("low", -0.9, 0.1, "violated"), ("low", 0.9, 0.1, "held"),
        ("none", 0.9, 0.1, "violated"), ("none", -0.9, 0.1, "violated"), ("none", 0.0, 0.6, "held"), ("high", 0.1, 0.1, "inconclusive"),
    ],
)  # fmt: skip
def test_a_bound_is_on_growth_towards_the_unwanted_pole(
    profiled: Make, pole: str, by: float, bound: float, status: str
) -> None:
    rng = np.random.default_rng(3)
    before = rng.uniform(-0.5, 0.5, 60)
    found = altered(profiled, before, before + by + rng.uniform(-0.05, 0.05, 60), pole=pole, bound=bound)
    assert found.status == status
    assert bool(found.reason) == (status == "inconclusive")


def test_several_bounds_share_the_level(profiled: Make) -> None:
    rng = np.random.default_rng(4)
    before = rng.uniform(-0.5, 0.5, 80)
    one = profiled(named(before), content="x")
    two = profiled(named(before + 0.9), content="y", bound=0.1)

    def both(profile: Profile, second: Any) -> Profile:
        from dataclasses import replace

        (finding,), units = profile.findings, profile.units
        assert units is not None
        wider = replace(
            units,
            values={**units.values, "u": tuple(named(second).values())},
            reach={"t": 2.0, "u": 2.0},
            definitions={"t": "d", "u": "d"},
        )
        return replace(profile, findings=(finding, replace(finding, trait="u")), units=wider)

    found = compare(both(one, before), both(two, before + 0.12))
    assert [f.status for f in found.findings] == ["violated", "inconclusive"]
    assert [f.level for f in found.findings] == [pytest.approx(0.975)] * 2
    found = compare(both(one, before), both(two, before - 0.9))
    assert [f.level for f in found.findings] == [pytest.approx(0.95)] * 2


# ------------------------------------------------------------------------------------------------ over many runs
def probed(profiled: Make, values: Any, text: str, **more: Any) -> Profile:
    return profiled(named(values), kind="probe", content=text, **more)


def test_with_a_history_a_bound_is_broken_by_the_evidence_of_all_runs(profiled: Make) -> None:
    rng = np.random.default_rng(6)
    likely = rng.uniform(-0.3, 0.1, 100)
    base = probed(profiled, likely + rng.uniform(-0.2, 0.2, 100), "base")
    past: list[PastRun] = []
    statuses = []
    for day in range(4):
        now = probed(profiled, likely + 0.15 + rng.uniform(-0.2, 0.2, 100), f"day {day}", bound=0.0)
        found = drift(base, now, history=past)
        assert found.looks is not None and found.looks.evidence is not None
        assert found.looks.runs == day + 1
        assert (found.status == "violated") == (found.looks.evidence >= found.looks.needed)
        statuses.append(found.status)
        from pytest_persona.infer.pairs import match

        past.append(past_run(match(base, now)))  # type: ignore[arg-type]
    assert "violated" in statuses


@pytest.mark.parametrize(("growth", "status"), [(-0.4, "held"), (0.02, "inconclusive"), (0.5, "violated")])
def test_the_first_look_decides_much_as_a_single_run_does(profiled: Make, growth: float, status: str) -> None:
    rng = np.random.default_rng(7)
    likely = rng.uniform(-0.3, 0.1, 60)
    base = probed(profiled, likely, "base")
    now = probed(profiled, likely + growth + rng.uniform(-0.1, 0.1, 60), "now", bound=0.0)
    assert (drift(base, now).status, drift(base, now, history=[]).status) == (status, status)


def test_a_large_drift_is_seen_at_once_after_many_quiet_days(profiled: Make) -> None:
    rng = np.random.default_rng(10)
    likely = rng.uniform(-0.6, 0.2, 31)
    quiet = [PastRun(run=str(k), values={"t": tuple(likely + rng.uniform(-0.2, 0.2, 31))}) for k in range(60)]
    now = probed(profiled, likely + 0.75, "now", bound=0.1)
    assert drift(probed(profiled, likely, "base"), now, history=quiet).status == "violated"


def test_replies_are_draws_in_either_scope(profiled: Make) -> None:
    before, after = np.zeros(30), np.linspace(-0.1, 0.3, 30)
    ends = []
    for scope in ("signals", "file"):
        now = probed(profiled, after, "now", settings={"scope": scope}, bound=0.05)
        found = drift(probed(profiled, before, "base"), now)
        ends.append((found.low, found.high))
        assert (found.status, found.other_scope) == ("inconclusive", None)
    assert ends[0] == ends[1]


def test_an_alarm_ends_once_the_product_is_as_it_was(profiled: Make) -> None:
    base = probed(profiled, np.zeros(80), "base")
    loud = [PastRun(run=str(k), values={"t": (0.5,) * 80}) for k in range(6)]
    found = drift(base, probed(profiled, np.full(80, -0.01), "now", bound=0.0), history=loud)
    assert found.looks is not None and found.looks.evidence is not None and found.looks.evidence > found.looks.needed
    assert found.status == "inconclusive"
    assert (found.looks.runs, found.reason) == (7, "the bound lies within the interval of the change")


def test_one_run_beyond_the_bound_waits_for_more_evidence_after_many_looks(profiled: Make) -> None:
    rng = np.random.default_rng(8)
    base_values = rng.uniform(-0.2, 0.2, 60)
    quiet = [PastRun(run=str(k), values={"t": tuple(base_values)}) for k in range(40)]
    now = probed(profiled, base_values + 0.23 + rng.uniform(-0.2, 0.2, 60), "now", bound=0.0)
    base = probed(profiled, base_values, "base")
    assert drift(base, now).status == "violated"
    found = drift(base, now, history=quiet)
    assert found.status == "inconclusive"
    assert found.looks is not None and found.looks.runs == 41
    assert found.reason.startswith("this run alone is beyond the bound, but after so many looks")


def test_an_interval_that_may_not_be_looked_at_twice_pays_for_the_looks_itself(profiled: Make) -> None:
    rng = np.random.default_rng(9)
    values = rng.uniform(-0.3, 0.3, 30)
    base = probed(profiled, values, "base")
    now = probed(profiled, values + 0.2 + rng.uniform(-0.3, 0.3, 30), "now", bound=0.0, settings={"interval": "t"})
    first = drift(base, now, history=[])
    assert first.looks is not None
    assert (first.status, first.looks.evidence, first.level) == ("violated", None, pytest.approx(0.95))
    quiet = [PastRun(run=str(k), values={"t": tuple(values)}) for k in range(99)]
    later = drift(base, now, history=quiet)
    assert later.high - later.low > 1.5 * (first.high - first.low)  # type: ignore[operator]


def test_where_nothing_can_be_pooled_the_looks_are_paid_by_the_interval(profiled: Make) -> None:
    base = profiled(named([0.0] * 40), content="x")
    now = profiled({**named([0.3] * 40), "new": 1.0}, content="y", bound=0.1)
    quiet = [PastRun(run=str(k), values={"t": (0.0,) * 40}) for k in range(9)]
    alone, after = drift(base, now), drift(base, now, history=quiet)
    assert after.looks is not None
    assert (after.looks.runs, after.looks.evidence) == (10, None)
    assert after.level == pytest.approx(1 - 0.05 * 2 / 110)
    assert after.low < alone.low  # type: ignore[operator]
