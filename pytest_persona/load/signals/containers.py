"""Files to rows: JSON lines, JSON arrays, CSV and Parquet, each as a stream, recognised by their first bytes."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pytest_persona.errors import SignalError
from pytest_persona.load.signals.decode import MAX_ROW, decode_row, decode_text, plain_row, refuse_flaws, too_long
from pytest_persona.load.signals.json_array import array_elements
from pytest_persona.load.signals.opening import ByteStream
from pytest_persona.load.signals.problems import Place, quote, quote_all

__all__ = ["Container", "Found", "RawRow", "container_of", "csv_rows", "json_rows", "parquet_rows", "text_lines"]

Container = Literal["json-lines", "json-array", "csv", "parquet", "text"]

_STRUCTURED = frozenset({"messages", "conversations", "responses", "completions", "rewards", "scores"})
"""Columns whose cells may hold a JSON array."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RawRow:
    """A row as it stands in its container."""

    line: int
    data: Mapping[str, Any]
    cells: bool = False
    """Whether its values are the cells of a table: text throughout, empty where there is none."""


Found = RawRow | SignalError
"""A row, or why there is none where one should be; reading goes on after it."""


def container_of(head: bytes, *, known: Collection[str], table: bool) -> Container:
    """What the first bytes of a file show it to be.

    ``known`` are names that a table's header may hold; ``table`` says that what is neither JSON nor Parquet is one.
    """
    if head.startswith(b"PAR1"):
        return "parquet"
    start = head.lstrip()
    if re.match(rb'\[\s*[{"\]]', start):
        return "json-array"
    lines = [line for line in head.split(b"\n") if line.strip()]
    # Templates begin with {{ or {%; one broken row above many whole ones does not make a text.
    objects = sum(line.lstrip().startswith(b'{"') for line in lines)
    if re.match(rb"\{(?![{%])", start) or objects > len(lines) / 2:
        return "json-lines"
    first = start.split(b"\n")[0].decode("utf-8", "replace")[:10_000]
    header = [cell.strip() for cell in next(csv.reader([first.replace("\0", "")]))]  # Python 3.10 refuses NUL
    if table or (len(header) > 1 and any(name in known for name in header)):
        return "csv"
    return "text"


def json_rows(stream: ByteStream, *, array: bool) -> Iterator[Found]:
    """The rows of JSON lines, or of one JSON array, with the line that each begins in."""
    for line, raw in array_elements(stream) if array else _lines(stream):
        place = Place(path=stream.name, line=line)
        try:
            if isinstance(raw, str):
                raise place.error(raw, "A JSON array is [row, row, …]")
            if raw is None:
                raise too_long(place)
            if array or raw.strip():
                yield RawRow(line=line, data=decode_row(raw, place))
        except SignalError as error:
            yield error


def text_lines(stream: ByteStream) -> Iterator[tuple[int, str] | SignalError]:
    """The numbered lines of a text."""
    for line, raw in _lines(stream):
        place = Place(path=stream.name, line=line)
        try:
            if raw is None:
                raise too_long(place)
            text = decode_text(raw, place).rstrip("\r")
            refuse_flaws({"text": text}, place)
            yield line, text
        except SignalError as error:
            yield error


def csv_rows(stream: ByteStream) -> Iterator[Found]:
    """The rows of a CSV file with a header, with the line that each begins in.

    A row that never ends is raised and not yielded: nobody can say how many rows it has swallowed.
    """
    feed = _Feed(stream)
    reader = csv.reader(feed, strict=True)
    header: list[str] = []
    while True:
        place = feed.next_record()
        usual = csv.field_size_limit(2 * MAX_ROW)  # the feed refuses long rows, with their line
        try:
            cells = next(reader, None)
        except csv.Error as error:
            problem = place.error(f"not valid CSV ({error})", 'Cells with quotes are written "like ""this"""')
            if feed.ended or not header:
                raise problem from None
            yield problem
            continue
        finally:
            csv.field_size_limit(usual)
        if cells is None:
            return
        if not cells:
            continue
        if not header:
            header = _header(cells, feed.fault, place)
            continue
        try:
            yield _record(header, cells, feed.fault, place)
        except SignalError as error:
            yield error


