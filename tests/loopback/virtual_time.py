"""An event loop on which waiting takes no time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

__all__ = ["VirtualLoop", "run_in_virtual_time"]


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on which waiting takes no time: its clock goes to the next timer at once."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 0.0
        select = self._selector.select  # type: ignore[attr-defined]

        def jump(timeout: float | None) -> Any:
            assert timeout is not None, "nothing will ever happen"
            self._now += timeout
            return select(0)

        self._selector.select = jump  # type: ignore[attr-defined]

    def time(self) -> float:
        return self._now


def run_in_virtual_time(body: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run a coroutine function on such a loop."""
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(body())
    finally:
        loop.close()
