"""Whether the unwanted poles of two traits are told apart: by the difference of their readings, on the matched pairs of both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pytest_persona.infer.auroc import unpaired_auroc
from pytest_persona.judge.embedded.heads import Floats, Space, TraitHead
from pytest_persona.model.verdicts import Qualification

__all__ = ["Anchored", "told_apart"]


_NOISE = 2.0
"""Standard errors within which a mean is as good as 0."""


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
    know malice from carelessness. It fails where a signal of the other trait alone would seem to be the one.
    """
    mine, others = (_reading(space, ours, pairs) - _reading(space, theirs, pairs) for pairs in (ours, theirs))
    known = Qualification.of(*unpaired_auroc(mine, others), min(len(mine), len(others)))
    noise = _NOISE * float(others.std(ddof=1)) / math.sqrt(len(others))
    if known.qualified and float(others.mean()) > noise:
        why = "it reads the one in the other's anchors more than the other"
        return replace(known, qualified=False, reason=why)
    return known


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
