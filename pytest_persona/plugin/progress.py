"""The progress line beside pytest's own output."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, TextIO, cast

import pytest

if TYPE_CHECKING:
    from pytest_persona.engine import Progress

__all__ = ["progress_for"]


def progress_for(config: pytest.Config) -> Progress | None:
    """A progress line where somebody watches pytest's terminal; None under workers, in CI, in files and with ``-q``."""
    from pytest_persona.report.progress import TerminalProgress, is_watched

    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(config, "workerinput") or config.get_verbosity() < 0:
        return None
    stream = _Uncaptured(config, reporter)
    return TerminalProgress(cast(TextIO, stream)) if is_watched(cast(TextIO, stream)) else None


class _Uncaptured:
    """Standard output past pytest's capture, on lines of its own."""

    def __init__(self, config: pytest.Config, reporter: pytest.TerminalReporter) -> None:
        self._capture = config.pluginmanager.get_plugin("capturemanager")
        self._reporter = reporter

    def _open(self) -> AbstractContextManager[None]:
        if self._capture is None:
            return nullcontext()
        return cast("AbstractContextManager[None]", self._capture.global_and_fixture_disabled())

    def isatty(self) -> bool:
        with self._open():
            return sys.stdout.isatty()

    def write(self, text: str) -> int:
        with self._open():
            self._reporter.ensure_newline()
            return sys.stdout.write(text)

    def flush(self) -> None:
        with self._open():
            sys.stdout.flush()
