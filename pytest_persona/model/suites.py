"""What is to be audited: a suite file, and the audits it stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_persona.model.episodes import Turn
from pytest_persona.model.probes import Probe, TargetSpec
from pytest_persona.model.traits import Expectation, Trait

__all__ = ["AuditSpec", "ProbingSpec", "SignalSource", "Suite"]

SignalSource = Path | Sequence[Mapping[str, Any]]
"""A file, or rows that are already in memory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Suite:
    """One suite file: traits and expectations over signals, over a product's answers to probes, or over both."""

    name: str
    version: str
    path: str
    """As the user named it."""
    folder: Path
    """What paths in the suite are relative to."""
    signals: tuple[str, ...]
    traits: tuple[str, ...] = ()
    """Names of traits to report, those with expectations among them."""
    definitions: tuple[Trait, ...] = ()
    """Traits that the suite defines itself."""
    expectations: tuple[Expectation, ...] = ()
    probes: tuple[Probe, ...] = ()
    contexts: Mapping[str, tuple[Turn, ...]] = field(default_factory=dict)
    """What probes are put in, by name; empty: nothing comes before them."""
    target: TargetSpec | None = None
    """Where the product answers; None where the user says so elsewhere."""
    canary: str = ""
    """A GUID that training corpora can be searched for."""
    sha256: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditSpec:
    """One audit: a signal, the traits asked for, and the bounds declared before the run."""

    name: str
    signal: SignalSource
    signal_name: str
    """What rows are reported under: the path as the user wrote it, or a fixture's name."""
    traits: tuple[str, ...] = ()
    """Empty: every trait that the judge qualifies for."""
    expectations: tuple[Expectation, ...] = ()
    definitions: tuple[Trait, ...] = field(default=())
    suite_sha256: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbingSpec:
    """One probing: what a product is asked, and the audit of what it replies."""

    audit: AuditSpec
    """The traits and the bounds; its signal is empty, as the replies will be it."""
    probes: tuple[Probe, ...]
    """Those that are about a trait of the audit."""
    contexts: Mapping[str, tuple[Turn, ...]] = field(default_factory=dict)
    target: TargetSpec | None = None
    """Where the suite says that the product answers."""
