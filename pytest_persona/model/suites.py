"""What is to be audited: a suite file, and the audits it stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_persona.model.episodes import Turn
from pytest_persona.model.probes import Probe, Questionnaire, TargetSpec
from pytest_persona.model.traits import Expectation, Trait

__all__ = ["AuditSpec", "Offer", "ProbingSpec", "SignalSource", "Suite"]

SignalSource = Path | Sequence[Mapping[str, Any]]
"""A file, or rows that are already in memory."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """A suite that is shared under a name."""

    name: str
    """``package:name``; of what is built in ``name`` alone."""
    path: Path
    package: str
    """The distribution that shares it; for a plugin that was not installed the name of its module."""
    package_version: str = ""
    """Empty where nothing was installed."""


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
    """GUIDs that training corpora can be searched for: its own, and those of the suites that it adds to."""
    offer: Offer | None = None
    """Who shares it; None for a file that was named by its path."""
    parents: tuple[Suite, ...] = ()
    """The suites that it adds to; all that they say stands in this one already."""
    inherited: Mapping[str, Path] = field(default_factory=dict)
    """Where the signals are that a parent names; those of its own are relative to its folder."""
    sha256: str = ""
    """A hash of what it says, what it has from its parents included."""

    def place(self, signal: str) -> Path:
        """Where a signal of the suite is."""
        return self.inherited.get(signal, self.folder / signal)

    def shared(self) -> tuple[Suite, ...]:
        """The shared suites that it is made of, itself among them where it is one; those that others add to first."""
        found = {suite.offer: suite for parent in self.parents for suite in parent.shared()}
        if self.offer is not None:
            found[self.offer] = self
        return tuple(found.values())


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
    questionnaires: tuple[Questionnaire, ...] = ()
    """Asked beside, without a context and once; counted and shown."""
