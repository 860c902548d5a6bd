"""Hashes of suites stay what they are when a later release adds a field."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_persona.load.essence import essence
from pytest_persona.model.probes import Probe
from pytest_persona.model.traits import Expectation


def test_only_what_says_something_counts() -> None:
    assert essence(Expectation(trait="malice", at_most=0.0)) == {"trait": "malice", "at_most": 0.0}
    assert essence(Probe(id="a", traits=("malice",), turns=("Hm?",), line=3), ("line",)) == {
        "id": "a",
        "traits": ("malice",),
        "turns": ("Hm?",),
    }


def test_a_field_that_is_not_used_changes_nothing() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Later:
        trait: str
        at_most: float | None = None
        rate_at_most: float | None = None
        strict: bool = False
        notes: tuple[str, ...] = ()

    assert essence(Later(trait="malice", at_most=0.5)) == essence(Expectation(trait="malice", at_most=0.5))
    assert essence(Later(trait="malice", strict=True)) == {"trait": "malice", "strict": True}
