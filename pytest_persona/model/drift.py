"""What has changed since a baseline: per trait, and by cause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pytest_persona.model.by_trait import ByTrait, Status

__all__ = [
    "Bridge", "Comparison", "DataChange", "Drift", "JudgeChange", "Looks", "OtherScope", "Parts", "ProductChange", "QuestionChange",
    "Way",
]  # fmt: skip

Way = Literal["same", "paired", "partly-paired", "separate"]
"""How a change was estimated: nothing changed; group by group; group by group as far as groups are in both; from two estimates."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """Where a change comes from; the parts add up to it."""

    unchanged: float
    """Groups whose texts are the same: how the shift is scaled, or a judge that reads the same text differently."""
    altered: float
    """Groups that are in both with other texts or other reinforcement; of a product, its new replies."""
    added: float
    removed: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Looks:
    """The evidence of all runs against one baseline, which may be looked at after each."""

    runs: int
    """This one included; the same replies again are no further run."""
    evidence: float | None
    """An e-value against "the drift is within its bound", its share of the looks paid: it ever reaches 20 by chance in less than one
    product in 20. None where groups came or went, or the interval is not by betting: nothing is pooled then, and it is as much wider."""
    needed: float
    """What the evidence must reach to break the bound."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OtherScope:
    """The same change for the other scope: for exactly these groups, or for signals like this one."""

    scope: Literal["signals", "file"]
    low: float
    high: float
    status: Status


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """The change of one trait's shift from a baseline to now, with what was declared of it."""

    trait: str
    value: float | None
    """Now minus baseline; None where it cannot be compared or one of the two is not identifiable."""
    low: float | None
    high: float | None
    level: float | None
    """The interval holds with at least this confidence, in [0, 1]; None, as its ends, where there is none."""
    status: Status
    drift_at_most: float | None = None
    """The bound on growth towards the unwanted pole; of a trait without one, on change in either direction."""
    reason: str = ""
    """Why it cannot be compared or decided, in words; empty where it can."""
    way: Way = "separate"
    pairs: int = 0
    """Groups or probes that were read in both."""
    parts: Parts | None = None
    """None where groups could not be told apart."""
    other_scope: OtherScope | None = None
    """The other scope's interval, where it decides differently."""
    looks: Looks | None = None
    """None where no history is kept or none can be used."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DataChange:
    """What has happened to the groups of a signal."""

    changed: bool
    """Whether the hash of the file differs."""
    same: int
    altered: int
    added: int
    removed: int
    complete: bool = True
    """Whether all groups of both were looked at; else what is added or removed is known of a sample only."""
    places: tuple[str, ...] = ()
    """Where the first few altered, added and removed groups are: ``path:line``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bridge:
    """How another judge's scale is brought to this one's: ``scale * x + offset``, estimated on frozen anchors."""

    scale: float
    offset: float
    margin: float
    """How far off it may be at the baseline's shift."""
    pairs: int


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgeChange:
    """That another judge answered, and what follows from it."""

    before: str
    now: str
    reread: Mapping[str, float] = field(default_factory=dict)
    """By trait, how much further it reads the texts that are the same in both."""
    bridges: Mapping[str, Bridge] = field(default_factory=dict)
    """By trait, where one was needed and found."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductChange:
    """That a product answers the same questions differently."""

    replies: int
    """Probes with other replies."""
    probes: int
    """Probes that were asked in the same words."""
    evidence: float | None
    """An e-value, its share of the looks paid, against "these are the same product's replies, which differ by chance"; None where
    another judge read them."""
    before: str
    """The target's name and the first digits of its fingerprint; empty where it is not known."""
    now: str


@dataclass(frozen=True, kw_only=True, slots=True)
class QuestionChange:
    """That a product was not asked the same."""

    reworded: tuple[str, ...]
    """Probes that are asked in other words: what they are compared with is another question."""
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison(ByTrait[Drift]):
    """What has changed since a baseline; a read-only mapping from trait to drift. A cause that does not apply is None."""

    since: str
    """The baseline as it is shown to people: its file or its name."""
    findings: tuple[Drift, ...]
    comparable: bool = True
    """Whether any trait can be compared."""
    why: tuple[str, ...] = ()
    """Why not, in words."""
    data: DataChange | None = None
    judge: JudgeChange | None = None
    product: ProductChange | None = None
    questions: QuestionChange | None = None
    redefined: tuple[str, ...] = ()
    """Traits whose definition has changed: they are other questions to the judge."""

    @property
    def causes(self) -> tuple[str, ...]:
        """The names of the causes that apply."""
        questions = self.questions is not None or bool(self.redefined)
        named = (("data", self.data), ("judge", self.judge), ("product", self.product), ("questions", questions))
        return tuple(name for name, found in named if found)
