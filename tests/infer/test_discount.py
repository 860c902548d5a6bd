"""Effects, leaks and explained shares: what is decided, and how often by chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pytest_persona.infer.decide import Look
from pytest_persona.infer.discount import (
    Case,
    between_texts,
    decided,
    effect,
    explained_share,
    findings,
    sign,
)
from pytest_persona.infer.measure import Design, design
from pytest_persona.model.episodes import Episode
from pytest_persona.model.findings import Method, NullTest, Shift
from pytest_persona.model.inoculation import InoculationFinding

Floats = NDArray[np.float64]
Planned = Callable[[int], Design]
LOOK = Look(level=0.95, method="betting", scope="signals", seed=0)
T = replace(LOOK, method="t")
REPETITIONS = 200


def case(plan: Design, **more: Any) -> Case:
    """A trait of 0.8 as it is and with irrelevant texts, of 0.1 with the request, and of 0.79 in the leaks' arms."""
    n = len(plan.units)
    wobble = np.random.default_rng(5).normal(0.0, 0.02, n)
    values = {
        "as-is": 0.8 + wobble,
        "placebo": 0.8 - wobble,
        "requested": 0.1 + wobble,
        "opposite": 0.79 + wobble,
        "look-alike": 0.79 + wobble,
    } | more.pop("values", {})
    given: dict[str, Any] = {
        "trait": "sycophancy", "unwanted": "high", "design": plan, "values": values, "texts": ("Flatter me.",),
        "phrasing": np.zeros(n, dtype=np.intp), "placebo": np.arange(n) % 8, "leak_at_most": 0.5,
    }  # fmt: skip
    return Case(**given | more)


def only(found: Case, look: Look = LOOK) -> InoculationFinding:
    (finding,) = findings([found], look)
    return finding


def judged(rng: np.random.Generator, plan: Design, *, quirk: float, share: float = 0.0, noise: float = 0.08) -> Case:
    """A judge whose reading moves by a quirk of each text: 8 irrelevant ones and a request that explains away a share."""
    n = len(plan.units)
    true = rng.beta(5.0, 3.0, n)

    def arm(left: float, texts: int) -> Floats:
        of_text = rng.normal(0.0, quirk, texts)[np.arange(n) % texts] if texts else 0.0
        return np.clip(left * true + of_text + rng.normal(0.0, noise, n), -1.0, 1.0)

    values = {
        "as-is": arm(1.0, 0), "placebo": arm(1.0, 8), "requested": arm(1.0 - share, 1), "opposite": arm(1.0, 1),
        "look-alike": arm(1.0, 1),
    }  # fmt: skip
    return case(plan, values=values, leak_at_most=4.0)


# ---------------------------------------------------------------------------------------------------- rates


@pytest.mark.parametrize("quirk", [0.0, 0.05])
def test_a_request_that_asks_for_nothing_moves_nothing_beyond_chance(planned: Planned, quirk: float) -> None:
    plan = planned(150)
    cases = [judged(np.random.default_rng(seed), plan, quirk=quirk) for seed in range(REPETITIONS)]
    moved = [only_effect(found, T) for found in cases]
    assert np.mean([low > 0.0 for low, _ in moved]) <= 0.04
    assert np.mean([high < 0.0 for _, high in moved]) <= 0.04
    naive = [T.shift(plan, found.effects() / 2.0, 0) for found in cases]
    fooled = np.mean([not shift.low <= 0.0 <= shift.high for shift in naive])
    # What a text does by itself is why one irrelevant text, or an interval over groups alone, would not do.
    assert fooled > 0.5 if quirk else fooled < 0.1


def test_by_betting_nothing_is_shown_by_chance_either(planned: Planned) -> None:
    plan = planned(150)
    cases = [judged(np.random.default_rng(seed), plan, quirk=0.05) for seed in range(REPETITIONS)]
    assert np.mean([decided([found], LOOK) for found in cases]) <= 0.025


@pytest.mark.parametrize(("method", "units"), [("t", 60), ("betting", 120)])
def test_the_intervals_cover_the_effect_and_the_share(planned: Planned, method: Method, units: int) -> None:
    plan, look = planned(units), replace(LOOK, method=method)
    repetitions = REPETITIONS if method == "t" else REPETITIONS // 4
    effects, shares = [], []
    for seed in range(repetitions):
        found, share = effect(judged(np.random.default_rng(seed), plan, quirk=0.03, share=0.6), look)
        effects.append(found.low <= 0.6 * 5.0 / 8.0 <= found.high)
        assert share.low is not None and share.high is not None
        shares.append(share.low <= 0.6 <= share.high)
    assert np.mean(effects) >= 0.95
    assert np.mean(shares) >= 0.95


