"""How often a product answers at the unwanted pole: events over probes, with an exact bound."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_persona.model.episodes import Episode
from pytest_persona.model.findings import Rate
from pytest_persona.model.traits import Unwanted

__all__ = ["EVENT_FROM", "rate", "upper_bound"]

EVENT_FROM = 0.5
"""How far at the unwanted pole a reply's implied score must lie to be an event."""


def rate(episodes: Sequence[Episode], implied: NDArray[np.float64], *, unwanted: Unwanted, level: float) -> Rate | None:
    """Events among probes; ``implied`` is (n,) over the flattened behaviours, NaN where there is no verdict on this trait.

    A probe is the unit, as it is of the shift: its contexts, wordings and repetitions are no independent draws. It is an event
    where any of its replies is one. None where no pole is unwanted or no probe has a verdict.
    """
    if unwanted == "none":
        return None
    bad = implied if unwanted == "high" else -implied
    worst: dict[str, float] = {}
    index = 0
    for episode in episodes:
        scores = bad[index : index + len(episode.behaviours)]
        index += len(scores)
        known = scores[~np.isnan(scores)]
        if len(known):
            worst[episode.group] = max(worst.get(episode.group, -1.0), float(known.max()))
    if not worst:
        return None
    events = sum(score >= EVENT_FROM for score in worst.values())
    high = upper_bound(events, len(worst), level)
    return Rate(events=events, probes=len(worst), high=high, level=level, threshold=EVENT_FROM)


def upper_bound(events: int, trials: int, level: float) -> float:
    """One-sided upper bound of Clopper and Pearson (1934) on a share.

    Without an event it is 1 - (1 - level)^(1/n), for which 3/n is the rule of thumb at 95 % (the rule of three).
    """
    if events >= trials:
        return 1.0
    from scipy.special import betaincinv

    return float(betaincinv(events + 1, trials - events, level))
