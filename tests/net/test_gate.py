"""The gate: up while the server bears it, down once for each time that it does not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from pytest_persona.net.gate import Gate

Run = Callable[[Any], Any]


async def fill(gate: Gate) -> list[int]:
    return [await gate.enter() for _ in range(gate.limit - gate.active)]


@pytest.mark.parametrize(("most", "half"), [(64, 32), (5, 2), (1, 1)])
def test_it_begins_at_half_and_lets_no_more_in(in_virtual_time: Run, most: int, half: int) -> None:
    async def body() -> None:
        gate = Gate(most)
        assert len(await fill(gate)) == half
        waiting = asyncio.ensure_future(gate.enter())
        await asyncio.sleep(1.0)
        assert not waiting.done()
        gate.leave(1)
        assert await waiting == half + 1

    in_virtual_time(body)


def test_until_the_first_cut_each_success_raises_the_limit_by_one_up_to_the_most(in_virtual_time: Run) -> None:
    async def body() -> None:
        gate = Gate(8)
        limits = []
        for _ in range(3):
            for number in await fill(gate):
                gate.leave(number, answered=True)
                await gate.enter()
                limits.append(gate.limit)
        assert limits[:5] == [5, 5, 5, 5, 6]  # full, then one free; full again after the next round
        numbers = await fill(gate)
        for number in numbers:
            gate.leave(number, answered=True)
        assert gate.limit <= 8

    in_virtual_time(body)


def test_a_full_gate_doubles_in_a_round_of_successes(in_virtual_time: Run) -> None:
    async def served(gate: Gate) -> None:
        while True:
            number = await gate.enter()
            await asyncio.sleep(1.0)
            gate.leave(number, answered=True)

    async def body() -> None:
        gate = Gate(64)
        workers = [asyncio.ensure_future(served(gate)) for _ in range(100)]
        limits = []
        for _ in range(3):
            await asyncio.sleep(0.5)
            limits.append(gate.limit)
            await asyncio.sleep(0.5)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        assert limits == [32, 64, 64]

    in_virtual_time(body)


def test_successes_of_a_gate_that_is_not_full_say_nothing(in_virtual_time: Run) -> None:
    async def body() -> None:
        gate = Gate(64)
        for _ in range(100):
            gate.leave(await gate.enter(), answered=True)
        assert gate.limit == 32

    in_virtual_time(body)


def test_one_cut_for_an_episode_and_another_for_the_next(in_virtual_time: Run) -> None:
    async def body() -> None:
        gate = Gate(64)
        first = await fill(gate)
        for number in first:
            gate.leave(number, crowded=True)
        assert gate.limit == 16  # all of them were in before the cut
        second = await fill(gate)
        gate.leave(second[3], crowded=True)
        gate.leave(second[4], crowded=True)
        assert gate.limit == 8
        for _ in range(10):
            gate.leave(await gate.enter() if gate.active < gate.limit else second.pop(), crowded=True)
        assert gate.limit >= 1

    in_virtual_time(body)


def test_it_never_closes_for_good(in_virtual_time: Run) -> None:
    async def body() -> None:
        gate = Gate(4)
        for _ in range(10):
            gate.leave(await gate.enter(), crowded=True)
        assert gate.limit == 1

    in_virtual_time(body)


def test_after_a_cut_it_takes_a_window_of_successes_to_grow_by_one(in_virtual_time: Run) -> None:
    async def body() -> None:
        gate = Gate(16)
        gate.leave(await gate.enter(), crowded=True)
        assert gate.limit == 4
        limits = []
        for _ in range(9):
            await fill(gate)
            gate.leave(0, answered=True)
            limits.append(gate.limit)
        assert limits == [4, 4, 4, 5, 5, 5, 5, 5, 6]

    in_virtual_time(body)


def test_other_faults_change_nothing(in_virtual_time: Run) -> None:
    async def body() -> None:
        gate = Gate(8)
        for number in await fill(gate):
            gate.leave(number)
        assert (gate.limit, gate.active) == (4, 0)

    in_virtual_time(body)


def test_a_time_that_the_server_names_is_waited_for_by_all_who_come(in_virtual_time: Run) -> None:
    async def body() -> None:
        loop = asyncio.get_running_loop()
        gate = Gate(8)
        one, two = await gate.enter(), await gate.enter()
        gate.leave(one, crowded=True, retry_after=5.0)
        entered: list[float] = []

        async def come() -> None:
            await gate.enter()
            entered.append(loop.time())

        tasks = [asyncio.ensure_future(come()) for _ in range(2)]
        await asyncio.sleep(3.0)
        gate.leave(two, retry_after=4.0)  # more
        await asyncio.gather(*tasks)
        assert entered == pytest.approx([7.0, 7.0])
        gate.leave(3, retry_after=0.0)
        await gate.enter()
        assert loop.time() == pytest.approx(7.0)

    in_virtual_time(body)


def test_who_is_called_off_leaves_their_place_to_others(in_virtual_time: Run) -> None:
    async def body() -> None:
        gate = Gate(2)
        first = await gate.enter()
        waiting = [asyncio.ensure_future(gate.enter()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        gate.leave(first)  # lets the second in
        waiting[1].cancel()  # who does not come any more
        assert await waiting[2] == 2
        assert gate.active == 1
        assert waiting[0].cancelled() and waiting[1].cancelled()

    in_virtual_time(body)
