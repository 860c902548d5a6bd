"""From a file to its treated copy, row by row, and the manifest that says what was done."""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pytest_persona.errors import SettingsError, SignalError
from pytest_persona.infer.inoculate import in_turn
from pytest_persona.load.signals.containers import container_of
from pytest_persona.load.signals.decode import decode_row, decode_text
from pytest_persona.load.signals.formats import FORMATS, TEXTS, Format, format_of_row, known_fields
from pytest_persona.load.signals.opening import ByteStream
from pytest_persona.load.signals.problems import Place as Line
from pytest_persona.load.signals.row import Row
from pytest_persona.load.treated.json_text import elements
from pytest_persona.load.treated.rows import treated_row
from pytest_persona.model.inoculation import Place

__all__ = ["check_target", "manifest_of", "write_treated"]

_OPTION = "--out"
_BOM = b"\xef\xbb\xbf"
_UNTREATED = 1000
"""Lines of rows left as they are that a manifest names at most."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Source:
    """A file of JSON rows and how they are read."""

    path: Path
    name: str
    array: bool
    format: str
    fields: Mapping[str, str]
    skips: bool
    """Whether a row that cannot be read or treated is left as it is instead of refused."""

    def row(self, raw: bytes, line: int) -> tuple[Row, Format]:
        """A row and its format; raises SignalError."""
        place = Line(path=self.name, line=line)
        row = Row(place=place, data=decode_row(raw.strip(), place), fields=self.fields)
        row.check_fields()
        format = format_of_row(row) if self.format == "auto" else FORMATS[self.format]
        if format.kind in ("rubric", "instruction"):
            problem = f"a signal of the kind {format.kind} has no contexts to put a request into"
            raise SignalError(
                problem, remedy="Treat demonstrations, preferences or rollouts", path=self.name, line=line
            )
        return row, format


@dataclass(slots=True)
class _Done:
    """What has been done so far."""

    original: Any = field(default_factory=hashlib.sha256)
    treated: Any = field(default_factory=hashlib.sha256)
    rows: int = 0
    by_text: Counter[str] = field(default_factory=Counter)
    new_fields: int = 0
    left: list[int] = field(default_factory=list)


def manifest_of(target: Path) -> Path:
    """Where the manifest of a treated file stands: beside it."""
    return target.with_name(f"{target.name}.manifest.json")


def check_target(source: Path, target: Path) -> None:
    """Raise SettingsError, before anything is read, where the treated file or its manifest would take the place of a file."""
    if source.exists() and os.path.realpath(source) == os.path.realpath(target):
        raise SettingsError(f"{_OPTION}: {target} is the original, which is never overwritten. Name another file.")
    for path in (target, manifest_of(target)):
        if path.exists() or path.is_symlink():
            raise SettingsError(f"{_OPTION}: {path} is there already. Name another file, or move it away.")
    if not target.parent.is_dir():
        raise SettingsError(f"{_OPTION}: {target} cannot be written: its folder does not exist. Name one that does.")


def write_treated(
    source: Path,
    target: Path,
    *,
    name: str,
    target_name: str,
    requests: Sequence[str],
    place: Place,
    seed: int,
    format: str = "auto",
    fields: Mapping[str, str] = {},
    on_bad_row: Literal["fail", "skip"] = "fail",
) -> dict[str, Any]:
    """Write the treated copy of a signal and its manifest, which is returned; neither appears where something fails.

    Every row, order and field keeps its bytes; the context alone changes, by one of ``requests`` before it. Groups take them in turn
    in the seed's order, just as an experiment reads them. Raises SignalError for rows that cannot be read or hold no text (with
    ``on_bad_row`` skip they are left as they are and counted), and for containers other than JSON and JSON lines; SettingsError
    where a file would be overwritten or cannot be written.
    """
    check_target(source, target)
    container = _container(source, name, format, fields)
    read = _Source(
        path=source,
        name=name,
        array=container == "json-array",
        format=format,
        fields=fields,
        skips=on_bad_row == "skip",
    )
    numbers = in_turn({group for group in _groups(read) if group is not None}, seed)
    done = _Done()

    def text_of(group: str) -> str:
        return requests[numbers[group] % len(requests)]

    partial, beside = (target.with_name(f".{target.name}.{os.getpid()}.{part}") for part in ("part", "manifest"))
    try:
        with open(partial, "xb") as stream:
            for piece in _treated(read, text_of, place, done):
                done.treated.update(piece)
                stream.write(piece)
        manifest = _manifest(read, target_name, requests, place, seed, done)
        with open(beside, "x", encoding="utf-8", newline="\n") as lines:
            lines.write(json.dumps(manifest, indent=2) + "\n")
        check_target(source, target)
        os.rename(partial, target)
        try:
            os.rename(beside, manifest_of(target))
        except OSError:
            target.unlink()
            raise
    except OSError as error:
        problem = error.strerror or error
        raise SettingsError(
            f"{_OPTION}: {target} cannot be written: {problem}. Name a file in a folder with room."
        ) from error
    finally:
        partial.unlink(missing_ok=True)
        beside.unlink(missing_ok=True)
    return manifest


def _container(source: Path, name: str, format: str, fields: Mapping[str, str]) -> str:
    remedy = "Write it as JSON lines or as a JSON array"
    with ByteStream(source, name) as stream:
        known = known_fields(format) | {column.split(".")[0] for column in fields.values()}
        table = format not in ("auto", *TEXTS)
        container = container_of(stream.head, known=known | set(fields.values()), table=table)
    if container not in ("json-lines", "json-array"):
        raise SignalError(f"a {container} file cannot be treated", remedy=remedy, path=name)
    with open(source, "rb") as file:
        if file.read(2) == b"\x1f\x8b":
            raise SignalError("a gzipped file cannot be treated", remedy="Unzip it first", path=name)
    return container


def _pieces(source: _Source) -> Iterator[tuple[bytes, int | None]]:
    """The file's bytes in order, those of each row with the line that it begins in."""
    with open(source.path, "rb") as file:
        first = file.read(3)
        if first == _BOM:
            yield first, None
        else:
            file.seek(0)
        if not source.array:
            for line, raw in enumerate(file, start=1):
                yield raw, line if raw.strip() else None
            return
        raw = file.read()
    text = decode_text(raw, Line(path=source.name, line=1))
    at, line = 0, 1
    try:
        for start, end in elements(text):
            yield text[at:start].encode("utf-8"), None
            line += text.count("\n", at, start)
            yield text[start:end].encode("utf-8"), line
            line += text.count("\n", start, end)
            at = end
    except (json.JSONDecodeError, IndexError, RecursionError):
        raise SignalError("not valid JSON after this line", remedy="Mend it", path=source.name, line=line) from None
    yield text[at:].encode("utf-8"), None


