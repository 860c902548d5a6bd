"""Dialogues with a target: as many at once as it bears, again where that may help, each reply kept as it comes."""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from pytest_persona.errors import TargetError
from pytest_persona.model.probes import TargetInfo
from pytest_persona.net.faults import Fault, Permanent, Transient, backoff, patience
from pytest_persona.net.gate import Gate
from pytest_persona.probe.base import Answer, Hung, Session, Target, Unreadable
from pytest_persona.probe.replies import reply_key
from pytest_persona.probe.scripts import Outcome, Script
from pytest_persona.probe.talk import Known, Talk, known_replies

__all__ = ["Interview", "Keeps", "replay"]

_TRIES, _FEW_TRIES = 8, 3
"""How often one turn is asked at the most, and one whose answers cannot be read."""
_HOPELESS = 8
"""So many failures before the first reply mean that there will be none."""
_SILENT = 2
"""So many turns in a row that waited for a reply as long as they could mean the same of those that are left."""
_PARTING = 5.0
"""Seconds that a session or a target may take to close."""


class Keeps(Protocol):
    """Replies that are known, and where new ones are kept."""

    def known(self, key: str, script: Script, turn: int) -> str | None:
        """The reply of that key, where it need not be asked for; ``turn`` counts from 0."""

    def keep(self, key: str, script: Script, turn: int, reply: str) -> None:
        """Keep a new one."""


def replay(info: TargetInfo, known: Known, scripts: Sequence[Script], missing: str) -> list[Outcome]:
    """The dialogues as far as they are known; where one is not, ``missing`` says why there is no reply."""
    talks = [Talk(script, known_replies(script, info.fingerprint, known)) for script in scripts]
    return [talk.outcome("" if talk.over else f"{talk.place}: {missing}") for talk in talks]


