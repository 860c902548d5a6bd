"""Strict parsers: text of YAML, JSON or TOML to plain data and the line of every part of it.

What YAML lets slip is refused: keys given twice (PyYAML keeps the last in silence), anchors and aliases (a few lines
can expand to gigabytes), tags, keys that are not text, a second document. Only ``true`` and ``false`` are booleans;
``yes``, ``on`` and dates are text. Data is None, bool, int, float, str, list or dict with text keys, nothing else.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from typing import Any, NoReturn

import yaml

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found, unused-ignore]

__all__ = ["MAX_DEPTH", "Lines", "Part", "Unreadable", "parse_json", "parse_toml", "parse_yaml"]

Part = tuple[str | int, ...]
"""The place of a part in a document: keys and list positions from the top."""
Lines = dict[Part, int]
"""The line, from 1, on which each part begins; for a value of a mapping, the line of its key."""

MAX_DEPTH = 32
"""Lists and mappings within one another."""

_DEEP = ("is nested too deeply", f"At most {MAX_DEPTH} lists and mappings within one another are read")
_UNTABBED = "Indent with spaces"
_QUOTE = "Put text that holds ': ', ' #' or a bracket in quotes or in a block that begins with '|-'"

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WHOLE = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_INK = re.compile(r"\S")
_TOML_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]")
_TOML_KEY = re.compile(r"""\s*((?:[\w-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[\w-]+|"[^"]*"|'[^']*'))*)\s*=(.*)""")
_TOML_NAME = re.compile(r"""[\w-]+|"[^"]*"|'[^']*'""")


class Unreadable(Exception):
    """Text that is not a document of the wanted kind: the problem, what would mend it, and where."""

    def __init__(self, problem: str, remedy: str, *, line: int | None = None, part: Part = ()) -> None:
        self.problem, self.remedy, self.line, self.part = problem, remedy, line, part
        super().__init__(problem)


class _Builder:
    """Puts data together from what a parser meets, in order, and notes lines."""

    def __init__(self) -> None:
        self.data: Any = None
        self.lines: Lines = {(): 1}
        self._open: list[tuple[Any, Part]] = []
        self._key: str | None = None

    @property
    def wants_key(self) -> bool:
        """Whether a mapping is open whose next key has not come yet."""
        return bool(self._open) and isinstance(self._open[-1][0], dict) and self._key is None

    def key(self, name: str, line: int) -> None:
        mapping, part = self._open[-1]
        here = (*part, name)
        if name in mapping:
            raise Unreadable(
                f"the key is given twice, first on line {self.lines[here]}", "Keep one of them", line=line, part=here
            )
        self.lines[here] = line
        self._key = name

    def value(self, value: Any, line: int) -> Part:
        here: Part = ()
        if not self._open:
            self.data = value
            self.lines[()] = line
        else:
            parent, part = self._open[-1]
            if self._key is not None:
                here = (*part, self._key)
                parent[self._key] = value
                self._key = None
            else:
                here = (*part, len(parent))
                self.lines[here] = line
                parent.append(value)
        return here

    def open(self, container: Any, line: int) -> None:
        if len(self._open) == MAX_DEPTH:
            raise Unreadable(*_DEEP, line=line)
        self._open.append((container, self.value(container, line)))

    def close(self) -> None:
        self._open.pop()


def parse_yaml(text: str) -> tuple[Any, Lines]:
    """Data and lines of a YAML document; raises Unreadable."""
    build = _Builder()
    try:
        events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)
        documents = 0
        for event in events:
            line = event.start_mark.line + 1
            if getattr(event, "anchor", None) is not None:
                raise Unreadable("anchors and aliases (&, *) are not read", "Write it out, or quote it", line=line)
            if getattr(event, "tag", None) is not None:
                raise Unreadable("tags (!) are not read", "Leave the tag out, or quote the text", line=line)
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise Unreadable("a second document begins", "Keep one document in one file", line=line)
            elif isinstance(event, yaml.ScalarEvent):
                value = _scalar(event)
                if not build.wants_key:
                    build.value(value, line)
                elif isinstance(value, str):
                    build.key(value, line)
                else:
                    raise Unreadable(f"the key {event.value!r} is not text", "Put it in quotes", line=line)
            elif isinstance(event, yaml.CollectionStartEvent):
                if build.wants_key:
                    raise Unreadable("a key is a list or a mapping", "Keys must be text", line=line)
                build.open([] if isinstance(event, yaml.SequenceStartEvent) else {}, line)
            elif isinstance(event, yaml.CollectionEndEvent):
                build.close()
    except yaml.YAMLError as error:
        _refuse_yaml(error, text)
    return build.data, build.lines


