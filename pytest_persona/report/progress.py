"""One line on a terminal that says how a long reading gets on."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from time import monotonic
from typing import TextIO

from pytest_persona.report.text import safe

__all__ = ["TerminalProgress", "is_watched"]

_PATIENCE = 2.0
"""Seconds before anything is shown."""
_PAUSE = 0.2
"""Seconds between two drawings."""


def is_watched(stream: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether somebody looks at ``stream`` on a terminal that can redraw a line; never in CI."""
    return stream.isatty() and environment.get("TERM") != "dumb" and not environment.get("CI")


class TerminalProgress:
    """Redraws one line with readings done, rate and time left, once a reading takes longer than two seconds.

    ``clock`` gives seconds; with ``hidden`` nothing is ever written. The line is gone when the reading ends.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = monotonic, *, hidden: bool = False) -> None:
        self._stream = stream
        self._clock = clock
        self._hidden = hidden
        self._label = ""
        self._total = 0
        self._done = 0
        self._started = 0.0
        self._next = 0.0
        self._drawn = 0

    def start(self, label: str, total: int) -> None:
        """A reading of at most ``total`` behaviours begins."""
        self._label, self._total, self._done = label, total, 0
        self._started = self._clock()
        self._next = self._started + _PATIENCE

    def advance(self, count: int) -> None:
        """So many more have been read."""
        self._done += count
        now = self._clock()
        if self._hidden or now < self._next:
            return
        self._next = now + _PAUSE
        rate = self._done / (now - self._started)
        left = max(self._total - self._done, 0) / rate if rate else 0.0
        line = f"{self._done} of {self._total} readings, {rate:.0f}/s, {_duration(left)} left: {self._label}"
        self._draw(safe(line, max(shutil.get_terminal_size().columns - 1, 20)))

    def finish(self) -> None:
        """The reading has ended, early or not."""
        if self._drawn:
            self._draw("")
            self._stream.write("\r")
            self._stream.flush()
        self._drawn = 0

    def _draw(self, line: str) -> None:
        self._stream.write("\r" + line + " " * max(self._drawn - len(line), 0))
        self._stream.flush()
        self._drawn = len(line)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"
