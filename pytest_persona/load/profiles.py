"""Profiles to documents and back: the one JSON shape that is saved, compared, reported and sent between processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from pytest_persona.errors import ProfileError
from pytest_persona.load.documents import Document, read_document
from pytest_persona.load.schemas.check import check
from pytest_persona.model.episodes import SignalInfo
from pytest_persona.model.findings import (
    Counterfactual,
    Evidence,
    Explanations,
    Expressing,
    ExpressingRow,
    Finding,
    JudgeInfo,
    Margin,
    Nuisance,
    NullTest,
    Profile,
    Reading,
    Shift,
)
from pytest_persona.model.traits import Expectation
from pytest_persona.model.verdicts import Usage

__all__ = ["SCHEMA", "plain", "profile_document", "profile_from", "read_profile", "row_document"]

SCHEMA = "pytest-persona/profile/v1"
"""The first value of every profile document."""


def profile_document(profile: Profile) -> dict[str, Any]:
    """The profile as plain JSON data in the order of ``profile.v1.json``.

    What is measured is rounded to 6 significant digits; what was given (settings, bounds) is left as it is; what could
    not be measured is None. No time and no machine's name gets in. Raises ValueError for a number that is not finite.
    """
    return {
        "schema": SCHEMA,
        "name": profile.name,
        "signal": plain(profile.signal),
        "judge": plain(profile.judge),
        "findings": [_finding_document(finding) for finding in profile.findings],
        "usage": plain(profile.usage),
        "groups_read": profile.groups_read,
        "suite_sha256": profile.suite_sha256,
        "settings": plain(profile.settings, digits=17),
        "notes": list(profile.notes),
    }


def row_document(reading: Reading) -> dict[str, Any]:
    """One line of ``--persona-rows`` as plain JSON data, in the order of ``rows.v1.json``, to 6 significant digits."""
    document: dict[str, Any] = plain(reading)
    return document


def profile_from(document: Mapping[str, Any], *, ours: bool = False) -> Profile:
    """The profile that a document stands for; raises ProfileError for one that is of another version or shape.

    ``ours``: this run wrote it and it never left the run, so that it is not checked, which takes a tenth of a second.
    """
    return _profile(dict(document)) if ours else _checked(Document(path="profile", data=dict(document), lines={}))


def read_profile(path: Path) -> Profile:
    """A saved profile, whatever its file is called; raises ProfileError for what is no profile of this version."""
    return _checked(read_document(path, ProfileError, format=".json"))


def _finding_document(finding: Finding) -> dict[str, Any]:
    document: dict[str, Any] = plain(finding)
    if finding.expectation is not None:
        bounds = plain(finding.expectation, digits=17)
        document["expectation"] = {
            name: bound for name, bound in bounds.items() if name != "trait" and bound is not None
        }
    return document


def plain(value: Any, digits: int = 6) -> Any:
    """JSON data with floats of so many significant digits; 17 leaves them as they are."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise ValueError(f"{value} is not finite: what could not be measured is None")
        return float(f"{value:.{digits}g}") + 0.0  # -0.0 becomes 0.0
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name), digits) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item, digits) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, digits) for item in value]
    raise TypeError(f"{type(value).__name__} has no place in a document")


def _checked(document: Document) -> Profile:
    data = document.data
    schema = data.get("schema") if isinstance(data, dict) else None
    if isinstance(schema, str) and schema != SCHEMA and schema.startswith("pytest-persona/profile/"):
        remedy = f"This version reads {SCHEMA}; make the profile again, or use the version that wrote it"
        raise document.error(ProfileError, ("schema",), f"{schema[:60]!r} is another version of the format", remedy)
    check(document, "profile", ProfileError)
    return _profile(data)


def _profile(data: Mapping[str, Any]) -> Profile:
    return Profile(
        name=data["name"],
        signal=SignalInfo(**data["signal"]),
        judge=JudgeInfo(**data["judge"]),
        findings=tuple(_finding(finding) for finding in data["findings"]),
        usage=Usage(**data["usage"]),
        settings=data["settings"],
        suite_sha256=data["suite_sha256"],
        groups_read=data["groups_read"],
        notes=tuple(data["notes"]),
    )


def _finding(data: dict[str, Any]) -> Finding:
    # Only what has no default must be in a document.
    expectation, other, null = data.get("expectation"), data.get("other_scope"), data.get("null")
    without, explanations = data.get("counterfactual"), data.get("explanations")
    return Finding(
        **data
        | {
            "shift": Shift(**data["shift"]),
            "expressed": Shift(**data["expressed"]),
            "requested": Shift(**data["requested"]),
            "expectation": None if expectation is None else Expectation(trait=data["trait"], **expectation),
            "other_scope": None if other is None else Shift(**other),
            "null": None if null is None else NullTest(**null),
            "nuisance": Nuisance(**data.get("nuisance", {})),
            "counterfactual": None if without is None else _counterfactual(without),
            "explanations": None if explanations is None else _explanations(explanations),
            "unbeaten": tuple(data.get("unbeaten", ())),
            "evidence": tuple(Evidence(**row) for row in data.get("evidence", ())),
        }
    )


def _counterfactual(data: Mapping[str, Any]) -> Counterfactual:
    requested = data["with_request"]
    return Counterfactual(
        unrequested=_expressing(data["unrequested"]),
        requested=_expressing(data["requested"]),
        without=Shift(**data["without"]),
        with_request=None if requested is None else Shift(**requested),
    )


def _expressing(data: dict[str, Any]) -> Expressing:
    return Expressing(**data | {"rows": tuple(ExpressingRow(**row) for row in data.get("rows", ()))})


def _explanations(data: dict[str, Any]) -> Explanations:
    margins = tuple(Margin(**found | {"beyond": Shift(**found["beyond"])}) for found in data.get("margins", ()))
    return Explanations(**data | {"margins": margins})
