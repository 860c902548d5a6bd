"""One pass over a signal: from a source to episodes, and what is known of the whole once it is over."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pytest_persona.errors import SignalError
from pytest_persona.load.signals import containers, prose
from pytest_persona.load.signals.decode import plain_row
from pytest_persona.load.signals.episodes import text_episode
from pytest_persona.load.signals.formats import (
    FORMATS,
    TEXTS,
    Format,
    check_format,
    format_of_row,
    format_of_text,
    known_fields,
)
from pytest_persona.load.signals.opening import ByteStream, file_sha256
from pytest_persona.load.signals.problems import Place, nearest, quote
from pytest_persona.load.signals.row import Row
from pytest_persona.load.signals.sampling import first_groups
from pytest_persona.model.episodes import Episode, Kind, SignalInfo
from pytest_persona.model.suites import SignalSource

__all__ = ["Signal", "iter_episodes", "read_signal"]

OnBadRow = Literal["fail", "skip"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Signal:
    """What training reinforces: episodes of one kind, and what is known of the whole file."""

    info: SignalInfo
    episodes: tuple[Episode, ...]


def read_signal(
    source: SignalSource,
    *,
    name: str,
    format: str = "auto",
    fields: Mapping[str, str] = {},
    on_bad_row: OnBadRow = "fail",
    most_groups: int = 0,
    seed: int = 0,
    hooks: Any = None,
) -> Signal:
    """A signal with all its episodes, or those of the ``most_groups`` groups that come first in the order of ``seed``.

    ``info`` describes the whole source either way. ``fields`` maps fields to columns; ``hooks`` is a pluggy relay whose
    ``pytest_persona_load_signal`` is tried first. Raises SignalError for what cannot be read.
    """
    reader = _Pass(source, name=name, format=format, fields=fields, on_bad_row=on_bad_row, hooks=hooks)
    episodes = first_groups(reader, most=most_groups, seed=seed) if most_groups else list(reader)
    return Signal(info=reader.info(), episodes=tuple(episodes))


def iter_episodes(
    source: SignalSource,
    *,
    name: str,
    format: str = "auto",
    fields: Mapping[str, str] = {},
    on_bad_row: OnBadRow = "fail",
    hooks: Any = None,
) -> Iterator[Episode]:
    """The episodes that :func:`read_signal` reads, one by one, in memory that does not grow with the rows."""
    return iter(_Pass(source, name=name, format=format, fields=fields, on_bad_row=on_bad_row, hooks=hooks))


class _Pass:
    """Reads a source once; its totals are those of the whole source once it has been iterated."""

    def __init__(
        self,
        source: SignalSource,
        *,
        name: str,
        format: str,
        fields: Mapping[str, str],
        on_bad_row: OnBadRow,
        hooks: Any,
    ) -> None:
        check_format(format, name)
        for field in fields:
            if field not in known_fields():
                near = nearest(field, known_fields())
                hint = f"Did you mean {quote(near)}?" if near else f"Fields: {', '.join(sorted(known_fields()))}"
                raise SignalError(f"{quote(field, 40)} is no field", remedy=hint, path=name, field="map")
        self.source = source
        self.name = name
        self.format = format
        self.fields = fields
        self.on_bad_row = on_bad_row
        self.hooks = hooks
        self.formats: dict[str, int] = {}
        """Formats met, each with the line that it was first met in."""
        self.kind: Kind | None = None
        self.kind_line = 0
        self.sha256 = ""
        self.episodes = self.skipped = 0
        self.groups: set[bytes] = set()
        self.parts: Counter[str] = Counter()
        self.first_problem: SignalError | None = None

    def info(self) -> SignalInfo:
        """What is known of the source; call it after the pass."""
        assert self.kind is not None  # a pass that ends has met an episode
        return SignalInfo(
            path=self.name,
            kind=self.kind,
            format="+".join(self.formats),
            episodes=self.episodes,
            groups=len(self.groups),
            sha256=self.sha256,
            skipped=self.skipped,
            parts=dict(sorted(self.parts.items())),
        )

    def __iter__(self) -> Iterator[Episode]:
        for episode in self._all():
            self._agree(episode)
            self.episodes += 1
            self.groups.add(hashlib.blake2b(episode.group.encode("utf-8", "surrogatepass"), digest_size=8).digest())
            yield episode
        if self.kind is None:
            first = self.first_problem
            if first is None:
                raise SignalError("there is no row in it", remedy="Write at least one", path=self.name)
            raise SignalError(
                f"none of its {self.skipped} rows can be read; the first: {first.problem}",
                remedy=first.remedy, path=self.name, line=first.line, field=first.field,
            )  # fmt: skip

    def _all(self) -> Iterator[Episode]:
        if not isinstance(self.source, Path):
            yield from self._rows(self._memory(self.source))
            return
        offered = self.hooks.pytest_persona_load_signal(path=self.source) if self.hooks is not None else None
        if offered is not None:
            yield from self._offered(offered, self.source)
            return
        with ByteStream(self.source, self.name) as stream:
            yield from self._file(stream, self.source)
            self.sha256 = stream.sha256()

    def _file(self, stream: ByteStream, path: Path) -> Iterator[Episode]:
        if not stream.head.strip() and len(stream.head) < 60_000:
            raise SignalError("the file is empty", remedy="Write at least one row", path=self.name)
        known = known_fields(self.format) | {column.split(".")[0] for column in self.fields.values()}
        table = self.format not in ("auto", *TEXTS)
        container = containers.container_of(stream.head, known=known | set(self.fields.values()), table=table)
        if container == "text":
            yield from self._text(stream, FORMATS.get(self.format) or format_of_text(path, self.name))
        elif container == "csv":
            yield from self._rows(containers.csv_rows(stream))
        elif container == "parquet":
            yield from self._rows(containers.parquet_rows(path, self.name))
        else:
            yield from self._rows(containers.json_rows(stream, array=container == "json-array"))

    def _rows(self, rows: Iterable[containers.Found]) -> Iterator[Episode]:
        latest = FORMATS.get(self.format)
        for found in rows:
            if isinstance(found, SignalError):
                self._bad(found)
                continue
            place = Place(path=self.name, line=found.line)
            row = Row(place=place, data=found.data, fields=self.fields, cells=found.cells)
            try:
                row.check_fields()
                if self.format == "auto":
                    latest = format_of_row(row)
                assert latest is not None
                episodes = latest.read(row)
            except SignalError as error:
                self._bad(error)
                continue
            self.formats.setdefault(latest.name, found.line)
            self.parts.update(row.parts)
            yield from episodes

    def _text(self, stream: ByteStream, format: Format) -> Iterator[Episode]:
        self.formats[format.name] = 1
        split = prose.criteria if format.name == "rubric" else prose.statements
        for found in split(containers.text_lines(stream), self.name):
            if isinstance(found, SignalError):
                self._bad(found)
                continue
            line, text = found
            row = Row(place=Place(path=self.name, line=line), data={}, fields={})
            yield text_episode(format.kind, row, text)

    def _memory(self, rows: Iterable[object]) -> Iterator[containers.Found]:
        hashing, comma = hashlib.sha256(b"["), b""
        for line, row in enumerate(rows, start=1):
            try:
                data, canonical = plain_row(row, Place(path=self.name, line=line))
            except SignalError as error:
                yield error
                continue
            hashing.update(comma + canonical)
            comma = b","
            yield containers.RawRow(line=line, data=data)
        hashing.update(b"]")
        self.sha256 = hashing.hexdigest()

    def _offered(self, episodes: Iterable[Episode], path: Path) -> Iterator[Episode]:
        """Episodes that a plugin reads; the hash is of the file, or of the episodes where it is none."""
        hashing = hashlib.sha256()
        self.formats["plugin"] = 1
        for episode in episodes:
            if not isinstance(episode, Episode):
                problem = f"a plugin's pytest_persona_load_signal gave a {quote(type(episode).__name__, 40)}"
                raise SignalError(problem, remedy="It gives episodes, or None", path=self.name)
            hashing.update(repr(episode).encode("utf-8", "backslashreplace"))
            yield episode
        self.sha256 = file_sha256(path) if path.is_file() else hashing.hexdigest()

    def _bad(self, error: SignalError) -> None:
        if self.on_bad_row == "fail":
            raise error
        self.skipped += 1
        self.first_problem = self.first_problem or error

    def _agree(self, episode: Episode) -> None:
        """Raise SignalError, naming both lines, for an episode of another kind than those before it."""
        if self.kind is None:
            self.kind, self.kind_line = episode.kind, episode.line
        elif episode.kind != self.kind:
            raise SignalError(
                f"this row is a {episode.kind}, but line {self.kind_line} is a {self.kind}",
                remedy="Keep one kind in a file, or say which it is with --format NAME",
                path=self.name,
                line=episode.line,
            )