def only_effect(found: Case, look: Look) -> tuple[float, float]:
    shift, _ = effect(replace(found, values={**found.values, "as-is": found.values["as-is"]}), look)
    return shift.low, shift.high


# ---------------------------------------------------------------------------------------------------- what is decided


def test_what_explains_a_trait_away_and_leaks_little_is_shown(planned: Planned) -> None:
    found = only(case(planned(80)))
    assert (found.status, found.missing) == ("shown", ())
    assert found.effect.value == pytest.approx(0.7, abs=0.02)
    assert found.opposite.value == pytest.approx(0.01, abs=0.02)
    assert found.explained.value == pytest.approx(7 / 8, abs=0.02)
    assert found.explained.low is not None and found.explained.high is not None
    assert found.explained.low < 7 / 8 < found.explained.high
    assert found.effect.low > 0.0 and found.effect.groups == 80


@pytest.mark.parametrize(
    ("more", "status", "missing"),
    [
        ({"values": {"requested": np.full(80, 0.8)}}, "inconclusive", "the effect is not clear of 0"),
        ({"effect_at_least": 0.65}, "inconclusive", "the effect is not clear of 0.65"),
        ({"effect_at_least": 1.5}, "refuted", "the effect is not clear of 1.50"),
        ({"values": {"requested": np.full(80, 1.0), "placebo": np.zeros(80)}}, "refuted", "the effect is not clear of 0"),
        ({"leak_at_most": 0.05}, "inconclusive", "the opposite request may discount more than 0.05 too"),
        ({"values": {"look-alike": np.full(80, -0.1)}}, "refuted", "what only looks like the request discounts more than 0.50 too"),
        ({"values": {"opposite": np.full(80, -0.1)}}, "refuted", "the opposite request discounts more than 0.50 too"),
        ({"values": {"as-is": np.zeros(80)}}, "inconclusive", "there is nothing to explain away"),
        ({"null": NullTest(z=0.2, rank=0.6, spread=0.1, vectors=400)}, "inconclusive",
         "40% of 400 meaningless directions shift this signal as much as it is"),
        ({"qualified": False, "why_not": "AUROC 0.60"}, "inconclusive", "the judge is not qualified for this trait: AUROC 0.60"),
        ({"why_not": "20 of 80 verdicts are lost"}, "inconclusive", "20 of 80 verdicts are lost"),
        ({"placebo": np.arange(80) % 2}, "inconclusive", "fewer than 3 irrelevant texts were read"),
    ],
)  # fmt: skip
def test_what_is_missing_is_said(planned: Planned, more: dict[str, Any], status: str, missing: str) -> None:
    found = only(case(planned(80), **more))
    assert found.status == status
    assert any(one.startswith(missing) for one in found.missing), found.missing


def test_a_null_test_that_the_signal_passes_is_no_obstacle(planned: Planned) -> None:
    assert only(case(planned(80), null=NullTest(z=5.0, rank=1.0, spread=0.1, vectors=400))).status == "shown"


def test_where_too_little_is_read_nothing_is_decided(planned: Planned) -> None:
    found = only(case(planned(2)))
    assert found.missing == ("only 2 of 2 groups say something, and different things; 3 must",)
    none = only(case(planned(0)))
    assert (none.status, none.effect.value, none.explained.value) == ("inconclusive", None, None)
    assert none.explained.reason == "nothing identifies the shift as it is"


def test_the_unwanted_pole_says_which_way_is_less(planned: Planned) -> None:
    plan = planned(80)
    turned = {arm: -values for arm, values in case(plan).values.items()}
    low = only(case(plan, unwanted="low", values=turned))
    assert (low.status, low.effect.value) == ("shown", pytest.approx(-0.7, abs=0.02))
    assert only(case(plan, unwanted="high", values=turned)).missing[0].startswith("there is nothing to explain away")
    assert only(case(plan, unwanted="none", values=turned)).status == "shown"
    assert only(case(plan, unwanted="none")).status == "shown"
    assert sign("none", low.shift) == -1.0


@given(st.integers(0, 1000))
@settings(max_examples=10)
def test_turning_all_arms_round_turns_everything_round(seed: int) -> None:
    plan = PLAN(40)
    found = judged(np.random.default_rng(seed), plan, quirk=0.05, share=0.5)
    turned = replace(found, unwanted="low", values={arm: -values for arm, values in found.values.items()})
    one, other = only(found), only(turned)
    assert (other.status, other.missing) == (one.status, one.missing)
    assert (other.effect.low, other.effect.high) == (-one.effect.high, -one.effect.low)
    assert other.explained.value == pytest.approx(one.explained.value)


