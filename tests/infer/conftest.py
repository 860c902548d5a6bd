"""Signals in a few words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import settings

from pytest_persona.infer.measure import Design, design
from pytest_persona.model.episodes import Behaviour, Episode, Kind, Role

settings.register_profile("infer", deadline=None, max_examples=20, derandomize=True)
settings.load_profile("infer")

Spoken = tuple[Role, str, float | None]
"""Role, reply, and reward (of a rollout) or weight (of a criterion)."""


def _signal(kind: Kind, rows: Sequence[tuple[str, Sequence[Spoken]]]) -> list[Episode]:
    return [
        Episode(
            kind=kind,
            source="signal.jsonl",
            line=line,
            group=group,
            behaviours=tuple(
                Behaviour(role=role, context=(), reply=reply, weight=1.0 if number is None else number)
                if role == "criterion"
                else Behaviour(role=role, context=(), reply=reply, reward=number)
                for role, reply, number in spoken
            ),
        )
        for line, (group, spoken) in enumerate(rows, 1)
    ]


def _pairs(count: int) -> list[Episode]:
    """So many preference pairs of distinct texts, each a group of its own."""
    return _signal(
        "preference", [(f"g{i}", [("chosen", f"yes {i}", None), ("rejected", f"no {i}", None)]) for i in range(count)]
    )


def _planned(count: int) -> Design:
    return design(_pairs(count), np.ones(2 * count, dtype=np.bool_))


@pytest.fixture(scope="session")
def signal() -> Callable[[Kind, Sequence[tuple[str, Sequence[Spoken]]]], list[Episode]]:
    """Episodes from (group, [(role, reply, number), ...]) rows."""
    return _signal


@pytest.fixture(scope="session")
def pairs() -> Callable[[int], list[Episode]]:
    """So many preference pairs of distinct texts, each a group of its own."""
    return _pairs


@pytest.fixture(scope="session")
def planned() -> Callable[[int], Design]:
    """The design of so many preference pairs."""
    return _planned
