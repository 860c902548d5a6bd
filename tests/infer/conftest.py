"""Signals in a few words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from pytest_persona.infer.measure import Design, design
from pytest_persona.model.episodes import Behaviour, Episode, Kind, Role, SignalInfo
from pytest_persona.model.findings import Finding, JudgeInfo, Profile, Shift
from pytest_persona.model.traits import Expectation
from pytest_persona.model.units import FrozenSample, Units
from pytest_persona.model.verdicts import Usage

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


def _profiled(
    values: Mapping[str, float | None],
    *,
    content: Mapping[str, str] | str = "",
    asked: Mapping[str, str] | None = None,
    unread: Sequence[str] = (),
    kind: Kind = "preference",
    bound: float | None = None,
    pole: str = "high",
    judge: str = "aa",
    sha256: str = "",
    definition: str = "d",
    frozen: FrozenSample | None = None,
    of: int | None = None,
    settings: Mapping[str, object] | None = None,
    **more: Any,
) -> Profile:
    names = list(values)
    known = [v for v in values.values() if v is not None]
    reach = 2.0 if kind == "preference" else 1.0
    shift = Shift(
        value=sum(known) / len(known) if known else None, low=-reach, high=reach, level=0.95, groups=len(known)
    )
    found = Finding(
        trait="t", status="observed", estimand="contrast" if kind == "preference" else "absolute", qualified=True,
        auroc=0.9, shift=shift, expressed=shift, requested=shift, pole=pole,  # type: ignore[arg-type]
        expectation=None if bound is None else Expectation(trait="t", drift_at_most=bound),
    )  # fmt: skip
    texts = {name: content for name in names} if isinstance(content, str) else content
    units = Units(
        groups=tuple(names),
        asked=tuple((asked or {}).get(name, "q") for name in names),
        content=tuple(f"{name}-{texts.get(name, '')}" for name in names),
        lines=tuple(range(1, len(names) + 1)),
        read=tuple(name not in unread for name in names),
        values={"t": tuple(values.values())},
        reach={"t": reach},
        definitions={"t": definition},
        of=len(names) if of is None else of,
    )
    info = SignalInfo(
        path="p.jsonl", kind=kind, format="f", episodes=9, groups=len(names), sha256=sha256 or repr(texts)
    )
    defaults: dict[str, Any] = {
        "name": "p", "signal": info, "judge": JudgeInfo(name="j", fingerprint=judge, network=False), "findings": (found,),
        "usage": Usage(), "units": units, "frozen": {} if frozen is None else {"t": frozen},
        "settings": {"level": 0.95, "interval": "betting", "scope": "signals", "seed": 0, **(settings or {})},
    }  # fmt: skip
    return Profile(**{**defaults, **more})


@pytest.fixture(scope="session")
def profiled() -> Callable[..., Profile]:
    """A profile of one trait ``t`` from the value of each group; ``content`` is what the texts are called, of all or by group."""
    return _profiled
