"""Whether the unwanted poles of two traits are told apart: by the difference of their readings, on the matched pairs of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pytest_persona.infer.auroc import unpaired_auroc
from pytest_persona.judge.embedded.heads import Floats, Space, TraitHead
from pytest_persona.model.verdicts import Qualification

__all__ = ["Anchored", "told_apart"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Anchored:
    """A trait's head with the domain of each of its pairs, and +1 or -1 towards its unwanted pole."""

    head: TraitHead
    domains: Sequence[str]
    way: float


def told_apart(space: Space, ours: Anchored, theirs: Anchored) -> Qualification:
    """How well "the one rather than the other" is read, on pairs of either trait in domains that neither direction has seen.

    What is compared are the pairs' differences towards the unwanted pole, so that contexts, topics and what all replies share
    cancel. A judge can pass that is not qualified for the other trait by itself: it need not know carelessness from care to
    know malice from carelessness.
    """
    margins = [_reading(space, ours, pairs) - _reading(space, theirs, pairs) for pairs in (ours, theirs)]
    return Qualification.of(*unpaired_auroc(*margins), min(len(margin) for margin in margins))


def _reading(space: Space, by: Anchored, pairs: Anchored) -> Floats:
    """(pairs,) what a trait reads of the difference within each pair of another, or of its own, without the pair's domain."""
    known, asked = np.asarray(by.domains), np.asarray(pairs.domains)
    readings = np.empty(len(asked))
    for domain in sorted(set(asked)):
        seen, held = known != domain, asked == domain
        signs = np.ones((1, int(seen.sum())))
        direction = space.directions(by.head.differences[seen], signs, by.head.valence)[0]
        readings[held] = by.way * by.head.slope * (pairs.way * pairs.head.differences[held] @ direction)
    return readings
