"""What a project has reviewed of the suites that others share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["Lock", "Locked"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Locked:
    """One shared suite as it was when it was locked."""

    name: str
    version: str
    package: str
    """The distribution that shared it; for a plugin that was not installed the name of its module."""
    package_version: str
    """Empty where nothing was installed."""
    sha256: str
    parts: Mapping[str, Mapping[str, str]]
    """Hashes by kind (probes, contexts, traits, signals, expect) and name: they say what has changed, and need no text of it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """The lock of a project."""

    path: str
    """As it is shown to people."""
    suites: Mapping[str, Locked]
    lines: Mapping[str, int]
    """Where each suite stands in it."""
