"""Records to files: whole or not at all, and the same bytes for the same content."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from pytest_persona.errors import JudgeError
from pytest_persona.judge.recorded.lines import Entry, Header, entry_from, header_line, line_of

__all__ = ["check_destination", "read_parts", "write", "write_part"]


def check_destination(path: Path, *, named: str = "") -> None:
    """Raise JudgeError, before anything is asked, where a record could not be written or would replace what is none.

    ``named`` is the path as the user wrote it.
    """
    problem = ""
    if path.is_dir():
        problem = "it is a folder"
    elif not path.parent.is_dir():
        problem = "its folder does not exist"
    elif path.exists():
        try:
            with path.open("rb") as stream:
                start = stream.read(65536)
        except OSError as error:
            problem = f"{error.strerror}"
        else:
            if start.strip() and b'"pytest-persona/record/' not in start and b'"trait_sha256": "' not in start:
                problem = "the file that is there is no record"
    if problem:
        raise JudgeError(f"{named or path}: the record cannot be written: {problem}. {_REMEDY}")


def write(path: Path, header: Header, entries: Iterable[Entry], *, named: str = "") -> None:
    """Write a record; raises JudgeError where that is impossible, and then leaves what was there as it was.

    In any order the same entries make the same file: by trait, context, replies, and of two orders of a comparison one
    after the other. Of several answers to one question one is written. ``named`` is the path as the user wrote it.
    """
    check_destination(path, named=named)
    lines: dict[str, str] = {}
    for _, key, line in sorted((_place(entry), entry.key, line_of(entry)) for entry in entries):
        lines.setdefault(key, line)
    _put(path, [header_line(header), *lines.values()], named or str(path))


def write_part(folder: Path, entries: Iterable[Entry]) -> None:
    """Leave entries of one process in the run's folder, for the process that writes the record; raises JudgeError."""
    if lines := list(map(line_of, entries)):
        _put(folder / f"{secrets.token_hex(8)}{_PART}", lines, "the cache")


def read_parts(folder: Path) -> tuple[list[Entry], list[str]]:
    """What all processes left in the run's folder, and what of it is lost, in words; a folder that is not there is empty."""
    entries: list[Entry] = []
    problems = []
    for path in sorted(folder.glob("*")):
        if path.name.endswith(_PARTIAL):
            problems.append(f"a process was ended while it wrote what it read. {_RUN_AGAIN}")
        elif path.name.endswith(_PART):
            try:
                entries.extend([entry_from(line) for line in path.read_bytes().splitlines()])
            except (OSError, ValueError) as error:
                problems.append(f"what a process read is lost: {error}. {_RUN_AGAIN}")
    return entries, problems


_REMEDY = "Name a file in a folder that exists, on a disk with room."
_RUN_AGAIN = "The verdicts are in the cache: run again, and they are recorded."
_PART = ".part.jsonl"
_PARTIAL = ".partial"


def _place(entry: Entry) -> tuple[object, ...]:
    replies = sorted(entry.reply.split())
    return entry.trait, entry.context, replies, entry.reply, entry.kind, entry.prompt, entry.model


def _put(path: Path, lines: Iterable[str], named: str) -> None:
    """Write lines to a file that appears whole or not at all; a link stays a link."""
    target = Path(os.path.realpath(path))
    partial = target.with_name(f".{target.name}.{os.getpid()}{_PARTIAL}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("w", encoding="utf-8", newline="\n") as stream:
                stream.writelines(f"{line}\n" for line in lines)
            os.replace(partial, target)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise JudgeError(f"{named}: the record cannot be written: {error.strerror}. {_REMEDY}") from error
