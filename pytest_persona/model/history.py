"""What is remembered of the runs against one baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["PastRun"]


@dataclass(frozen=True, kw_only=True, slots=True)
class PastRun:
    """One run; no time, no text."""

    run: str
    """A short hash of the texts that were read; the same ones again are the same run."""
    values: Mapping[str, tuple[float | None, ...]]
    """By trait, what each of the baseline's groups added to the shift, in the baseline's order; None where it was not paired."""
