"""What a signal does to a trait, as a mean over groups: every estimand is linear in the scores of the behaviours."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pytest_persona.model.episodes import Behaviour, Episode, Role
from pytest_persona.model.findings import Estimand

__all__ = ["Design", "design", "fold"]

Floats = NDArray[np.float64]
_Rows = list[list[tuple[int, Behaviour]]]
"""The rows of one group; each behaviour with its index among all behaviours of the signal."""
_Entries = list[tuple[int, float]]
"""(index of a behaviour, coefficient) of one group; empty where the group says nothing."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Design:
    """How the values of the units follow from the scores of the behaviours; knows rewards and roles, no score.

    A unit is a group that says something, or several groups whose replies are the same texts: a judge's error belongs
    to the text, so a reply that is repeated in 400 contexts is one piece of evidence, not 400.
    """

    units: tuple[str, ...]
    """The unit's first group in order of appearance."""
    estimand: Estimand
    low: float
    high: float
    """Bounds of a unit's value that hold before any score is seen (scores lie in [-1, 1])."""
    starts: NDArray[np.intp]
    """(units,) where the entries of each unit begin."""
    behaviours: NDArray[np.intp]
    """(entries,) index of the behaviour of each entry; unscored behaviours have no entry."""
    coefficients: Floats
    """(entries,) what a score of 1 adds to the unit's value."""
    weights: Floats | None = None
    """(units,) positive weights of a rubric's criteria; None where all count alike."""
    groups: int = 0
    """Distinct groups among the episodes: units + repeated + silent."""
    silent: int = 0
    """Groups that say nothing: one rollout, one reward, identical replies, or no verdict where one is needed."""
    repeated: int = 0
    """Groups that only repeat the texts of another one, and were merged into its unit."""
    unscored: int = 0
    """Behaviours without a verdict."""
    note: str = ""
    """What a reader must know of how the signal was read; empty where nothing."""

    def values(self, scores: Floats) -> Floats:
        """Values of the units: (n,) scores give (units,), (n, k) scores give (units, k)."""
        if not self.units:
            return np.zeros((0, *scores.shape[1:]))
        shape = (-1,) + (1,) * (scores.ndim - 1)
        return np.add.reduceat(self.coefficients.reshape(shape) * scores[self.behaviours], self.starts, axis=0)

    def shift(self, values: Floats) -> float | None:
        """The weighted mean of (units,) values, in any order of units the same; None where no unit says anything."""
        if not len(values):
            return None
        if self.weights is None:
            return math.fsum(values) / len(values) + 0.0  # + 0.0: a mean of -0.0 is written 0.0
        return math.fsum(self.weights * values) / math.fsum(self.weights) + 0.0

    def average(self) -> Design:
        """The same units, each with the plain mean over its behaviours as value: for requests, in [0, 1]."""
        counts = np.diff(np.append(self.starts, len(self.behaviours)))
        even = np.repeat(1.0 / np.maximum(counts, 1), counts)
        return replace(self, estimand="absolute", low=0.0, high=1.0, coefficients=even, weights=None)


def design(
    episodes: Sequence[Episode],
    scored: NDArray[np.bool_],
    *,
    about: Sequence[bool] | None = None,
    merge: bool = True,
) -> Design:
    """The design of episodes of one kind; ``scored`` is (n,) over their flattened behaviours.

    ``about`` says of each episode whether it says anything about the trait (None: all do); the others have no part in it.
    Without ``merge`` every group that says something is a unit of its own, whatever it repeats.

    * preference: mean over the group's rows of a(chosen) - a(rejected), in [-2, 2]. Rows with an unscored side or with
      identical replies are left out.
    * rollout: Cov(r, a) / s over the group's scored rollouts, s squared the mean over the speaking groups of Var(r):
      the selection differential of Robertson (1966) and Price (1970) per standard deviation of reward.
    * demonstration: a(shown) - a(reference) where every row has references, else a(shown), in [-1, 1].
    * rubric: a(text), reversed where the weight is negative; the mean is weighted by the weights' size.
    * instruction: a(text).
    * probe: mean over the replies to the probe, in all contexts, of a(reply), in [-1, 1].
    """
    groups: dict[str, _Rows] = {}
    index = unscored = 0
    for number, episode in enumerate(episodes):
        row = [(index + offset, behaviour) for offset, behaviour in enumerate(episode.behaviours)]
        index += len(row)
        if about is None or about[number]:
            groups.setdefault(episode.group, []).append(row)
            unscored += sum(not scored[i] for i, _ in row)
    estimand, read, note = _reading(episodes)
    entries = {group: read(rows, scored) for group, rows in groups.items()}
    speaking = [group for group, found in entries.items() if found]
    weighted = read is _weighted
    scale = _pooled_deviation([entries[group] for group in speaking]) if estimand == "selection" and speaking else 1.0
    replies = [behaviour.reply for episode in episodes for behaviour in episode.behaviours]

    merged: dict[object, list[str]] = {}
    for group in speaking:
        merged.setdefault(_texts(groups[group]) if merge else group, []).append(group)
    units: list[str] = []
    starts: list[int] = []
    behaviours: list[int] = []
    coefficients: list[float] = []
    weights: list[float] = []
    for members in merged.values():
        # In the order of the texts, not of the file or the roles: sums then round alike when a signal is turned round.
        found = sorted((entry for group in members for entry in entries[group]), key=lambda entry: replies[entry[0]])
        weight = math.fsum(abs(coefficient) for _, coefficient in found) if weighted else float(len(members))
        units.append(members[0])
        weights.append(weight)
        starts.append(len(behaviours))
        behaviours.extend(i for i, _ in found)
        coefficients.extend(coefficient / (weight * scale) for _, coefficient in found)

    low, high = (-2.0, 2.0) if estimand == "contrast" else (-1.0, 1.0)
    plan = Design(
        units=tuple(units),
        estimand=estimand,
        low=low,
        high=high,
        starts=np.array(starts, dtype=np.intp),
        behaviours=np.array(behaviours, dtype=np.intp),
        coefficients=np.array(coefficients, dtype=np.float64),
        weights=np.array(weights) if weighted and len(set(weights)) > 1 else None,
        groups=len(groups),
        silent=len(groups) - len(speaking),
        repeated=len(speaking) - len(units),
        unscored=unscored,
        note=note,
    )
    if estimand != "selection" or not units:
        return plan
    reach = float(np.add.reduceat(np.abs(plan.coefficients), plan.starts).max())
    return replace(plan, low=-reach, high=reach)


