"""Which character makes a signal's replies likelier than another: log-odds with the uncertainty that they usually lack.

A sum of log-likelihood ratios over thousands of tokens is always huge and its posterior always 1 (SCIENCE.md section 2b). So it is
reported per token; with an interval in which groups *and* the wordings of a character are draws; beside characters that should
mean nothing; and as a probability it is tempered by the design effect and averaged over what the mean could have been.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from pytest_persona.infer.decide import rejections

__all__ = ["CharacterReading", "Portrait", "portrait"]

Floats = NDArray[np.float64]

_FEWEST_NULLS = 3
_LOGISTIC = 8.0 / np.pi
"""Variance of the normal that a logistic curve is taken for (MacKay 1992, Neural Computation 4)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CharacterReading:
    """One character against the reference."""

    name: str
    per_token: float
    """Mean over groups of log P(reply given the character) - log P(reply given the reference), in nats a token."""
    low: float
    high: float
    """Its interval, as if other groups and other wordings of both characters had been drawn."""
    wording_sd: float
    """What another wording of both would move the mean by: the s.d. between wordings, in nats a token."""
    log_odds: float
    """Posterior log-odds for even prior ones, in nats: ``per_token`` times all tokens, tempered."""
    temper: float
    """1 / design effect of the groups, in (0, 1]."""
    probability: float
    """That the replies are likelier under it than under the reference, given that it is one of the two; in (0, 1)."""
    z: float
    """Where it stands among the null characters, in their s.d."""
    p: float
    """One-sided: how often a character that means nothing would stand so high."""
    stands_out: bool
    """Whether it counts: beyond the spread of the null characters, with all characters that were tried taken into account."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Portrait:
    """All characters against one reference, on one signal."""

    reference: str
    readings: tuple[CharacterReading, ...]
    """By ``per_token``, the highest first."""
    null_mean: float
    """Mean of the null characters against the reference, in nats a token: what any other text in front moves."""
    null_spread: float
    """Their s.d.: a character that is no further out than this has said nothing."""
    level: float
    groups: int
    episodes: int
    tokens: int

    @property
    def most_like(self) -> str:
        """The character that the replies read most like: clear of the reference and of the nulls; empty where there is none."""
        return next((r.name for r in self.readings if r.stands_out and r.low > 0.0), "")

    @property
    def shares(self) -> Mapping[str, float]:
        """Posterior shares of the reference and of each character, were it one of them and of no others; their sum is 1."""
        odds = {r.name: r.probability / (1.0 - r.probability) for r in self.readings}
        total = 1.0 + sum(odds.values())
        return {self.reference: 1.0 / total, **{name: value / total for name, value in odds.items()}}


def portrait(
    values: Floats,
    tokens: NDArray[np.integer] | Floats,
    groups: Sequence[str],
    names: Sequence[str],
    *,
    reference: str,
    nulls: Sequence[str],
    level: float = 0.95,
) -> Portrait:
    """Read characters from (episodes, characters, wordings) log-likelihoods in nats a token.

    ``tokens`` (episodes,) of each reply, ``groups`` (episodes,) the unit of inference of each, ``names`` of the characters, among them
    the ``reference`` and the ``nulls``. Wording k of a character is compared with wording k of the reference.

    The interval is that of a crossed random-effects model, groups x wordings, by Satterthwaite (1946, Biometrics Bulletin 2).
    A character stands out where it exceeds the prediction interval for one more null character; one-sided (1 - level) / 2, by
    Benjamini-Hochberg over the characters. Raises ValueError with fewer than two groups or wordings, or fewer than three nulls.
    """
    labels = sorted(set(groups))
    episodes, _, wordings = values.shape
    if len(labels) < 2 or wordings < 2 or len(nulls) < _FEWEST_NULLS:
        raise ValueError(
            f"{len(labels)} groups, {wordings} wordings and {len(nulls)} null characters; 2, 2 and {_FEWEST_NULLS} are the least"
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
    found: list[CharacterReading] = []
    for name in tried:
        table = by_group[:, index[name], :]
        centre, error, df = _two_way(table)
        half = float(stdtrit(df, (1.0 + level) / 2.0)) * error
        temper = 1.0 / _design_effect(contrasts[:, index[name], :].mean(axis=1), groups)
        z = _standing(centre, mean, spread, len(nulls))
        # What the mean could have been: other groups and wordings, and what wordings without meaning move.
        doubt = float(np.hypot(error, spread))
        found.append(
            CharacterReading(
                name=name,
                per_token=centre,
                low=centre - half,
                high=centre + half,
                wording_sd=float(table.mean(axis=0).std(ddof=1)),
                log_odds=temper * total * centre,
                temper=temper,
                probability=_averaged(temper * total * centre, temper * total * doubt, min(df, len(nulls) - 1.0)),
                z=z,
                p=float(stdtr(len(nulls) - 1, -z)),
                stands_out=False,
            )
        )
    count = rejections([r.p for r in found], (1.0 - level) / 2.0) if found else 0
    return Portrait(
        reference=reference,
        readings=_marked(found, count),
        null_mean=mean,
        null_spread=spread,
        level=level,
        groups=len(labels),
        episodes=episodes,
        tokens=total,
    )


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


def _standing(centre: float, mean: float, spread: float, count: int) -> float:
    """How far one further character stands from ``count`` null ones, in s.d. of such a prediction."""
    if spread == 0.0:
        return float(np.sign(centre - mean)) * np.inf if centre != mean else 0.0
    return (centre - mean) / (spread * float(np.sqrt(1.0 + 1.0 / count)))


def _averaged(log_odds: float, doubt: float, df: float) -> float:
    """The logistic curve at log-odds that have an s.d. and Student's tails, averaged; held off 0 and 1 by what a double can show.

    As evidence grows it becomes the tail of Student's distribution at log_odds / doubt: the more tokens, the less they decide, and
    the more the few wordings and null characters do.
    """
    chance = float(stdtr(df, log_odds / np.sqrt(_LOGISTIC + doubt**2)))
    edge = 1e-9
    return min(max(chance, edge), 1.0 - edge)


def _marked(found: Sequence[CharacterReading], count: int) -> tuple[CharacterReading, ...]:
    ranked = sorted(found, key=lambda r: r.p)
    marked = [replace(r, stands_out=i < count) for i, r in enumerate(ranked)]
    return tuple(sorted(marked, key=lambda r: (-r.per_token, r.name)))
