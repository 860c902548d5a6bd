"""Time that does not pass."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from virtual_time import run_in_virtual_time


@pytest.fixture
def in_virtual_time() -> Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]:
    """Run a coroutine function on a loop on which waiting takes no time."""
    return run_in_virtual_time
