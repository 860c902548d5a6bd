"""Which character samples of a signal fit better than the reference, from a judge's scores on a scale of few steps.

Each sample is another draw of groups, another wording of every character and another order, so that the spread between samples
holds all three. There are few of them, and many characters: what a character's score varies by is read with the help of the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from pytest_persona.infer.characters import FEWEST_NULLS, averaged, compared, standing
from pytest_persona.infer.set_words import FIT_STEPS
from pytest_persona.model.portrait import CharacterReading, Comparison, Passage

__all__ = ["FEWEST_SAMPLES", "by_fit", "consistency"]

Floats = NDArray[np.float64]

FEWEST_SAMPLES = 3
_ROUNDING = 2.0 / FIT_STEPS**2 / 12.0
"""Variance that the steps alone give to the difference of two scores: what no agreement of samples can do away with."""
_LENT = 4
"""Characters whose degrees of freedom the pooled variance lends to each one's own; no gap has more than those."""
_CERTAIN = 1e6
"""Log-odds enough to leave everything to the doubt: a score is no likelihood, and evidence of it does not add up."""


def by_fit(
    fits: Floats,
    names: Sequence[str],
    *,
    reference: str,
    nulls: Sequence[str],
    level: float = 0.95,
    overlap: float = 0.0,
    evidence: Mapping[str, Sequence[Passage]] | None = None,
) -> Comparison:
    """Read characters from (samples, characters) scores in [-1, 1]; NaN where a sample has none.

    ``overlap`` is size / (groups - size) of samples that share groups, 0 of those that do not: the variance of the mean over K of
    them is that of one times 1 / K + overlap (Nadeau & Bengio 2003, Machine Learning 52).

    What a score varies by between samples is read after each sample's mean over the characters, a judge's mood, was taken out. Of a
    character it is its own variance and the mean of those that vary, weighed as if the latter rested on four of them (a moderated t
    after Smyth 2004, with a fixed prior); of the reference, which all gaps share, its own alone; and what the scale's steps hide
    comes on top. The degrees of freedom are those of Satterthwaite (1946). A character stands out where its mean is beyond both the
    prediction interval for one more null character and its own interval; one-sided (1 - level) / 2, by Benjamini-Hochberg over the
    characters. Raises ValueError with fewer than three null characters or samples that have the reference's score.
    """
    index = {name: i for i, name in enumerate(names)}
    gaps = fits - fits[:, [index[reference]]]
    counts = np.count_nonzero(~np.isnan(gaps), axis=0)
    if counts[index[reference]] < FEWEST_SAMPLES:
        raise ValueError(f"{counts[index[reference]]} samples; {FEWEST_SAMPLES} are the least")
    control = [index[name] for name in nulls if counts[index[name]] >= FEWEST_SAMPLES]
    if len(control) < FEWEST_NULLS:
        raise ValueError(f"{len(control)} null characters; {FEWEST_NULLS} are the least")
    tried = [name for name in names if name != reference and name not in set(nulls)]
    enough = [name for name in tried if counts[index[name]] >= FEWEST_SAMPLES]
    of_nulls = np.nanmean(gaps[:, control], axis=0)
    least = float(np.sqrt(_ROUNDING / len(fits)))
    mean, spread = float(of_nulls.mean()), max(float(of_nulls.std(ddof=1)), least)
    real = [index[reference], *(index[name] for name in enough)]
    variances, freedom = _variances(fits[:, real])
    found = []
    for name, variance, df in zip(enough, variances, freedom, strict=True):
        count, centre = int(counts[index[name]]), float(np.nanmean(gaps[:, index[name]]))
        error = float(np.sqrt(variance * (1.0 / count + overlap)))
        half = float(stdtrit(df, (1.0 + level) / 2.0)) * error
        z = standing(centre, mean, spread, len(control))
        credit, doubt = max(0.0, mean), float(np.hypot(error, spread))
        few = min(count - 1.0, len(control) - 1.0)  # of one judge's samples there are no more, whatever they are lent
        found.append(
            CharacterReading(
                name=name,
                value=centre,
                low=max(-2.0, centre - half),
                high=min(2.0, centre + half),
                spread=float(np.sqrt(variance)),
                probability=averaged(_CERTAIN * centre, _CERTAIN * doubt, few),
                share=averaged(_CERTAIN * (centre - credit), _CERTAIN * doubt, few),
                z=z,
                p=max(float(stdtr(len(control) - 1, -z)), float(stdtr(df, (credit - centre) / error))),
                stands_out=False,
                evidence=tuple((evidence or {}).get(name, ())),
            )
        )
    unread = {
        name: f"{counts[index[name]]} of {len(fits)} samples have a score; {FEWEST_SAMPLES} are the least"
        for name in tried
        if name not in enough
    }
    return compared(found, reference, of_nulls, level, least_spread=least, unread=unread)


def consistency(fits: Floats) -> float | None:
    """Mean correlation between samples over the characters that all of them scored; None where none varies in two samples."""
    whole = fits[:, ~np.isnan(fits).any(axis=0)]
    varied = whole[np.ptp(whole, axis=1) > 0.0] if whole.size else ()
    if len(varied) < 2:
        return None
    table = np.asarray(np.corrcoef(varied))
    return float(np.clip(table[np.triu_indices(len(varied), 1)].mean(), -1.0, 1.0))


def _variances(scores: Floats) -> tuple[Floats, Floats]:
    """(characters,) variance of a sample's gap and its degrees of freedom, from (samples, 1 + characters), the reference first."""
    answered = scores[~np.isnan(scores[:, 0])]
    rest = answered - np.nanmean(answered, axis=1, keepdims=True)
    own = np.nanvar(rest, axis=0, ddof=1)
    each = np.count_nonzero(~np.isnan(rest), axis=0) - 1.0
    moved = np.nanmax(answered, axis=0) > np.nanmin(answered, axis=0)
    own[~moved] = 0.0  # what the mean brought in
    others, varying = own[1:], moved[1:]
    lent = min(int(varying.sum()), _LENT)
    pooled = float(others[varying].mean()) if lent else 0.0
    shrunk = (lent * pooled + others) / (lent + 1)
    total = shrunk + own[0] + _ROUNDING
    below = shrunk**2 / (each[1:] * (1 + lent)) + own[0] ** 2 / each[0]
    most = each[1:] * (1 + _LENT)
    return total, np.where(below > 0.0, np.minimum(total**2 / np.maximum(below, 1e-30), most), most)
