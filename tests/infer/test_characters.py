"""Characters against a reference: what may be said of them, and how seldom it is said of nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_persona.infer.characters import _design_effect, _two_way, by_likelihood
from pytest_persona.model.portrait import Comparison

NULLS = [f"null-{i}" for i in range(8)]


def drawn(
    seed: int, characters: tuple[float, ...], *, groups: int = 30, each: int = 2, wordings: int = 6, texts: float = 0.01
) -> tuple[Comparison, dict[str, float]]:
    """A portrait of characters that lie so many nats a token above the reference, and where they really lie."""
    rng = np.random.default_rng(seed)
    names = ["expert", *(f"c{i}" for i in range(len(characters))), *NULLS]
    truth = np.array([0.0, *characters, *([0.0] * len(NULLS))]) + texts * rng.standard_normal(len(names))
    code = np.repeat(np.arange(groups), each)
    values = (
        truth[None, :, None]
        + 0.02 * rng.standard_normal((1, len(names), wordings))
        + 0.05 * rng.standard_normal((groups, len(names), 1))[code]
        + 0.05 * rng.standard_normal((len(code), len(names), wordings))
        + rng.standard_normal((len(code), 1, 1))
    )
    made = by_likelihood(
        values, np.full(len(code), 80), [f"g{i}" for i in code], names, reference="expert", nulls=NULLS
    )
    return made, dict(zip(names, (truth - truth[0]).tolist(), strict=True))


def test_intervals_cover_and_null_characters_seldom_count_over_200_repetitions() -> None:
    covered, false, most = [], [], []
    for seed in range(200):
        made, truth = drawn(seed, (0.0,) * 6, groups=20)
        covered += [reading.low <= truth[reading.name] <= reading.high for reading in made.readings]
        false.append(any(reading.stands_out for reading in made.readings))
        most.append(made.most_like != "")
    assert 0.93 <= np.mean(covered) <= 0.98
    assert np.mean(false) <= 0.05 and np.mean(most) <= 0.05


def test_intervals_cover_with_few_groups_and_few_wordings() -> None:
    covered = []
    for seed in range(200):
        made, truth = drawn(seed, (0.0,) * 3, groups=6, each=1, wordings=3)
        covered += [reading.low <= truth[reading.name] <= reading.high for reading in made.readings]
    assert np.mean(covered) >= 0.92


def test_a_character_that_is_there_is_found() -> None:
    found = [drawn(seed, (0.0, 0.12, 0.0))[0].most_like for seed in range(20)]
    assert found.count("c1") >= 18


def test_more_tokens_do_not_make_it_certain() -> None:
    reading = drawn(3, (0.05,), groups=300)[0].readings[0]
    assert reading.log_odds > 100.0, "a posterior from this alone would be 1 to 43 places"
    assert 0.5 < reading.probability < 0.999


def test_a_probability_is_never_0_or_1() -> None:
    made, _ = drawn(0, (5.0, -5.0), texts=0.0)
    first, *_, last = made.readings
    assert 0.0 < last.probability < 0.001 and 0.999 < first.probability < 1.0
    assert sum(made.shares.values()) == pytest.approx(1.0) and min(made.shares.values()) > 0.0


def test_shares_are_those_of_the_reference_and_the_characters() -> None:
    made, _ = drawn(1, (0.0, 0.2))
    assert set(made.shares) == {"expert", "c0", "c1"} and max(made.shares, key=made.shares.__getitem__) == "c1"


def test_readings_come_the_highest_first_and_say_what_they_rest_on() -> None:
    made, _ = drawn(2, (0.0, 0.1, -0.1))
    assert [reading.name for reading in made.readings] == ["c1", "c0", "c2"]
    assert (made.reference, made.nulls, made.level) == ("expert", 8, 0.95)
    reading = made.readings[0]
    assert reading.log_odds == pytest.approx(reading.temper * 4800 * reading.value)
    assert 0.005 < reading.spread < 0.08 and reading.z > 3.0


def test_what_any_text_in_front_moves_is_no_character() -> None:
    rng = np.random.default_rng(5)
    names = ["expert", "c0", *NULLS]
    values = 0.01 * rng.standard_normal((40, len(names), 6))
    values[:, 1:] += 0.2  # all but the reference
    made = by_likelihood(values, np.full(40, 50), [str(i) for i in range(40)], names, reference="expert", nulls=NULLS)
    (reading,) = made.readings
    assert reading.low > 0.1 and made.null_mean == pytest.approx(0.2, abs=0.01)
    assert not reading.stands_out and made.most_like == ""


def test_a_character_below_the_reference_is_not_what_it_reads_like() -> None:
    rng = np.random.default_rng(6)
    names = ["expert", "c0", *NULLS]
    values = 0.01 * rng.standard_normal((40, len(names), 6))
    values[:, 0] += 0.5
    values[:, 1] += 0.3
    made = by_likelihood(values, np.full(40, 50), [str(i) for i in range(40)], names, reference="expert", nulls=NULLS)
    assert made.readings[0].stands_out and made.most_like == ""


def test_groups_count_once_each() -> None:
    rng = np.random.default_rng(7)
    names = ["expert", "c0", *NULLS]
    values = 0.01 * rng.standard_normal((30, len(names), 4))
    values[:20, 1] += 1.0  # one large group
    groups = ["large"] * 20 + [f"g{i}" for i in range(10)]
    made = by_likelihood(values, np.full(30, 50), groups, names, reference="expert", nulls=NULLS)
    assert made.readings[0].value == pytest.approx(1.0 / 11.0, abs=0.02)


def test_null_characters_that_do_not_differ_leave_nothing_to_compare_with() -> None:
    names = ["expert", "c0", "c1", *NULLS]
    values = np.zeros((6, len(names), 3))
    values[:, 1] = 1.0
    made = by_likelihood(values, np.full(6, 50), list("aabbcc"), names, reference="expert", nulls=NULLS)
    ahead, level = made.readings
    assert (ahead.z, ahead.stands_out) == (1000.0, True)
    assert (level.z, level.stands_out, level.probability) == (0.0, False, 0.5)


def test_without_characters_there_is_a_portrait_of_nothing() -> None:
    assert drawn(0, ())[0].readings == ()


@pytest.mark.parametrize(("groups", "wordings", "nulls"), [(1, 3, 3), (3, 1, 3), (3, 3, 2)])
def test_too_little_to_compare_is_refused(groups: int, wordings: int, nulls: int) -> None:
    names = ["expert", "c0", *NULLS[:nulls]]
    labels = [str(i % groups) for i in range(6)]
    with pytest.raises(ValueError, match=f"{groups} groups, {wordings} wordings and {nulls} null characters"):
        by_likelihood(
            np.zeros((6, len(names), wordings)), np.ones(6), labels, names, reference="expert", nulls=NULLS[:nulls]
        )


def test_the_error_is_that_of_the_wordings_however_many_groups_there_are() -> None:
    rng = np.random.default_rng(8)
    wording = np.array([-0.1, 0.0, 0.1])
    errors = [_two_way(wording[None, :] + 0.01 * rng.standard_normal((n, 3)))[1] for n in (10, 1000)]
    assert errors == pytest.approx([0.1 / np.sqrt(3)] * 2, rel=0.1)


def test_the_design_effect_is_the_groups_size_where_they_agree_within() -> None:
    code = np.repeat(np.arange(20), 5)
    groups = [str(i) for i in code]
    means = np.random.default_rng(9).standard_normal(20)
    assert _design_effect(means[code], groups) == pytest.approx(5.0)
    assert _design_effect(np.random.default_rng(1).standard_normal(100), groups) == pytest.approx(1.0, abs=0.4)
    assert _design_effect(means, [str(i) for i in range(20)]) == 1.0
    assert _design_effect(np.zeros(100), groups) == 1.0


@settings(max_examples=25, deadline=None)
@given(shift=st.floats(-3, 3), unit=st.floats(0.01, 10))
def test_a_level_that_all_share_changes_nothing_and_units_scale(shift: float, unit: float) -> None:
    names = ["expert", "c0", *NULLS]
    values = 0.1 * np.random.default_rng(3).standard_normal((12, len(names), 3))
    tokens, groups = np.full(12, 50), list("aabbccddeeff")
    first = by_likelihood(values, tokens, groups, names, reference="expert", nulls=NULLS).readings[0]
    moved = by_likelihood(values * unit + shift, tokens, groups, names, reference="expert", nulls=NULLS).readings[0]
    assert moved.value == pytest.approx(unit * first.value, abs=1e-9)
    assert moved.low == pytest.approx(unit * first.low, abs=1e-9)
    assert moved.z == pytest.approx(first.z, abs=1e-6) and moved.temper == pytest.approx(first.temper, abs=1e-6)
