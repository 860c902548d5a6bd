"""What a shift would be without the replies that express its trait unasked, or had they been asked: the same readings, recomputed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pytest_persona.infer.measure import Design, design
from pytest_persona.model.episodes import Episode

__all__ = ["EXPRESSES_FROM", "REQUESTED_FROM", "Marks", "explained_by", "marks", "without"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

EXPRESSES_FROM = 0.5
"""A reply clearly expresses a pole from here on. On a chat judge's scale that leaves out the touch (1/3) that another reader might
dispute and takes in what most readers would name (2/3); on one fitted to anchors it is odds of 3 to 1 for the pole."""
REQUESTED_FROM = 0.5
"""A behaviour counts as requested from here on. On a chat judge's scale that is "in part: what is asked for cannot well be done
without some of it"; hopes, hints and pressure (1/4) are no request. For a request head it is as likely as not."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Marks:
    """(n,) over the flattened behaviours: the reinforced ones that clearly express an unwanted pole."""

    unrequested: Mask
    requested: Mask


def marks(plan: Design, episodes: Sequence[Episode], expressed: Floats, requested: Floats, way: float) -> Marks:
    """Find them. ``expressed`` and ``requested`` are (n,) and NaN where there is no verdict; ``way`` is +1 or -1, towards the pole.

    Reinforced is what adds its score to its group's value: the chosen and the shown reply, the one rewarded above its group's mean.
    Of a rubric's criteria all are, a penalty as its contrary, as the design has it.
    """
    turned = np.sign([behaviour.weight for episode in episodes for behaviour in episode.behaviours])
    pushes = np.zeros(len(expressed))
    pushes[plan.behaviours] = plan.coefficients
    clear = (pushes * turned > 0.0) & (way * turned * expressed >= EXPRESSES_FROM)
    asked = requested >= REQUESTED_FROM
    return Marks(unrequested=clear & ~asked, requested=clear & asked)


def without(plan: Design, episodes: Sequence[Episode], dropped: Mask, scored: Mask) -> Design:
    """The design of ``plan``, that of the ``scored`` behaviours, with ``dropped`` ones left out.

    A preference or a demonstration that lacks a side is then left out whole; a rollout leaves its group, whose covariance and the
    pooled deviation of rewards are those of the rest.
    """
    if not (dropped & scored).any():
        return plan
    return replace(design(episodes, scored & ~dropped), unscored=plan.unscored)


def explained_by(
    episodes: Sequence[Episode], expressed: Floats, asked: Mask, way: float, *, compared: bool = False
) -> Mask:
    """Which behaviours a request explains whole, were the pole requested in the rows of the ``asked`` ones.

    A request stands in a context, so that all it leads to is explained: whatever is at the pole at all, reinforced or not, in the
    same row, or in the same group in answer to the same context. What is at the other pole did not do as it was asked. Where
    replies were ``compared``, a verdict is on their difference, which is explained as one.
    """
    places = [(number, episode, b) for number, episode in enumerate(episodes) for b in episode.behaviours]
    rows = {number for (number, *_), is_asked in zip(places, asked, strict=True) if is_asked}
    contexts = {(e.group, b.context) for (_, e, b), is_asked in zip(places, asked, strict=True) if is_asked}
    shared = np.array([number in rows or (e.group, b.context) in contexts for number, e, b in places], dtype=np.bool_)
    return shared & (compared | (way * expressed > 0.0))
