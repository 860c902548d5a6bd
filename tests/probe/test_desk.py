"""The thread where an interview is held: beside anybody's event loop, and gone when its caller is."""

from __future__ import annotations

import asyncio
import contextvars
import os
import signal
import threading
import time
from typing import Any

import pytest

from pytest_persona.errors import TargetError
from pytest_persona.net.faults import Permanent
from pytest_persona.probe.callables import CallableTarget
from pytest_persona.probe.desk import interview
from pytest_persona.probe.identity import info_of
from pytest_persona.probe.scripts import Outcome


def held(target: Any, scripts: Any, memory: Any, ticks: Any = None) -> list[Outcome]:
    tick = ticks.append if ticks is not None else lambda count: None
    return interview(target, scripts, memory, concurrency=4, deadline=30.0, tick=tick)


def test_inside_a_running_loop_too(told: Any, scripts: Any, memory: Any) -> None:
    async def inside() -> list[Outcome]:
        return held(told(), scripts(8), memory)

    assert [o.reply for o in asyncio.run(inside())] == [f"re q{n}" for n in range(8)]


def test_progress_comes_while_it_goes_on_and_adds_up(told: Any, scripts: Any, memory: Any) -> None:
    ticks: list[int] = []
    held(told(latency=0.15), scripts(12), memory, ticks)
    assert sum(ticks) == 12 and len([n for n in ticks if n]) > 1


def test_nothing_to_ask_opens_nothing(told: Any, memory: Any) -> None:
    assert held(told(), [], memory) == []


def test_its_error_is_the_callers(told: Any, scripts: Any, memory: Any) -> None:
    with pytest.raises(TargetError, match="it lets nobody in"):
        held(told(lambda text, times: Permanent("it lets nobody in", fatal=True)), scripts(8), memory)

    def broken(text: str, times: int) -> str:
        raise ZeroDivisionError("a mistake of ours")

    with pytest.raises(ZeroDivisionError):
        held(told(broken), scripts(8), memory)
    assert not [t for t in threading.enumerate() if t.name == "pytest-persona interview"]


def test_context_variables_of_the_caller_hold(scripts: Any, memory: Any) -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")
    variable.set("ann")

    async def product(prompt: str) -> str:
        return variable.get()

    (outcome,) = held(CallableTarget(product, info_of(product)), scripts(1), memory)
    assert outcome.reply == "ann"


def test_ctrl_c_gets_through_and_keeps_what_came(told: Any, scripts: Any, memory: Any) -> None:
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("signals come to the main thread")
    target = told(latency=0.05)
    timer = threading.Timer(0.4, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    began = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            held(target, scripts(4000), memory)
    finally:
        timer.cancel()
    assert time.monotonic() - began < 10
    assert memory.kept
    assert target.active == 0 and target.closed == 1


def test_a_product_that_cannot_be_stopped_keeps_nobody(scripts: Any, memory: Any) -> None:
    release = threading.Event()

    def product(prompt: str) -> str:
        if prompt == "q0":
            return "yes"
        release.wait(30)
        return "late"

    began = time.monotonic()
    outcomes = interview(
        CallableTarget(product, info_of(product)),
        scripts(6),
        memory,
        concurrency=4,
        deadline=0.4,
        tick=lambda count: None,
    )
    assert time.monotonic() - began < 5
    assert [bool(o.failure) for o in outcomes] == [False] + [True] * 5
    release.set()
