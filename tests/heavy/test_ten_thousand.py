"""Ten thousand questions through the real SDK over real HTTP, with faults, and a SIGKILL on the way.

A minute or two: `tox -e heavy` runs it, the other environments leave it out.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not os.environ.get("PERSONA_HEAVY"), reason="tox -e heavy")

SERVER = Path(__file__).parents[1] / "loopback" / "loopback_server.py"
QUESTIONS, IN_FLIGHT = 10_000, 64
LASTING = ("400", "refusal")
MENDED = (
    "429",
    "529",
    "500",
    "503",
    "dropped",
    "cut",
    "truncated",
    "json",
    "schema",
    "empty",
    "html",
    "max_tokens",
    "slow",
)

SWEEP = f"""
import sys
from collections import Counter
from pathlib import Path
from loopback_questions import question
from pytest_persona.judge.chat.desk import Desk
from pytest_persona.judge.chat.ledger import Ledger
from pytest_persona.judge.claude import open_client
from pytest_persona.settings import Settings

ledger = Ledger(Path(sys.argv[2]) / "verdicts.sqlite")
settings = Settings(base_url=sys.argv[1])
desk = Desk(lambda: open_client(settings), ledger, scope="claude", concurrency={IN_FLIGHT}, deadline=20.0)
answers = desk.ask([question(number) for number in range({QUESTIONS})], lambda _: None)
desk.close()
ledger.close()
verdicts = [answer.verdicts["sycophancy"] for answer in answers]
print(len(verdicts), *(f"{{reason}}={{count}}" for reason, count in Counter(v.reason for v in verdicts).items()))
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The server in a process of its own, with one request in twenty answered by a fault."""
    kinds = ",".join([*MENDED, *LASTING])
    arguments = ["--latency", "0.1", "--faults", "0.05", "--kinds", kinds, "--log", str(tmp_path / "log")]
    server = subprocess.Popen([sys.executable, str(SERVER), *arguments], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    yield server.stdout.readline().strip()
    server.terminate()
    server.wait(10)
    server.stdout.close()


def sweep(url: str, folder: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "ANTHROPIC_API_KEY": "sk-ant-loopback", "PYTHONPATH": str(SERVER.parent)}
    command = [sys.executable, "-c", SWEEP, url, str(folder)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def answered(folder: Path) -> Counter[str]:
    """How often the server answered each question in full."""
    log = folder / "log"
    lines = (
        (json.loads(line) for line in log.read_text("utf-8").splitlines() if line.endswith("}")) if log.exists() else ()
    )
    return Counter(line["identity"] for line in lines if line["outcome"] == "answered")


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
def test_each_is_answered_or_accounted_for_and_none_is_asked_twice_after_a_kill(served: str, tmp_path: Path) -> None:
    killed = sweep(served, tmp_path)
    deadline = time.monotonic() + 120
    while answered(tmp_path).total() < QUESTIONS // 3 and time.monotonic() < deadline:
        time.sleep(0.5)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    before = answered(tmp_path)
    assert QUESTIONS // 3 <= before.total() < QUESTIONS
    assert max(before.values()) == 1

    out, _ = sweep(served, tmp_path).communicate(timeout=400)
    count, *reasons = out.split()
    told = {reason: int(number) for reason, number in (each.split("=") for each in reasons)}
    assert int(count) == QUESTIONS == sum(told.values())
    assert set(told) <= {"None", "failed", "declined"}
    assert told["None"] >= 0.99 * QUESTIONS  # what is left is refused for good: 5 % of 2 faults in 15
    after = answered(tmp_path)
    assert len(after) >= told["None"]
    # Answered and on the way, or not yet kept, when the process was killed: nothing else is asked again.
    twice = [question for question, times in after.items() if times > 1]
    assert len(twice) <= IN_FLIGHT
    assert max(after.values()) <= 2
