"""The shapes of what has changed, for the generator alone."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from pytest_persona.load.schemas.config import CONFIG
from pytest_persona.model.confirmation import Agreement, Confirmed
from pytest_persona.model.drift import DataChange, Drift, JudgeChange, ProductChange, QuestionChange

__all__ = ["ComparisonPart", "ConfirmationFile", "DriftFile", "FrozenColumns", "HistoryLine", "UnitColumns"]

_NUMBERS = r"^(-?[0-9]+|\.)?( (-?[0-9]+|\.))*$"
_WORDS = r"^[A-Za-z0-9_.:/-]*( [A-Za-z0-9_.:/-]+)*$"
_COUNTS = r"^([0-9]+( [0-9]+)*)?$"

Numbers = Annotated[str, Field(pattern=_NUMBERS)]
Words = Annotated[str, Field(pattern=_WORDS)]


class UnitColumns(TypedDict):
    """What a later run is paired with: hashes and numbers of each group in columns, divided by blanks; no text."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    groups: Words
    """Which group it is: a short hash, of a probe its name."""
    asked: Words
    """A short hash of the contexts, or of the wordings that a probe was put in."""
    content: Words
    """A short hash of the replies and of how they are reinforced."""
    lines: Annotated[str, Field(pattern=_COUNTS)]
    """The first line of the group; 0 where it has none."""
    read: Annotated[str, Field(pattern="^[01]*$")]
    """1 where a judge read it, 0 where reading had stopped."""
    values: dict[str, Numbers]
    """By trait, what each adds to the shift, in ten-thousandths; a dot where it says nothing."""
    reach: dict[str, float]
    """By trait, the most that a value can be in size."""
    definitions: dict[str, str]
    """By trait, a short hash of what it was defined as."""
    of: int
    """Groups of the whole signal."""


class FrozenColumns(TypedDict):
    """A judge's readings of a few of a trait's anchors, in ten-thousandths; a dot where there was no verdict."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    texts: str
    """A short hash of the anchors that were read."""
    high: Numbers
    """What the high pole of each pair was read as."""
    low: Numbers
    """What the low pole was read as."""


class ComparisonPart(TypedDict):
    """What has changed since a baseline. A cause that does not apply is null."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    since: str
    """The baseline as it is shown to people."""
    comparable: bool
    """Whether any trait can be compared."""
    why: list[str]
    """Why not, in words."""
    causes: list[Literal["data", "judge", "product", "questions"]]
    """The causes that apply."""
    data: DataChange | None
    """What has happened to the groups of a signal."""
    judge: JudgeChange | None
    """That another judge answered."""
    product: ProductChange | None
    """That a product answers the same questions differently."""
    questions: QuestionChange | None
    """That a product was not asked the same."""
    redefined: list[str]
    """Traits whose definition has changed."""
    drifts: list[Drift]
    """One for each trait."""


class DriftFile(ComparisonPart):
    """What has changed from one profile to another."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    schema: Literal["pytest-persona/drift/v1"]
    """The name and version of this format."""
    name: str
    """What the later profile is called."""


class HistoryLine(TypedDict):
    """One run against a baseline: a line of a history file."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    schema: Literal["pytest-persona/history/v1"]
    """The name and version of this format."""
    name: str
    """What the profile is called."""
    baseline: str
    """A short hash of the baseline's groups and judge; lines of another one have no part."""
    run: str
    """A short hash of the texts that were read."""
    values: dict[str, Numbers]
    """By trait, what each of the baseline's groups adds to the shift, in ten-thousandths, in the baseline's order."""


class ConfirmationFile(TypedDict):
    """Predicted against observed: what a signal implies, and how a product changed."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    schema: Literal["pytest-persona/confirmation/v1"]
    """The name and version of this format."""
    signal: str
    """What the implied shifts are those of."""
    before: str
    """What the product's earlier profile is called."""
    after: str
    """What its later one is called."""
    signs: Agreement
    """The share of traits with the predicted sign, among those that were clearly implied and clearly moved."""
    ranks: Agreement
    """Spearman's rank correlation of implied and observed."""
    level: float
    """Of the intervals of these two."""
    unpredicted: list[str]
    """Traits that moved though nothing was implied, or against what was."""
    left_out: list[str]
    """Traits of the signal that could not be compared, each with the reason."""
    traits: list[Confirmed]
    """One for each trait that could."""
