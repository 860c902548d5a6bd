"""One row's text to plain JSON values, and what JSON lets through that a signal must not hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pytest_persona.errors import SignalError
from pytest_persona.load.signals.problems import Place, quote

__all__ = ["MAX_DEPTH", "MAX_ROW", "decode_row", "decode_text", "plain_row", "refuse_flaws", "too_long"]

MAX_ROW = 10_000_000
"""Bytes that one row may have."""
MAX_DEPTH = 100
"""Levels that a row may be nested."""

_ONE_LINE = "A row is one JSON object; in JSON lines it stands on one line"


class _DuplicateKey(ValueError):
    pass


def decode_text(raw: bytes, place: Place) -> str:
    """The text of UTF-8 bytes that begin at the place; raises SignalError at the line of the first wrong byte."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        column = error.start - raw.rfind(b"\n", 0, error.start)
        where = place.down(raw.count(b"\n", 0, error.start))
        raise where.error(f"byte {column} (0x{raw[error.start]:02x}) is not UTF-8", "Save the file as UTF-8") from None


def decode_row(raw: bytes, place: Place) -> dict[str, Any]:
    """The JSON object that the bytes are; raises SignalError for all else, duplicate keys among it."""
    text = decode_text(raw, place)
    if "\0" in text:
        raise place.error("there is a NUL byte in the row", "Remove it")
    try:
        value = json.loads(text, object_pairs_hook=_without_duplicates)
    except RecursionError:
        raise _too_deep(place) from None
    except _DuplicateKey as error:
        raise place.error(f"the key {quote(str(error), 40)} stands twice in one object", "Keep one of them") from None
    except json.JSONDecodeError as error:
        near = quote(text[error.pos : error.pos + 40], 40) if error.pos < len(text) else "the end"
        where = place.down(error.lineno - 1)
        raise where.error(f"not valid JSON at column {error.colno}, before {near} ({error.msg})", _ONE_LINE) from None
    except ValueError:  # an integer of more digits than Python reads
        raise place.error("a number has too many digits", "Shorten it") from None
    if not isinstance(value, dict):
        raise place.error(f"a JSON {_TYPES.get(type(value), 'number')} is not a row", _ONE_LINE)
    refuse_flaws(value, place)
    return value


def plain_row(row: object, place: Place) -> tuple[dict[str, Any], bytes]:
    """A row of plain JSON values from one in memory, and its canonical JSON; raises SignalError for all else."""
    if not isinstance(row, Mapping):
        raise place.error(f"{quote(type(row).__name__)} is not a row", "A row is a dict with names of fields as keys")
    try:
        text = json.dumps(dict(row), default=_plain_mapping)
        canonical = json.dumps(json.loads(text), sort_keys=True, separators=(",", ":"))
    except RecursionError:
        raise _too_deep(place) from None
    except (TypeError, ValueError) as error:
        raise place.error(f"is not plain JSON: {quote(str(error))}", "Use strings, numbers, lists and dicts") from None
    return decode_row(text.encode("ascii"), place), canonical.encode("ascii")


def too_long(place: Place) -> SignalError:
    """The error of a row that is longer than :data:`MAX_ROW`."""
    return place.error(f"the row is longer than {MAX_ROW // 1_000_000} MB", "Shorten or split it")


def refuse_flaws(row: Mapping[str, Any], place: Place) -> None:
    """Raise SignalError for texts that are no Unicode text, hold NUL, or are nested too deep."""
    try:
        flaw = _flaw(row, MAX_DEPTH)
    except RecursionError:  # where the caller is deep itself
        raise _too_deep(place) from None
    if flaw:
        path, problem, remedy = flaw
        raise place.error(problem, remedy, field=path.lstrip("."))


def _flaw(value: object, depth: int) -> tuple[str, str, str] | None:
    if isinstance(value, str):
        if "\0" in value:
            return "", "there is a NUL character in the text", "Remove it"
        if not value.isascii() and any("\ud800" <= c <= "\udfff" for c in value):
            return "", "there is a lone surrogate in the text, half of a character", "Write the whole character"
        return None
    if not isinstance(value, (Mapping, list)):
        return None
    if not depth:
        return "", f"nested deeper than {MAX_DEPTH} levels", "Flatten it"
    inner = value.items() if isinstance(value, Mapping) else enumerate(value)
    for key, item in inner:
        found = _flaw(key, depth) or _flaw(item, depth - 1)
        if found:
            path, problem, remedy = found
            step = f"[{key}]" if isinstance(key, int) else "." + (key if key.isidentifier() else quote(key, 40))
            return (step + path)[:80], problem, remedy
    return None


def _too_deep(place: Place) -> SignalError:
    return place.error(f"nested deeper than {MAX_DEPTH} levels", "Flatten it")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        seen: set[str] = set()
        raise _DuplicateKey(next(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]
    return result


def _plain_mapping(value: object) -> dict[Any, Any]:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a value of type {type(value).__name__}")


_TYPES: dict[type, str] = {str: "string", list: "array", bool: "truth value", type(None): "null"}
