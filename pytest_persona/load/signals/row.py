"""One row, asked for its fields; every answer that is no answer is an error that says what would be."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_persona.errors import SignalError
from pytest_persona.load.signals.problems import Place, nearest, quote, quote_all

__all__ = ["Row"]

_ABSENT = object()


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """A row's values by field; a mapped field is read from its column, in which dots reach into objects."""

    place: Place
    data: Mapping[str, Any]
    fields: Mapping[str, str]
    cells: bool = False
    """Whether values are cells of a table: numbers are text there, and an empty cell stands for none."""
    parts: Counter[str] = field(default_factory=Counter)
    """How many parts other than text were read as labels, by kind."""

    def error(self, field: str, problem: str, remedy: str = "") -> SignalError:
        """The problem, said of a field of this row."""
        return self.place.error(problem, remedy, field)

    def check_fields(self) -> None:
        """Raise SignalError for a mapped column that the row does not have."""
        for name, column in self.fields.items():
            if self._value(name) is _ABSENT:
                near = nearest(column, self.data)
                remedy = f"Did you mean {quote(near, 40)}? " if near else ""
                raise self.error(
                    name, f"there is no column {quote(column, 40)}", f"{remedy}Fields seen: {quote_all(self.data)}"
                )

    def has(self, *names: str) -> bool:
        """Whether any of the fields is in the row, null or not."""
        if not self.fields:
            return not self.data.keys().isdisjoint(names)
        return any(self._value(name) is not _ABSENT for name in names)

    def get(self, name: str) -> Any:
        """The field's value; None where it is absent, null or an empty cell."""
        value = self._value(name)
        return None if value is _ABSENT or (self.cells and value == "") else value

    def first(self, *names: str) -> str:
        """The first of the fields that is in the row; raises SignalError where none is."""
        for name in names:
            if self.has(name):
                return name
        raise self.missing(*names)

    def only(self, *names: str) -> str:
        """The one of the fields (synonyms) that is in the row; raises SignalError where none or several are."""
        found = [name for name in names if self.has(name)]
        if len(found) > 1 and found[0] not in self.fields:
            choice = " or ".join(f"--map {names[0]}={name}" for name in found)
            raise self.error(found[0], f"the row also has {quote_all(found[1:])}", f"Say which: {choice}")
        return self.first(*names)

    def text(self, name: str) -> str:
        """The field's text, which is not empty."""
        if not self.has(name):
            raise self.missing(name)
        return self.checked_text(name, self._value(name))

    def checked_text(self, where: str, value: object) -> str:
        """The value, where it is a text that is not empty; ``where`` names it in the error."""
        if not isinstance(value, str):
            raise self.error(where, f"{_named(value)} is not a text", "Write a string")
        if not value.strip():
            raise self.error(where, "the text is empty", "Write it, or leave the row out")
        return value

    def optional_text(self, name: str) -> str | None:
        """The field's text; None where it is absent, null or an empty string."""
        value = self.get(name)
        return None if value in (None, "") else self.checked_text(name, value)

    def number(self, where: str, value: object) -> float:
        """The value as a finite number; ``where`` names it in the error."""
        if self.cells and isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                raise self.error(where, f"{quote(str(value))} is not a number", "Write a finite number") from None
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.error(where, f"{_named(value)} is not a number", "Write a finite number")
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise self.error(where, f"{number} is not a finite number", "Write a finite number")
        return number

    def missing(self, *names: str) -> SignalError:
        """The error of a row that has none of the fields."""
        name = names[0]
        near = next((near for wanted in names if (near := nearest(wanted, self.data)) and near not in names), None)
        other = f" (or {', '.join(names[1:])})" if names[1:] else ""
        remedy = f"Rename {quote(near, 40)}, or say --map" if near else f"Add it{other}, or say --map"
        column = near if near and near.isidentifier() else "COLUMN"
        return self.error(name, f"the field is missing; seen: {quote_all(self.data)}", f"{remedy} {name}={column}")

    def _value(self, name: str) -> Any:
        column = self.fields.get(name)
        if column is None:
            return self.data.get(name, _ABSENT)
        if column in self.data:
            return self.data[column]
        value: Any = self.data
        for step in column.split("."):
            value = value.get(step, _ABSENT) if isinstance(value, Mapping) else _ABSENT
        return value


def _named(value: object) -> str:
    names = {type(None): "null", bool: "a truth value", str: "a text", list: "a list", dict: "an object"}
    return names.get(type(value), "a number")