def parquet_rows(path: Path, name: str) -> Iterator[Found]:
    """The rows of a Parquet file, numbered from 1; raises SignalError where pyarrow is not installed."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        remedy = "Install it with: pip install pytest-persona[parquet]"
        raise SignalError("Parquet is read with pyarrow, which is not installed", remedy=remedy, path=name) from None
    try:
        line = 0
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=64):
                for row in batch.to_pylist():
                    line += 1
                    try:
                        data, _ = plain_row(row, Place(path=name, line=line))
                        yield RawRow(line=line, data=data)
                    except SignalError as error:
                        yield error
    except (pyarrow.ArrowException, OSError) as error:
        raise SignalError(f"not a readable Parquet file: {quote(str(error))}", path=name) from None


def _lines(stream: ByteStream) -> Iterator[tuple[int, bytes | None]]:
    """Numbered lines without their ends; None for one that is longer than a row may be."""
    number, held, size = 1, list[bytes](), 0
    for piece in stream:
        for i, part in enumerate(piece.split(b"\n")):
            if i:
                yield number, b"".join(held) if size <= MAX_ROW else None
                number, held, size = number + 1, [], 0
            size += len(part)
            if size <= MAX_ROW:
                held.append(part)
            else:
                held.clear()
    if size:
        yield number, b"".join(held) if size <= MAX_ROW else None


class _Feed:
    """Text lines for a csv.reader, which knows neither bytes nor where its record began."""

    def __init__(self, stream: ByteStream) -> None:
        self.name = stream.name
        self.lines = _lines(stream)
        self.ended = False
        self.fault: SignalError | None = None
        """The first line of the record that is not UTF-8."""
        self._line = self._size = 0
        self._record = Place(path=self.name, line=1)

    def next_record(self) -> Place:
        """Where the record begins that is read next."""
        self.fault, self._size = None, 0
        self._record = Place(path=self.name, line=self._line + 1)
        return self._record

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        try:
            self._line, raw = next(self.lines)
        except StopIteration:
            self.ended = True
            raise
        self._size += 0 if raw is None else len(raw)
        if raw is None or self._size > MAX_ROW:
            raise too_long(self._record)  # perhaps a quote that is never closed
        try:
            return decode_text(raw, Place(path=self.name, line=self._line)) + "\n"
        except SignalError as error:
            self.fault = self.fault or error
            return raw.decode("utf-8", "replace") + "\n"  # so that the record still ends where it ends


def _header(cells: list[str], fault: SignalError | None, place: Place) -> list[str]:
    names = [cell.strip() for cell in cells]
    if fault:
        raise fault
    if "" in names:
        raise place.error("a column has no name", "The first row names every column")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise place.error(f"two columns are named {quote(twice, 40)}", "Rename one of them")
    return names


def _record(header: list[str], cells: list[str], fault: SignalError | None, place: Place) -> RawRow:
    if fault:
        raise fault
    if len(cells) != len(header):
        problem = f"{len(cells)} cells in a table of {len(header)} columns ({quote_all(header)})"
        raise place.error(problem, 'Write cells that hold commas in "quotes"')
    data: dict[str, Any] = dict(zip(header, cells, strict=True))
    refuse_flaws(data, place)
    for name in _STRUCTURED & data.keys():
        if data[name].lstrip().startswith("["):
            data[name] = _structure(data[name], name, place)
    return RawRow(line=place.line, data=data, cells=True)


def _structure(cell: str, name: str, place: Place) -> object:
    try:
        return decode_row(f'{{"{name}":{cell}}}'.encode(), place)[name]
    except SignalError as error:
        raise place.error(error.problem, "The cell must be a JSON array", field=name) from None
