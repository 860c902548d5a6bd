"""Where questions are handed in, by any thread, and answers waited for; asked on one thread with one event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress

from pytest_persona.errors import JudgeClosed, JudgeError
from pytest_persona.infer.asked import AnyQuestion
from pytest_persona.judge.chat.asking import Asking
from pytest_persona.judge.chat.budget import Budget
from pytest_persona.judge.chat.client import Client
from pytest_persona.judge.chat.intake import Call
from pytest_persona.judge.chat.judge import Answered
from pytest_persona.judge.chat.ledger import Ledger, ledger_key

__all__ = ["Answered", "Desk"]

_GLANCE = 0.1
"""Seconds between looks at how far the questions of a caller are; Ctrl-C and progress wait for no longer."""
_HANDED_IN = 256
"""Questions handed in at once, so that asking begins before the keys of all are made."""


class Desk:
    """Asks the questions of all threads, each once, as many at a time as the server bears.

    ``make_client`` is called on the desk's own thread when something is to be asked. ``scope`` stands for the judge in the keys of
    the ledger, which stays the caller's to close. ``concurrency`` bounds the requests in flight, ``deadline`` the seconds for each
    question. ``run`` names the run whose processes share the budget.
    """

    def __init__(
        self,
        make_client: Callable[[], Client],
        ledger: Ledger,
        *,
        scope: str,
        concurrency: int,
        deadline: float,
        budget: Budget | None = None,
        run: str = "",
    ) -> None:
        self._scope = scope
        self._asking = Asking(make_client, ledger, concurrency=concurrency, deadline=deadline, budget=budget, run=run)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._begun = threading.Event()
        self._stop = asyncio.Event()
        self._closed = False

    @property
    def problem(self) -> str:
        """What went wrong in the run, in one message; empty where nothing did."""
        return self._asking.problem

    def ask(self, questions: Sequence[AnyQuestion], tick: Callable[[int], None]) -> list[Answered]:
        """The answers, in order; waits for them, and calls ``tick`` with the number of questions just answered.

        A question that fails is an answer with its reason. Raises JudgeError where nothing can be asked at all: the client cannot
        be made, the server will not answer any question, the desk was closed.
        """
        if not questions:
            return []
        call = Call(questions)
        told = 0
        try:
            for start in range(0, len(questions), _HANDED_IN):
                self._hand_in(call, start, questions[start : start + _HANDED_IN])
            while not call.done.wait(_GLANCE):
                if not self._is_open() and not call.done.is_set():
                    raise JudgeClosed()
                if (more := len(questions) - call.left - told) > 0:
                    told += more
                    tick(more)
        except BaseException:
            call.given_up = True
            raise
        if call.error is not None:
            raise type(call.error)(str(call.error)) if isinstance(call.error, JudgeError) else call.error
        tick(len(questions) - told)
        return [
            Answered(verdicts={name: verdicts[name] for name in question.names}, usage=usage)
            for question, verdicts, usage in zip(questions, call.verdicts, call.usage, strict=True)
        ]

    def close(self) -> None:
        """Call off what is in flight, keep what was answered; those who wait get a JudgeError. May be called twice."""
        with self._lock:
            self._closed = True
            thread, loop = self._thread, self._loop
        if thread is not None and loop is not None:
            with suppress(RuntimeError):  # closed before
                loop.call_soon_threadsafe(self._stop.set)
            thread.join()

    def _hand_in(self, call: Call, start: int, questions: Sequence[AnyQuestion]) -> None:
        asked = [
            (question, {name: ledger_key(self._scope, part) for name, part in question.parts.items()})
            for question in questions
        ]
        try:
            self._started().call_soon_threadsafe(self._asking.add, call, start, asked)
        except RuntimeError:  # of a loop that is closed
            raise JudgeClosed() from None

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._closed:
                raise JudgeClosed()
            if self._thread is None:
                # A daemon, so that a run which ends without close() ends.
                self._thread = threading.Thread(target=self._run, name="pytest-persona desk", daemon=True)
                self._thread.start()
            self._begun.wait()
            assert self._loop is not None
            return self._loop

    def _is_open(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._begun.set()
        await self._stop.wait()
        await self._asking.close()
