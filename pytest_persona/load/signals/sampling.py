"""The groups that come first in the seeded order, kept in one pass over all episodes."""

from __future__ import annotations

import heapq
from collections.abc import Iterable

from pytest_persona.infer.plan import order_key
from pytest_persona.model.episodes import Episode

__all__ = ["first_groups"]


def first_groups(episodes: Iterable[Episode], *, most: int, seed: int) -> list[Episode]:
    """The episodes, in their order, of the ``most`` groups that come first in the order of ``seed``.

    Memory grows with the groups kept: a group that has once been left out can never come back.
    """
    kept: dict[str, list[tuple[int, Episode]]] = {}
    worst_first: list[tuple[int, str]] = []
    for index, episode in enumerate(episodes):
        group = episode.group
        if group not in kept:
            entry = (-int(order_key(group, seed), 16), group)
            if len(kept) < most:
                heapq.heappush(worst_first, entry)
            elif entry > worst_first[0]:
                del kept[heapq.heapreplace(worst_first, entry)[1]]
            else:
                continue
            kept[group] = []
        kept[group].append((index, episode))
    places = sorted((place for places in kept.values() for place in places), key=lambda place: place[0])
    return [episode for _, episode in places]
