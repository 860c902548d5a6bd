"""Profiles to documents and back: the one JSON shape that is saved, compared, reported and sent between processes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_persona.errors import ProfileError
from pytest_persona.load.comparisons import comparison_document, comparison_from
from pytest_persona.load.documents import Document, read_document
from pytest_persona.load.documents_text import Part
from pytest_persona.load.plain import plain
from pytest_persona.load.schemas.check import check
from pytest_persona.load.units import frozen_document, frozen_from, units_document, units_from
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
    Rate,
    Reading,
    Shift,
)
from pytest_persona.model.probes import Asked, Tally, TargetInfo
from pytest_persona.model.traits import Expectation
from pytest_persona.model.verdicts import Usage

__all__ = [
    "SCHEMA", "SEVERAL", "profile_document", "profile_from", "read_profile", "read_profiles", "row_document",
]  # fmt: skip

SCHEMA = "pytest-persona/profile/v1"
"""The first value of every profile document."""
SEVERAL = "pytest-persona/profiles/v1"
"""That of a document with any number of profiles but one."""


_MOST_BYTES = 100_000_000
"""A profile of thousands of groups and two dozen traits takes one million, and a baseline holds many."""
_VERSIONED = re.compile("pytest-persona/profiles?/")


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
        "target": plain(profile.target),
        "asked": plain(profile.asked),
        "tallies": plain(profile.tallies),
        "settings": plain(profile.settings, digits=17),
        "notes": list(profile.notes),
        "units": None if profile.units is None else units_document(profile.units),
        "frozen": {trait: frozen_document(sample) for trait, sample in profile.frozen.items()},
        "drift": None if profile.drift is None else comparison_document(profile.drift),
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
    return _checked(read_document(path, ProfileError, format=".json", most=_MOST_BYTES))


def read_profiles(path: Path) -> tuple[Profile, ...]:
    """The profiles of a file with one or with several; raises as :func:`read_profile`."""
    document = read_document(path, ProfileError, format=".json", most=_MOST_BYTES)
    if isinstance(document.data, dict) and document.data.get("schema") == SEVERAL:
        for index, one in enumerate(document.data.get("profiles", ())):
            _refuse_other_version(document, one, ("profiles", index))
        check(document, "profiles", ProfileError)
        return tuple(_profile(one) for one in document.data["profiles"])
    return (_checked(document),)


def _finding_document(finding: Finding) -> dict[str, Any]:
    document: dict[str, Any] = plain(finding)
    if finding.expectation is not None:
        bounds = plain(finding.expectation, digits=17)
        document["expectation"] = {
            name: bound for name, bound in bounds.items() if name != "trait" and bound is not None
        }
    return document


def _checked(document: Document) -> Profile:
    _refuse_other_version(document, document.data, ())
    check(document, "profile", ProfileError)
    return _profile(document.data)


def _refuse_other_version(document: Document, data: Any, part: Part) -> None:
    schema = data.get("schema") if isinstance(data, dict) else None
    if not isinstance(schema, str) or schema in (SCHEMA, SEVERAL):
        return
    if _VERSIONED.match(schema):
        remedy = f"This version reads {SCHEMA}; make the profile again, or use the version that wrote it"
        problem = f"{schema[:60]!r} is another version of the format"
        raise document.error(ProfileError, (*part, "schema"), problem, remedy)
    if schema.startswith("pytest-persona/"):
        problem = f"{schema[:60]!r} is another kind of document"
        raise document.error(ProfileError, (*part, "schema"), problem, "Name a profile, as --json writes it")


def _profile(data: Mapping[str, Any]) -> Profile:
    target, asked = data["target"], data["asked"]
    return Profile(
        name=data["name"],
        signal=SignalInfo(**data["signal"]),
        judge=JudgeInfo(**data["judge"]),
        findings=tuple(_finding(finding) for finding in data["findings"]),
        usage=Usage(**data["usage"]),
        settings=data["settings"],
        suite_sha256=data["suite_sha256"],
        target=None if target is None else TargetInfo(**target),
        asked=None if asked is None else Asked(**asked),
        tallies=tuple(Tally(**tally) for tally in data["tallies"]),
        groups_read=data["groups_read"],
        notes=tuple(data["notes"]),
        units=None if data["units"] is None else units_from(data["units"]),
        frozen={trait: frozen_from(sample) for trait, sample in data["frozen"].items()},
        drift=None if data["drift"] is None else comparison_from(data["drift"]),
    )


def _finding(data: dict[str, Any]) -> Finding:
    # Only what has no default must be in a document.
    expectation, other, null = data.get("expectation"), data.get("other_scope"), data.get("null")
    without, explanations, rate = data.get("counterfactual"), data.get("explanations"), data.get("rate")
    return Finding(
        **data
        | {
            "shift": Shift(**data["shift"]),
            "expressed": Shift(**data["expressed"]),
            "requested": Shift(**data["requested"]),
            "expectation": None if expectation is None else Expectation(trait=data["trait"], **expectation),
            "other_scope": None if other is None else Shift(**other),
            "rate": None if rate is None else Rate(**rate),
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
