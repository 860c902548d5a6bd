"""What pytest-persona brings itself, offered through its own hooks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from pytest_persona.settings import Settings

__all__ = ["pytest_persona_judges", "pytest_persona_suites", "pytest_persona_traits"]


def pytest_persona_judges() -> Mapping[str, Callable[[Settings], Any]]:
    """The judges of this package."""
    return {"embedded": _embedded, "claude": _claude, "openai": _openai, "likelihood": _likelihood, "replay": _replay}


def pytest_persona_traits() -> Iterable[Path]:
    """The trait library of this package."""
    from pytest_persona.load.traits import library_paths

    return library_paths()


def pytest_persona_suites() -> Mapping[str, Path]:
    """The suite of this package."""
    return {"core": Path(__file__).parents[1] / "library" / "suites" / "core.persona.yaml"}


def _embedded(settings: Settings) -> Any:
    """Reads offline with the hidden states of a 135M language model."""
    from pytest_persona.judge.embedded import EmbeddedJudge

    return EmbeddedJudge.open(settings)


def _claude(settings: Settings) -> Any:
    """Asks a Claude model; needs a key and the extra `claude`."""
    from pytest_persona.judge.opening import open_claude

    return open_claude(settings)


def _openai(settings: Settings) -> Any:
    """Asks a model behind an OpenAI-compatible endpoint; needs --base-url, --model and the extra `openai`."""
    from pytest_persona.judge.opening import open_openai

    return open_openai(settings)


def _likelihood(settings: Settings) -> Any:
    """Compares how likely a reply is from a character at either pole; slow and weak with the embedded weights."""
    from pytest_persona.judge.likelihood import LikelihoodJudge
    from pytest_persona.load.personas import read_nulls
    from pytest_persona.load.traits import read_neutral

    return LikelihoodJudge.open(settings, neutral=read_neutral(), nulls=read_nulls())


def _replay(settings: Settings) -> Any:
    """Answers from recorded verdicts; needs no key and no network."""
    from pytest_persona.judge.opening import open_replay

    return open_replay(settings)
