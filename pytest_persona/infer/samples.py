"""Samples of a signal that are shown whole: which groups, which of their replies, and what is left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pytest_persona.infer.answers import steering
from pytest_persona.infer.measure import fold
from pytest_persona.infer.plan import order_groups, order_key
from pytest_persona.model.episodes import Behaviour, Episode
from pytest_persona.model.findings import Estimand

__all__ = ["FEWEST_GROUPS", "FEWEST_TOGETHER", "Draw", "Pick", "draw", "pick", "picks", "steers"]

FEWEST_TOGETHER = 20
"""Groups of a sample, where there are enough: with fewer there is little to see that no single row shows."""
FEWEST_GROUPS = 8
"""Groups of a signal that samples can be drawn from at all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pick:
    """What one group shows: a reply that is reinforced, and the one that it is compared with."""

    group: str
    plus: Behaviour
    minus: Behaviour | None = None
    """None where texts are read by themselves."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Draw:
    """Samples of groups."""

    samples: tuple[tuple[str, ...], ...]
    overlap: float
    """See :func:`pytest_persona.infer.fits.by_fit`; 0 where no two samples share a group."""


def draw(groups: Iterable[str], *, seed: int, count: int, size: int) -> Draw:
    """``count`` samples of ``size`` groups or fewer, in orders of the seed.

    They share no group where each can have `FEWEST_TOGETHER`; else each is drawn anew and has half of all groups at most, so that
    they differ. Fewer than `FEWEST_GROUPS` groups give no samples.
    """
    order = order_groups(groups, seed)
    if len(order) < FEWEST_GROUPS:
        return Draw(samples=(), overlap=0.0)
    apart = min(size, len(order) // count)
    if apart >= min(size, FEWEST_TOGETHER):
        return Draw(samples=tuple(tuple(order[k * apart : (k + 1) * apart]) for k in range(count)), overlap=0.0)
    most = min(size, len(order) // 2)
    samples = (sorted(order, key=lambda group, k=k: order_key(f"{k}|{group}", seed))[:most] for k in range(count))  # type: ignore[misc]
    return Draw(samples=tuple(map(tuple, samples)), overlap=most / (len(order) - most))


def picks(episodes: Sequence[Episode], *, seed: int) -> tuple[Estimand, list[Pick]]:
    """One pick for each group that shows something, in order of appearance, and what is read of them.

    * preference: a chosen and the rejected reply of one row; rows with identical replies show nothing.
    * rollout: the best and the worst rewarded reply of the group; one reward, or one reply, shows nothing.
    * demonstration: a reply and its reference where every row has one, else a reply by itself.
    * rubric: a criterion that is rewarded; penalties show nothing.
    * instruction: a sentence.

    Where a group has several rows or replies to choose from, a hash of the seed chooses. Groups that show the same texts as an
    earlier one are left out: what is repeated is one piece of evidence.
    """
    groups: dict[str, list[Episode]] = {}
    for episode in episodes:
        groups.setdefault(episode.group, []).append(episode)
    estimand, choose = _reading(episodes, seed)
    found: dict[tuple[str, ...], Pick] = {}
    for group, rows in groups.items():
        pair = choose(rows)
        if pair is not None:
            texts = tuple(fold(text.reply) for text in pair if text is not None)
            found.setdefault(texts, Pick(group=group, plus=pair[0], minus=pair[1]))
    return estimand, list(found.values())


def pick(texts: Sequence[Behaviour], seed: int) -> Behaviour:
    """One of several, chosen by a hash of the seed and the texts alone."""
    return min(texts, key=lambda text: order_key(text.key, seed))


def steers(chosen: Pick) -> bool:
    """Whether a text of the pick tries to steer who judges it: one such row would spoil the sample for all others."""
    shown = [chosen.plus] if chosen.minus is None else [chosen.plus, chosen.minus]
    return any(steering(text) for one in shown for text in (one.reply, *(turn.text for turn in one.context)))


_Pair = tuple[Behaviour, "Behaviour | None"]
_Choice = Callable[[Sequence[Episode]], "_Pair | None"]


def _reading(episodes: Sequence[Episode], seed: int) -> tuple[Estimand, _Choice]:
    kind = episodes[0].kind if episodes else "instruction"
    if kind == "preference":
        return "contrast", lambda rows: _contrast(rows, "chosen", "rejected", seed)
    if kind == "rollout":
        return "selection", lambda rows: _extremes(rows, seed)
    if kind == "demonstration" and all(any(b.role == "reference" for b in e.behaviours) for e in episodes):
        return "contrast", lambda rows: _contrast(rows, "shown", "reference", seed)
    return "absolute", lambda rows: _single(rows, seed)


def _contrast(rows: Sequence[Episode], plus: str, minus: str, seed: int) -> _Pair | None:
    pairs = []
    for row in rows:
        sides = [[b for b in row.behaviours if b.role == role and b.reply.strip()] for role in (plus, minus)]
        if all(sides) and {fold(b.reply) for b in sides[0]} != {fold(b.reply) for b in sides[1]}:
            pairs.append((pick(sides[0], seed), pick(sides[1], seed)))
    return min(pairs, key=lambda pair: order_key(pair[0].key, seed), default=None)


def _extremes(rows: Sequence[Episode], seed: int) -> _Pair | None:
    texts = [b for row in rows for b in row.behaviours if b.reward is not None and b.reply.strip()]
    rewards = {b.reward for b in texts if b.reward is not None}
    if len(rewards) < 2:
        return None
    best, worst = (pick([b for b in texts if b.reward == end], seed) for end in (max(rewards), min(rewards)))
    return None if fold(best.reply) == fold(worst.reply) else (best, worst)


def _single(rows: Sequence[Episode], seed: int) -> _Pair | None:
    texts = [b for row in rows for b in row.behaviours if b.role != "reference" and b.weight > 0.0 and b.reply.strip()]
    return (pick(texts, seed), None) if texts else None
