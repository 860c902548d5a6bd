"""docs/reference/suite-format.md has every key of a suite, as its schema says it."""

from __future__ import annotations

import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from pytest_persona.load.schemas import schema_text

DOCS = Path(__file__).parents[2] / "docs"
GENERATOR = runpy.run_path(str(DOCS / "suite_format.py"))
PAGE = (DOCS / "reference" / "suite-format.md").read_text("utf-8")
SCHEMA = json.loads(schema_text("suite"))


def test_what_is_generated_is_up_to_date() -> None:
    (found,) = GENERATOR["GENERATED"].findall(PAGE)
    assert found == GENERATOR["generated"](), "run: python docs/suite_format.py"


@pytest.mark.parametrize("form", [SCHEMA, *SCHEMA["$defs"].values()], ids=["suite", *SCHEMA["$defs"]])
def test_every_key_has_a_row(form: dict[str, Any]) -> None:
    for key, value in form["properties"].items():
        (row,) = [
            line
            for line in PAGE.splitlines()
            if line.startswith(f"| `{key}` |") and _plain(value["description"]) in _plain(line)
        ]
        assert ("**Required.**" in row) is (key in form.get("required", ()))


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"type": "number"}, "number"),
        ({"type": "integer", "minimum": 0}, "whole number from 0"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 1}, "number above 0 to 1"),
        ({"type": "boolean"}, "true or false"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "mapping to text"),
    ],
)
def test_kinds_of_values_are_said_in_words(part: dict[str, Any], words: str) -> None:
    assert GENERATOR["_kind"](part) == words


def _plain(text: str) -> str:
    return " ".join(text.replace("`", "").split())