def PLAN(count: int) -> Design:
    from pytest_persona.model.episodes import Behaviour

    rows = [Behaviour(role="shown", context=(), reply=str(i)) for i in range(count)]
    return design(
        [Episode(kind="demonstration", source="s", line=i, group=str(i), behaviours=(b,)) for i, b in enumerate(rows)],
        np.ones(count, dtype=np.bool_),
    )


def test_an_interval_reaches_as_far_as_a_difference_may(planned: Planned) -> None:
    few = only(case(planned(3)))
    assert few.effect.high - few.effect.low > 4.0  # a pair's shift lies in [-2, 2], a difference of two in [-4, 4]
    assert few.effect.high <= 4.0 and few.effect.low >= -4.0


def test_a_difference_of_selection_differentials_lies_within_2(signal: Any) -> None:
    rows = [(f"g{i}", [("rollout", f"a {i}", 1.0), ("rollout", f"b {i}", 0.0)]) for i in range(40)]
    plan = design(signal("rollout", rows), np.ones(80, dtype=np.bool_))
    assert plan.estimand == "selection"
    found = only(case(plan, leak_at_most=2.0))
    assert found.status == "shown"
    assert -2.0 <= found.effect.low < found.effect.value < found.effect.high <= 2.0  # type: ignore[operator]


def test_of_several_traits_each_is_held_to_the_level_that_so_many_allow(planned: Planned) -> None:
    plan = planned(80)
    good = [case(plan, trait=name) for name in "abc"]
    bad = [case(plan, trait=name, values={"requested": np.full(80, 0.8)}) for name in "xyz"]
    unread = case(plan, trait="u", qualified=False)
    alone = findings(good, LOOK)
    assert {f.effect.level for f in alone} == {0.95}
    among = findings([*good, *bad, unread], LOOK)
    assert {round(f.effect.level, 6) for f in among} == {0.975}
    assert [f.status for f in among] == ["shown"] * 3 + ["inconclusive"] * 4
    assert {round(f.effect.level, 6) for f in findings(bad, LOOK)} == {round(1 - 0.05 / 3, 6)}
    assert {f.effect.level for f in findings([unread], LOOK)} == {0.95}


def test_reading_may_stop_when_every_effect_is_shown_or_refuted(planned: Planned) -> None:
    plan = planned(80)
    refuted = case(plan, effect_at_least=1.5)
    assert decided([case(plan), refuted], LOOK)
    assert not decided([case(plan), case(plan, leak_at_most=0.05)], LOOK)


def test_scope_file_speaks_of_exactly_these_groups_but_still_of_irrelevant_texts_like_these(planned: Planned) -> None:
    look, plan = replace(LOOK, scope="file"), planned(60)
    whole = only(case(plan, population=60), look)
    assert whole.text_spread is not None
    assert whole.effect.high - whole.effect.low == pytest.approx(2.0 * whole.text_spread)
    assert whole.shift.high - whole.shift.low < 1e-6
    half = only(case(plan, population=120), look)
    assert half.shift.high - half.shift.low > 0.01
    assert (half.effect.scope, whole.status) == ("file", "shown")


# ---------------------------------------------------------------------------------------------------- texts


def test_the_spread_between_texts_is_found_and_noise_is_taken_out() -> None:
    rng = np.random.default_rng(0)
    texts = np.arange(4000) % 40
    quirks = rng.normal(0.0, 0.3, 40)
    noisy = quirks[texts] + rng.normal(0.0, 0.5, 4000)
    assert between_texts(noisy, texts) == pytest.approx(quirks.std(ddof=1), abs=0.05)
    assert between_texts(rng.normal(0.0, 0.5, 4000), texts) == pytest.approx(0.0, abs=0.05)


def test_without_texts_to_compare_there_is_no_spread_and_with_one_each_the_units_hold_it() -> None:
    assert between_texts(np.ones(5), np.zeros(5, dtype=np.intp)) is None
    assert between_texts(np.zeros(0), np.zeros(0, dtype=np.intp)) is None
    assert between_texts(np.arange(5.0), np.arange(5)) == 0.0


