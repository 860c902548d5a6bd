"""Several processes and one ledger: each question is asked once in all, also where one of them is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_persona.judge.chat.ledger import Ledger

SWEEP = Path(__file__).with_name("desk_sweep.py")
Start = Callable[..., "subprocess.Popen[str]"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")


@pytest.fixture
def start(tmp_path: Path) -> Start:
    def run(first: int, last: int, latency: float) -> subprocess.Popen[str]:
        command = [sys.executable, "-W", "error", str(SWEEP), str(tmp_path), str(first), str(last), str(latency)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return run


def asked(folder: Path) -> Counter[int]:
    log = folder / "asked"
    return Counter(map(int, log.read_text().split())) if log.exists() else Counter()


def until(condition: Callable[[], bool]) -> None:
    for _ in range(3000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it never happened")


def told(process: subprocess.Popen[str]) -> list[str]:
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    return out.split()


def test_after_a_kill_only_what_was_in_flight_is_asked_again(start: Start, tmp_path: Path) -> None:
    killed = start(0, 300, 0.02)
    until(lambda: asked(tmp_path).total() >= 100)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    before = asked(tmp_path)
    assert told(start(0, 300, 0.0))[:2] == ["300", "-"]
    again = [number for number, count in asked(tmp_path).items() if count > 1]
    assert set(asked(tmp_path)) == set(range(300))
    # In flight, or answered within the 10 ms in which answers are kept together: at most 8 slots of each.
    assert len(again) <= 16
    assert set(again) <= set(list(before)[-40:])
    assert asked(tmp_path).most_common(1)[0][1] <= 2


def test_processes_with_the_same_questions_share_them_out(start: Start, tmp_path: Path) -> None:
    processes = [start(0, 200, 0.02), start(0, 200, 0.02), start(100, 250, 0.02)]
    assert [told(process)[:2] for process in processes] == [["200", "-"], ["200", "-"], ["150", "-"]]
    assert asked(tmp_path) == Counter(range(250))
    assert list((tmp_path / "owners").iterdir()) == []


def test_the_claims_of_a_killed_process_are_taken_over_by_one_that_waits(start: Start, tmp_path: Path) -> None:
    stuck = start(0, 8, 600.0)
    until(lambda: asked(tmp_path).total() >= 4)
    waiting = start(0, 20, 0.0)
    until(lambda: asked(tmp_path).total() >= 16)
    time.sleep(0.5)
    assert waiting.poll() is None
    stuck.send_signal(signal.SIGKILL)
    stuck.communicate()
    assert told(waiting)[:2] == ["20", "-"]
    assert set(asked(tmp_path)) == set(range(20))


def test_processes_that_begin_at_once_all_get_the_file(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from pytest_persona.judge.chat.ledger import Ledger\n"
        "sys.stdin.read(); ledger = Ledger(Path(sys.argv[1]) / 'new' / 'verdicts.sqlite')\n"
        "print(ledger.reserve('r', 1.0, 3.0), len(ledger.claim('abc')), ledger.problem or '-'); ledger.close()"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(5)]
    time.sleep(0.5)
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    lines = [process.communicate(timeout=60)[0].split() for process in processes]
    assert Counter(line[0] for line in lines) == {"True": 3, "False": 2}  # one budget for all
    assert {line[2] for line in lines} == {"-"}
    ledger = Ledger(tmp_path / "new" / "verdicts.sqlite")
    assert not ledger.reserve("r", 1.0, 3.0)
    ledger.close()
