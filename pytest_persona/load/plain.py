"""Nouns as plain JSON data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

__all__ = ["plain"]


def plain(value: Any, digits: int = 6) -> Any:
    """JSON data with floats of so many significant digits; 17 leaves them as they are."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise ValueError(f"{value} is not finite: what could not be measured is None")
        return float(f"{value:.{digits}g}") + 0.0  # -0.0 becomes 0.0
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name), digits) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item, digits) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item, digits) for item in value]
    raise TypeError(f"{type(value).__name__} has no place in a document")
