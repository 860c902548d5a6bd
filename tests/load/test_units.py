"""Columns as short texts and back."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_persona.load.units import column_from, column_text, units_document, units_from
from pytest_persona.model.findings import Profile


@given(st.lists(st.none() | st.integers(-40_000, 40_000).map(lambda n: n / 10_000)))
def test_a_column_survives_the_way_through_its_text(column: list[float | None]) -> None:
    assert column_from(column_text(tuple(column))) == tuple(column)


def test_a_column_is_short() -> None:
    assert column_text((1.6, None, -0.0321, 0.0)) == "16000 . -321 0"


@pytest.mark.parametrize(
    "broken",
    [{"asked": "c3"}, {"read": "1"}, {"values": {"sycophancy": "1 2 3", "deception": "1 2"}}, {"reach": {"sycophancy": 2.0}}],
)  # fmt: skip
def test_columns_that_do_not_fit_are_as_good_as_none(profile: Profile, broken: dict[str, object]) -> None:
    assert profile.units is not None
    document = units_document(profile.units)
    assert units_from(document) == profile.units
    assert units_from(document | broken) is None


def test_a_profile_that_kept_nothing_is_one_too(profile: Profile) -> None:
    from pytest_persona.load.profiles import profile_document, profile_from

    bare = replace(profile, units=None, frozen={}, drift=None)
    assert profile_from(profile_document(bare)) == bare
