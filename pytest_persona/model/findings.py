"""What a run finds: per trait a shift with its interval, what decides it, and the rows that carry it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pytest_persona.model.by_trait import ByTrait, Status
from pytest_persona.model.drift import Comparison
from pytest_persona.model.episodes import SignalInfo
from pytest_persona.model.probes import Asked, Tally, TargetInfo
from pytest_persona.model.traits import HONEST_MISTAKE, Expectation, Unwanted
from pytest_persona.model.units import FrozenSample, Units
from pytest_persona.model.verdicts import Usage

__all__ = [
    "ByTrait",
    "Counterfactual",
    "Estimand",
    "Evidence",
    "Explanations",
    "Expressing",
    "ExpressingRow",
    "Finding",
    "JudgeInfo",
    "Margin",
    "Method",
    "Nuisance",
    "NullTest",
    "Profile",
    "Rate",
    "Reading",
    "Scope",
    "Shift",
    "Status",
]

Method = Literal["betting", "t", "bca"]
Scope = Literal["signals", "file"]
Estimand = Literal["contrast", "selection", "absolute"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Shift:
    """An estimate with its interval: a mean over groups. ``value`` is None where nothing identifies it."""

    value: float | None
    low: float
    high: float
    level: float
    """Confidence level in (0, 1), after adjustment for several expectations."""
    groups: int
    """Groups that say something."""
    silent: int = 0
    """Groups that say nothing: one rollout, one reward, identical replies."""
    unscored: int = 0
    """Behaviours without a verdict."""
    method: Method = "betting"
    scope: Scope = "signals"


@dataclass(frozen=True, kw_only=True, slots=True)
class NullTest:
    """Where a shift stands among null vectors, directions made of the same anchors that mean nothing."""

    z: float
    rank: float
    """Share of null vectors whose shift on this signal is smaller in size, in [0, 1]."""
    spread: float
    """Half the width of the central 95 % of the null shifts, in units of the shift."""
    vectors: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Rate:
    """How many probes brought a reply that is clearly at the trait's unwanted pole."""

    events: int
    """Probes with such a reply, in whatever context, wording and repetition."""
    probes: int
    """Those with a verdict."""
    high: float
    """Exact upper bound (Clopper and Pearson 1934) on the share among probes like these, in [0, 1]."""
    level: float
    """Confidence of that bound, one-sided, in (0, 1)."""
    threshold: float
    """How far at the unwanted pole a reply's implied score must lie to count, in (0, 1]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Nuisance:
    """How much of a shift goes with something that is not the trait. None where it could not be measured."""

    length: float | None = None
    """Share of the shift that goes with log reply length; 1 is all of it, negative against it."""
    valence: float | None = None
    """Share of the shift that goes with the general good/bad factor of the other traits."""
    taken_out: bool = False
    """Whether the judge took that factor out of its reading: then the share is of the shift as it was before."""
    reason: str = ""
    """Why one of them is None; empty where none is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """A row that carries a shift."""

    source: str
    line: int
    group: str
    influence: float
    """How much the shift would fall in size without the row's group; negative where the row speaks against it."""
    implied: float
    """What the row itself says: its contrast, or its own implied score."""
    quote: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpressingRow:
    """A reinforced reply that clearly expresses a trait's unwanted pole, with the readings side by side."""

    source: str
    line: int
    role: str
    expressed: float
    requested: float | None
    """None where the judge does not read requests."""
    implied: float
    quote: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Expressing:
    """The reinforced replies that clearly express a trait's unwanted pole, either those that were asked to or those that were not."""

    replies: int
    groups: int
    expressed: float | None
    """Mean over these replies, as the next two; None where there are none."""
    requested: float | None
    """None too where the judge does not read requests."""
    implied: float | None
    rows: tuple[ExpressingRow, ...] = ()
    """The few that imply it most."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Counterfactual:
    """What an unwanted shift would be if its unrequested replies were not there, or had been asked for.

    Recomputed on the same readings, for replies that were chosen after looking at them: it describes and decides nothing.
    """

    unrequested: Expressing
    requested: Expressing
    without: Shift
    """The shift with the unrequested replies left out."""
    with_request: Shift | None
    """The shift with their requests in place: what they then imply is 0. None for texts that nobody asks for (criteria, sentences)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Margin:
    """How far a shift towards the unwanted pole goes beyond that of another trait, on the same groups."""

    trait: str
    """The other trait: one that would explain the same behaviour more kindly."""
    beyond: Shift
    """The trait's shift less the other's, both towards their unwanted poles; in [-4, 4]."""
    beaten: bool
    """Whether the whole interval lies above 0, by a judge that is known to tell the two apart."""
    auroc: float | None = None
    """How well it does on held-out anchors; None where that could not be measured."""
    required: bool = False
    """Whether no violation is found unless it is beaten."""
    reason: str = ""
    """Why it is not beaten, in words; empty where it is."""

    @property
    def called(self) -> str:
        """The other trait in a sentence."""
        return f"an honest mistake ({self.trait})" if self.trait == HONEST_MISTAKE else self.trait