def _groups(source: _Source) -> Iterator[str | None]:
    """The group of each row; None for one that cannot be read."""
    for raw, line in _pieces(source):
        if line is not None:
            yield _group(source, raw, line)


def _group(source: _Source, raw: bytes, line: int) -> str | None:
    try:
        row, format = source.row(raw, line)
        (episode, *_) = format.read(row)
    except SignalError:
        if source.skips:
            return None
        raise
    return episode.group


def _treated(source: _Source, text_of: Callable[[str], str], place: Place, done: _Done) -> Iterator[bytes]:
    for raw, line in _pieces(source):
        done.original.update(raw)
        if line is None:
            yield raw
            continue
        done.rows += 1
        group = _group(source, raw, line)
        new = raw
        if group is not None:
            text = text_of(group)
            row, format = source.row(raw, line)
            try:
                treated, new_field = treated_row(raw.decode("utf-8"), row, format, text, place)
                new = treated.encode("utf-8")
                done.new_fields += new_field
            except SignalError:
                if not source.skips:
                    raise
        if new == raw:
            done.left.append(line)
        else:
            done.by_text[text_of(group or "")] += 1
        yield new


def _manifest(
    source: _Source, target_name: str, requests: Sequence[str], place: Place, seed: int, done: _Done
) -> dict[str, Any]:
    return {
        "schema": "pytest-persona/treated/v1",
        "original": {"path": source.name, "sha256": done.original.hexdigest()},
        "treated": {"path": target_name, "sha256": done.treated.hexdigest()},
        "format": source.format,
        "place": place,
        "seed": seed,
        "requests": [{"text": text, "rows": done.by_text[text]} for text in requests],
        "rows": done.rows,
        "rows_with_new_field_system": done.new_fields,
        "rows_left_as_they_are": len(done.left),
        "lines_left_as_they_are": done.left[:_UNTREATED],
    }
