"""``python -m pytest_persona.load.schemas`` writes the JSON Schemas anew, from ``files.py`` and the model."""

from __future__ import annotations

import json
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from pytest_persona.load.schemas import NAMES, schema_path
from pytest_persona.load.schemas.config import CONFIG
from pytest_persona.load.schemas.drift import ConfirmationFile, DriftFile, HistoryLine
from pytest_persona.load.schemas.files import (
    Bounds,
    InlineTrait,
    NeutralFile,
    NullsFile,
    PersonaFile,
    RequestsFile,
    SuiteFile,
    TraitFile,
)
from pytest_persona.load.schemas.inoculations import InoculationFile, InoculationsFile
from pytest_persona.load.schemas.locks import LockFile
from pytest_persona.load.schemas.portraits import PortraitFile
from pytest_persona.load.schemas.profiles import ProfileFile, ProfilesFile
from pytest_persona.load.schemas.rows import SignalRow
from pytest_persona.model import portrait
from pytest_persona.model.confirmation import Agreement, Confirmed
from pytest_persona.model.drift import (
    Bridge,
    DataChange,
    Drift,
    JudgeChange,
    Looks,
    OtherScope,
    Parts,
    ProductChange,
    QuestionChange,
)
from pytest_persona.model.episodes import SignalInfo
from pytest_persona.model.findings import (
    Evidence,
    Finding,
    JudgeInfo,
    Nuisance,
    NullTest,
    Rate,
    Reading,
    Shift,
)
from pytest_persona.model.inoculation import ArmReading, Explained, InoculationFinding, Phrasing
from pytest_persona.model.portrait import CharacterReading, Passage, Prediction, ProbeForecast, Sampled
from pytest_persona.model.probes import Asked, Tally, TargetInfo
from pytest_persona.model.verdicts import Usage

_ROOTS: dict[str, tuple[Any, JsonSchemaMode, str]] = {
    "suite": (SuiteFile, "validation", "A pytest-persona suite"),
    "trait": (TraitFile, "validation", "A pytest-persona trait"),
    "profile": (ProfileFile, "serialization", "A pytest-persona profile"),
    "profiles": (ProfilesFile, "serialization", "Several pytest-persona profiles"),
    "drift": (DriftFile, "serialization", "A change between two pytest-persona profiles"),
    "confirmation": (ConfirmationFile, "serialization", "Predicted against observed"),
    "history": (HistoryLine, "serialization", "A line of a history: one run against a baseline"),
    "rows": (Reading, "serialization", "A line of --persona-rows: one behaviour and one trait"),
    "lock": (LockFile, "validation", "The lock of the suites that a project uses"),
    "signal": (SignalRow, "validation", "A row of a training signal"),
    "requests": (RequestsFile, "validation", "The request contexts of the pytest-persona library"),
    "neutral": (NeutralFile, "validation", "The neutral replies of the pytest-persona library"),
    "persona": (PersonaFile, "validation", "A pytest-persona character"),
    "nulls": (NullsFile, "validation", "The null characters of the pytest-persona library"),
    "inoculation": (InoculationFile, "serialization", "A pytest-persona inoculation experiment"),
    "inoculations": (InoculationsFile, "validation", "The texts for inoculation of the pytest-persona library"),
    "portrait": (PortraitFile, "serialization", "A pytest-persona portrait"),
}


def generated(name: str) -> str:
    """The JSON Schema (draft 2020-12) of a kind of file, as it is committed."""
    # The model stays free of pydantic: what pydantic must know of it is set here, in the generator's process alone.
    nouns: tuple[Any, ...] = (
        SignalInfo, Evidence, Finding, JudgeInfo, Nuisance, NullTest, Rate, Reading, Shift, Usage, Asked, Tally,
        TargetInfo,
        ArmReading, Explained, InoculationFinding, Phrasing,
        CharacterReading, portrait.Comparison, Passage, Prediction, ProbeForecast, Sampled,
        Bridge, DataChange, Drift, JudgeChange, Looks, OtherScope, Parts, ProductChange, QuestionChange,
        Agreement, Confirmed,
    )  # fmt: skip
    for noun in nouns:
        noun.__pydantic_config__ = CONFIG
    root, mode, title = _ROOTS[name]
    body = TypeAdapter(root).json_schema(mode=mode)
    _name_keys(body)
    if name in (
        "profile",
        "profiles",
    ):  # the trait is named by the finding, and bounds that were not declared are left out
        body["$defs"]["Expectation"] = TypeAdapter(Bounds).json_schema()
    if name == "trait":  # pydantic reads no docstrings of what is inherited
        body["properties"] |= TypeAdapter(InlineTrait).json_schema()["properties"]
    if name == "suite":
        _tell_apart(body["properties"]["traits"])
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:pytest-persona:{name}:v1",
        **body,
        "title": title,
    }
    return json.dumps(head, indent=1, ensure_ascii=False) + "\n"


def _name_keys(schema: Any) -> None:
    """Keys that must be names: said with propertyNames, so that other keys are refused instead of passed over."""
    if isinstance(schema, dict):
        if "patternProperties" in schema:
            ((pattern, values),) = schema.pop("patternProperties").items()
            schema["propertyNames"] = {"pattern": pattern, **schema.get("propertyNames", {})}
            schema["additionalProperties"] = values
        for part in schema.values():
            _name_keys(part)
    elif isinstance(schema, list):
        for part in schema:
            _name_keys(part)


def _tell_apart(traits: dict[str, Any]) -> None:
    """Definition or file: with if / then / else an error speaks of the form that was meant, with anyOf of both."""
    _, mapping = traits["anyOf"]
    inline, reference = mapping["additionalProperties"]["anyOf"]
    mapping["additionalProperties"] = {"if": {"required": ["file"]}, "then": reference, "else": inline}


def main() -> None:
    """Write every schema beside this module."""
    for name in NAMES:
        schema_path(name).write_text(generated(name), encoding="utf-8")


if __name__ == "__main__":
    main()
