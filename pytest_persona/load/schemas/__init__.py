"""The JSON Schemas (draft 2020-12) of every file that users write or read; editors and the readers use the same ones.

They are generated: ``python -m pytest_persona.load.schemas`` writes them anew from ``files.py`` and the model.
"""

from __future__ import annotations

from pathlib import Path

__all__ = ["NAMES", "schema_path", "schema_text"]

NAMES = (
    "suite",
    "trait",
    "profile",
    "profiles",
    "drift",
    "confirmation",
    "history",
    "rows",
    "signal",
    "requests",
    "neutral",
    "persona",
    "nulls",
    "inoculation",
    "inoculations",
    "lock",
    "portrait",
)
"""The kinds of files that have a schema."""


def schema_path(name: str) -> Path:
    """Where the schema of a kind of file is installed; raises ValueError for a name that is not in NAMES."""
    if name not in NAMES:
        raise ValueError(f"{name!r} is none of {', '.join(NAMES)}")
    return Path(__file__).with_name(f"{name}.v1.json")


def schema_text(name: str) -> str:
    """The JSON Schema of a kind of file, as it is committed; raises ValueError for a name that is not in NAMES."""
    return schema_path(name).read_text(encoding="utf-8")
