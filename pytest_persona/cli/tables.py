"""Rows of a table, its columns in line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_persona.report.text import safe

__all__ = ["print_table"]


def print_table(rows: Iterable[Sequence[str]]) -> None:
    """Print rows of untrusted texts; all have the same number of cells."""
    cells = [[safe(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        print("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
