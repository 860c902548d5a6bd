"""The elements of one large JSON array, cut out without parsing it as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_persona.load.signals.decode import MAX_ROW
from pytest_persona.load.signals.opening import ByteStream

__all__ = ["array_elements"]

_IN_TEXT = re.compile(rb'\\[\s\S]?|"')
_BETWEEN = re.compile(rb'["\[\]{},]')


class _Element:
    """The bytes of the element being read; dropped, but still counted, once they are too many."""

    def __init__(self) -> None:
        self.line = 1
        """The line of the byte that comes next."""
        self._clear()

    def _clear(self) -> None:
        self.first = self.line
        self.size = 0
        self.parts: list[bytes] = []

    def add(self, data: bytes) -> None:
        kept = data if self.size else data.lstrip()
        if not self.size:
            self.first = self.line + data[: len(data) - len(kept)].count(b"\n")
        self.line += data.count(b"\n")
        self.size += len(kept)
        if self.size <= MAX_ROW:
            self.parts.append(kept)
        else:
            self.parts.clear()

    def take(self) -> tuple[int, bytes | None]:
        taken = self.first, b"".join(self.parts) if self.size <= MAX_ROW else None
        self._clear()
        return taken


def array_elements(stream: ByteStream) -> Iterator[tuple[int, bytes | str | None]]:
    """The elements' bytes with the line that each begins in; None for one that is too long, a string for what is wrong.

    Only brackets, commas and quotes are looked at, so that a broken element does not hide those after it.
    """
    element = _Element()
    depth, quoted, escaped, count, closed = 0, False, 0, 0, False
    for piece in stream:
        start, at, escaped = 0, escaped, 0
        while match := (_IN_TEXT if quoted else _BETWEEN).search(piece, at):
            token, at = match[0], match.end()
            if token[:1] == b"\\":
                escaped = 2 - len(token)  # a backslash at the end escapes the first byte of the next piece
            elif token == b'"':
                quoted = not quoted
            elif closed:
                continue
            elif token in b"[{":
                depth += 1
                if depth == 1:
                    start = match.end()
                    element.line += piece.count(b"\n", 0, start)
            else:
                closing = token != b","
                depth -= closing
                if depth != (not closing):
                    continue
                element.add(piece[start : match.start()])
                start = match.end()
                if element.size or count or not closing:
                    yield element.take()
                    count += 1
                closed = closing
        element.add(piece[start:])
    if not closed:
        yield element.first, "the array does not end"
    elif element.size:
        yield element.first, "there is something after the end of the array"
