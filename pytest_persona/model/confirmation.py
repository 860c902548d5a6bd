"""Whether what a signal implies is what a product then did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pytest_persona.model.by_trait import ByTrait

__all__ = ["Agreement", "Confirmation", "Confirmed", "Outcome"]

Outcome = Literal["as-predicted", "opposite", "unpredicted", "not-seen", "neither"]
"""Implied and moved that way; moved the other way; moved with nothing implied; implied and not seen to move; neither."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Confirmed:
    """One trait: what the signal implies of it, and how the product moved. Both numbers lie within their intervals."""

    trait: str
    implied: float
    implied_low: float
    implied_high: float
    observed: float
    observed_low: float
    observed_high: float
    outcome: Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """A number with its interval; None with the reason where there are too few traits for it."""

    value: float | None
    low: float | None = None
    high: float | None = None
    traits: int = 0
    """Traits that it is made of."""
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Confirmation(ByTrait[Confirmed]):
    """Predicted against observed; a read-only mapping from trait to what was found of it."""

    signal: str
    """What the implied shifts are those of."""
    before: str
    after: str
    findings: tuple[Confirmed, ...]
    signs: Agreement
    """The share of traits with the predicted sign, among those with a clear prediction that clearly moved, in [0, 1]."""
    ranks: Agreement
    """Spearman's rank correlation of implied and observed over all traits, in [-1, 1]."""
    level: float
    """Of the intervals of these two."""
    left_out: tuple[str, ...] = ()
    """Traits of the signal that could not be compared, each with the reason."""

    @property
    def unpredicted(self) -> tuple[Confirmed, ...]:
        """Traits that moved though nothing was implied, or against what was."""
        return tuple(found for found in self.findings if found.outcome in ("unpredicted", "opposite"))
