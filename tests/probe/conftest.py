"""Scripts to hold, targets that do as they are told, and time that does not pass."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest
from virtual_time import run_in_virtual_time

from pytest_persona.model.episodes import Turn
from pytest_persona.model.probes import TargetInfo
from pytest_persona.net.faults import Fault
from pytest_persona.probe.base import Answer
from pytest_persona.probe.scripts import Script

INFO = TargetInfo(name="told", kind="python", fingerprint="f00")
Says = Callable[[str, int], Any]
"""The user's last words and how often they were asked, to a reply, a fault to raise, or seconds to wait for one."""


class Told:
    """A target that says what it is told to say, and remembers what happened."""

    def __init__(
        self,
        says: Says = lambda text, times: f"re {text}",
        *,
        latency: float = 0.01,
        keeps_state: bool = False,
        at_once: Any = None,
    ) -> None:
        self.info, self.keeps_state, self.at_once, self.timeout = INFO, keeps_state, at_once, float("inf")
        self.says, self.latency = says, latency
        self.asked: list[str] = []
        self.dialogues: list[list[Turn]] = []
        self.timeouts: list[float] = []
        self.opened = self.ended = self.closed = self.active = self.most_active = 0

    async def open(self, timeout: float) -> _Session:
        self.opened += 1
        return _Session(self)

    async def close(self) -> None:
        self.closed += 1


class _Session:
    def __init__(self, told: Told) -> None:
        self.told = told

    async def reply(self, turns: Sequence[Turn], timeout: float) -> Answer:
        told, text = self.told, turns[-1].text
        told.asked.append(text)
        told.dialogues.append(list(turns))
        told.timeouts.append(timeout)
        told.active += 1
        told.most_active = max(told.active, told.most_active)
        try:
            await asyncio.sleep(told.latency)
            said = told.says(text, told.asked.count(text))
            if isinstance(said, Fault):
                raise said
            return Answer(text=said, input_tokens=3, output_tokens=2)
        finally:
            told.active -= 1

    async def close(self) -> None:
        self.told.ended += 1


class Memory:
    """Keeps replies in memory; what is put in ``there`` is known."""

    def __init__(self) -> None:
        self.there: dict[str, str] = {}
        self.kept: list[tuple[str, int, str]] = []

    def known(self, key: str, script: Script, turn: int) -> str | None:
        return self.there.get(key)

    def keep(self, key: str, script: Script, turn: int, reply: str) -> None:
        self.kept.append((script.probe, turn, reply))
        self.there[key] = reply


@pytest.fixture
def told() -> Callable[..., Told]:
    """Makes a target that says what it is told to."""
    return Told


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def scripts() -> Callable[..., list[Script]]:
    """So many scripts of those turns; ``{n}`` in them is the script's number."""

    def make(count: int = 4, *turns: str) -> list[Script]:
        return [
            Script(
                probe=f"p{n}", context="", wording=0, sample=0, opening=(),
                turns=tuple(turn.replace("{n}", str(n)) for turn in turns or ("q{n}",)),
            )
            for n in range(count)
        ]  # fmt: skip

    return make


@pytest.fixture
def in_virtual_time() -> Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]:
    """Run a coroutine function on a loop on which waiting takes no time."""
    return run_in_virtual_time
