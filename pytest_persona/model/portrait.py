"""Which character a signal reads most like, with how much certainty, and what else such a character would do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pytest_persona.model.episodes import SignalInfo
from pytest_persona.model.findings import Estimand, JudgeInfo, Profile
from pytest_persona.model.suites import AuditSpec, Suite
from pytest_persona.model.verdicts import Usage

__all__ = [
    "SAMPLES", "SAMPLE_SIZES", "Basis", "CharacterReading", "Comparison", "Passage", "Portrait", "PortraitSpec", "Prediction",
    "ProbeForecast", "Sampled",
]  # fmt: skip

SAMPLES = (3, 20)
SAMPLE_SIZES = (20, 50)
"""The least and the most samples, and groups of one."""
Basis = Literal["likelihood", "set"]
"""What is compared: how likely replies are under each character, or how well samples of replies, seen together, fit each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class PortraitSpec:
    """One portrait: a signal, the characters that it is compared with, and where probes are looked for."""

    audit: AuditSpec
    """The signal; its traits and expectations are of no use here."""
    characters: tuple[str, ...] = ()
    """Names of library characters and files of others; empty: the whole library."""
    samples: int = 5
    """How many samples a judge that sees them whole is shown."""
    sample_size: int = 30
    """Groups of a sample."""
    suites: tuple[Suite, ...] = ()
    """Whose probes are ranked."""
    profile: Profile | None = None
    """What an audit has read of the same signal, so that what it shows is not predicted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Passage:
    """A judge's evidence for a character, verbatim from a text of a sample."""

    sample: int
    """From 1."""
    quote: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CharacterReading:
    """One character against the reference."""

    name: str
    value: float
    """How much better than the reference it explains what is reinforced: in nats a token, or on a scale from -2 to 2."""
    low: float
    high: float
    """Its interval, as if other groups and other wordings of both characters had been drawn."""
    spread: float
    """The s.d. between wordings of both characters, or between samples, each of which has a wording of its own."""
    probability: float
    """That it explains what is reinforced better than the reference, given that it is one of the two; in (0, 1)."""
    share: float
    """Posterior share, were it one of these characters and of no others, less what a null character gets; in (0, 1)."""
    z: float
    """Where it stands among the null characters, in their s.d."""
    p: float
    """One-sided: how often a character that means nothing would stand so high."""
    stands_out: bool
    """Whether it counts: beyond the null characters, with all characters that were tried taken into account."""
    log_odds: float | None = None
    """Posterior log-odds for even prior ones, in nats: the value times all tokens, tempered. None where no likelihood was read."""
    temper: float | None = None
    """1 / design effect of the groups, in (0, 1]."""
    evidence: tuple[Passage, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """All characters against one reference."""

    reference: str
    reference_share: float
    readings: tuple[CharacterReading, ...]
    """By ``value``, the highest first."""
    unread: Mapping[str, str] = field(default_factory=dict)
    """Characters that nothing can be said of, and why, in words."""
    null_mean: float
    """Mean of the null characters against the reference: what any other text in the place of a character moves."""
    null_spread: float
    """Their s.d.: a character that is no further out than this has said nothing."""
    nulls: int
    level: float

    @property
    def most_like(self) -> str:
        """The character that it reads most like: clear of the reference and of the nulls; empty where there is none."""
        return next((r.name for r in self.readings if r.stands_out and r.low > 0.0), "")

    @property
    def shares(self) -> Mapping[str, float]:
        """Posterior shares of the reference and of each character; their sum is 1."""
        return {self.reference: self.reference_share, **{r.name: r.share for r in self.readings}}


@dataclass(frozen=True, kw_only=True, slots=True)
class Sampled:
    """One sample that a judge was shown whole."""

    groups: int
    texts: int
    best: str
    """The character that fits it best; empty where it was not answered."""
    reason: str = ""
    """Why it was not answered, in words; empty where it was."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prediction:
    """What such a character would do beyond what the signal shows; nobody has read it."""

    trait: str
    value: float
    """Expected difference to the reference in what is expressed, over the posterior shares, in [-2, 2]."""
    low: float
    high: float
    """The least and the most of any character that the posterior leaves in question, of two at least."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProbeForecast:
    """A question on which such a character would differ from the reference; nobody has asked it."""

    suite: str
    id: str
    trait: str
    """The one of the probe's traits on which it would differ most."""
    difference: float
    """The predicted value of that trait, in [-2, 2]."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Portrait:
    """What one signal reads like."""

    name: str
    """What was read, as shown to people."""
    signal: SignalInfo
    judge: JudgeInfo
    basis: Basis
    estimand: Estimand
    """What is read of: the difference of reinforced and other replies, the covariance with the reward, or the texts themselves."""
    characters: Comparison | None
    """None where nothing can be said."""
    reason: str = ""
    """Why nothing can be said, in words; empty otherwise."""
    groups_read: int
    tokens: int = 0
    """Tokens of the replies whose likelihood was read."""
    samples: tuple[Sampled, ...] = ()
    consistency: float | None = None
    """Mean correlation between samples of how well the characters fit, in [-1, 1]; None where nothing varies or no samples were seen."""
    predictions: tuple[Prediction, ...] = ()
    """By size, the largest first."""
    probes: tuple[ProbeForecast, ...] = ()
    """By size of the difference, the largest first."""
    characters_sha256: str
    """Hash of all characters: portraits of other ones are not compared."""
    usage: Usage
    settings: Mapping[str, object] = field(default_factory=dict)
    """What changes results."""
    notes: tuple[str, ...] = ()
    """Whatever a reader must know of the reading."""

    @property
    def most_like(self) -> str:
        """The character that it reads most like; empty where none stands out or nothing can be said."""
        return "" if self.characters is None else self.characters.most_like
