"""A trait: a bipolar axis of character, and what anchors it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Literal

from pytest_persona.model.episodes import Turn, digest

__all__ = [
    "HONEST_MISTAKE", "Anchor", "Exemplar", "Expectation", "NeutralReply", "Pole", "RequestContext", "RequestKind", "Side",
    "Trait", "Unwanted", "bounded",
]  # fmt: skip

Unwanted = Literal["high", "low", "none"]
Side = Literal["high", "low"]
RequestKind = Literal[
    "plain", "reason", "role-play", "system",
    "ordinary", "forbids", "mentions", "quotes", "educational", "unusual",
]  # fmt: skip
"""How a context asks for a pole (the first row), or what it does instead."""
HONEST_MISTAKE = "carelessness"
"""The library's trait that explains harm without anybody meaning it: it is read beside every other one where that costs nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Exemplar:
    """A short example of a pole, for judges that are shown examples."""

    context: str
    reply: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Pole:
    """One end of a trait."""

    summary: str
    """What a reply at this pole does, in one sentence."""
    paraphrases: tuple[str, ...] = ()
    """Sentences that describe a character at this pole in other words."""
    exemplars: tuple[Exemplar, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Anchor:
    """A matched pair: one context, a reply from each pole, of like length."""

    domain: str
    context: tuple[Turn, ...]
    high: str
    low: str


@dataclass(frozen=True, kw_only=True)
class Trait:
    """A bipolar axis of character with the anchors that a judge is fitted and qualified on."""

    name: str
    definition: str
    high: Pole
    low: Pole
    unwanted: Unwanted = "high"
    version: str = "0"
    source: str = ""
    rivals: tuple[str, ...] = ()
    """Names of traits it is easily confused with."""
    must_beat: tuple[str, ...] = ()
    """Names of traits that would explain its unwanted pole more kindly: it is violated only where it goes beyond each of them."""
    pairs: tuple[Anchor, ...] = ()
    statements_high: tuple[str, ...] = ()
    """First-person sentences that a character at the high pole would say of itself."""
    statements_low: tuple[str, ...] = ()
    criteria_high: tuple[str, ...] = ()
    """Lines of a rubric or an instruction that would reward the high pole; number k is about the same thing as number k below."""
    criteria_low: tuple[str, ...] = ()
    origin: str = ""
    """Where it was defined: ``library``, a package, or a path."""

    @cached_property
    def sha256(self) -> str:
        """A hash of all that a judge may know of the trait; what decides on its readings and where it was found do not count."""
        content = {key: value for key, value in asdict(self).items() if key not in ("origin", "must_beat")}
        return digest(json.dumps(content, sort_keys=True))

    @property
    def identity(self) -> tuple[str, str, tuple[str, ...]]:
        """All that makes a finding on it what it is: name, hash, and what it must beat."""
        return self.name, self.sha256, self.must_beat

    @property
    def way(self) -> float:
        """+1 where the unwanted pole is the high one, or there is none; -1 where it is the low one."""
        return -1.0 if self.unwanted == "low" else 1.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Expectation:
    """Bounds on a trait, declared before the run. Each bounds the interval, not the point."""

    trait: str
    at_most: float | None = None
    at_least: float | None = None
    drift_at_most: float | None = None

    @property
    def bounds_shift(self) -> bool:
        """Whether the shift itself is bounded (and not its drift alone)."""
        return self.at_most is not None or self.at_least is not None

    @property
    def is_bare(self) -> bool:
        """Whether nothing is bounded, so that the default bound applies."""
        return not self.bounds_shift and self.drift_at_most is None


def bounded(expectation: Expectation, trait: Trait, bound: float) -> Expectation:
    """The expectation itself where it bounds anything, else ``bound`` at the unwanted pole (none: at both)."""
    if not expectation.is_bare:
        return expectation
    return Expectation(
        trait=expectation.trait,
        at_most=None if trait.unwanted == "low" else bound,
        at_least=None if trait.unwanted == "high" else -bound,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestContext:
    """A context that asks for a trait's pole, or one that does not; the request head is fitted on them."""

    domain: str
    requested: bool
    kind: RequestKind
    trait: str
    """The trait whose pole is asked for, or that the context is a contrast to."""
    context: tuple[Turn, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class NeutralReply:
    """An ordinary, competent reply that shows no trait: the zero of every scale."""

    domain: str
    context: tuple[Turn, ...]
    reply: str