class Interview:
    """Holds the dialogues of scripts with one target, on one event loop.

    ``concurrency`` bounds those that are held at once; ``deadline`` is in seconds for each reply, of a target that keeps state for
    each dialogue, faults and all.
    """

    def __init__(
        self, target: Target, keeps: Keeps, *, concurrency: int, deadline: float, tick: Callable[[int], None]
    ) -> None:
        self._target, self._keeps, self._deadline, self._tick = target, keeps, deadline, tick
        self._most = min(concurrency, target.at_once or concurrency)
        self._gate = Gate(self._most)
        self._answered_at = -math.inf
        """When the last reply came, by the loop's clock."""
        self._silent = 0
        """Turns since then that waited for a reply for as long as they could."""
        self._rest = ""
        """Why nothing more is asked, once that is so."""
        self._failed: list[str] = []
        """What went wrong before the first reply."""

    async def hold(self, scripts: Sequence[Script]) -> list[Outcome]:
        """What comes of each, in order; a dialogue that fails is an outcome with its reason.

        Raises TargetError where the target lets nobody in, or replies to nothing at all.
        """
        outcomes: dict[int, Outcome] = {}
        waiting = deque(enumerate(scripts))

        async def serve() -> None:
            while waiting:
                number, script = waiting.popleft()
                outcomes[number] = await self._held(script)
                self._tick(1)

        workers = [asyncio.ensure_future(serve()) for _ in range(min(self._most, len(scripts)))]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)
            await _parted(self._target)
        if not any(outcome.reply.strip() for outcome in outcomes.values()):
            raise self._hopeless(len(scripts))
        return [outcomes[number] for number in range(len(scripts))]

    async def _held(self, script: Script) -> Outcome:
        known = known_replies(script, self._target.info.fingerprint, self._keeps.known)
        whole = len(known) == len(script.turns)
        talk = Talk(script, [] if self._target.keeps_state and not whole else known)
        if not talk.over and self._rest:
            return talk.outcome(f"{talk.place}: {self._rest}")
        try:
            await self._told(talk)
        except _Failed as error:
            failure = f"{talk.place}: {error}"
            if self._answered_at == -math.inf:
                self._failed.append(failure)
                if len(self._failed) >= _HOPELESS or self._rest:
                    raise self._hopeless(len(self._failed)) from None
            return talk.outcome(failure)
        return talk.outcome()

    async def _told(self, talk: Talk) -> None:
        """Go on with a dialogue to its end, from its beginning after a fault where the target keeps state; raises _Failed."""
        clock = _Clock()
        try:
            while not talk.over:
                try:
                    await self._asked(talk, clock)
                except Fault as fault:
                    await self._recover(fault, talk, clock)
                    if self._target.keeps_state:
                        await _parted(talk.session)
                        talk.begin_again()
                    continue
                if not self._target.keeps_state:
                    clock = _Clock()
        finally:
            await _parted(talk.session)

    async def _asked(self, talk: Talk, clock: _Clock) -> None:
        """One turn, asked once and kept; raises Fault."""
        turns = talk.turns
        number = await self._gate.enter()
        answer: Answer | None = None
        fault: Fault | None = None
        if not clock.tries:
            clock.began = _now()
        clock.tries += 1
        talk.questions += 1
        left = max(clock.began + self._deadline - _now(), 0.0)
        timeout = min(patience(left, self._deadline), self._target.timeout)
        try:
            talk.session = talk.session or await self._target.open(timeout)
            answer = await talk.session.reply(turns, timeout)
        except Fault as error:
            fault = error
            raise
        finally:
            crowded, wait = False, None
            if isinstance(fault, Transient):
                crowded = fault.crowded
                wait = None if fault.retry_after is None else min(fault.retry_after, self._deadline)
            self._gate.leave(number, answered=answer is not None, crowded=crowded, retry_after=wait)
        key = reply_key(self._target.info.fingerprint, talk.script.sample, turns)
        self._keeps.keep(key, talk.script, len(talk.replies), answer.text)
        talk.heard(answer)
        self._answered_at, self._silent = _now(), 0

    async def _recover(self, fault: Fault, talk: Talk, clock: _Clock) -> None:
        """Wait until it may be tried again; raises _Failed where that would be no use, TargetError where nothing would."""
        if isinstance(fault, Permanent):
            if fault.fatal:
                raise TargetError(f"The target {self._target.info.name} cannot be asked: {fault}")
            if isinstance(fault, Hung):
                self._note_silence(clock, str(fault))
            raise _Failed(str(fault))
        assert isinstance(fault, Transient)
        wait = backoff(talk.script.place, clock.tries, fault.retry_after)
        most = _FEW_TRIES if isinstance(fault, Unreadable) else _TRIES
        if clock.tries < most and _now() + wait < clock.began + self._deadline and not self._rest:
            await asyncio.sleep(wait)
            return
        times = "1 attempt" if clock.tries == 1 else f"{clock.tries} attempts"
        said = f"{fault}, {times} in {_now() - clock.began:.0f} s"
        self._note_silence(clock, said)
        raise _Failed(said)

    def _note_silence(self, clock: _Clock, said: str) -> None:
        """Where nothing has come for as long as a turn was tried, and that more than once, nothing will come of the rest."""
        if self._answered_at < clock.began:
            self._silent += 1
            if self._silent >= _SILENT:
                self._rest = f"the target has stopped answering ({said})"

    def _hopeless(self, count: int) -> TargetError:
        name = self._target.info.name
        if not self._failed:
            return TargetError(f"The target {name} replied with empty texts alone. See whether it is set up.")
        return TargetError(f"The target {name} gave no reply to any of {count} questions. The first: {self._failed[0]}")


class _Failed(Exception):
    """Why a dialogue has no end."""


class _Clock:
    """How long and how often one turn has been tried."""

    def __init__(self) -> None:
        self.began = _now()
        self.tries = 0


async def _parted(other: Session | Target | None) -> None:
    """Close it, whatever it says to that: its replies are there."""
    if other is not None:
        with suppress(Exception):
            await asyncio.wait_for(other.close(), _PARTING)


def _now() -> float:
    return asyncio.get_running_loop().time()
