"""A file's bytes: opened, unzipped, hashed, and never more than a piece of them in memory."""

from __future__ import annotations

import gzip
import hashlib
import itertools
import os
import zlib
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, cast

from pytest_persona.errors import SignalError
from pytest_persona.load.signals.problems import nearest, quote, quote_all

__all__ = ["ByteStream", "file_sha256"]

_PIECE = 65_536


class _Hashing:
    """A binary file that hashes what is read from it."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(size)
        self.hash.update(data)
        return data


class ByteStream:
    """The content of a file in pieces, unzipped where it is gzipped, without a byte order mark; a context manager.

    Raises SignalError for a file that cannot be opened, is cut off or is not UTF-8 at its first bytes.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self.line = 1
        """The line (from 1) that the next piece begins in."""
        file = _open(path, name)
        self._raw = _Hashing(file)
        zipped = file.peek(2)[:2] == b"\x1f\x8b"
        self._content = gzip.GzipFile(fileobj=cast("BinaryIO", self._raw), mode="rb") if zipped else self._raw
        try:
            self.head = self._read().removeprefix(b"\xef\xbb\xbf")
            if self.head.startswith((b"\xff\xfe", b"\xfe\xff")):
                raise self._error("the text is UTF-16", "Save it as UTF-8")
        except BaseException:
            file.close()
            raise

    def __enter__(self) -> ByteStream:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._raw.file.close()

    def __iter__(self) -> Iterator[bytes]:
        """The content, in pieces of some 64 kB; can be iterated once."""
        piece = self.head
        while piece:
            yield piece
            self.line += piece.count(b"\n")
            piece = self._read()

    def sha256(self) -> str:
        """The hash of the file's bytes as they are stored; reads what is left of them."""
        while self._raw.read(_PIECE):
            pass
        return self._raw.hash.hexdigest()

    def _read(self) -> bytes:
        try:
            return self._content.read(_PIECE)
        except EOFError:
            problem = "the gzip file ends in the middle"
        except (gzip.BadGzipFile, zlib.error) as error:
            problem = f"the gzip file is damaged ({error})"
        except OSError as error:
            raise self._error(f"cannot be read: {error.strerror}") from None
        raise self._error(problem, "Copy or compress it again")

    def _error(self, problem: str, remedy: str = "") -> SignalError:
        return SignalError(problem, remedy=remedy, path=self.name, line=self.line)


def file_sha256(path: Path) -> str:
    """The hash of a file's bytes, read in pieces."""
    with path.open("rb") as file:
        hashing = _Hashing(file)
        while hashing.read(_PIECE):
            pass
        return hashing.hash.hexdigest()


def _open(path: Path, name: str) -> BufferedReader:
    if path.is_dir():
        files = sorted(entry for entry in _listing(path) if (path / entry).is_file())
        raise SignalError("is a directory", remedy=f"Name a file; in it are {quote_all(files, 5)}", path=name)
    try:
        return path.open("rb")
    except FileNotFoundError:
        if not path.parent.is_dir():
            raise SignalError("its folder does not exist", remedy="Check the path", path=name) from None
        near = nearest(path.name, _listing(path.parent))
        remedy = f"Did you mean {quote(near)}?" if near else "Check the path"
        raise SignalError("no such file", remedy=remedy, path=name) from None
    except (OSError, ValueError) as error:
        raise SignalError(f"cannot be opened: {getattr(error, 'strerror', error)}", path=name) from None


def _listing(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [entry.name for entry in itertools.islice(entries, 1000)]
    except OSError:
        return []
