"""Documents to files: whole or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from pytest_persona.errors import SettingsError

__all__ = ["check_destination", "json_lines", "json_text", "one_or_several", "write_document"]


def one_or_several(profiles: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """What ``--json`` writes: of one profile its document, of any other number a document with a list of them."""
    return profiles[0] if len(profiles) == 1 else {"schema": "pytest-persona/profiles/v1", "profiles": list(profiles)}


def json_text(document: Mapping[str, Any]) -> str:
    """The document as indented ASCII JSON with a line end; raises ValueError for NaN and infinity."""
    return json.dumps(document, indent=2, allow_nan=False) + "\n"


def json_lines(documents: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """One line of ASCII JSON for each document."""
    return (json.dumps(document, allow_nan=False) + "\n" for document in documents)


def check_destination(target: str, *, option: str, root: Path) -> None:
    """Raise SettingsError, before anything is read, where ``target`` could not be written for want of a folder."""
    path = root / target
    if target != "-" and (path.is_dir() or not path.parent.is_dir()):
        problem = "it is a folder" if path.is_dir() else "its folder does not exist"
        raise SettingsError(f"{option}: {target} cannot be written: {problem}. {_REMEDY}")


def write_document(target: str, chunks: Iterable[str], *, option: str, root: Path, stdout: TextIO) -> None:
    """Write ``chunks`` to the file ``target`` (relative to ``root``) or, for ``-``, to ``stdout``.

    A file appears whole or not at all. Raises SettingsError that names ``option`` where it cannot be written.
    """
    if target == "-":
        stdout.writelines(chunks)
        return
    path = Path(os.path.realpath(root / target))
    try:
        if path.exists() and not path.is_file():  # a pipe or a device must not be replaced by a file
            _fill(path, chunks, mode="w")
            return
        partial = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            _fill(partial, chunks, mode="x")
            os.replace(partial, path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise SettingsError(f"{option}: {target} cannot be written: {error.strerror or error}. {_REMEDY}") from error


_REMEDY = "Name a file in a folder that exists, on a disk with room, or - for standard output."


def _fill(path: Path, chunks: Iterable[str], *, mode: str) -> None:
    with open(path, mode, encoding="utf-8", newline="\n") as stream:
        stream.writelines(chunks)