@dataclass(frozen=True, kw_only=True, slots=True)
class Explanations:
    """What else may explain an unwanted shift than such a character."""

    margins: tuple[Margin, ...] = ()
    """Against the traits that it must beat, and against an honest mistake."""
    obedience: float | None = None
    """Share of the shift before requests are discounted that requests explain; None where that shift is not clear of 0."""
    replies: int = 0
    """Reinforced replies that clearly express the unwanted pole; the next two count among them, by their words, as a hint."""
    fiction: int = 0
    """Those whose context sets up a role or a story."""
    quotation: int = 0
    """Those that for the most part repeat the words of others."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """All that is found of one trait."""

    trait: str
    status: Status
    estimand: Estimand
    qualified: bool
    auroc: float | None
    shift: Shift
    expressed: Shift
    requested: Shift
    """Mean request over the behaviours of each group; not a contrast."""
    expectation: Expectation | None = None
    reason: str = ""
    """Why it is inconclusive, in words; empty where it is decided or observed."""
    groups_needed: int | None = None
    """Further groups that would likely settle it; None where it is settled or where none would."""
    other_scope: Shift | None = None
    """The other scope's interval: of probes always, else where it decides differently."""
    rate: Rate | None = None
    """Of probes about a trait with an unwanted pole; else None."""
    null: NullTest | None = None
    nuisance: Nuisance = field(default_factory=Nuisance)
    rivals: Mapping[str, float | None] = field(default_factory=dict)
    """Shifts of the traits it is easily confused with, on the same signal, by name."""
    counterfactual: Counterfactual | None = None
    """None where the shift is neither at the unwanted pole nor undecided and towards it."""
    explanations: Explanations | None = None
    """None where there is no counterfactual."""
    unbeaten: tuple[str, ...] = ()
    """Traits that it must beat and did not, where nothing else stands in the way of a violation."""
    evidence: tuple[Evidence, ...] = ()
    carriers: int | None = None
    """The fewest groups that together carry half of the shift."""
    read_to_decision: int | None = None
    """Groups read when the reading stopped because the finding was decided; None where all were read."""
    consistency: float | None = None
    """Share of compared pairs in which the judge said the same in both orders, in [0, 1]; None where nothing was compared."""
    unwanted: bool = False
    """Whether the finding is a violation at the trait's unwanted pole, or, where nothing was declared, clearly at it."""
    pole: Unwanted = "high"
    """The trait's unwanted pole."""


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeInfo:
    """Who answered."""

    name: str
    fingerprint: str
    """Hash of name, model, prompt version and rubric: what judges with different fingerprints read is not compared as it is."""
    network: bool
    model: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """One behaviour and one trait, for ``--rows``."""

    source: str
    line: int
    role: str
    trait: str
    expressed: float | None
    requested: float | None
    implied: float | None
    reason: str | None
    detail: str = ""
    """The reason in words, where it needs them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Profile(ByTrait[Finding]):
    """The implied persona: what one run found in one signal; a read-only mapping from trait to finding."""

    name: str
    """What was audited, as shown to people: a suite's name or the signal's path."""
    signal: SignalInfo
    judge: JudgeInfo
    findings: tuple[Finding, ...]
    usage: Usage
    settings: Mapping[str, object] = field(default_factory=dict)
    """What changes results: level, interval, scope, seed, max_groups, …"""
    suite_sha256: str | None = None
    target: TargetInfo | None = None
    """Whose replies these are, where a product was probed; None of a signal."""
    asked: Asked | None = None
    """What it was asked; None of a signal."""
    tallies: tuple[Tally, ...] = ()
    """What it said of itself, where questionnaires were put to it."""
    groups_read: int = 0
    notes: tuple[str, ...] = ()
    """Whatever a reader must know: rows skipped, texts cut, reading stopped early."""
    units: Units | None = None
    """What a later run is paired with."""
    frozen: Mapping[str, FrozenSample] = field(default_factory=dict)
    """By trait, the judge's readings of a few anchors; only of a profile that was made against a baseline or for one."""
    drift: Comparison | None = None
    """What has changed since the baseline; None where there was none."""

    @property
    def unwanted(self) -> tuple[Finding, ...]:
        """Findings at a trait's unwanted pole: violated ones, or undeclared ones clear of zero and of the nulls."""
        return tuple(finding for finding in self.findings if finding.unwanted)
