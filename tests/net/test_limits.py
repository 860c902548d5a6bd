"""A limit on time that never loses a cancellation."""

from __future__ import annotations

import asyncio
import sys
import time

import pytest

from pytest_persona.net.limits import within


def test_work_that_takes_too_long_is_called_off() -> None:
    async def run() -> str:
        try:
            with within(0.01):
                await asyncio.sleep(5)
        except asyncio.TimeoutError:
            await asyncio.sleep(0)  # which a cancellation that was left over would end
            return "late"
        return "done"

    assert asyncio.run(run()) == "late"


def test_work_that_is_done_in_time_is_let_be() -> None:
    async def run() -> str:
        with within(0.02):
            await asyncio.sleep(0)
        await asyncio.sleep(0.04)
        return "done"

    assert asyncio.run(run()) == "done"


def test_errors_of_the_work_pass() -> None:
    async def run() -> None:
        with within(1):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        asyncio.run(run())


def test_a_cancellation_by_others_is_not_lost_in_the_step_in_which_the_work_ends() -> None:
    """Where ``asyncio.wait_for`` lost it, before Python 3.12, a worker went on for ever."""

    async def work(ready: asyncio.Future[None]) -> None:
        with within(60):
            await ready
        await asyncio.sleep(5)

    async def run() -> None:
        ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        task = asyncio.create_task(work(ready))
        await asyncio.sleep(0)
        ready.set_result(None)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())


def test_a_cancellation_by_others_is_not_lost_when_time_is_up_too() -> None:
    async def work() -> None:
        with within(0.01):
            await asyncio.sleep(5)

    async def run() -> asyncio.Task[None]:
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        time.sleep(0.02)  # so that both come in one step of the loop
        asyncio.get_running_loop().call_later(0, task.cancel)
        await asyncio.wait([task])
        return task

    task = asyncio.run(run())
    if sys.version_info >= (3, 11):  # before it, the two cannot be told apart
        assert task.cancelled()
