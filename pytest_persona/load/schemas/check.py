"""A document against its JSON Schema: the most specific error, in the house's words and with its line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pytest_persona.errors import InputError
from pytest_persona.load.documents import Document, nearest
from pytest_persona.load.documents_text import Part
from pytest_persona.load.schemas import schema_text

if TYPE_CHECKING:
    from jsonschema import ValidationError

__all__ = ["check"]

_TYPES = {
    "string": "text", "number": "a number", "integer": "a whole number", "boolean": "true or false",
    "array": "a list", "object": "a mapping", "null": "null",
}  # fmt: skip


def check(document: Document, name: str, kind: type[InputError]) -> None:
    """Raise ``kind`` with the line, the field and a remedy where the document does not fit the schema ``name``."""
    from jsonschema.exceptions import best_match

    errors = list(_validator(name).iter_errors(document.data))
    best = best_match(errors)
    if best is None:
        return
    if best.validator == "required":  # a misspelt key is both missing and unknown; the second says what to mend
        same = [e for e in errors if e.validator == "additionalProperties" and e.absolute_path == best.absolute_path]
        best = same[0] if same else best
    part, problem, remedy = _in_words(best)
    raise document.error(kind, part, problem, remedy)


@lru_cache
def _validator(name: str) -> Any:
    from jsonschema import Draft202012Validator, validators

    strict: Any = validators.extend(Draft202012Validator, {"pattern": _pattern})  # type: ignore[no-untyped-call]
    return strict(json.loads(schema_text(name)))


def _pattern(validator: Any, pattern: str, value: object, schema: Any) -> Iterator[ValidationError]:
    from jsonschema import ValidationError

    # `$` is the very end, as JSON Schema (ECMA 262) has it; Python's also matches before a last line end
    if isinstance(value, str) and not re.search(pattern.replace("$", r"\Z"), value):
        yield ValidationError("pattern")


def _in_words(error: ValidationError) -> tuple[Part, str, str]:
    """Where, what is wrong, what would be right."""
    part: Part = tuple(error.absolute_path)
    value: Any = error.instance
    wanted: Any = error.validator_value
    schema: Any = error.schema
    match error.validator:
        case "additionalProperties":
            unknown = next(key for key in value if key not in schema["properties"])
            known = [key for key in schema["properties"] if not key.startswith("$")]
            return (
                (*part, unknown),
                "no such key",
                nearest(unknown, [key for key in known if key not in value] or known),
            )
        case "required":
            missing = next(key for key in wanted if key not in value)
            form = schema["properties"][missing]
            what = (
                json.dumps(form["const"]) if "const" in form else form.get("description", form.get("title", "a value"))
            )
            return part, f"{missing!r} is missing", f"Add it: {what}"
        case "type":
            return part, f"must be {_TYPES[wanted]}, not {_shown(value)}", _remedy_for_type(wanted, value)
        case "anyOf":
            forms = " or ".join(dict.fromkeys(_TYPES[form.get("type", "object")] for form in wanted))
            return part, f"must be {forms}, not {_shown(value)}", f"Write {forms}"
        case "enum":
            return part, f"there is no {_shown(value)} here", nearest(str(value), wanted)
        case "const":
            return part, f"{_shown(value)} is not a version that is read here", f"Write {json.dumps(wanted)}"
        case "pattern" if wanted == r"\S":
            return part, "is empty", "Write some text"
        case "pattern" if not wanted.startswith("^[A-Za-z0-9]["):
            return part, "is not of the form that is written here", "Make the file again"
        case "pattern" | "maxLength":
            if "propertyNames" in error.absolute_schema_path:
                part = (*part, value)
            problem = f"{_shown(value)} is not a name"
            return part, problem, "Use at most 80 letters, digits, '-', '_' and '.', and one ':' after a package's name"
        case "minItems" | "minProperties":
            there = f"only {len(value)} entries are there" if value else "is empty"
            return part, there, "Give at least one" if wanted == 1 else f"At least {wanted} are needed"
        case "minimum" | "maximum":
            low, high = schema["minimum"], schema["maximum"]
            return part, f"{_shown(value)} is out of range", f"Give a number from {low} to {high}"
        case other:  # a keyword that the generator has not used so far
            return part, f"does not fit the schema ({other})", "See the schema, `pytest-persona schema`"


def _remedy_for_type(wanted: str, value: Any) -> str:
    if wanted == "string" and value is not None and not isinstance(value, list | dict):
        return "Put it in quotes"
    return f"Write {_TYPES[wanted]}"


def _shown(value: Any) -> str:
    """A value in one short line, without anything that could steer a terminal."""
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "a mapping"
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
