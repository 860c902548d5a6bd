"""The progress line: on a terminal, for what takes long, and gone at the end."""

import io
from threading import Thread

import pytest

from pytest_persona.report.progress import TerminalProgress, is_watched


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def read(progress: TerminalProgress, clock: Clock, *, seconds: float, total: int = 824, done: int = 412) -> None:
    progress.start("prefs.jsonl", total)
    clock.now += seconds
    progress.advance(done)


def test_a_quick_reading_shows_nothing() -> None:
    clock, stream = Clock(), Terminal()
    progress = TerminalProgress(stream, clock)
    read(progress, clock, seconds=1.9)
    progress.finish("prefs.jsonl")
    assert stream.getvalue() == ""


def test_a_longer_one_shows_what_is_done_the_rate_and_the_time_left() -> None:
    clock, stream = Clock(), Terminal()
    read(TerminalProgress(stream, clock), clock, seconds=4.0)
    assert stream.getvalue() == "\r412 of 824 readings, 103/s, 4 s left: prefs.jsonl"


def test_a_long_wait_is_given_in_minutes() -> None:
    clock, stream = Clock(), Terminal()
    read(TerminalProgress(stream, clock), clock, seconds=100.0, total=400, done=100)
    assert "5 min left" in stream.getvalue()


def test_nothing_read_yet_divides_by_nothing() -> None:
    clock, stream = Clock(), Terminal()
    read(TerminalProgress(stream, clock), clock, seconds=3.0, done=0)
    assert "0 of 824 readings, 0/s" in stream.getvalue()


def test_it_is_redrawn_at_most_five_times_a_second() -> None:
    clock, stream = Clock(), Terminal()
    progress = TerminalProgress(stream, clock)
    read(progress, clock, seconds=3.0)
    clock.now += 0.15
    progress.advance(1)
    assert stream.getvalue().count("\r") == 1
    clock.now += 0.15
    progress.advance(1)
    assert stream.getvalue().count("\r") == 2


def test_the_line_is_wiped_at_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    clock, stream = Clock(), Terminal()
    progress = TerminalProgress(stream, clock)
    read(progress, clock, seconds=4.0)
    drawn = stream.getvalue()[1:]
    progress.finish("prefs.jsonl")
    assert stream.getvalue() == f"\r{drawn}\r{' ' * len(drawn)}\r"


def test_a_shorter_line_leaves_nothing_of_the_one_before() -> None:
    clock, stream = Clock(), Terminal()
    progress = TerminalProgress(stream, clock)
    read(progress, clock, seconds=1000.0, total=100_000, done=9)
    clock.now += 1.0
    progress.advance(99_990)
    first, second = stream.getvalue().split("\r")[1:]
    assert len(second) >= len(first.rstrip())


def test_it_fits_a_narrow_terminal_and_escapes_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    clock, stream = Clock(), Terminal()
    progress = TerminalProgress(stream, clock)
    progress.start("\x1b[2J" + "x" * 100, 10)
    clock.now += 5.0
    progress.advance(1)
    assert len(stream.getvalue()) <= 60
    assert "\x1b" not in stream.getvalue()


def test_a_hidden_one_never_writes() -> None:
    clock, stream = Clock(), Terminal()
    progress = TerminalProgress(stream, clock, hidden=True)
    read(progress, clock, seconds=60.0)
    progress.finish("prefs.jsonl")
    assert stream.getvalue() == ""


def test_several_readings_at_once_share_the_line() -> None:
    clock, stream = Clock(), Terminal()
    progress = TerminalProgress(stream, clock)
    progress.start("one", 100)
    progress.start("two", 300)
    clock.now += 4.0
    progress.advance(100)
    assert stream.getvalue() == "\r100 of 400 readings, 25/s, 12 s left: 2 audits"
    progress.finish("one")
    clock.now += 1.0
    progress.advance(0)
    assert stream.getvalue().endswith("left: two")


def test_another_thread_counts_but_does_not_draw() -> None:
    clock, stream = Clock(), Terminal()
    progress = TerminalProgress(stream, clock)

    def read_elsewhere() -> None:
        read(progress, clock, seconds=4.0)
        progress.finish("prefs.jsonl")

    progress.start("mine", 10)
    thread = Thread(target=read_elsewhere)
    thread.start()
    thread.join()
    assert stream.getvalue() == ""
    progress.advance(0)
    assert "412 of 834 readings" in stream.getvalue()
    progress.wipe()
    assert stream.getvalue().endswith(" \r")


@pytest.mark.parametrize(
    ("stream", "environment", "watched"),
    [
        (Terminal(), {"TERM": "xterm"}, True),
        (io.StringIO(), {"TERM": "xterm"}, False),
        (Terminal(), {"TERM": "dumb"}, False),
        (Terminal(), {"TERM": "xterm", "CI": "true"}, False),
    ],
)
def test_only_a_person_at_a_terminal_watches(stream: io.StringIO, environment: dict[str, str], watched: bool) -> None:
    assert is_watched(stream, environment) is watched
