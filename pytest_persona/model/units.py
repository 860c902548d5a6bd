"""What a profile keeps so that a later one can be paired with it: hashes and numbers in columns, no text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["MOST_UNITS", "FrozenSample", "Units"]

MOST_UNITS = 4000
"""The most groups that a profile keeps: those that come first in the order of reading."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Units:
    """The groups of a signal, or the probes put to a product, one place in every column for each."""

    groups: tuple[str, ...]
    """Which group it is: a short hash, of a probe its name."""
    asked: tuple[str, ...]
    """A short hash of the contexts, or of the wordings that a probe was put in."""
    content: tuple[str, ...]
    """A short hash of the replies and of how they are reinforced, in their contexts."""
    lines: tuple[int, ...]
    """The first line of the group; 0 where it has none."""
    read: tuple[bool, ...]
    """Whether a judge read it; reading may stop early."""
    values: Mapping[str, tuple[float | None, ...]]
    """By trait, what each adds to the shift, which is their mean; None where it says nothing, or was not read."""
    reach: Mapping[str, float]
    """By trait, the most that a value can be in size."""
    definitions: Mapping[str, str]
    """By trait, a short hash of what it was defined as."""
    of: int
    """Groups of the whole signal."""

    @property
    def complete(self) -> bool:
        """Whether all groups of the signal are here."""
        return len(self.groups) >= self.of


@dataclass(frozen=True, kw_only=True, slots=True)
class FrozenSample:
    """A judge's readings of a few of a trait's anchors, by which a later judge's scale is brought to its own."""

    texts: str
    """A short hash of the anchors that were read."""
    high: tuple[float | None, ...]
    """What the high pole of each pair was read as; None where there was no verdict."""
    low: tuple[float | None, ...]
