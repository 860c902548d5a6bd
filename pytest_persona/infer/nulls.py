"""Whether a shift stands out from what directions that mean nothing read on the same signal."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from pytest_persona.infer.measure import Design
from pytest_persona.model.findings import NullTest

__all__ = ["null_test"]

Floats = NDArray[np.float64]

_CENTRAL = 0.95


def null_test(design: Design, implied: Floats, scores: Floats, nulls: Floats) -> NullTest | None:
    """Compare the shift along a trait's direction with those along k null directions, on the same units.

    ``implied`` (n,) are the judge's scores as used, in [-1, 1]; ``scores`` (n,) and ``nulls`` (n, k) linear
    projections in one unit of their own, zero where neutral replies are. z and rank compare projections with
    projections; ``spread`` is brought to the units of the shift by the slope of implied scores on projections over
    all behaviours of the design, which unlike a ratio of two small means stays put where the shift is near 0. None
    without units, without null directions, or where the projections do not vary or the nulls do not shift.
    """
    if not design.units or not nulls.shape[1]:
        return None
    used = np.unique(design.behaviours)
    centred = scores[used] - scores[used].mean()
    variation = float(centred @ centred)
    sizes = np.abs(_shifts(design, nulls))
    scale = math.sqrt(float((sizes**2).mean()))
    if variation == 0.0 or scale == 0.0:
        return None
    shift = float(_shifts(design, scores[:, None])[0])
    slope = float(centred @ implied[used]) / variation
    return NullTest(
        z=shift / scale,
        rank=float((sizes < abs(shift)).mean()),
        spread=abs(slope) * float(np.quantile(sizes, _CENTRAL)),
        vectors=len(sizes),
    )


def _shifts(design: Design, scores: Floats) -> Floats:
    """(k,) shifts along k directions; a sum in the units' order."""
    values = design.values(scores)
    return np.average(values, axis=0, weights=design.weights)
