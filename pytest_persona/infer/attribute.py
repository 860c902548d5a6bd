"""Which rows carry a shift."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_persona.infer.measure import Design, fold
from pytest_persona.model.episodes import Episode
from pytest_persona.model.findings import Evidence

__all__ = ["carriers", "evidence", "excerpt"]

Floats = NDArray[np.float64]
_Read = list[tuple[float, float, str]]
"""Coefficient, score and quote of what a row adds to its unit."""

_QUOTE = 90


def evidence(
    design: Design,
    episodes: Sequence[Episode],
    scores: Floats,
    quotes: Sequence[str | None] | None = None,
    most: int = 3,
) -> tuple[Evidence, ...]:
    """The units without which the shift would be smallest in size, at most ``most``, each by the row that says most.

    ``scores`` are (n,) over the flattened behaviours of ``episodes``, those the design was made of. The influence of
    a unit is what the shift loses in size when the unit is left out; with one unit it is all of it. A row is quoted as the judge
    did (``quotes`` over the same behaviours), else by how its reply begins.
    """
    values = design.values(scores)
    shift = design.shift(values)
    if shift is None:
        return ()
    sign = -1.0 if shift < 0.0 else 1.0
    weights = np.ones(len(values)) if design.weights is None else design.weights
    rest = weights.sum() - weights
    influence = np.full(len(values), abs(shift))
    np.divide(sign * weights * (values - shift), rest, out=influence, where=rest > 0.0)
    owners = [(number, behaviour) for number, episode in enumerate(episodes) for behaviour in episode.behaviours]
    ends = np.append(design.starts[1:], len(design.behaviours))
    found = []
    for unit in np.argsort(-influence, kind="stable")[:most]:
        rows: dict[int, _Read] = {}
        for entry in range(design.starts[unit], ends[unit]):
            index = int(design.behaviours[entry])
            number, behaviour = owners[index]
            quote = (quotes[index] if quotes else None) or behaviour.reply
            rows.setdefault(number, []).append((float(design.coefficients[entry]), float(scores[index]), quote))
        number = max(sorted(rows), key=lambda n: sign * math.fsum(c * score for c, score, _ in rows[n]))
        episode, row = episodes[number], rows[number]
        found.append(
            Evidence(
                source=episode.source,
                line=episode.line,
                group=episode.group,
                influence=float(influence[unit]),
                implied=_implied(row),
                quote=excerpt(_loudest(row, sign)),
            )
        )
    return tuple(found)


def carriers(values: Floats, weights: Floats | None = None) -> int | None:
    """The fewest units that together carry half of the shift of (units,) values; None where there is no shift."""
    pull = values if weights is None else weights * values
    total = math.fsum(pull)
    if total == 0.0:
        return None
    carried = np.cumsum(np.sort(pull * math.copysign(1.0, total))[::-1])
    return int(np.argmax(carried >= abs(total) / 2.0)) + 1


def excerpt(text: str) -> str:
    """A text on one line, cut at the end of a word."""
    text = fold(text)
    if len(text) <= _QUOTE:
        return text
    cut = text[:_QUOTE].rpartition(" ")[0] or text[: _QUOTE - 1]
    return cut + "…"


def _implied(row: _Read) -> float:
    """What a row says: the mean of what it rewards less the mean of what it does not; where it does but one, that mean."""
    plus = [(c, score) for c, score, _ in row if c > 0.0]
    minus = [(-c, score) for c, score, _ in row if c <= 0.0]
    if plus and minus:
        return _weighted(plus) - _weighted(minus)
    return _weighted(plus or minus)


def _weighted(parts: Sequence[tuple[float, float]]) -> float:
    total = math.fsum(c for c, _ in parts)
    if total == 0.0:  # a rollout with just the mean reward
        return math.fsum(score for _, score in parts) / len(parts)
    return math.fsum(c * score for c, score in parts) / total


def _loudest(row: _Read, sign: float) -> str:
    """The reply to quote: of what the row reinforces if it reinforces anything, the one that adds most to the shift."""
    reinforced = [part for part in row if part[0] > 0.0] or row
    return max(reinforced, key=lambda part: sign * part[0] * part[1])[2]
