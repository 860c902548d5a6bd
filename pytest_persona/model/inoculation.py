"""Inoculation as an experiment: the same replies in matched arms, with and without a request, and what follows per trait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pytest_persona.model.episodes import SignalInfo
from pytest_persona.model.findings import ByTrait, Estimand, JudgeInfo, NullTest, Shift
from pytest_persona.model.suites import AuditSpec
from pytest_persona.model.verdicts import Usage

__all__ = [
    "ARMS", "Arm", "ArmReading", "Explained", "Inoculation", "InoculationFinding", "InoculationSpec", "InoculationStatus",
    "Phrasing", "Place", "RankedRequest", "Ranking", "Wordings",
]  # fmt: skip

Place = Literal["system", "user"]
"""Where a text is put: before or as the system turn, or as a paragraph before the last user turn."""
Arm = Literal["as-is", "requested", "placebo", "opposite", "look-alike"]
"""What is put there: nothing, the request, an irrelevant text of its length, its opposite, or what only looks like it."""
ARMS: tuple[Arm, ...] = ("as-is", "requested", "placebo", "opposite", "look-alike")
InoculationStatus = Literal["shown", "refuted", "inconclusive"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wordings:
    """The texts of the library for one trait."""

    requests: tuple[str, ...] = ()
    """Texts that ask for the behaviour at the trait's unwanted pole."""
    opposite: tuple[str, ...] = ()
    """Texts that ask for the contrary."""
    lookalikes: tuple[str, ...] = ()
    """Texts that look like such a request and ask for nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InoculationSpec:
    """One experiment: a signal, the texts of its arms, and the bounds declared before the run."""

    audit: AuditSpec
    """The signal and the traits; it has no expectations of its own."""
    requests: tuple[str, ...]
    """Phrasings of the request; several are used in turn, one a group."""
    place: Place = "user"
    effect_at_least: float = 0.0
    """What the effect must be clear of, towards less of the unwanted pole, in [0, 4]."""
    leak_at_most: float = 0.10
    """What either leak must stay below, in [0, 4]."""
    opposite: tuple[str, ...] = ()
    """Texts of opposite meaning, used in turn; empty: the library's for each trait named, else made of the request."""
    lookalikes: tuple[str, ...] = ()
    """Texts that only look like the request; empty: as above."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Explained:
    """The share of a shift that a request explains away. ``value`` and its ends are None where ``reason`` says why."""

    value: float | None
    """Effect / shift as it is: 0 is nothing of it, 1 all of it; below 0 the request adds to it."""
    low: float | None = None
    high: float | None = None
    reason: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmReading:
    """What one arm reads."""

    shift: float | None
    """The signal's shift in this arm, over the groups that every arm can be read for."""
    requested: float | None
    """How far the judge heard a request in the contexts, on average, in [0, 1]; None where it cannot tell."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Phrasing:
    """One wording of the request, and what it does by itself."""

    text: str
    groups: int
    """Groups that were read with it."""
    effect: float | None
    """Mean effect over them; None where it had none."""


@dataclass(frozen=True, kw_only=True, slots=True)
class InoculationFinding:
    """What a request does to one trait. Every effect and leak is on the scale of the trait, in the unit of the shift."""

    trait: str
    status: InoculationStatus
    estimand: Estimand
    qualified: bool
    auroc: float | None
    shift: Shift
    """As it is."""
    effect: Shift
    """(as it is - requested) - (as it is - placebo) = placebo - requested, of groups and irrelevant texts like these."""
    explained: Explained
    opposite: Shift
    """Leak: placebo - the arm with the opposite request, what is discounted though the contrary was asked."""
    lookalike: Shift
    """Leak: placebo - the arm that only looks like the request, what is discounted though nobody asked."""
    effect_at_least: float
    leak_at_most: float
    missing: tuple[str, ...] = ()
    """What is missing to call the effect shown, in words; empty where nothing is."""
    arms: Mapping[Arm, ArmReading] = field(default_factory=dict)
    text_spread: float | None = None
    """How far one text that asks for nothing may lie from the others by itself, which the effect's interval reaches to both sides at
    least; None where there were too few to tell."""
    phrasings: tuple[Phrasing, ...] = ()
    phrasing_spread: float | None = None
    """Standard deviation of the effect between phrasings, sampling noise taken out; None for fewer than two."""
    null: NullTest | None = None
    """Where the shift as it is stands among null vectors."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Inoculation(ByTrait[InoculationFinding]):
    """What one experiment found; a read-only mapping from trait to finding."""

    name: str
    signal: SignalInfo
    judge: JudgeInfo
    place: Place
    findings: tuple[InoculationFinding, ...]
    usage: Usage
    declared: bool = True
    """Whether the traits were named; else all that the judge qualifies for were looked at."""
    settings: Mapping[str, object] = field(default_factory=dict)
    """What changes results."""
    groups_read: int = 0
    texts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The texts of each arm that has any, by arm, in the order they were used; of a trait's own as ``opposite:trait``."""
    warnings: tuple[str, ...] = ()
    """What may undo the inoculation in use."""
    notes: tuple[str, ...] = ()
    """Whatever a reader must know of the reading."""

    @property
    def shown(self) -> tuple[InoculationFinding, ...]:
        """Findings whose effect is shown and whose leaks are bounded."""
        return tuple(finding for finding in self.findings if finding.status == "shown")


@dataclass(frozen=True, kw_only=True, slots=True)
class RankedRequest:
    """A candidate and what it was measured to do on the sample."""

    text: str
    origin: Literal["library", "given"]
    effect: Shift
    explained: Explained
    elicitation: float | None = None
    """Mean over reinforced replies of (log P(reply, with the request) - log P(reply)) per token, in nats: a hint, no more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranking:
    """Candidates for one trait, best first by measured effect."""

    trait: str
    signal: SignalInfo
    judge: JudgeInfo
    place: Place
    shift: Shift
    """As it is, on the same sample."""
    requests: tuple[RankedRequest, ...]
    usage: Usage
    groups_read: int = 0
    warnings: tuple[str, ...] = ()
    """What may undo an inoculation with the first of them alone."""
    notes: tuple[str, ...] = ()
