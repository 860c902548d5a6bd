"""Training signals: files and rows in the formats of docs/reference/signal-formats.md, read as episodes in one pass."""

from __future__ import annotations

from pytest_persona.load.signals.formats import FORMATS, Format
from pytest_persona.load.signals.reading import Signal, iter_episodes, read_signal

__all__ = ["FORMATS", "Format", "Signal", "iter_episodes", "read_signal"]
