"""From one judge's scale to another's, by the same few texts that both have read."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_persona.model.findings import Estimand
from pytest_persona.model.units import FrozenSample

__all__ = ["FEWEST_PAIRS", "MOST_MARGIN", "NO_SCALE", "Crossing", "Scale", "crossing"]

Floats = NDArray[np.float64]

FEWEST_PAIRS = 8
MOST_MARGIN = 0.10
"""A bridge that may be off by more than the default bound carries nothing."""
_LEAST_CONTRAST = 0.1
"""Below this the earlier judge hardly told the poles apart on the sample, and a ratio to it means nothing."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Scale:
    """``scale * x + offset`` is what the later judge reads where the earlier one read x."""

    scale: float = 1.0
    offset: float = 0.0

    def of(self, value: float) -> float:
        """A value of the earlier judge on the scale of the later one."""
        return self.scale * value + self.offset

    def reach(self, most: float) -> float:
        """The most that a value can be in size, on the scale of the later one."""
        return abs(self.scale) * most + abs(self.offset)


NO_SCALE = Scale()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Crossing:
    """The map from one judge to another, and the same with each pair of anchors left out."""

    scale: Scale
    without: tuple[Scale, ...]

    @property
    def pairs(self) -> int:
        """Pairs of anchors that both have read."""
        return len(self.without)

    def margin(self, value: float, level: float) -> float:
        """How far off a value may be once it is brought over: Student's quantile times the jackknife's standard error."""
        from scipy.special import stdtrit

        moved = np.array([scale.of(value) for scale in self.without])
        count = len(moved)
        error = math.sqrt((count - 1) / count * float(((moved - moved.mean()) ** 2).sum()))
        return float(stdtrit(count - 1, 0.5 + level / 2.0)) * error


def crossing(base: FrozenSample, now: FrozenSample, estimand: Estimand) -> Crossing | str:
    """The map from the judge of ``base`` to that of ``now``; in words why there is none.

    The scale is the ratio of the mean contrasts between the poles; for absolute readings the offset is what is then left of
    the midpoints. A contrast has no offset: it falls out of the difference.
    """
    if base.texts != now.texts or len(base.high) != len(now.high):
        return "the judges have not read the same anchors"
    rows = [
        row
        for row in zip(base.high, base.low, now.high, now.low, strict=True)
        if not any(reading is None for reading in row)
    ]
    if len(rows) < FEWEST_PAIRS:
        return f"{len(rows)} pairs of anchors were read by both judges, where {FEWEST_PAIRS} are the least"
    values = np.array(rows, dtype=np.float64)
    scale = _fitted(values, estimand)
    if scale is None:
        return "one of the judges does not tell the poles apart on the anchors"
    without = [_fitted(np.delete(values, k, axis=0), estimand) for k in range(len(values))]
    if any(one is None for one in without):
        return "without one pair of anchors, one of the judges does not tell the poles apart"
    return Crossing(scale=scale, without=tuple(one for one in without if one is not None))


def _fitted(values: Floats, estimand: Estimand) -> Scale | None:
    """From (pairs, 4) readings: high and low of the earlier judge, high and low of the later one."""
    high, low, later_high, later_low = values.mean(axis=0)
    if high - low < _LEAST_CONTRAST or later_high - later_low <= 0.0:
        return None
    scale = float((later_high - later_low) / (high - low))
    offset = float((later_high + later_low) / 2.0 - scale * (high + low) / 2.0)
    return Scale(scale=scale, offset=offset if estimand == "absolute" else 0.0)
