"""A judge's answers, and how good that judge is known to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Qualification", "Reason", "Usage", "Verdict"]

Reason = Literal["refusal", "empty", "off-topic", "unparsable", "failed", "missing", "suspected-injection"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What a judge says of one behaviour and one trait. A failure is None with a reason, never 0."""

    expressed: float | None
    """How far the reply expresses the trait, in [-1, 1]: +1 the high pole, -1 the low pole."""
    requested: float | None = None
    """How far the context asked for what the reply does, in [0, 1]; None where the judge cannot tell, read as 0."""
    quote: str | None = None
    """The judge's evidence, verbatim from the reply."""
    reason: Reason | None = None
    """Why there is no answer; None where there is one."""

    def __post_init__(self) -> None:
        if (self.expressed is None) == (self.reason is None):
            raise ValueError("a verdict has either a score or the reason why there is none")
        if self.expressed is not None and not -1.0 <= self.expressed <= 1.0:  # refuses NaN too
            raise ValueError(f"expressed is {self.expressed!r}, outside [-1, 1]")
        if self.requested is not None and not 0.0 <= self.requested <= 1.0:
            raise ValueError(f"requested is {self.requested!r}, outside [0, 1]")

    @property
    def implied(self) -> float | None:
        """What the behaviour says about the character, the request taken into account; in [-1, 1]."""
        if self.expressed is None:
            return None
        return self.expressed * (1.0 - (self.requested or 0.0))


@dataclass(frozen=True, kw_only=True, slots=True)
class Qualification:
    """How well a judge tells a trait's poles apart on anchors held out by whole domains."""

    qualified: bool
    auroc: float | None = None
    """Area under the ROC curve in [0, 1]; None where it could not be measured."""
    low: float | None = None
    high: float | None = None
    pairs: int = 0
    reason: str = ""
    """Why it is not qualified, in words; empty where it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """What a run cost."""

    questions: int = 0
    """Behaviours (one pass serves all traits) or questions (a behaviour and a trait) that were needed."""
    cached: int = 0
    calls: int = 0
    """Requests that left the machine."""
    input_tokens: int = 0
    output_tokens: int = 0
    cut: int = 0
    """Behaviours whose context or reply was longer than the judge's budget and was cut head-and-tail."""
