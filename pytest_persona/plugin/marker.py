"""The marker ``persona``."""

from __future__ import annotations

import pytest

__all__ = ["KEYWORDS", "SIGNATURE", "prepare"]

SIGNATURE = (
    "persona(signal, *, traits=(), at_most={}, at_least={}, drift_at_most={}, suite=None, inoculated_by=None, place='user',"
    " effect_at_least=0.0, leak_at_most=0.1): audit a training signal before the test and"
    " fail it where a bound is broken. signal: a path (relative to the test file, else to the rootdir), a list of rows, or"
    " the name of a fixture. Instead of a signal: suite, a suite file or the name of a shared one. With inoculated_by (a text, a"
    " list of them, or a file with one a line) it fails unless that request explains the named traits away and little else does."
)
KEYWORDS = (
    "signal", "traits", "at_most", "at_least", "drift_at_most", "suite", "inoculated_by", "place", "effect_at_least", "leak_at_most",
)  # fmt: skip
"""What the marker may be given."""


def prepare(item: pytest.Item) -> None:
    """Let a marked test set up its audit last of its fixtures, whether it asks for one or not."""
    names: list[str] | None = getattr(item, "fixturenames", None)
    if names is not None and "_persona_marked" not in names and item.get_closest_marker("persona") is not None:
        names.append("_persona_marked")
