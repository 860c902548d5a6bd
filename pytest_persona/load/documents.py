"""Documents that users write: read strictly, and remembered line by line so that every error can say where."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_persona.errors import InputError
from pytest_persona.load.documents_text import Lines, Part, Unreadable, parse_json, parse_toml, parse_yaml

__all__ = ["MAX_BYTES", "Document", "field_name", "nearest", "read_document", "shown"]

MAX_BYTES = 5_000_000
"""The largest document that is read."""

_PARSERS: Mapping[str, Callable[[str], tuple[Any, Lines]]] = {
    ".yaml": parse_yaml, ".yml": parse_yaml, ".json": parse_json, ".toml": parse_toml,
}  # fmt: skip
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff]")
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_$:/-]{1,80}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """Plain data from a file: None, bool, int, finite float, str, list, and dict with text keys."""

    path: str
    """As it is shown to people."""
    data: Any
    lines: Mapping[Part, int]

    def line(self, part: Part) -> int | None:
        """The line of a part, or of the nearest part around it whose line is known."""
        for length in range(len(part), -1, -1):
            if part[:length] in self.lines:
                return self.lines[part[:length]]
        return None

    def error(self, kind: type[InputError], part: Part, problem: str, remedy: str) -> InputError:
        """An error of the class ``kind`` that names the document, the part and its line."""
        return kind(problem, remedy=remedy, path=self.path, line=self.line(part), field=field_name(part))


def read_document(
    path: Path, kind: type[InputError], *, root: Path | None = None, format: str = "", most: int = MAX_BYTES
) -> Document:
    """A ``.yaml``, ``.yml``, ``.json`` or ``.toml`` file of at most ``most`` bytes.

    ``root``: paths in errors are shown relative to it; ``format``: the ending to go by instead of the path's.
    Raises ``kind`` for anything that is not such a document, with the line where there is one.
    """
    name = shown(path, root)
    parse = _PARSERS.get(format or path.suffix.lower())
    if parse is None:
        raise kind("is of no format that is read here", remedy=f"Use one of {', '.join(_PARSERS)}", path=name)
    text = _text(path, name, kind, most)
    empty = kind("is empty", remedy="Write the document, or name another file", path=name)
    if not text.strip():
        raise empty
    try:
        data, lines = parse(text)
    except Unreadable as error:
        line, field = error.line, field_name(error.part)
        raise kind(error.problem, remedy=error.remedy, path=name, line=line, field=field) from None
    document = Document(path=name, data=data, lines=lines)
    if data is None:
        raise empty
    _refuse_odd_values(document, kind, data, ())
    return document


def shown(path: Path, root: Path | None = None) -> str:
    """A path for people: relative to ``root`` (default: the working directory) when it lies below it."""
    try:
        return path.relative_to(root or Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()


def field_name(part: Part) -> str:
    """``expect.sycophancy.at_most`` or ``pairs[3].high`` (positions count from 0); odd keys are quoted."""
    text = ""
    for step in part:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            name = step if _PLAIN_KEY.fullmatch(step) else repr(step[:80])
            text += f".{name}" if text else name
    return text


def nearest(name: str, known: Iterable[str]) -> str:
    """A remedy for a name that is not known: the names that look like it, else all of them."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if near:
        return f"The nearest known: {', '.join(repr(n) for n in near)}"
    return f"Known: {', '.join(names)}" if names else "None is known here"


def _text(path: Path, name: str, kind: type[InputError], most: int) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(most + 1)
    except FileNotFoundError:
        raise kind("there is no such file", remedy="Check the path; it is read as written here", path=name) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise kind(f"cannot be opened: {why}", remedy="Name a file that can be read", path=name) from None
    if len(raw) > most:
        raise kind(f"is larger than {most // 1_000_000} MB", remedy="Split it, or take rows out", path=name)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise kind("is not valid UTF-8", remedy="Save the file as UTF-8", path=name, line=line) from None
    if odd := _CONTROL.search(text):
        line = text.count("\n", 0, odd.start()) + 1
        problem = f"holds the control character U+{ord(odd.group()):04X}"
        raise kind(problem, remedy="Take it out", path=name, line=line)
    return text


def _refuse_odd_values(document: Document, kind: type[InputError], value: Any, part: Part) -> None:
    """Numbers that are not finite and halves of characters are valid in some formats, but of no use here."""
    if isinstance(value, dict):
        for key, item in value.items():
            _refuse_odd_values(document, kind, key, (*part, key))
            _refuse_odd_values(document, kind, item, (*part, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_odd_values(document, kind, item, (*part, index))
    elif isinstance(value, str):
        if not value.isascii() and re.search("[\ud800-\udfff]", value):
            raise document.error(kind, part, "holds half a character (a lone surrogate)", "Take it out")
    elif isinstance(value, float) and not math.isfinite(value):
        raise document.error(kind, part, "is not a finite number", "Write a number in decimal digits")
    elif isinstance(value, int) and abs(value) >= 2**63:
        raise document.error(kind, part, "is too large a number", "Write a smaller number")
