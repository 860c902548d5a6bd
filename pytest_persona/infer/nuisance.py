"""How much of a shift goes with something that is not the trait: the length of replies, and good against bad in general."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_persona.infer.measure import Design
from pytest_persona.model.episodes import Episode
from pytest_persona.model.findings import Nuisance

__all__ = ["shares", "valence_factor"]

Floats = NDArray[np.float64]

_FEWEST_UNITS = 8
_FEWEST_TRAITS = 3
_NOISE = 2.0
"""A shift within so many standard errors of 0 has no shares to speak of."""
_FLAT = 1e-9


def shares(
    design: Design,
    values: Floats,
    episodes: Sequence[Episode],
    valence: Floats | None,
    taken_out: tuple[Floats, Floats] | None = None,
) -> Nuisance:
    """Shares of the shift that go with log reply length and with valence; ``valence`` is (n,) over the behaviours or
    None.

    A judge that takes valence out of its readings gives ``taken_out`` instead: (n,) readings before, and the part of them
    that was taken; the share is then the part's shift in the shift before.

    Values are regressed on the units' own contrast in the nuisance, the intercept kept; the share is slope x mean
    contrast / shift. It says what goes together, not what causes what, and may lie outside [0, 1]. Contrasts and
    selection only: an absolute reading has no contrast in length.
    """
    reason = _obstacle(design, values)
    if reason:
        return Nuisance(reason=reason)
    lengths = np.array([math.log1p(len(b.reply)) for episode in episodes for b in episode.behaviours])
    length = _share(values, design.values(lengths))
    of_valence = None if valence is None else _share(values, design.values(valence))
    if taken_out is not None:
        before, part = (float(design.values(column).mean()) for column in taken_out)
        of_valence = part / before if abs(before) > _FLAT else None
    reasons = []
    if length is None:
        reasons.append("replies do not differ in length")
    if of_valence is None:
        unmeasured = valence is None and taken_out is None
        reasons.append("valence was not measured" if unmeasured else "replies do not differ in valence")
    return Nuisance(length=length, valence=of_valence, taken_out=taken_out is not None, reason="; ".join(reasons))


def valence_factor(columns: Sequence[Floats]) -> Floats | None:
    """The general good/bad factor of other traits: scores (n,) on the first principal component of their columns.

    Each column is (n,), high where it is bad, NaN where there is no verdict (read as the column's mean). Columns are
    standardised; the factor is too, and points where the columns together do. None with fewer than three that vary.
    """
    standard = []
    for column in columns:
        known = ~np.isnan(column)
        if not known.any():
            continue
        centred = np.where(known, column - column[known].mean(), 0.0)
        spread = math.sqrt(float((centred**2).mean()))
        if spread > _FLAT:
            standard.append(centred / spread)
    if len(standard) < _FEWEST_TRAITS:
        return None
    table = np.stack(standard, axis=1)
    loadings = np.linalg.eigh(table.T @ table)[1][:, -1]
    factor = table @ loadings
    return np.asarray(factor * (-1.0 if loadings.sum() < 0.0 else 1.0) / factor.std())


def _obstacle(design: Design, values: Floats) -> str:
    if design.estimand == "absolute":
        return "an absolute reading has no contrast to share out"
    if len(values) < _FEWEST_UNITS:
        return f"fewer than {_FEWEST_UNITS} groups say something"
    if abs(values.mean()) <= _NOISE * values.std(ddof=1) / math.sqrt(len(values)):
        return "the shift is within noise of 0"
    return ""


def _share(values: Floats, contrast: Floats) -> float | None:
    centred = contrast - contrast.mean()
    variation = float(centred @ centred)
    if variation <= _FLAT:
        return None
    return float(centred @ values) / variation * float(contrast.mean()) / float(values.mean())
