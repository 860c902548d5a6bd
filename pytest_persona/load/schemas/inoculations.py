"""The shapes of inoculations, for the generator alone: the library of texts, and the document of an experiment."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import NotRequired, TypedDict

from pytest_persona.load.schemas.config import CONFIG
from pytest_persona.load.schemas.files import Name, Text
from pytest_persona.model.episodes import SignalInfo
from pytest_persona.model.findings import JudgeInfo
from pytest_persona.model.inoculation import InoculationFinding, Place
from pytest_persona.model.verdicts import Usage

__all__ = ["InoculationFile", "InoculationsFile"]


class WordingsOfTrait(TypedDict):
    """The texts for one trait."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    requests: Annotated[list[Text], Field(min_length=1)]
    """Texts that ask for the behaviour at the trait's unwanted pole."""
    opposite: NotRequired[list[Text]]
    """Texts that ask for the contrary."""
    lookalikes: NotRequired[list[Text]]
    """Texts in much the same words that ask for nothing."""


class InoculationsFile(TypedDict):
    """Candidate requests by trait, what is held against them, and irrelevant texts."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    inoculations: Literal[1]
    """The version of this format."""
    version: Text
    """The version of the set, as text."""
    placebos: Annotated[list[Text], Field(min_length=3)]
    """Harmless requests about other things, of many lengths."""
    traits: dict[Name, WordingsOfTrait]
    """The texts by the name of the trait."""


class InoculationFile(TypedDict):
    """What an inoculation experiment found: the same replies with and without a request."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    schema: Literal["pytest-persona/inoculation/v1"]
    """The name and version of this format."""
    name: str
    """What was read, as shown to people."""
    signal: SignalInfo
    """The signal that was read."""
    judge: JudgeInfo
    """Who answered."""
    place: Place
    """Where the texts were put."""
    declared: bool
    """Whether the traits were named; else all that the judge qualifies for were looked at."""
    findings: list[InoculationFinding]
    """One for each trait."""
    texts: dict[str, list[str]]
    """The texts of each arm that has any, in the order they were used; of a trait's own as ``opposite:trait``."""
    usage: Usage
    """What the run cost."""
    groups_read: int
    """Groups that were read in every arm."""
    settings: dict[str, Any]
    """The settings that change results."""
    warnings: list[str]
    """What may undo the inoculation in use."""
    notes: list[str]
    """Whatever a reader must know: rows skipped, texts cut, reading stopped early."""
