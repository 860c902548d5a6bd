"""What pytest-persona brings itself, offered through its own hooks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pytest_persona.settings import Settings

__all__ = ["pytest_persona_judges", "pytest_persona_traits"]


def pytest_persona_judges() -> Mapping[str, Callable[[Settings], Any]]:
    """The judges of this package."""
    return {"embedded": _embedded}


def pytest_persona_traits() -> Iterable[Path]:
    """The trait library of this package."""
    from pytest_persona.load.traits import library_paths

    return library_paths()


def _embedded(settings: Settings) -> Any:
    """Reads offline with the hidden states of a 135M language model."""
    from pytest_persona.judge.embedded import EmbeddedJudge

    return EmbeddedJudge.open(settings)
