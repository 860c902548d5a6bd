"""Evidence over many runs against one baseline, which may be looked at after each of them.

The claim that is tested, for one trait: on no run up to now has the mean over the probes exceeded the baseline's by more than
``bound``. Runs share the noise of the one baseline, so they are no independent pieces of evidence, and to multiply what each
day says of its difference to the baseline would be wrong. Two ways that are right, half of the stake on each:

**In pairs.**

1. *Within a window* the unit is the probe: its mean over the runs of the window, less its value in the baseline. Replies to
   different probes are independent and the differences are bounded. A gambler who stakes the same share on each probe wins on
   average at most nothing: with m_k the mean of unit k and b the bound, the product over k of (1 + s (m_k - b)) is at most
   (1 + s (mean of m - b)) to the number of units, as the logarithm is concave, and that is at most 1. So the wealth is an
   e-value whether the probes are taken as drawn from more like them or as just these, with baseline noise, between probes
   and between runs all in it.
2. *The e-value of a run* is the mean of those of the windows that end there: the last 1, 2, 4, ... runs. A mean of e-values is
   one whatever they have in common.
3. *Over runs*: run t counts w(t) = 1 / (t (t + 1)), which sum to 1. Then the sum of w(t) E(t) over all runs has a mean of at
   most 1 whenever one stops, and each of its terms is smaller still.

It sees small drifts of many probes; what few probes leave open it never settles.

**Apart**, whatever the baseline's mean is (:mod:`pytest_persona.infer.apart`): an e-process too, for exactly these probes.
It sees large drifts of few probes, and each day adds to it.

The mean of both is an e-process. So by Markov's inequality at the first time that it does so, it ever reaches 1/a with
probability at most a. ``evidence`` has of the pairs the term of the last run alone, so that an alarm ends once the product
is as it was.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_persona.infer import betting
from pytest_persona.infer.apart import log_apart
from pytest_persona.infer.pairs import Match, Strata
from pytest_persona.infer.units import short
from pytest_persona.model.history import PastRun
from pytest_persona.model.traits import Unwanted

__all__ = ["MOST_EVIDENCE", "drifted", "earlier", "evidence", "exchanged", "past_run", "share", "unlike"]

Floats = NDArray[np.float64]

MOST_EVIDENCE = 1e9
"""More is not told apart."""
_TILTS: Floats = np.outer((1.0, -1.0), (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)).ravel()


def past_run(found: Match) -> PastRun:
    """What is to be remembered of this run: its values in the order of the baseline's groups."""
    place = dict(found.both)
    values = {
        trait: tuple(
            column[place[b]] if b in place and found.now.read[place[b]] else None for b in range(len(found.base.groups))
        )
        for trait, column in found.now.values.items()
    }
    return PastRun(run=short(*(found.now.content[n] for _, n in found.both if found.now.read[n])), values=values)


def earlier(history: Sequence[PastRun], now: PastRun) -> Sequence[PastRun]:
    """The runs before this one; the same replies once more are the same run."""
    return history[:-1] if history and history[-1].run == now.run else history


def share(run: int) -> float:
    """The part of all looks that run number ``run``, from 1, may spend; they sum to 1."""
    return 1.0 / (run * (run + 1))


def evidence(found: Strata, trait: str, past: Sequence[PastRun], *, bound: float, pole: Unwanted) -> float:
    """The evidence, its share of the looks paid, that the trait has drifted by more than ``bound``; see the module.

    ``past`` are the runs before this one, the latest last. Growth is towards ``pole``; of none, either way counts.
    """
    runs = _runs(found, trait, past)
    return drifted(found.base, runs, bound=bound, pole=pole, reach_base=found.reach_base, reach_now=found.reach_now)


def unlike(found: Strata, trait: str, past: Sequence[PastRun]) -> float:
    """The evidence, its share of the looks paid, that the product is not that of the baseline, its noise included."""
    return exchanged(found.base, _runs(found, trait, past))


def drifted(base: Floats, runs: Floats, *, bound: float, pole: Unwanted, reach_base: float, reach_now: float) -> float:
    """:func:`evidence` from (units,) values of the baseline and (units, runs) of the runs, the latest first."""
    ways = {"high": (1.0,), "low": (-1.0,), "none": (1.0, -1.0)}[pole]
    reach = reach_base + reach_now
    pairs = [
        betting.mixed(betting.growth(way * (np.nanmean(window, axis=1) - base), bound, -reach))
        for window in _windows(runs)
        for way in ways
    ]
    each = [log_apart(way * base, way * runs, bound=bound, reach_base=reach_base, reach_now=reach_now) for way in ways]
    return _shown(_mean([_mean(pairs) + math.log(share(runs.shape[1])), _mean(each)]))


def exchanged(base: Floats, runs: Floats) -> float:
    """:func:`unlike` from (units,) values of the baseline and (units, runs) of the runs, the latest first.

    Were it the same product, a probe's value in the baseline and its values in later runs could change places. For a tilt s
    the ratio of exp(s x) in the baseline to its mean over all these runs has then a mean of 1, and probes are independent:
    their product is an e-value, as is its mean over tilts and over windows. It needs no range, so that it sees smaller changes
    than :func:`drifted` where probes are few; but it says that something has changed, not by how much.
    """
    logs = []
    for window in _windows(runs):
        every = np.column_stack([base, window])
        known = ~np.isnan(every)
        for tilt in _TILTS:
            tilted = np.where(known, tilt * np.nan_to_num(every), -np.inf)
            mean = np.logaddexp.reduce(tilted, axis=1) - np.log(known.sum(axis=1))
            logs.append(float((tilted[:, 0] - mean).sum()))
    return _shown(_mean(logs) + math.log(share(runs.shape[1])))


def _mean(logs: Sequence[float]) -> float:
    """The logarithm of the mean of e-values, from theirs."""
    return float(np.logaddexp.reduce(np.array(logs))) - math.log(len(logs))


def _shown(log: float) -> float:
    return math.exp(min(log, math.log(MOST_EVIDENCE)))


def _runs(found: Strata, trait: str, past: Sequence[PastRun]) -> Floats:
    """(units, runs) values, those of this run first and then back in time; NaN where a unit was not paired."""
    columns = [found.now]
    alone = [places[0] for places in found.classes]
    repeated = [(unit, places) for unit, places in enumerate(found.classes) if len(places) > 1]
    most = max(map(max, found.classes), default=-1)
    for run in reversed(past):
        values = np.array(run.values.get(trait, ()), dtype=np.float64)  # None becomes NaN
        if len(values) <= most:
            columns.append(np.full(len(alone), np.nan))
            continue
        column = values[alone]
        for unit, places in repeated:
            known = values[list(places)]
            column[unit] = np.nan if np.isnan(known).all() else np.nanmean(known)
        columns.append(column)
    return np.column_stack(columns)


def _windows(runs: Floats) -> Iterator[Floats]:
    """The last 1, 2, 4, ... runs."""
    length = 1
    while length <= runs.shape[1]:
        yield runs[:, :length]
        length *= 2
