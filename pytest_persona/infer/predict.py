"""What follows from a character for behaviour that nobody has read: predictions, and the probes that would tell."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from pytest_persona.model.findings import Profile
from pytest_persona.model.personas import Cast
from pytest_persona.model.portrait import Comparison, Prediction, ProbeForecast
from pytest_persona.model.probes import Probe

__all__ = ["predictions", "ranked_probes", "shown_by"]

_LEAST_SUPPORT = 0.5
"""Share of the posterior that must have an expectation of a trait; with less the others would speak for it."""
_MOST_OF_TRAIT = 5
_SMALLEST = 0.05
"""A difference below this is none."""
_NULL_RANK = 0.95


def predictions(found: Comparison, cast: Cast, *, shown: Collection[str] = ()) -> tuple[Prediction, ...]:
    """What is expected of each trait that some character has an expectation of, without those ``shown`` by the signal itself.

    The value is the mean over the posterior shares of each character's profile less the reference's. Its range is that of the
    smallest set of characters that holds ``found.level`` of the posterior, at least two (of equals, the one that differs less from
    the reference): a posterior among characters that were thought of beforehand is never so certain that one of them would do.
    Nothing follows where no character stands out.
    """
    if not found.most_like:
        return ()
    shares, made = found.shares, []
    for trait, base in cast.reference.profile.items():
        gaps = [
            (shares[c.name], c.profile[trait] - base)
            for c in cast.characters
            if trait in c.profile and c.name in shares
        ]
        expected = _expected(trait, gaps, found.level)
        if trait not in shown and expected is not None and abs(expected.value) >= _SMALLEST:
            made.append(expected)
    return tuple(sorted(made, key=lambda prediction: (-abs(prediction.value), prediction.trait)))


def shown_by(profile: Profile) -> set[str]:
    """The traits that a signal shows itself: those that a qualified judge reads clear of 0, and no chance direction reads as far."""
    return {
        finding.trait
        for finding in profile.findings
        if finding.qualified
        and (finding.shift.low > 0.0 or finding.shift.high < 0.0)
        and (finding.null is None or finding.null.rank >= _NULL_RANK)
    }


def ranked_probes(
    expected: Sequence[Prediction], suites: Iterable[tuple[str, Sequence[Probe]]]
) -> tuple[ProbeForecast, ...]:
    """The probes of suites, (name, probes), on which such a character would differ, the most first; at most five of one trait.

    A probe counts for the one of its traits that is expected to differ most; between equals, the one whose other traits do too.
    Items of questionnaires are left out: what a model says of itself is not what it does.
    """
    values = {prediction.trait: prediction.value for prediction in expected}
    ranked: list[tuple[float, float, ProbeForecast]] = []
    for suite, probes in suites:
        for probe in probes:
            known = {trait: values[trait] for trait in probe.traits if trait in values}
            if not known or probe.informational:
                continue
            trait = max(known, key=lambda name: (abs(known[name]), name))
            rest = math.fsum(map(abs, known.values()))
            forecast = ProbeForecast(suite=suite, id=probe.id, trait=trait, difference=known[trait])
            ranked.append((-abs(known[trait]), -rest, forecast))
    ranked.sort(key=lambda one: (*one[:2], one[2].suite, one[2].id))
    taken: Counter[str] = Counter()
    kept = []
    for *_, forecast in ranked:
        taken[forecast.trait] += 1
        if taken[forecast.trait] <= _MOST_OF_TRAIT:
            kept.append(forecast)
    return tuple(kept)


def _expected(trait: str, gaps: Sequence[tuple[float, float]], level: float) -> Prediction | None:
    """From the (share, difference) of each character that has an expectation of the trait."""
    support = math.fsum(share for share, _ in gaps)
    if support < _LEAST_SUPPORT:
        return None
    credible: list[float] = []
    held = 0.0
    for share, gap in sorted(gaps, key=lambda one: (-one[0], abs(one[1]))):
        if held >= level * support and len(credible) >= 2:
            break
        held += share
        credible.append(gap)
    value = math.fsum(share * gap for share, gap in gaps) / support
    # The mean is over all of them, and may lie outside of what the likeliest would do.
    return Prediction(trait=trait, value=value, low=min(value, *credible), high=max(value, *credible))