def _scalar(event: yaml.ScalarEvent) -> Any:
    """A plain scalar as JSON would have it; whatever is quoted or a block is text."""
    text: str = event.value
    if not event.implicit[0]:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _refuse_yaml(error: yaml.YAMLError, text: str) -> NoReturn:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    problem = str(getattr(error, "problem", None) or error)
    line = mark.line + 1 if mark is not None else None
    row = text.split("\n")[mark.line :][:1] if mark is not None else []
    if row and "\t" in row[0][: len(row[0]) - len(row[0].lstrip())]:
        raise Unreadable("the line is indented with a tab", _UNTABBED, line=line) from None
    if "nesting depth" in problem:  # PyYAML 6.0.4 refuses it before the events that we count
        raise Unreadable(*_DEEP, line=line) from None
    raise Unreadable(f"is not YAML: {problem}", _QUOTE, line=line) from None


def parse_json(text: str) -> tuple[Any, Lines]:
    """Data and lines of a JSON document; raises Unreadable."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated string"):
            raise Unreadable("ends in the middle", "The file is cut off; write it again", line=error.lineno) from None
        remedy = f"Look at column {error.colno} of this line"
        raise Unreadable(f"is not JSON: {error.msg}", remedy, line=error.lineno) from None
    except RecursionError:
        raise Unreadable(*_DEEP) from None
    except ValueError as error:  # a whole number of thousands of digits
        raise Unreadable(f"is not JSON: {error}", "Shorten the number") from None
    return _build_json(text)


def _build_json(text: str) -> tuple[Any, Lines]:
    """Data and lines of text that is known to be JSON."""
    build, decode = _Builder(), json.JSONDecoder().raw_decode
    line, place = 1, 0
    while found := _INK.search(text, place):
        line += text.count("\n", place, found.start())
        place = found.end()
        sign = found.group()
        if sign in "{[":
            build.open({} if sign == "{" else [], line)
        elif sign in "}]":
            build.close()
        elif sign not in ",:":
            # NaN and Infinity pass as floats and are refused with all that are not finite
            value, place = decode(text, found.start())
            if build.wants_key:
                build.key(value, line)
            else:
                build.value(value, line)
    return build.data, build.lines


def parse_toml(text: str) -> tuple[Any, Lines]:
    """Data and lines of a TOML document; dates become text; raises Unreadable."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\s*\(at line (\d+), column \d+\)|\s*\(at end of document\)", str(error))
        line = int(found[1]) if found and found[1] else text.count("\n") + 1
        problem = str(error)[: found.start()] if found else str(error)
        raise Unreadable(f"is not TOML: {problem}", "Mend this line; text stands in quotes", line=line) from None
    except (RecursionError, ValueError):
        raise Unreadable(*_DEEP) from None
    return _without_dates(data, 0), _toml_lines(text)


def _without_dates(value: Any, depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise Unreadable(*_DEEP)
    if isinstance(value, dict):
        return {key: _without_dates(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_dates(item, depth + 1) for item in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def _toml_lines(text: str) -> Lines:
    """Lines of tables and keys; tomllib keeps none. Parts inside inline values have the line of their key."""
    lines: Lines = {(): 1}
    counts: dict[Part, int] = {}
    table: Part = ()
    closing = ""
    for number, row in enumerate(text.split("\n"), start=1):
        if closing:
            closing = "" if closing in row else closing
            continue
        header, key = _TOML_HEADER.match(row), _TOML_KEY.match(row)
        if header:
            table = _toml_part(header[2])
            if header[1] == "[[":
                counts[table] = counts.get(table, -1) + 1
                lines.setdefault(table, number)
                table = (*table, counts[table])
            lines.setdefault(table, number)
        elif key:
            lines.setdefault((*table, *_toml_part(key[1])), number)
        for quotes in ('"""', "'''"):
            if row.count(quotes) % 2:
                closing = quotes
    return lines


def _toml_part(dotted: str) -> Part:
    return tuple(name.strip("\"'") for name in _TOML_NAME.findall(dotted))
