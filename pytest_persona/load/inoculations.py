"""Inoculation experiments to documents and back: what ``--json`` writes and what crosses processes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_persona.errors import ProfileError
from pytest_persona.load.documents import Document, read_document
from pytest_persona.load.plain import plain
from pytest_persona.load.schemas.check import check
from pytest_persona.model.episodes import SignalInfo
from pytest_persona.model.findings import JudgeInfo, NullTest, Shift
from pytest_persona.model.inoculation import ArmReading, Explained, Inoculation, InoculationFinding, Phrasing, Ranking
from pytest_persona.model.verdicts import Usage

__all__ = ["SCHEMA", "inoculation_document", "inoculation_from", "ranking_document", "read_inoculation"]

SCHEMA = "pytest-persona/inoculation/v1"
"""The first value of every document of an experiment."""


def inoculation_document(found: Inoculation) -> dict[str, Any]:
    """The experiment as plain JSON data in the order of ``inoculation.v1.json``, to 6 significant digits.

    No time and no machine's name gets in. Raises ValueError for a number that is not finite.
    """
    return {
        "schema": SCHEMA,
        "name": found.name,
        "signal": plain(found.signal),
        "judge": plain(found.judge),
        "place": found.place,
        "declared": found.declared,
        "findings": plain(found.findings),
        "texts": plain(found.texts),
        "usage": plain(found.usage),
        "groups_read": found.groups_read,
        "settings": plain(found.settings, digits=17),
        "warnings": list(found.warnings),
        "notes": list(found.notes),
    }


def ranking_document(ranking: Ranking) -> dict[str, Any]:
    """A ranking of requests as plain JSON data, to 6 significant digits."""
    document: dict[str, Any] = plain(ranking)
    return {"schema": "pytest-persona/ranking/v1", **document}


def inoculation_from(document: Mapping[str, Any]) -> Inoculation:
    """The experiment that a document stands for; raises ProfileError for one of another version or shape."""
    return _inoculation(Document(path="inoculation", data=dict(document), lines={}))


def read_inoculation(path: Path) -> Inoculation:
    """A saved experiment; raises ProfileError for what is none of this version."""
    return _inoculation(read_document(path, ProfileError, format=".json"))


def _inoculation(document: Document) -> Inoculation:
    check(document, "inoculation", ProfileError)
    data = document.data
    return Inoculation(
        **{key: value for key, value in data.items() if key != "schema"}
        | {
            "signal": SignalInfo(**data["signal"]),
            "judge": JudgeInfo(**data["judge"]),
            "findings": tuple(_finding(finding) for finding in data["findings"]),
            "texts": {arm: tuple(texts) for arm, texts in data["texts"].items()},
            "usage": Usage(**data["usage"]),
            "warnings": tuple(data["warnings"]),
            "notes": tuple(data["notes"]),
        }
    )


def _finding(data: dict[str, Any]) -> InoculationFinding:
    shifts = {name: Shift(**data[name]) for name in ("shift", "effect", "opposite", "lookalike")}
    return InoculationFinding(
        **data
        | shifts
        | {
            "explained": Explained(**data["explained"]),
            "missing": tuple(data["missing"]),
            "arms": {arm: ArmReading(**reading) for arm, reading in data["arms"].items()},
            "phrasings": tuple(Phrasing(**phrasing) for phrasing in data["phrasings"]),
            "null": None if data["null"] is None else NullTest(**data["null"]),
        }
    )
