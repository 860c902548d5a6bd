"""The shape of a portrait's document, for the generator alone."""

from __future__ import annotations

from typing import Any, Literal

from typing_extensions import TypedDict

from pytest_persona.load.schemas.config import CONFIG
from pytest_persona.model.episodes import SignalInfo
from pytest_persona.model.findings import Estimand, JudgeInfo
from pytest_persona.model.portrait import Basis, Comparison, Prediction, ProbeForecast, Sampled
from pytest_persona.model.verdicts import Usage

__all__ = ["PortraitFile"]


class PortraitFile(TypedDict):
    """Which character a signal reads most like, and what else such a character would do."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    schema: Literal["pytest-persona/portrait/v1"]
    """The name and version of this format."""
    name: str
    """What was read, as shown to people."""
    signal: SignalInfo
    """The signal that was read."""
    judge: JudgeInfo
    """Who answered."""
    basis: Basis
    """What is compared: how likely replies are under each character, or how well samples that are seen whole fit each."""
    estimand: Estimand
    """Whether it is of a difference, of a covariance with the reward, or of the texts themselves."""
    most_like: str
    """The character that it reads most like; empty where none stands out."""
    characters: Comparison | None
    """All characters against the reference; null where nothing can be said."""
    reason: str
    """Why nothing can be said, in words; empty otherwise."""
    predictions: list[Prediction]
    """Predicted, not read: what such a character would express of traits that the signal does not show itself."""
    probes: list[ProbeForecast]
    """Predicted, not asked: questions on which such a character would differ most from the reference."""
    groups_read: int
    """Groups that were read."""
    tokens: int
    """Tokens of the replies whose likelihood was read; 0 where samples were seen whole."""
    samples: list[Sampled]
    """The samples that were seen whole."""
    consistency: float | None
    """Mean correlation between samples of how well the characters fit; null where there is none."""
    characters_sha256: str
    """Hash of all characters: portraits of other ones are not compared."""
    usage: Usage
    """What the run cost."""
    settings: dict[str, Any]
    """The settings that change results."""
    notes: list[str]
    """Whatever a reader must know: rows left out, texts cut, samples without an answer."""