def fold(text: str) -> str:
    """The text with every run of white space as one blank: what counts as the same reply."""
    return " ".join(text.split())


def _reading(episodes: Sequence[Episode]) -> tuple[Estimand, Callable[[_Rows, NDArray[np.bool_]], _Entries], str]:
    kind = episodes[0].kind if episodes else "demonstration"
    if kind == "preference":
        return "contrast", lambda rows, scored: _contrast(rows, scored, "chosen", "rejected"), ""
    if kind == "rollout":
        rewards = (abs(b.reward) for episode in episodes for b in episode.behaviours if b.reward is not None)
        exponent = math.frexp(max(rewards, default=1.0))[1]
        return "selection", lambda rows, scored: _deviations(rows, scored, exponent), ""
    if kind == "rubric":
        return "absolute", _weighted, ""
    referenced = sum(any(b.role == "reference" for b in episode.behaviours) for episode in episodes)
    if kind == "demonstration" and referenced and referenced == len(episodes):
        return "contrast", lambda rows, scored: _contrast(rows, scored, "shown", "reference"), ""
    note = f"{referenced} of {len(episodes)} rows have a reference answer, too few: all are read without one"
    return "absolute", _mean, note if referenced else ""


def _contrast(rows: _Rows, scored: NDArray[np.bool_], plus: Role, minus: Role) -> _Entries:
    pairs = []
    for row in rows:
        if {fold(b.reply) for _, b in row if b.role == plus} == {fold(b.reply) for _, b in row if b.role == minus}:
            continue
        ours = [i for i, b in row if b.role == plus and scored[i]]
        theirs = [i for i, b in row if b.role == minus and scored[i]]
        if ours and theirs:
            pairs.append(((ours, 1.0), (theirs, -1.0)))
    return [(i, sign / (len(side) * len(pairs))) for pair in pairs for side, sign in pair for i in side]


def _deviations(rows: _Rows, scored: NDArray[np.bool_], exponent: int) -> _Entries:
    """(r - mean r) / n for each rollout, with r divided by a power of two so that no sum overflows."""
    found = [(i, b.reward, fold(b.reply)) for row in rows for i, b in row if scored[i] and b.reward is not None]
    rewards = [math.ldexp(reward, -exponent) for _, reward, _ in found]
    if len(set(rewards)) < 2 or len({reply for *_, reply in found}) < 2:
        return []
    mean = math.fsum(rewards) / len(rewards)
    return [(i, (reward - mean) / len(rewards)) for (i, *_), reward in zip(found, rewards, strict=True)]


def _pooled_deviation(groups: Sequence[_Entries]) -> float:
    """The standard deviation s of rewards from the entries (r - mean r) / n of the speaking groups."""
    return math.sqrt(math.fsum(len(group) * math.fsum(c * c for _, c in group) for group in groups) / len(groups))


def _mean(rows: _Rows, scored: NDArray[np.bool_]) -> _Entries:
    found = [i for row in rows for i, b in row if b.role != "reference" and scored[i]]
    return [(i, 1.0 / len(found)) for i in found]


def _weighted(rows: _Rows, scored: NDArray[np.bool_]) -> _Entries:
    return [(i, b.weight) for row in rows for i, b in row if scored[i] and b.weight]


def _texts(rows: _Rows) -> object:
    """What makes two groups the same evidence: the same replies in the same roles, as often, in whatever order."""
    return frozenset(Counter((b.role, fold(b.reply)) for row in rows for _, b in row).items())
