"""What can still be read of a damaged cache: its pages one by one, without the tree that joins them.

SQL reaches a row only through all pages above it: with 3 % of the pages lost it finds half of the rows, and in a truncated file none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = ["salvaged"]

_LEAF, _INTERIOR = b"\x0a", b"\x02"
_LARGEST = 65536


def salvaged(path: Path) -> Iterator[tuple[str, str]]:
    """The rows of two texts that stand whole in a SQLite file's index pages, and then those of the log beside it, which are newer.

    They may be ones that were deleted since. A file that is missing or has nothing of the kind yields none; raises OSError where
    it cannot be read. The format: https://www.sqlite.org/fileformat2.html, sections 1.2, 1.6, 2.1 and 4.1.
    """
    data = path.read_bytes()
    stated = int.from_bytes(data[16:18], "big")
    stated = _LARGEST if stated == 1 else stated
    size = stated if 512 <= stated <= _LARGEST and not stated & (stated - 1) else 4096
    found = [(at // size + 1, data[at : at + size]) for at in range(0, len(data), size)]
    log = path.with_name(f"{path.name}-wal")
    frames = log.read_bytes() if log.exists() else b""
    for at in range(32, len(frames), 24 + size):
        found.append((int.from_bytes(frames[at : at + 4], "big"), frames[at + 24 : at + 24 + size]))
    newest = dict(found)
    for _, page in found:
        yield from _rows(page, size, newest)


def _rows(page: bytes, size: int, pages: Mapping[int, bytes]) -> Iterator[tuple[str, str]]:
    if page[:1] not in (_LEAF, _INTERIOR):
        return
    head, child = (8, 0) if page[:1] == _LEAF else (12, 4)
    cells = min(int.from_bytes(page[3:5], "big"), (size - head) // 2)
    for place in range(head, head + 2 * cells, 2):
        try:
            payload = _payload(page, int.from_bytes(page[place : place + 2], "big") + child, size, pages)
            yield _two_texts(payload)
        except (IndexError, ValueError):
            continue


def _payload(page: bytes, at: int, size: int, pages: Mapping[int, bytes]) -> bytes:
    """A cell's content, with that of its overflow pages; raises IndexError or ValueError where it is not whole."""
    length, at = _varint(page, at)
    if length > len(pages) * size:
        raise ValueError("longer than the file")
    most, least = (size - 12) * 64 // 255 - 23, (size - 12) * 32 // 255 - 23
    local = length
    if length > most:
        local = least + (length - least) % (size - 4)
        local = local if local <= most else least
    content = page[at : at + local]
    following = int.from_bytes(page[at + local : at + local + 4], "big")
    while len(content) < length:
        overflow = pages.get(following, b"")
        if len(overflow) < size:
            raise ValueError("an overflow page is lost")
        content += overflow[4 : 4 + length - len(content)]
        following = int.from_bytes(overflow[:4], "big")
    return content


def _two_texts(record: bytes) -> tuple[str, str]:
    header, at = _varint(record, 0)
    first, at = _varint(record, at)
    second, at = _varint(record, at)
    if at != header or not (first & second & 1) or min(first, second) < 13:  # odd types from 13 are texts
        raise ValueError("not two texts")
    middle = header + (first - 13) // 2
    end = middle + (second - 13) // 2
    if end != len(record):
        raise ValueError("cut short")
    return record[header:middle].decode(), record[middle:end].decode()


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A big-endian number of 7 bits a byte, and where it ends."""
    value = 0
    for end in range(at, at + 8):
        value = value << 7 | data[end] & 0x7F
        if data[end] < 0x80:
            return value, end + 1
    raise ValueError("longer than any length")
