"""How many requests may be in flight: as many as the server bears."""

from __future__ import annotations

import asyncio
from collections import deque

__all__ = ["Gate"]


class Gate:
    """Bounds what is in flight on one event loop: additive increase, multiplicative decrease.

    It begins at half of ``most`` (at least 1). Until the server first says that it has too much to do each success raises the limit
    by one; afterwards one limit's worth of successes does. Such a fault halves it, once for an episode: faults of requests that were
    let in before the last cut tell nothing new. Successes count while the gate is full, as others say nothing about the limit; a
    fault that is not about crowding changes nothing. A server that names a time to wait lets nobody in until then.

    The scheme is TCP's (RFC 5681), as is usual for limits on requests.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.limit = max(1, most // 2)
        self.active = 0
        self._entered = 0
        """Who was let in so far; the number of the last one in."""
        self._cut_at = 0
        """The last number that had been let in at the last cut; 0: there was none."""
        self._successes = 0
        self._closed_until = 0.0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._opening: asyncio.TimerHandle | None = None

    async def enter(self) -> int:
        """Wait for leave to ask; the number that :meth:`leave` is told."""
        if self._waiting or not self._free():
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            self._admit()
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():  # let in and called off at once
                    self.active -= 1
                    self._admit()
                raise
        else:
            self.active += 1
        self._entered += 1
        return self._entered

    def leave(
        self, number: int, *, answered: bool = False, crowded: bool = False, retry_after: float | None = None
    ) -> None:
        """Tell how a request ended: it was answered, the server has too much to do, or neither; and the seconds that it asks to wait."""
        if answered:
            self._grow()
        elif crowded and number > self._cut_at:
            self.limit = max(1, self.limit // 2)
            self._cut_at = self._entered
            self._successes = 0
        if retry_after is not None:
            self._closed_until = max(self._closed_until, asyncio.get_running_loop().time() + retry_after)
        self.active -= 1
        self._admit()

    def _grow(self) -> None:
        if self.active < self.limit:
            return
        self._successes += 1
        if not self._cut_at or self._successes >= self.limit:
            self.limit = min(self.most, self.limit + 1)
            self._successes = 0

    def _free(self) -> bool:
        return self.active < self.limit and asyncio.get_running_loop().time() >= self._closed_until

    def _admit(self) -> None:
        """Let in those whose turn it is, or see to it when the time has come."""
        while self._waiting and self._free():
            turn = self._waiting.popleft()
            if not turn.done():
                self.active += 1
                turn.set_result(None)
        loop = asyncio.get_running_loop()
        if self._waiting and self._opening is None and loop.time() < self._closed_until:
            self._opening = loop.call_at(self._closed_until, self._open)

    def _open(self) -> None:
        self._opening = None
        self._admit()
