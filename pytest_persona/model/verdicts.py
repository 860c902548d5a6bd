"""A judge's answers, and how good that judge is known to be."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Literal

__all__ = ["Qualification", "Reason", "Usage", "Verdict"]

Reason = Literal[
    "refusal", "empty", "off-topic",
    "declined", "unparsable", "unreliable", "inconsistent", "suspected-injection",
    "failed", "missing",
]  # fmt: skip
"""Why there is no verdict. Of the text: the reply refuses, is empty, or has nothing to do with the trait. Of the answer: the judge
declined, its answer was of the wrong form, it quoted what is not there, it contradicted itself when the order was turned round, it
shows signs of obeying the text. Of the asking: it failed, or the question was not asked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What a judge says of a behaviour and a trait, or of a set of texts and a character. A failure is None with a reason, never 0."""

    expressed: float | None
    """How far the reply expresses the trait, in [-1, 1]: +1 the high pole, -1 the low pole; of a set, how well it fits the character."""
    requested: float | None = None
    """How far the context asked for what the reply does, in [0, 1]; None where the judge cannot tell, read as 0."""
    quote: str | None = None
    """The judge's evidence, verbatim from the reply."""
    reason: Reason | None = None
    """Why there is no answer; None where there is one."""
    detail: str = ""
    """The reason in words, where it needs them."""

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

    @classmethod
    def of(cls, auroc: float, low: float, high: float, pairs: int) -> Qualification:
        """Qualified at an AUROC of 0.80 whose interval's lower bound is above 0.70 (DESIGN section 2)."""
        reason = ""
        if auroc < 0.80:
            reason = f"AUROC {auroc:.2f} on held-out anchors, below 0.80"
        elif low <= 0.70:
            reason = f"AUROC {auroc:.2f} on held-out anchors, but its interval reaches down to {low:.2f}"
        return cls(qualified=not reason, auroc=auroc, low=low, high=high, pairs=pairs, reason=reason)


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """What a run cost."""

    questions: int = 0
    """Behaviours (one pass serves all traits) or questions (a behaviour and a trait) that were needed."""
    cached: int = 0
    calls: int = 0
    """Requests that left the machine."""
    input_tokens: int = 0
    """All tokens that were sent or read, those of a vendor's prompt cache among them."""
    output_tokens: int = 0
    cached_tokens: int = 0
    """Of the input tokens, those that a vendor read from its prompt cache."""
    cost: float | None = None
    """In the currency of the prices that the user gave; None where none were given."""
    cut: int = 0
    """Behaviours whose context or reply was longer than the judge's budget and was cut head-and-tail."""

    def __add__(self, other: Usage) -> Usage:
        costs = [usage.cost for usage in (self, other) if usage.cost is not None]
        counts = {
            field.name: getattr(self, field.name) + getattr(other, field.name)
            for field in fields(Usage)
            if field.name != "cost"
        }
        return Usage(**counts, cost=sum(costs) if costs else None)
