"""A limit on the time of a piece of work, in the task that does it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["within"]


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Call off the work inside after so many seconds; raises asyncio.TimeoutError then.

    What ``asyncio.timeout`` does from Python 3.11 on. ``asyncio.wait_for`` will not do: before 3.12 it can lose the
    cancellation of its caller, and needs a task for each call.
    """
    task = asyncio.current_task()
    assert task is not None
    called_off = False
    before = 0
    if sys.version_info >= (3, 11):
        before = task.cancelling()

    def call_off() -> None:
        nonlocal called_off
        called_off = True
        task.cancel()

    timer = asyncio.get_running_loop().call_later(seconds, call_off)
    try:
        yield
    except asyncio.CancelledError:
        if not called_off:
            raise
        if sys.version_info >= (3, 11) and task.uncancel() > before:
            raise  # by others too, at the same time
        raise asyncio.TimeoutError from None
    finally:
        timer.cancel()
