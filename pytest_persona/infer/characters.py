"""Which character makes a signal's replies likelier than another: log-odds with the uncertainty that they usually lack.

A sum of log-likelihood ratios over thousands of tokens is always huge and its posterior always 1 (SCIENCE.md section 2b). So it is
reported per token; with an interval in which groups *and* the wordings of a character are draws; beside characters that should
mean nothing; and as a probability it is tempered by the design effect and averaged over what the mean could have been.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from pytest_persona.infer.decide import rejections
from pytest_persona.model.portrait import CharacterReading, Comparison

__all__ = ["FEWEST_NULLS", "averaged", "by_likelihood", "compared", "standing"]

Floats = NDArray[np.float64]

FEWEST_NULLS = 3
_LOGISTIC = 8.0 / np.pi
"""Variance of the normal that a logistic curve is taken for (MacKay 1992, Neural Computation 4)."""
_FURTHEST = 1000.0
"""A z beyond this says no more."""


def by_likelihood(
    values: Floats,
    tokens: NDArray[np.integer] | Floats,
    groups: Sequence[str],
    names: Sequence[str],
    *,
    reference: str,
    nulls: Sequence[str],
    level: float = 0.95,
) -> Comparison:
    """Read characters from (episodes, characters, wordings) log-likelihoods in nats a token.

    ``tokens`` (episodes,) of each reply, ``groups`` (episodes,) the unit of inference of each, ``names`` of the characters, among them
    the ``reference`` and the ``nulls``. Wording k of a character is compared with wording k of the reference. Everything is linear
    in the log-likelihoods, so that their contrasts between two replies may stand in their place.

    The interval is that of a crossed random-effects model, groups x wordings, by Satterthwaite (1946, Biometrics Bulletin 2).
    A character stands out where it exceeds the prediction interval for one more null character; one-sided (1 - level) / 2, by
    Benjamini-Hochberg over the characters. Raises ValueError with fewer than two groups or wordings, or fewer than three nulls.
    """
    labels = sorted(set(groups))
    wordings = values.shape[2]
    if len(labels) < 2 or wordings < 2 or len(nulls) < FEWEST_NULLS:
        raise ValueError(
            f"{len(labels)} groups, {wordings} wordings and {len(nulls)} null characters; 2, 2 and {FEWEST_NULLS} are the least"
        )
    index = {name: i for i, name in enumerate(names)}
    member = np.array([[label == group for group in groups] for label in labels], np.float64)
    member /= member.sum(axis=1, keepdims=True)
    contrasts = values - values[:, [index[reference]], :]
    by_group = np.einsum("gi,ick->gck", member, contrasts)
    of_nulls = by_group[:, [index[name] for name in nulls], :].mean(axis=(0, 2))
    mean, spread = float(of_nulls.mean()), float(of_nulls.std(ddof=1))
    total = int(np.sum(tokens))
    tried = [name for name in names if name != reference and name not in set(nulls)]
    credit = max(0.0, mean)
    found: list[CharacterReading] = []
    for name in tried:
        table = by_group[:, index[name], :]
        centre, error, df = _two_way(table)
        half = float(stdtrit(df, (1.0 + level) / 2.0)) * error
        temper = 1.0 / _design_effect(contrasts[:, index[name], :].mean(axis=1), groups)
        z = standing(centre, mean, spread, len(nulls))
        # What the mean could have been: other groups and wordings, and what wordings without meaning move.
        doubt, few = float(np.hypot(error, spread)), min(df, len(nulls) - 1.0)
        weight = temper * total
        found.append(
            CharacterReading(
                name=name,
                value=centre,
                low=centre - half,
                high=centre + half,
                spread=float(table.mean(axis=0).std(ddof=1)),
                log_odds=weight * centre,
                temper=temper,
                probability=averaged(weight * centre, weight * doubt, few),
                share=averaged(weight * (centre - credit), weight * doubt, few),
                z=z,
                p=float(stdtr(len(nulls) - 1, -z)),
                stands_out=False,
            )
        )
    return compared(found, reference, of_nulls, level)


def compared(
    found: Sequence[CharacterReading],
    reference: str,
    of_nulls: Floats,
    level: float,
    *,
    least_spread: float = 0.0,
    unread: Mapping[str, str] | None = None,
) -> Comparison:
    """The readings in order, those marked that stand out, with shares that sum to 1.

    The ``share`` of each reading that comes in is the probability that it beats the reference by more than a null character does.
    ``least_spread`` is what the null characters differ by at least.
    """
    count = rejections([r.p for r in found], (1.0 - level) / 2.0) if found else 0
    odds = [r.share / (1.0 - r.share) for r in found]
    whole = 1.0 + sum(odds)
    shared = [replace(r, share=o / whole) for r, o in zip(found, odds, strict=True)]
    ranked = sorted(shared, key=lambda r: r.p)
    marked = [replace(r, stands_out=i < count) for i, r in enumerate(ranked)]
    return Comparison(
        reference=reference,
        reference_share=1.0 / whole,
        readings=tuple(sorted(marked, key=lambda r: (-r.value, r.name))),
        unread=unread or {},
        null_mean=float(of_nulls.mean()),
        null_spread=max(float(of_nulls.std(ddof=1)), least_spread),
        nulls=len(of_nulls),
        level=level,
    )


def standing(centre: float, mean: float, spread: float, count: int) -> float:
    """How far one further character stands from ``count`` null ones, in s.d. of such a prediction."""
    if spread == 0.0:
        return float(np.sign(centre - mean)) * _FURTHEST
    z = (centre - mean) / (spread * float(np.sqrt(1.0 + 1.0 / count)))
    return min(max(z, -_FURTHEST), _FURTHEST)


def averaged(log_odds: float, doubt: float, df: float) -> float:
    """The logistic curve at log-odds that have an s.d. and Student's tails, averaged; held off 0 and 1 by a millionth.

    As evidence grows it becomes the tail of Student's distribution at log_odds / doubt: the more tokens, the less they decide, and
    the more the few wordings and null characters do.
    """
    chance = float(stdtr(df, log_odds / np.sqrt(_LOGISTIC + doubt**2)))
    edge = 1e-6  # what a document of 6 digits can show
    return min(max(chance, edge), 1.0 - edge)


def _two_way(table: Floats) -> tuple[float, float, float]:
    """Mean of (groups, wordings), its standard error with both as random effects, and the degrees of freedom of that error."""
    g, k = table.shape
    centre = float(table.mean())
    rows, columns = table.mean(axis=1) - centre, table.mean(axis=0) - centre
    rest = table - centre - rows[:, None] - columns[None, :]
    squares = np.array(
        [k * (rows @ rows) / (g - 1), g * (columns @ columns) / (k - 1), (rest**2).sum() / ((g - 1) * (k - 1))]
    )
    free = np.array([g - 1, k - 1, (g - 1) * (k - 1)], np.float64)
    # Less than either of them alone, the sum would be an accident of the third.
    variance = max(squares[0] + squares[1] - squares[2], squares[0], squares[1])
    below = float((squares**2 / free).sum())
    return centre, float(np.sqrt(variance / (g * k))), max(1.0, float(variance**2 / below)) if below else 1.0


def _design_effect(contrasts: Floats, groups: Sequence[str]) -> float:
    """1 + (m - 1) ICC >= 1, m the size of the group of an average episode (Kish 1965); 1 where each group is one episode."""
    _, code, sizes = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    n, g = len(contrasts), len(sizes)
    if n == g:
        return 1.0
    means = np.bincount(code, contrasts) / sizes
    between = float((sizes * (means - contrasts.mean()) ** 2).sum()) / (g - 1)
    within = float(((contrasts - means[code]) ** 2).sum()) / (n - g)
    usual = (n - float((sizes**2).sum()) / n) / (g - 1)
    shared = max(0.0, (between - within) / usual)
    icc = shared / (shared + within) if shared else 0.0
    return 1.0 + (float((sizes**2).sum()) / n - 1.0) * icc
