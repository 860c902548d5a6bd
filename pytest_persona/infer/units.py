"""What is kept of the groups of a signal, so that a later run can be paired with this one."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_persona.infer.measure import Design, design
from pytest_persona.model.episodes import Behaviour, Episode, digest
from pytest_persona.model.traits import Trait
from pytest_persona.model.units import MOST_UNITS, Units

__all__ = ["DECIMALS", "Scores", "short", "units"]

Floats = NDArray[np.float64]

DECIMALS = 4
"""What values are rounded to: a tenth of what reports show."""
_DIGITS = 12
_NAME = re.compile(r"[A-Za-z0-9_.:/-]{1,120}")


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Scores:
    """What was read of a signal."""

    episodes: Sequence[Episode]
    """Those that were read."""
    implied: Mapping[str, Floats]
    """By trait, (n,) implied scores over their flattened behaviours; NaN where there is no verdict."""
    traits: Sequence[Trait]


def units(scores: Scores, groups: Sequence[str], rows: Mapping[str, Sequence[Episode]], of: int) -> Units:
    """The first groups of ``groups``, which stand in the order of reading, with what was found of them.

    ``rows`` are the episodes of each group, ``of`` is how many groups the whole signal has.
    """
    kept = groups[:MOST_UNITS]
    read = {episode.group for episode in scores.episodes}
    values: dict[str, tuple[float | None, ...]] = {}
    reach: dict[str, float] = {}
    plans: dict[bytes, Design] = {}
    for trait in scores.traits:
        implied = scores.implied[trait.name]
        scored = ~np.isnan(implied)
        if scored.tobytes() not in plans:  # making one takes a while; traits that lack the same verdicts share it
            plans[scored.tobytes()] = design(scores.episodes, scored, merge=False)
        found, most = _values(plans[scored.tobytes()], implied)
        values[trait.name] = tuple(found.get(group) for group in kept)
        reach[trait.name] = most
    return Units(
        groups=tuple(_label(rows[group][0]) for group in kept),
        asked=tuple(_asked(rows[group]) for group in kept),
        content=tuple(_content(rows[group]) for group in kept),
        lines=tuple(rows[group][0].line for group in kept),
        read=tuple(group in read for group in kept),
        values=values,
        reach=reach,
        definitions={trait.name: trait.sha256[:_DIGITS] for trait in scores.traits},
        of=of,
    )


def short(*parts: str) -> str:
    """A hash that is long enough to tell the groups of one signal apart."""
    return digest(*parts)[:_DIGITS]


def _values(plan: Design, scores: Floats) -> tuple[dict[str, float], float]:
    """What each speaking group adds to the shift, which is the mean of all, and the most that one could add."""
    values, most = plan.values(np.nan_to_num(scores)), max(-plan.low, plan.high)
    if plan.weights is not None:  # what a heavy criterion adds counts for more
        share = plan.weights / plan.weights.mean()
        values, most = values * share, most * float(share.max())
    return dict(zip(plan.units, np.round(values, DECIMALS).tolist(), strict=True)), most


def _label(row: Episode) -> str:
    """A probe's name is no text of anybody's, and reports need it."""
    return row.group if row.kind == "probe" and _NAME.fullmatch(row.group) else short(row.group)


def _asked(rows: Sequence[Episode]) -> str:
    questions = {episode.question or _context(episode.behaviours) for episode in rows}
    return short(*sorted(questions))


def _context(behaviours: Sequence[Behaviour]) -> str:
    contexts: Collection[tuple[str, ...]] = {
        tuple(part for turn in behaviour.context for part in (turn.speaker, turn.text)) for behaviour in behaviours
    }
    return digest(*(digest(*parts) for parts in sorted(contexts)))


def _content(rows: Sequence[Episode]) -> str:
    """The same for the same replies under the same reinforcement, in whatever order the rows stand."""
    texts = [digest(*(f"{b.role} {b.reward!r} {b.weight!r} {b.key}" for b in row.behaviours)) for row in rows]
    return short(*sorted(texts))
