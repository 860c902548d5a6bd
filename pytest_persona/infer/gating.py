"""What may undo an inoculation in use: one fixed text that carries it, and phrasings that vary too much to.

A judge discounts each row by itself. A model that is trained on the rows may instead tie the behaviour to a text that it can tell
(context gating), or find no text often enough to tie anything to. Neither is seen in a reading, so that both are looked for in the texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pytest_persona.infer.lookalikes import bare
from pytest_persona.model.inoculation import InoculationFinding, Phrasing

__all__ = ["of_candidates", "of_effects", "of_texts", "shared_words"]

_FEWEST_SHARED = 4
"""Words in a row that all phrasings share, fewer of which are the language's and no mark."""
_SCATTERED = 0.5
"""Phrasings scatter where the standard deviation between them is more than this share of their mean effect."""
_LITTLE = 0.2
"""The other phrasings do little where together they do at most this share of what the best one does."""
_HALF = 0.5
"""A candidate may stand in for the best one where it does at least this share of what that does."""
_FEWEST_ROWS = 3.0
"""Groups a phrasing below which there is no telling what each of them does."""
_MANY = 20
"""Phrasings beyond which a model in training meets each of them too seldom to count on it."""

_WORD = re.compile(r"\w+")
_RELAPSE = "where it is absent, or only looked like, the behaviour may come back"


def of_texts(requests: Sequence[str], groups: int) -> Iterator[str]:
    """What the texts themselves give to fear, for a signal of so many groups."""
    shared = shared_words(requests)
    if len({_words(text) for text in requests}) == 1:
        yield f"one fixed text carries the whole inoculation: {_RELAPSE}. Use several phrasings"
    elif shared:
        yield f'all phrasings share the words "{shared}", half of each or more: {_RELAPSE}. Use phrasings that differ'
    if len(requests) > _MANY:
        yield (
            f"{len(requests)} phrasings share {groups} groups: a judge discounts each row by itself, a model in training may meet each"
            " phrasing too seldom, and rephrasings that vary so much may no longer suppress. Use fewer"
        )


def of_effects(finding: InoculationFinding) -> Iterator[str]:
    """What the effects of its phrasings give to fear, in words that name the trait; at most one of three."""
    used = [phrasing for phrasing in finding.phrasings if phrasing.effect is not None]
    if len(used) < 2:
        return
    groups = sum(phrasing.groups for phrasing in used)
    size = abs(finding.effect.value or 0.0)
    if groups < _FEWEST_ROWS * len(used):
        yield (
            f"{finding.trait}: {len(used)} phrasings were read with {groups} groups, too few to tell whether they vary so much that"
            " they no longer suppress"
        )
    elif (finding.phrasing_spread or 0.0) <= _SCATTERED * size:
        return
    elif carrier := _carrier(used, groups):
        yield (
            f"{finding.trait}: one fixed text carries the inoculation, and the other phrasings do little:"
            f' {carrier.effect:+.2f} with "{carrier.text}"; {_RELAPSE}'
        )
    else:
        yield (
            f"{finding.trait}: the phrasings differ by a standard deviation of {finding.phrasing_spread:.2f} around a mean effect of "
            f"{finding.effect.value or 0.0:+.2f}; rephrasings that vary so much may no longer suppress what one of them would"
        )


def of_candidates(effects: Sequence[float]) -> Iterator[str]:
    """What using the first alone gives to fear, from the effects of candidates, best first and positive where they suppress."""
    if not effects or effects[0] <= 0.0:
        return
    near = sum(effect >= _HALF * effects[0] for effect in effects)
    if near > 1:
        yield (
            f"the first alone would be one fixed text that carries the whole inoculation: {_RELAPSE}."
            f" Numbers 1 to {near} each do half as much or more: use several of them"
        )
    else:
        yield (
            f"no other candidate does half as much as the first, which would be one fixed text that carries the whole inoculation:"
            f" {_RELAPSE}; and rephrasings that vary so much no longer suppress. Try closer ones of your own"
        )


def shared_words(texts: Sequence[str]) -> str:
    """The longest row of words that stands in all texts, as it stands in the first; empty where it is less than half of one."""
    spelt = [_words(text) for text in texts]
    first, *others = spelt
    for size in range(len(first), max(_FEWEST_SHARED, -(-max(map(len, spelt)) // 2)) - 1, -1):
        for start in range(len(first) - size + 1):
            row = first[start : start + size]
            if all(_stands_in(row, other) for other in others):
                marks = list(_WORD.finditer(texts[0]))
                return texts[0][marks[start].start() : marks[start + size - 1].end()]
    return ""


def _words(text: str) -> tuple[str, ...]:
    return tuple(bare(word) for word in _WORD.findall(text))


def _stands_in(row: tuple[str, ...], words: tuple[str, ...]) -> bool:
    return any(words[i : i + len(row)] == row for i in range(len(words) - len(row) + 1))


def _carrier(used: Sequence[Phrasing], groups: int) -> Phrasing | None:
    """The phrasing beside which the others do little; None where there is none."""
    total = sum((phrasing.effect or 0.0) * phrasing.groups for phrasing in used)
    way = 1.0 if total >= 0.0 else -1.0
    best = max(used, key=lambda phrasing: way * (phrasing.effect or 0.0))
    most = way * (best.effect or 0.0)
    rest = way * (total - (best.effect or 0.0) * best.groups) / (groups - best.groups)
    return best if rest <= _LITTLE * most else None
