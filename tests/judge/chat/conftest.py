"""The desk's questions and client, from the file that its tests also run as a program."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from virtual_time import run_in_virtual_time

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


@pytest.fixture
def in_virtual_time() -> Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]:
    """Run a coroutine function on a loop on which waiting takes no time."""
    return run_in_virtual_time
