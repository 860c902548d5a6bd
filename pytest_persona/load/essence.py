"""What a noun says, for hashes that outlive releases: a field that a later one adds changes nothing where it is not used."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

__all__ = ["essence"]


def essence(noun: DataclassInstance, leave_out: Collection[str] = ()) -> dict[str, Any]:
    """The fields of a noun that say anything, as plain data; None, False and what is empty say nothing."""
    return {name: value for name, value in asdict(noun).items() if name not in leave_out and _says(value)}


def _says(value: object) -> bool:
    return value is not None and value is not False and value not in ("", (), [], {})
