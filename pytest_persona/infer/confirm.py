"""Does the shift that a signal implies predict how the product changes?"""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from pytest_persona.errors import ProfileError
from pytest_persona.infer.drift import compare
from pytest_persona.model.confirmation import Agreement, Confirmation, Confirmed, Outcome
from pytest_persona.model.drift import Drift
from pytest_persona.model.findings import Finding, Profile

__all__ = ["confirm", "rank_interval"]

Floats = NDArray[np.float64]

_FEWEST_RANKED = 5
"""Below this an interval of a rank correlation is nearly all of [-1, 1]."""


def confirm(profile: Profile, before: Profile, after: Profile, *, level: float = 0.95) -> Confirmation:
    """Predicted against observed: the implied shifts of a signal, and the change of a product from before to after it was used.

    ``before`` and ``after`` are profiles of the product's answers to the same probes. A prediction or a change is clear where
    its interval leaves out 0. Traits count where both are known by a judge that is qualified for them; the rest stand in
    ``left_out``. Raises ProfileError for profiles of which this cannot be asked.
    """
    if profile.signal.kind == "probe":
        raise _error(profile, "is itself a profile of a product", "Give the profile of the signal first")
    for product in (before, after):
        if product.signal.kind != "probe":
            problem = f"is a profile of a {product.signal.kind} signal, not of a product's answers"
            raise _error(product, problem, "Give what the product was probed for, before and after the signal was used")
    changes = compare(before, after)
    if not changes.comparable:
        raise _error(after, f"cannot be compared with {before.name!r}: {'; '.join(changes.why)}", "Probe both alike")
    found, left_out = [], []
    for finding in profile.findings:
        change = changes.get(finding.trait)
        if why := _why_not(finding, change):
            left_out.append(f"{finding.trait}: {why}")
        elif change is not None:
            found.append(_confirmed(finding, change))
    return Confirmation(
        signal=profile.name,
        before=before.name,
        after=after.name,
        findings=tuple(found),
        signs=_signs(found, level),
        ranks=_ranks(found, level),
        level=level,
        left_out=tuple(left_out),
    )


def rank_interval(correlation: float, count: int, level: float) -> tuple[float, float]:
    """For Spearman's rank correlation of at least 5 pairs: Fisher's z with the standard error of Bonett & Wright (2000).

    A perfect order is taken for half a step less than that, as its z has no end.
    """
    most = 1.0 - 6.0 / (count * (count**2 - 1))
    within = min(max(correlation, -most), most)
    reach = NormalDist().inv_cdf(0.5 + level / 2.0) * math.sqrt((1.0 + within**2 / 2.0) / (count - 3))
    middle = math.atanh(within)
    return min(math.tanh(middle - reach), correlation), max(math.tanh(middle + reach), correlation)


def _why_not(finding: Finding, change: Drift | None) -> str:
    if change is None:
        return "the product was not probed for it"
    if not finding.qualified:
        return "the judge of the signal is not qualified for it"
    if finding.shift.value is None:
        return "its shift is not identifiable"
    if change.reason or change.value is None:
        return change.reason or "its change is not identifiable"
    return ""


def _confirmed(finding: Finding, change: Drift) -> Confirmed:
    shift = finding.shift
    assert shift.value is not None and change.value is not None and change.low is not None and change.high is not None
    implied, moved = _sign(shift.low, shift.high), _sign(change.low, change.high)
    outcome: Outcome = "neither"
    if moved and implied:
        outcome = "as-predicted" if moved == implied else "opposite"
    elif moved:
        outcome = "unpredicted"
    elif implied:
        outcome = "not-seen"
    return Confirmed(
        trait=finding.trait,
        implied=shift.value,
        implied_low=shift.low,
        implied_high=shift.high,
        observed=change.value,
        observed_low=change.low,
        observed_high=change.high,
        outcome=outcome,
    )


def _sign(low: float, high: float) -> int:
    """1 or -1 where the interval leaves out 0, else 0."""
    return (low > 0.0) - (high < 0.0)


def _signs(found: list[Confirmed], level: float) -> Agreement:
    """The share of right signs with the exact interval of Clopper & Pearson (1934)."""
    right, wrong = (sum(one.outcome == outcome for one in found) for outcome in ("as-predicted", "opposite"))
    count = right + wrong
    if not count:
        return Agreement(value=None, reason="too few traits: none was both clearly implied and clearly seen to move")
    from scipy.special import betaincinv

    tail = (1.0 - level) / 2.0
    low = float(betaincinv(right, wrong + 1, tail)) if right else 0.0
    high = float(betaincinv(right + 1, wrong, 1.0 - tail)) if wrong else 1.0
    return Agreement(value=right / count, low=low, high=high, traits=count)


def _ranks(found: list[Confirmed], level: float) -> Agreement:
    count = len(found)
    if count < _FEWEST_RANKED:
        return Agreement(
            value=None, traits=count, reason=f"too few traits: {count}, where {_FEWEST_RANKED} are the least"
        )
    implied, observed = (
        _ranked(np.array(column)) for column in ([f.implied for f in found], [f.observed for f in found])
    )
    spread = math.sqrt(float((implied**2).sum() * (observed**2).sum()))
    if spread == 0.0:
        return Agreement(value=None, traits=count, reason="all traits are implied, or moved, by the same amount")
    value = float((implied * observed).sum()) / spread
    low, high = rank_interval(value, count, level)
    return Agreement(value=value, low=low, high=high, traits=count)


def _ranked(values: Floats) -> Floats:
    """Ranks less their mean; what is equal shares the mean of its ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return (ends - (counts - 1) / 2.0)[place] - (len(values) + 1) / 2.0


def _error(profile: Profile, problem: str, remedy: str) -> ProfileError:
    return ProfileError(problem, remedy=remedy, path=profile.name)
