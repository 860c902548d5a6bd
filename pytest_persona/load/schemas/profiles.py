"""The shapes of profiles, for the generator alone."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import NotRequired, TypedDict

from pytest_persona.load.schemas.config import CONFIG
from pytest_persona.load.schemas.drift import ComparisonPart, FrozenColumns, UnitColumns
from pytest_persona.load.schemas.inoculations import InoculationFile
from pytest_persona.model.episodes import SignalInfo
from pytest_persona.model.findings import Finding, JudgeInfo
from pytest_persona.model.probes import Asked, Tally, TargetInfo
from pytest_persona.model.verdicts import Usage

__all__ = ["ProfileFile", "ProfilesFile"]


class ProfileFile(TypedDict):
    """The implied persona: what one run found in one signal."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    schema: Literal["pytest-persona/profile/v1"]
    """The name and version of this format."""
    name: str
    """What was audited, as shown to people: a suite's name or the signal's path."""
    signal: SignalInfo
    """The signal that was read."""
    judge: JudgeInfo
    """Who answered."""
    findings: list[Finding]
    """One for each trait."""
    usage: Usage
    """What the run cost."""
    groups_read: int
    """Groups that were read before the findings were decided, or all."""
    suite_sha256: str | None
    """A hash of the suite's content; null where the audit was no suite's."""
    target: TargetInfo | None
    """The product that was probed; null of a signal."""
    asked: Asked | None
    """What the product was asked; null of a signal."""
    tallies: list[Tally]
    """What the product said of itself in questionnaires; it decides nothing."""
    settings: dict[str, Any]
    """The settings that change results."""
    notes: list[str]
    """Whatever a reader must know: rows skipped, texts cut, reading stopped early."""
    units: UnitColumns | None
    """What a later run is paired with."""
    frozen: dict[str, FrozenColumns]
    """By trait, the judge's readings of a few anchors; empty where there was no baseline."""
    drift: ComparisonPart | None
    """What has changed since the baseline; null where there was none."""


class ProfilesFile(TypedDict):
    """What a run found in any number of signals but one: what ``--json`` writes, and what a baseline may be."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    schema: Literal["pytest-persona/profiles/v1"]
    """The name and version of this format."""
    profiles: list[ProfileFile]
    """One for each audit."""
    inoculations: NotRequired[list[InoculationFile]]
    """One for each experiment."""
