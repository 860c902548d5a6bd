"""Predicted against observed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_persona import confirm
from pytest_persona.errors import ProfileError
from pytest_persona.infer.confirm import rank_interval
from pytest_persona.model.findings import Profile

Make = Callable[..., Profile]
PROBES = [f"p{k}" for k in range(60)]


def implied(profiled: Make, shifts: dict[str, float], half: float = 0.05, **more: Any) -> Profile:
    """A signal's profile with these shifts, each with an interval that wide on either side."""
    profile = profiled({"g": 0.0})
    (one,) = profile.findings
    found = [
        replace(one, trait=trait, shift=replace(one.shift, value=value, low=value - half, high=value + half), **more)
        for trait, value in shifts.items()
    ]
    return replace(profile, name="thumbs.jsonl", findings=tuple(found))


def product(profiled: Make, means: dict[str, float], text: str, seed: int = 0) -> Profile:
    """A product whose replies read as these means, near enough."""
    profile = profiled(dict.fromkeys(PROBES, 0.0), kind="probe", content=text)
    (one,), units = profile.findings, profile.units
    assert units is not None
    rng = np.random.default_rng(seed)
    values = {t: tuple(np.clip(m + rng.uniform(-0.02, 0.02, 60), -1, 1).round(4).tolist()) for t, m in means.items()}
    return replace(
        profile,
        name=text,
        findings=tuple(replace(one, trait=trait, estimand="absolute") for trait in means),
        units=replace(units, values=values, reach=dict.fromkeys(means, 1.0), definitions=dict.fromkeys(means, "d")),
    )


MEANS = dict.fromkeys("abcdefgh", 0.0)
SHIFTS = {"a": 0.8, "b": 0.6, "c": 0.4, "d": -0.5, "e": 0.0, "f": 0.02, "g": 0.3, "h": 0.01}
AFTER = {"a": 0.7, "b": 0.5, "c": 0.35, "d": -0.6, "e": 0.5, "f": 0.0, "g": -0.4, "h": 0.0}


def test_each_trait_is_told_apart_and_both_numbers_are_made_of_them(profiled: Make) -> None:
    found = confirm(implied(profiled, SHIFTS), product(profiled, MEANS, "before"), product(profiled, AFTER, "after", 1))
    assert {trait: one.outcome for trait, one in found.items()} == {
        "a": "as-predicted", "b": "as-predicted", "c": "as-predicted", "d": "as-predicted",
        "e": "unpredicted", "f": "neither", "g": "opposite", "h": "neither",
    }  # fmt: skip
    assert [one.trait for one in found.unpredicted] == ["e", "g"]
    assert (found.signs.value, found.signs.traits) == (pytest.approx(0.8), 5)
    assert (found.signs.low, found.signs.high) == (pytest.approx(0.2836, abs=1e-3), pytest.approx(0.9949, abs=1e-3))
    assert found.ranks.traits == 8
    assert found.ranks.value is not None and found.ranks.low is not None and found.ranks.high is not None
    assert 0.3 < found.ranks.value < 0.9
    assert found.ranks.low < found.ranks.value < found.ranks.high
    assert (found.signal, found.before, found.after, found.left_out) == ("thumbs.jsonl", "before", "after", ())


def test_what_was_implied_and_is_not_seen_is_no_contradiction(profiled: Make) -> None:
    found = confirm(
        implied(profiled, {"a": 0.8}), product(profiled, MEANS, "before"), product(profiled, MEANS, "after", 1)
    )
    assert found["a"].outcome == "not-seen"
    assert (found.signs.value, found.unpredicted) == (None, ())
    assert found.signs.reason == "too few traits: none was both clearly implied and clearly seen to move"


def test_below_five_traits_there_is_no_rank_correlation(profiled: Make) -> None:
    few = {trait: SHIFTS[trait] for trait in "abcd"}
    found = confirm(implied(profiled, few), product(profiled, MEANS, "before"), product(profiled, AFTER, "after", 1))
    assert (found.ranks.value, found.ranks.reason) == (None, "too few traits: 4, where 5 are the least")
    assert found.signs.value == 1.0


def test_traits_that_all_say_the_same_have_no_order(profiled: Make) -> None:
    flat = dict.fromkeys("abcde", 0.4)
    found = confirm(implied(profiled, flat), product(profiled, MEANS, "before"), product(profiled, AFTER, "after", 1))
    assert (found.ranks.value, found.ranks.traits) == (None, 5)


def test_what_cannot_be_compared_is_left_out_with_the_reason(profiled: Make) -> None:
    signal = implied(profiled, {"a": 0.8, "z": 0.5, "b": 0.4})
    a, z, b = signal.findings
    silent = replace(b, shift=replace(b.shift, value=None))
    signal = replace(signal, findings=(replace(a, qualified=False), z, silent))
    found = confirm(signal, product(profiled, MEANS, "before"), product(profiled, AFTER, "after", 1))
    assert found.left_out == (
        "a: the judge of the signal is not qualified for it",
        "z: the product was not probed for it",
        "b: its shift is not identifiable",
    )
    assert len(found) == 0


def test_a_product_that_was_probed_before_for_fewer_traits_leaves_the_others_out(profiled: Make) -> None:
    before = product(profiled, {"a": 0.0}, "before")
    found = confirm(implied(profiled, SHIFTS), before, product(profiled, AFTER, "after", 1))
    assert list(found) == ["a"]
    assert found.left_out[0] == "b: the baseline does not have it"


@pytest.mark.parametrize(
    ("which", "message"),
    [
        ((1, 1, 2), "before: is itself a profile of a product. Give the profile of the signal first."),
        ((0, 0, 2), "thumbs.jsonl: is a profile of a preference signal, not of a product's answers. Give what"),
        ((0, 1, 0), "thumbs.jsonl: is a profile of a preference signal, not of a product's answers. Give what"),
        ((0, 1, 3), "other: cannot be compared with 'before': no probe was asked in the same words"),
    ],
)
def test_profiles_of_which_this_cannot_be_asked_are_refused(profiled: Make, which: Any, message: str) -> None:
    after = product(profiled, AFTER, "after", 1)
    assert after.units is not None
    other = replace(after, name="other", units=replace(after.units, asked=("else",) * 60))
    profiles = implied(profiled, SHIFTS), product(profiled, MEANS, "before"), after, other
    with pytest.raises(ProfileError) as raised:
        confirm(*(profiles[k] for k in which))
    assert str(raised.value).startswith(message)


@given(st.integers(5, 40), st.floats(-1, 1))
def test_the_interval_of_a_correlation_holds_it_and_lies_in_range(count: int, correlation: float) -> None:
    low, high = rank_interval(correlation, count, 0.95)
    assert -1.0 <= low <= correlation <= high <= 1.0
    assert rank_interval(-correlation, count, 0.95) == (pytest.approx(-high), pytest.approx(-low))
