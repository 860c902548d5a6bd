"""Where an interview is held: on a thread with an event loop of its own, so that nobody else's loop is in the way."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Sequence

from pytest_persona.probe.base import Target
from pytest_persona.probe.interview import Interview, Keeps
from pytest_persona.probe.scripts import Outcome, Script

__all__ = ["interview"]

_GLANCE = 0.1
"""Seconds between two looks at how far it is; Ctrl-C and progress wait for no longer."""
_PARTING = 6.0
"""Seconds that an interview which is called off may take to end."""


def interview(
    target: Target,
    scripts: Sequence[Script],
    keeps: Keeps,
    *,
    concurrency: int,
    deadline: float,
    tick: Callable[[int], None],
) -> list[Outcome]:
    """What comes of each dialogue, in order; waits for them, also inside somebody's event loop, which stands still meanwhile.

    Context variables of the caller hold for the target too. Raises as :meth:`Interview.hold`; when the caller is interrupted, what
    is in flight is called off, and what was replied is kept.
    """
    if not scripts:
        return []
    room = _Room(target, scripts, keeps, concurrency, deadline)
    context = contextvars.copy_context()
    # A daemon, so that a target that cannot be stopped keeps no run from ending.
    thread = threading.Thread(target=context.run, args=(room.run,), name="pytest-persona interview", daemon=True)
    thread.start()
    told = 0
    try:
        while not room.done.wait(_GLANCE):
            if (more := room.held - told) > 0:
                told += more
                tick(more)
    except BaseException:
        room.call_off()
        thread.join(_PARTING)
        raise
    thread.join()
    if room.error is not None:
        raise room.error
    tick(room.held - told)
    return room.outcomes


class _Room:
    """What the thread and its caller share."""

    def __init__(
        self, target: Target, scripts: Sequence[Script], keeps: Keeps, concurrency: int, deadline: float
    ) -> None:
        self.done = threading.Event()
        self.held = 0
        self.outcomes: list[Outcome] = []
        self.error: BaseException | None = None
        self._arguments = target, scripts, keeps, concurrency, deadline
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None

    def run(self) -> None:
        """Hold it; the thread's work."""
        try:
            asyncio.run(self._hold())
        except BaseException as error:
            self.error = error
        finally:
            self.done.set()

    def call_off(self) -> None:
        """End it, from another thread."""
        if self._loop is not None and self._task is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._task.cancel)

    async def _hold(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        target, scripts, keeps, concurrency, deadline = self._arguments
        held = Interview(target, keeps, concurrency=concurrency, deadline=deadline, tick=self._tick)
        self.outcomes = await held.hold(scripts)

    def _tick(self, count: int) -> None:
        self.held += count