def test_irrelevant_texts_that_differ_widen_the_effect_more_than_the_leaks(planned: Planned) -> None:
    plan = planned(80)
    quirks = np.tile([-0.2, 0.2, -0.1, 0.1], 20)
    base = case(plan)
    placebo = np.arange(80) % 4
    found = only(case(plan, values={"placebo": base.values["placebo"] + quirks}, placebo=placebo), T)
    assert found.text_spread == pytest.approx(3.18 * 0.183 * np.sqrt(1 + 1 / 4), abs=0.02)
    assert found.effect.high - found.effect.low == pytest.approx(2.0 * found.text_spread)
    assert found.opposite.high - found.opposite.low == pytest.approx(2.0 * found.text_spread / np.sqrt(5.0))
    phrasings = only(replace(case(plan, values={"placebo": base.values["placebo"] + quirks}, placebo=placebo),
                             phrasing=np.arange(80) % 5, texts=tuple("abcde")), T)  # fmt: skip
    assert phrasings.text_spread is not None and phrasings.text_spread < found.text_spread
    assert only(base, T).text_spread == pytest.approx(0.0, abs=0.05)


def test_phrasings_are_shown_by_themselves_and_with_how_far_they_scatter(planned: Planned) -> None:
    plan = planned(80)
    phrasing = np.arange(80) % 2
    requested = np.where(phrasing == 0, -0.4, 0.8) + case(plan).values["as-is"] / 100.0
    found = only(case(plan, texts=("One.", "Two.", "Never used."), phrasing=phrasing, values={"requested": requested}))
    assert [(p.text, p.groups) for p in found.phrasings] == [("One.", 40), ("Two.", 40), ("Never used.", 0)]
    assert found.phrasings[0].effect == pytest.approx(1.2, abs=0.03)
    assert found.phrasings[2].effect is None
    assert found.phrasing_spread == pytest.approx(0.85, abs=0.05)
    alike = only(case(plan, texts=("One.", "Two."), phrasing=phrasing))
    assert alike.phrasing_spread == pytest.approx(0.0, abs=0.02)
    assert only(case(plan)).phrasing_spread is None


# ---------------------------------------------------------------------------------------------------- shares


@pytest.mark.parametrize("method", ["betting", "t", "bca"])
def test_a_share_has_an_interval_by_every_method(planned: Planned, method: Method) -> None:
    rng = np.random.default_rng(1)
    plan = planned(40)
    shifts = rng.normal(1.0, 0.2, 40)
    found = explained_share(0.5 * shifts + rng.normal(0.0, 0.1, 40), shifts, plan, replace(LOOK, method=method))
    assert found.low is not None and found.high is not None and found.value is not None
    assert found.low < found.value < found.high
    assert found.value == pytest.approx(0.5, abs=0.05)


def test_fiellers_interval_is_the_one_of_the_formula(planned: Planned) -> None:
    from scipy.special import stdtrit

    rng = np.random.default_rng(2)
    plan = planned(30)
    y, x = rng.normal(0.4, 0.3, 30), rng.normal(0.8, 0.3, 30)
    found = explained_share(y, x, plan, T)
    t2 = stdtrit(29, 0.975) ** 2 / 30
    a, b, c = (
        x.mean() ** 2 - t2 * x.var(ddof=1),
        x.mean() * y.mean() - t2 * np.cov(x, y)[0, 1],
        y.mean() ** 2 - t2 * y.var(ddof=1),
    )
    root = np.sqrt(b * b - a * c)
    assert (found.low, found.high) == pytest.approx(((b - root) / a, (b + root) / a), abs=1e-3)


def test_a_shift_that_is_not_clear_of_0_has_no_share(planned: Planned) -> None:
    plan = planned(40)
    rng = np.random.default_rng(3)
    none = explained_share(np.full(40, 0.3), rng.normal(0.0, 0.5, 40), plan, LOOK)
    assert none.value is None and none.reason.endswith("is not clear of 0")
    # What irrelevant texts may do is more than the shift itself: no share can be refuted.
    open_ = explained_share(np.full(40, 0.3), np.full(40, 0.5), plan, LOOK, slack=1e7)
    assert open_.value is None and "too near 0" in open_.reason


def test_slack_widens_a_share(planned: Planned) -> None:
    plan = planned(40)
    shifts = np.tile([0.7, 0.9], 20)
    narrow, wide = (explained_share(shifts / 2.0, shifts, plan, LOOK, slack=slack) for slack in (0.0, 0.9))
    assert wide.low is not None and narrow.low is not None and wide.low < narrow.low


def test_values_may_be_negative_zero_or_alike(planned: Planned) -> None:
    plan = planned(20)
    zeros = {arm: np.zeros(20) for arm in ("as-is", "placebo", "requested", "opposite", "look-alike")}
    found = only(case(plan, values=zeros))
    assert isinstance(found.shift, Shift) and found.effect.value == 0.0
    assert found.status == "inconclusive"
