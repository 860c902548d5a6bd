"""The desk's questions and client, from the file that its tests also run as a program."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

SWEEP = Path(__file__).with_name("desk_sweep.py")


@pytest.fixture(scope="session")
def sweep() -> Any:
    """The module ``desk_sweep``."""
    spec = importlib.util.spec_from_file_location("desk_sweep", SWEEP)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["desk_sweep"] = module
    spec.loader.exec_module(module)
    return module


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


@pytest.fixture
def in_virtual_time() -> Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]:
    """Run a coroutine function on such a loop."""

    def run(body: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
        loop = VirtualLoop()
        try:
            return loop.run_until_complete(body())
        finally:
            loop.close()

    return run
