"""One line on a terminal that says how a long reading gets on."""

from __future__ import annotations

import os
import shutil
import threading
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
    """Redraws one line with readings done, rate and time left, once reading takes longer than two seconds.

    Several audits may be read at once, each in a thread; only the main one draws, as another's lines would get among those of a
    test that is running. ``clock`` gives seconds; with ``hidden`` nothing is ever written. The line is gone when reading ends.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = monotonic, *, hidden: bool = False) -> None:
        self._stream = stream
        self._clock = clock
        self._hidden = hidden
        self._lock = threading.Lock()
        self._running: list[str] = []
        self._total = 0
        self._done = 0
        self._started = 0.0
        self._next = 0.0
        self._drawn = 0

    def start(self, label: str, total: int) -> None:
        """A reading of at most ``total`` behaviours begins."""
        with self._lock:
            if not self._running:
                self._total = self._done = 0
                self._started = self._clock()
                self._next = self._started + _PATIENCE
            self._running.append(label)
            self._total += total

    def advance(self, count: int) -> None:
        """So many more have been read; 0 only draws."""
        with self._lock:
            self._done += count
            now = self._clock()
            if self._hidden or now < self._next or not self._running or not _in_main_thread():
                return
            self._next = now + _PAUSE
            rate = self._done / (now - self._started)
            left = max(self._total - self._done, 0) / rate if rate else 0.0
            label = self._running[0] if len(self._running) == 1 else f"{len(self._running)} audits"
            line = f"{self._done} of {self._total} readings, {rate:.0f}/s, {_duration(left)} left: {label}"
            self._draw(safe(line, max(shutil.get_terminal_size().columns - 1, 20)))

    def finish(self, label: str) -> None:
        """The reading of that label has ended, early or not."""
        with self._lock:
            self._running.remove(label)
        if _in_main_thread():
            self.wipe()

    def wipe(self) -> None:
        """Leave the line to others; called on the main thread."""
        with self._lock:
            if self._drawn:
                self._draw("")
                self._stream.write("\r")
                self._stream.flush()
            self._drawn = 0

    def _draw(self, line: str) -> None:
        self._stream.write("\r" + line + " " * max(self._drawn - len(line), 0))
        self._stream.flush()
        self._drawn = len(line)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"
