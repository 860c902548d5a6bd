"""Portraits to documents and back: what ``--json`` writes, and what other tools read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_persona.errors import ProfileError
from pytest_persona.load.documents import Document, read_document
from pytest_persona.load.plain import plain
from pytest_persona.load.schemas.check import check
from pytest_persona.model.episodes import SignalInfo
from pytest_persona.model.findings import JudgeInfo
from pytest_persona.model.portrait import (
    CharacterReading,
    Comparison,
    Passage,
    Portrait,
    Prediction,
    ProbeForecast,
    Sampled,
)
from pytest_persona.model.verdicts import Usage

__all__ = ["SCHEMA", "portrait_document", "portrait_from", "read_portrait"]

SCHEMA = "pytest-persona/portrait/v1"
"""The first value of every portrait document."""


def portrait_document(portrait: Portrait) -> dict[str, Any]:
    """The portrait as plain JSON data in the order of ``portrait.v1.json``, to 6 significant digits.

    No time and no machine's name gets in. Raises ValueError for a number that is not finite.
    """
    return {
        "schema": SCHEMA,
        "name": portrait.name,
        "signal": plain(portrait.signal),
        "judge": plain(portrait.judge),
        "basis": portrait.basis,
        "estimand": portrait.estimand,
        "most_like": portrait.most_like,
        "characters": plain(portrait.characters),
        "reason": portrait.reason,
        "predictions": plain(portrait.predictions),
        "probes": plain(portrait.probes),
        "groups_read": portrait.groups_read,
        "tokens": portrait.tokens,
        "samples": plain(portrait.samples),
        "consistency": plain(portrait.consistency),
        "characters_sha256": portrait.characters_sha256,
        "usage": plain(portrait.usage),
        "settings": plain(portrait.settings, digits=17),
        "notes": list(portrait.notes),
    }


def portrait_from(document: Mapping[str, Any]) -> Portrait:
    """The portrait that a document stands for; raises ProfileError for one of another version or shape."""
    return _portrait(Document(path="portrait", data=dict(document), lines={}))


def read_portrait(path: Path) -> Portrait:
    """A saved portrait; raises ProfileError for what is none of this version."""
    return _portrait(read_document(path, ProfileError, format=".json"))


def _portrait(document: Document) -> Portrait:
    check(document, "portrait", ProfileError)
    data = document.data
    characters = data["characters"]
    return Portrait(
        **{key: value for key, value in data.items() if key not in ("schema", "most_like")}
        | {
            "signal": SignalInfo(**data["signal"]),
            "judge": JudgeInfo(**data["judge"]),
            "characters": None if characters is None else _comparison(characters),
            "predictions": tuple(Prediction(**one) for one in data["predictions"]),
            "probes": tuple(ProbeForecast(**one) for one in data["probes"]),
            "samples": tuple(Sampled(**one) for one in data["samples"]),
            "usage": Usage(**data["usage"]),
            "notes": tuple(data["notes"]),
        }
    )


def _comparison(data: dict[str, Any]) -> Comparison:
    readings = (
        CharacterReading(**one | {"evidence": tuple(Passage(**quoted) for quoted in one["evidence"])})
        for one in data["readings"]
    )
    return Comparison(**data | {"readings": tuple(readings)})
