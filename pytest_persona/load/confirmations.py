"""Confirmations to documents."""

from __future__ import annotations

from typing import Any

from pytest_persona.load.plain import plain
from pytest_persona.model.confirmation import Confirmation

__all__ = ["SCHEMA", "confirmation_document"]

SCHEMA = "pytest-persona/confirmation/v1"
"""The first value of every document of ``confirm --json``."""


def confirmation_document(found: Confirmation) -> dict[str, Any]:
    """What was found as plain JSON data in the order of ``confirmation.v1.json``, to 6 significant digits."""
    return {
        "schema": SCHEMA,
        "signal": found.signal,
        "before": found.before,
        "after": found.after,
        "signs": plain(found.signs),
        "ranks": plain(found.ranks),
        "level": found.level,
        "unpredicted": [one.trait for one in found.unpredicted],
        "left_out": list(found.left_out),
        "traits": [plain(one) for one in found.findings],
    }
