"""The columns of a profile as short texts and back: what would be thousands of lines of JSON is a few."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_persona.model.units import FrozenSample, Units

__all__ = ["column_from", "column_text", "frozen_document", "frozen_from", "units_document", "units_from"]

_SCALE = 10_000
_NONE = "."


def units_document(units: Units) -> dict[str, Any]:
    """The columns as plain JSON data: what stands in a place is divided by blanks, numbers are ten-thousandths."""
    return {
        "groups": " ".join(units.groups),
        "asked": " ".join(units.asked),
        "content": " ".join(units.content),
        "lines": " ".join(map(str, units.lines)),
        "read": "".join("1" if read else "0" for read in units.read),
        "values": {trait: column_text(column) for trait, column in units.values.items()},
        "reach": {trait: float(f"{most:.6g}") for trait, most in units.reach.items()},
        "definitions": dict(units.definitions),
        "of": units.of,
    }


def units_from(data: Mapping[str, Any]) -> Units | None:
    """The columns of such a document; None where they are not of one length, so that nothing can be paired with them."""
    units = Units(
        groups=tuple(data["groups"].split()),
        asked=tuple(data["asked"].split()),
        content=tuple(data["content"].split()),
        lines=tuple(map(int, data["lines"].split())),
        read=tuple(mark == "1" for mark in data["read"]),
        values={trait: column_from(text) for trait, text in data["values"].items()},
        reach=dict(data["reach"]),
        definitions=dict(data["definitions"]),
        of=data["of"],
    )
    columns = (units.asked, units.content, units.lines, units.read, *units.values.values())
    known = units.values.keys() == units.reach.keys() == units.definitions.keys()
    return units if known and all(len(column) == len(units.groups) for column in columns) else None


def column_text(column: tuple[float | None, ...]) -> str:
    """One column of values."""
    return " ".join(_NONE if value is None else str(round(value * _SCALE)) for value in column)


def column_from(text: str) -> tuple[float | None, ...]:
    """The values of a column's text."""
    return tuple(None if value == _NONE else int(value) / _SCALE for value in text.split())


def frozen_document(sample: FrozenSample) -> dict[str, str]:
    """A judge's readings of anchors as plain JSON data."""
    return {"texts": sample.texts, "high": column_text(sample.high), "low": column_text(sample.low)}


def frozen_from(data: Mapping[str, str]) -> FrozenSample:
    """The readings of such a document."""
    return FrozenSample(texts=data["texts"], high=column_from(data["high"]), low=column_from(data["low"]))
