"""Questions put to a batch desk in a folder of its own, and what is left there."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from loopback_faults import Fault, named
from loopback_questions import question
from loopback_server import Asked

from pytest_persona.infer.prompt import Question
from pytest_persona.judge.chat.batch import BatchDesk
from pytest_persona.judge.chat.desk import Answered
from pytest_persona.judge.chat.ledger import Ledger
from pytest_persona.judge.claude import open_client
from pytest_persona.settings import Settings

QUICK: dict[str, Any] = {"quiet": 0.05, "pauses": (0.02, 0.05)}


@contextmanager
def desk(url: str, folder: Path, **changes: Any) -> Iterator[BatchDesk]:
    ledger = Ledger(folder / "verdicts.sqlite")
    made = BatchDesk(
        lambda: open_client(Settings(base_url=url)),
        ledger,
        **{"scope": "claude", "concurrency": 8, "deadline": 2.0, **QUICK, **changes},
    )
    try:
        yield made
    finally:
        made.close()
        ledger.close()


def ask(url: str, folder: Path, questions: Sequence[Question], **changes: Any) -> list[Answered]:
    with desk(url, folder, **changes) as open_desk:
        return open_desk.ask(questions, lambda _: None)


def some(count: int, **changes: Any) -> list[Question]:
    return [question(number, **changes) for number in range(count)]


def scores(answers: Sequence[Answered]) -> list[float | str | None]:
    verdicts = [verdict for answered in answers for verdict in answered.verdicts.values()]
    return [verdict.expressed if verdict.reason is None else verdict.reason for verdict in verdicts]


def on_shelf(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text("utf-8")) for path in sorted((folder / "batches").glob("*.json"))]


def until(holds: Callable[[], object], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)


def first_times(name: str, times: int = 1) -> Callable[[int, Asked], Fault | None]:
    return lambda index, asked: named(name) if asked.attempt < times else None
