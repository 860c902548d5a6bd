"""Rubrics and instructions written as text: split into list items and sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from pytest_persona.errors import SignalError
from pytest_persona.load.signals.decode import MAX_ROW, too_long
from pytest_persona.load.signals.problems import Place

__all__ = ["Line", "criteria", "sentences", "statements"]

# ruff: noqa: RUF001  # the marks of many scripts end sentences and begin items
_ITEM = re.compile(r"\s*(?:[-*+•–]|\(?(?:\d{1,3}|[A-Za-z])[.)])\s+(?:\[[ xX]\]\s+)?(?=\S)")
_HEADING = re.compile(r"\s*#{1,6}(\s|$)|\s*([-=*_])(\s*\2){2,}\s*$")
"""A Markdown heading, or a line that underlines one or divides the text."""
_UNDERLINE = re.compile(r"\s*(=+|-+)\s*$")
_FENCE = re.compile(r"\s*(```+|~~~+)")
_END = re.compile(r"(?:[.!?…]+[\"'”’)\]*_]*(?=\s)|[。！？]+[」』”]*)\s*")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"'“‘])(?:[A-Za-z]|(?:[A-Za-z]\.)+[A-Za-z]|\d{1,3}|"
    r"etc|vs|cf|ca|approx|Dr|Mr|Mrs|Ms|Prof|St|Jr|Sr|No|Nos|Fig|Eq|Sec|Ch|Vol|pp|Inc|Ltd|Co|Corp|viz|resp|incl|max|min)\.$"
)


Line = tuple[int, str] | SignalError


@dataclass(frozen=True, kw_only=True, slots=True)
class _Piece:
    """A stretch of a text that is read as one; a break stands for a heading."""

    kind: Literal["item", "paragraph", "code", "break"]
    line: int
    lines: tuple[str, ...] = ()

    @property
    def folded(self) -> str:
        """Its text on one line; code as it stands."""
        return "\n".join(self.lines) if self.kind == "code" else " ".join(" ".join(self.lines).split())


def criteria(lines: Iterable[Line], path: str) -> Iterator[Line]:
    """The criteria of a rubric, one a line or list item, with their lines; headings and blank lines are skipped."""
    return _led(_pieces(lines, path), lambda text: list(_whole_lines(text)))


def statements(lines: Iterable[Line], path: str) -> Iterator[Line]:
    """The sentences and list items of an instruction, with the lines that they begin in."""
    return _led(_pieces(lines, path), lambda text: list(sentences(text)))


def _whole_lines(text: str) -> Iterator[tuple[int, str]]:
    at = 0
    for line in text.split("\n"):
        if line:
            yield at, line
        at += len(line) + 1


def _led(pieces: Iterable[_Piece | SignalError], split: Callable[[str], list[tuple[int, str]]]) -> Iterator[Line]:
    """The texts of pieces. Items keep what leads them in: "lie" under "Never:" is "Never: lie", not its opposite."""
    lead, led = None, False
    for piece in pieces:
        if isinstance(piece, SignalError):
            yield piece
            continue
        if piece.kind == "item":
            yield piece.line, f"{lead[1]} {piece.folded}" if lead else piece.folded
            led = True
            continue
        if lead and not led:
            yield lead
        lead, led = None, False
        if piece.kind == "code":
            yield piece.line, piece.folded
            continue
        text = "\n".join(piece.lines)
        found = [(piece.line + text.count("\n", 0, at), " ".join(part.split())) for at, part in split(text)]
        if found and found[-1][1].endswith(":"):
            lead = found.pop()
        yield from found
    if lead and not led:
        yield lead


def sentences(text: str) -> Iterator[tuple[int, str]]:
    """The sentences of a paragraph, each with its offset; abbreviations, numbers and `code` are kept whole."""
    code = [match.span() for match in re.finditer(r"`[^`\n]*`", text)]
    start = 0
    for match in _END.finditer(text):
        after = text[match.end() : match.end() + 1]
        dot = match.start() + 1
        if after.islower() or any(low <= match.start() < high for low, high in code):
            continue
        if text[match.start()] == "." and _ABBREVIATION.search(text, max(start, dot - 20), dot):
            continue
        yield start, text[start : match.end()].strip()
        start = match.end()
    if text[start:].strip():
        yield start, text[start:].strip()


def _pieces(lines: Iterable[Line], path: str) -> Iterator[_Piece | SignalError]:
    kind: Literal["item", "paragraph", "code"] = "paragraph"
    held: list[str] = []
    first = size = 0
    fence = ""

    def piece() -> Iterator[_Piece]:
        nonlocal kind
        if any(line.strip() for line in held):
            yield _Piece(kind=kind, line=first, lines=tuple(held))
        held.clear()
        kind = "paragraph"

    for found in lines:
        if isinstance(found, SignalError):
            yield found
            continue
        number, line = found
        size = size + len(line) if held else len(line)
        if size > MAX_ROW:
            raise too_long(Place(path=path, line=first))
        mark = _FENCE.match(line)
        if fence:
            held.append(line)
            if mark and mark[1].startswith(fence):
                fence = ""
                yield from piece()
        elif mark:
            yield from piece()
            fence, kind, first = mark[1], "code", number
            held.append(line)
        elif _HEADING.match(line):
            if _UNDERLINE.match(line) and kind == "paragraph" and len(held) == 1:
                held.clear()  # the title above its underline
            yield from piece()
            yield _Piece(kind="break", line=number)
        elif not line.strip():
            yield from piece()
        elif item := _ITEM.match(line):
            yield from piece()
            kind, first = "item", number
            held.append(line[item.end() :])
        else:
            if kind == "item" and not line[0].isspace():
                yield from piece()
            if not held:
                first = number
            held.append(line)
    yield from piece()
