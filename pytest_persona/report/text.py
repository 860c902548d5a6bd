"""Untrusted text on a terminal line."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

__all__ = ["safe"]

_ELLIPSIS = "…"
_HIDDEN_CATEGORIES = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))
# Characters without ink that Unicode files under letters or marks (its property Default_Ignorable_Code_Point).
# U+FE0F stays: it follows ordinary emoji.
_HIDDEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u3164\uffa0\ufe00-\ufe0e\U000e0100-\U000e01ef]"
)
_MOST_MARKS = 3
"""Code points a column; more are marks stacked on one letter, which run over the lines above."""


def safe(text: str, columns: int | None = None) -> str:
    r"""``text`` on one line with nothing in it that steers a terminal or hides.

    Runs of white space become one blank; control and escape characters, bidi overrides, zero-width and unassigned
    characters become visible escapes (``\x1b``, ``\u202e``). With ``columns`` (>= 1) the result takes at most so many
    terminal columns: it is cut after a word, or inside one that is longer than half the line, and ends in ``…``.
    """
    cells = list(_cells(" ".join(text.split())))
    if columns is not None and _too_long(cells, columns):
        cells = _cut(cells, columns - 1)
    return "".join(cell for cell, _ in cells)


def _cells(text: str) -> Iterator[tuple[str, int]]:
    """Pieces that stay whole, each with its width in columns."""
    for char in text:
        if unicodedata.category(char) in _HIDDEN_CATEGORIES or _HIDDEN.match(char):
            escape = _escape(ord(char))
            yield escape, len(escape)
        elif unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me"):
            yield char, 0
        else:
            yield char, 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


def _escape(code: int) -> str:
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _too_long(cells: list[tuple[str, int]], columns: int) -> bool:
    return sum(width for _, width in cells) > columns or len(cells) > columns * _MOST_MARKS


def _cut(cells: list[tuple[str, int]], room: int) -> list[tuple[str, int]]:
    end = taken = 0
    while taken + cells[end][1] <= room and end < room * _MOST_MARKS:
        taken += cells[end][1]
        end += 1
    kept = cells[:end]
    if cells[end][0] != " ":
        blanks = [i for i, (cell, _) in enumerate(kept) if cell == " "]
        if blanks and blanks[-1] * 2 >= end:
            kept = kept[: blanks[-1]]
    return [*kept, (_ELLIPSIS, 1)]
