"""Verdicts as columns of numbers, one a behaviour, and the designs that fit them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pytest_persona.infer.measure import Design, design
from pytest_persona.model.episodes import Episode
from pytest_persona.model.traits import Trait
from pytest_persona.model.verdicts import Verdict

__all__ = ["Columns"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Columns:
    """Episodes with their verdicts (one mapping from trait to verdict for each behaviour, in order)."""

    episodes: Sequence[Episode]
    verdicts: Sequence[Mapping[str, Verdict]]
    _known: dict[tuple[str, str], Floats] = field(default_factory=dict, init=False)
    _designs: dict[tuple[tuple[bool, ...] | None, bytes], Design] = field(default_factory=dict, init=False)

    def column(self, trait: str, field: Literal["expressed", "requested", "implied"]) -> Floats:
        """One number a behaviour; NaN stands for "no verdict" here and among the callers and never leaves the engine."""
        if (trait, field) not in self._known:
            scores = np.full(len(self.verdicts), np.nan)
            for i, verdicts in enumerate(self.verdicts):
                verdict = verdicts.get(trait)
                if verdict is not None and verdict.expressed is not None:
                    value = getattr(verdict, field)
                    scores[i] = 0.0 if value is None else value
            self._known[trait, field] = scores
        return self._known[trait, field]

    def own(self, trait: str) -> Floats:
        """The implied scores of what is about the trait; NaN elsewhere too, whatever was read there for another one's sake."""
        implied, about = self.column(trait, "implied"), self.about(trait)
        if about is None:
            return implied
        return np.where(np.repeat(about, [len(episode.behaviours) for episode in self.episodes]), implied, np.nan)

    def scored(self, *traits: str) -> NDArray[np.bool_]:
        """Which behaviours have a verdict on each of the traits."""
        table = np.stack([self.column(trait, "implied") for trait in traits])
        return np.asarray(~np.isnan(table).any(axis=0))

    @cached_property
    def selective(self) -> bool:
        """Whether some episode is about some traits only."""
        return any(episode.traits for episode in self.episodes)

    def about(self, trait: str) -> tuple[bool, ...] | None:
        """Which episodes are about the trait; None where all are."""
        return tuple(not e.traits or trait in e.traits for e in self.episodes) if self.selective else None

    def design(self, scored: NDArray[np.bool_], trait: str) -> Design:
        """The design for these scored behaviours, of the episodes about ``trait``; those that are the same are shared."""
        about = self.about(trait)
        key = about, scored.tobytes()
        if key not in self._designs:
            self._designs[key] = design(self.episodes, scored, about=about)
        return self._designs[key]

    def measured(self, trait: str) -> tuple[Design, Floats]:
        """A trait's design, and the implied values of its units."""
        plan = self.design(self.scored(trait), trait)
        return plan, plan.values(np.nan_to_num(self.column(trait, "implied")))

    def beyond(self, trait: Trait, other: Trait) -> tuple[Design, Floats]:
        """The design of what has a verdict on both, and half of the one's values less the other's, towards their unwanted poles."""
        plan = self.design(self.scored(trait.name, other.name), trait.name)
        ours, theirs = (t.way * np.nan_to_num(self.column(t.name, "implied")) for t in (trait, other))
        return plan, plan.values((ours - theirs) / 2.0)

    def notes(self) -> list[str]:
        """What a reader must know of how the signal was read."""
        return list(dict.fromkeys(plan.note for plan in self._designs.values() if plan.note))
