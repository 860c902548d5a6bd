"""In which order groups are read, and how many at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence

__all__ = ["batches", "order_groups", "order_key"]


def order_key(group: str, seed: int) -> str:
    """Where a group stands in the seeded random order: 64 hexadecimal digits, the SHA-256 of ``seed|group``."""
    return hashlib.sha256(f"{seed}|{group}".encode("utf-8", "surrogatepass")).hexdigest()


def order_groups(groups: Iterable[str], seed: int) -> list[str]:
    """The distinct groups in a random order that depends on the seed and the groups alone.

    The order of a file does not change it, and rows that are added later leave the order of the others as it is.
    """
    return sorted(set(groups), key=lambda group: (order_key(group, seed), group))


def batches(groups: Sequence[str], first: int = 32, most: int = 256) -> Iterator[Sequence[str]]:
    """The groups in growing slices: ``first``, then twice as many each time up to ``most``."""
    start, size = 0, first
    while start < len(groups):
        yield groups[start : start + size]
        start += size
        size = min(2 * size, most)
