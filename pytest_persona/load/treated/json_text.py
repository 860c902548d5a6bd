"""Changes to a JSON text that leave every byte around them as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

__all__ = ["AddKey", "Change", "InsertItem", "InsertText", "Path", "SetText", "changed", "elements"]

Path = tuple[str | int, ...]
"""Keys and positions from the top."""

_BLANK = re.compile(r"[ \t\n\r]*")
_CHARACTER = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|[^\\]", re.DOTALL
)
"""One character as it is written in a string."""
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, kw_only=True, slots=True)
class InsertText:
    """Put ``text`` into the string at ``path``, before its character ``at``."""

    path: Path
    text: str
    at: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class SetText:
    """Put a string in the place of the value at ``path``."""

    path: Path
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class InsertItem:
    """Put an item first into the list at ``path``, which may be empty."""

    path: Path
    item: object


@dataclass(frozen=True, kw_only=True, slots=True)
class AddKey:
    """Put a key first into the object at the top, which is not empty."""

    key: str
    value: object


Change = InsertText | SetText | InsertItem | AddKey


def changed(raw: str, changes: Iterable[Change]) -> str:
    """The text of a JSON value with changes made, each to another place; what is new is ASCII where the text is.

    Raises KeyError or IndexError for a path that leads nowhere.
    """
    ascii_only = raw.isascii()

    def written(value: object) -> str:
        return json.dumps(value, ensure_ascii=ascii_only)

    pieces = sorted((_piece(raw, change, written) for change in changes), reverse=True)
    for start, end, text in pieces:
        raw = raw[:start] + text + raw[end:]
    return raw


def elements(raw: str) -> Iterator[tuple[int, int]]:
    """Where each element of a JSON array begins and ends in its text, which is known to be valid."""
    at = _skip(raw, _skip(raw, 0) + 1)
    while raw[at] != "]":
        _, end = _DECODER.raw_decode(raw, at)
        yield at, end
        at = _skip(raw, end)
        if raw[at] == ",":
            at = _skip(raw, at + 1)


def _piece(raw: str, change: Change, written: Callable[[object], str]) -> tuple[int, int, str]:
    if isinstance(change, AddKey):
        start = _skip(raw, 0) + 1
        return start, start, f"{written(change.key)}: {written(change.value)}, "
    start, end = _span(raw, _skip(raw, 0), change.path)
    if isinstance(change, SetText):
        return start, end, written(change.text)
    if isinstance(change, InsertItem):
        empty = raw[_skip(raw, start + 1)] == "]"
        return start + 1, start + 1, written(change.item) + ("" if empty else ", ")
    place = start + 1
    for _ in range(change.at):
        found = _CHARACTER.match(raw, place)
        if found is None or found.end() >= end:
            raise IndexError(change.at)
        place = found.end()
    return place, place, written(change.text)[1:-1]


def _span(raw: str, at: int, path: Path) -> tuple[int, int]:
    """Where the value at ``path``, of the value that begins at ``at``, begins and ends."""
    if not path:
        return at, _DECODER.raw_decode(raw, at)[1]
    wanted, *rest = path
    is_object = raw[at] == "{"
    if raw[at] not in "{[" or isinstance(wanted, str) != is_object:
        raise KeyError(wanted)
    at, number = _skip(raw, at + 1), 0
    while raw[at] not in "}]":
        key: object = number
        if is_object:
            key, end = _DECODER.raw_decode(raw, at)
            at = _skip(raw, _skip(raw, end) + 1)
        if key == wanted:
            return _span(raw, at, tuple(rest))
        at = _skip(raw, _DECODER.raw_decode(raw, at)[1])
        if raw[at] == ",":
            at = _skip(raw, at + 1)
        number += 1
    raise KeyError(wanted)


def _skip(raw: str, at: int) -> int:
    found = _BLANK.match(raw, at)
    assert found is not None
    return found.end()
