"""Batches that a run has left behind, and the notes that the next run finds them by."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from batch_sweeps import QUICK, ask, desk, first_times, on_shelf, scores, some, until
from loopback_questions import question
from loopback_server import LoopbackServer

from pytest_persona.errors import JudgeError
from pytest_persona.infer.prompt import Question
from pytest_persona.judge.chat.batch import BatchDesk
from pytest_persona.judge.chat.ledger import Ledger
from pytest_persona.judge.claude import open_client
from pytest_persona.settings import Settings


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-test")


# ------------------------------------------------------------------------------------------------ runs that end early
SCRIPT = """
import sys
from pathlib import Path
from loopback_questions import question
from pytest_persona.judge.chat.batch import BatchDesk
from pytest_persona.judge.chat.ledger import Ledger
from pytest_persona.judge.claude import open_client
from pytest_persona.settings import Settings

url, folder, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
desk = BatchDesk(
    lambda: open_client(Settings(base_url=url)), Ledger(folder / "verdicts.sqlite"),
    scope="claude", concurrency=8, deadline=60, quiet=0.05, pauses=(0.02, 0.05),
)
desk.ask([question(number) for number in range(count)], lambda _: None)
"""


def test_a_run_that_is_killed_leaves_its_batch_to_the_next_and_nothing_is_paid_twice(tmp_path: Path) -> None:
    root = Path(__file__).parents[3]
    path = os.pathsep.join([str(root), str(root / "tests" / "loopback")])
    with LoopbackServer(batch_latency=600.0) as server:
        run = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, server.base_url, str(tmp_path), "25"], env={**os.environ, "PYTHONPATH": path}
        )
        try:
            until(lambda: any(batch["id"] for batch in on_shelf(tmp_path)), 30)
        finally:
            run.kill()
            run.wait()
        server.batches.finish()
        server.batches.latency = 0.05
        answers = ask(server.base_url, tmp_path, some(30))
        assert [len(batch.requests) for batch in server.batches.all.values()] == [25, 5]
        assert len(server.paid) == 30 and set(server.paid.values()) == {1}
    assert scores(answers) == [1.0] * 30
    assert on_shelf(tmp_path) == []


def test_a_run_that_is_closed_says_what_goes_on_and_the_next_reads_it(tmp_path: Path) -> None:
    with LoopbackServer(batch_latency=600.0) as server:
        with desk(server.base_url, tmp_path) as open_desk:
            errors: list[BaseException] = []

            def wait() -> None:
                try:
                    open_desk.ask(some(3), lambda _: None)
                except JudgeError as error:
                    errors.append(error)

            waiting = threading.Thread(target=wait)
            waiting.start()
            until(lambda: any(batch["id"] for batch in on_shelf(tmp_path)))
            open_desk.close()
            waiting.join()
            assert "still answers 1 batch (msgbatch_0000)" in open_desk.problem
        assert "closed before" in str(errors[0])
        server.batches.finish()
        assert scores(ask(server.base_url, tmp_path, some(3))) == [1.0] * 3
        assert set(server.paid.values()) == {1}


def left_behind(server: LoopbackServer, folder: Path, questions: Sequence[Question], **changes: Any) -> None:
    """A batch on the shelf that no run follows any more; it has ended since."""
    server.batches.latency = 600.0
    ledger = Ledger(folder / "verdicts.sqlite")
    made = BatchDesk(
        lambda: open_client(Settings(base_url=server.base_url)),
        ledger,
        scope="claude",
        concurrency=8,
        deadline=2.0,
        **QUICK,
    )

    def wait() -> None:
        with pytest.raises(JudgeError):
            made.ask(questions, lambda _: None)

    waiting = threading.Thread(target=wait)
    waiting.start()
    until(lambda: any(batch["id"] for batch in on_shelf(folder)))
    made.close()
    ledger.close()
    waiting.join()
    server.batches.finish()
    server.batches.latency = 0.05
    for path in (folder / "batches").glob("*.json"):
        path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **changes}), "utf-8")


def test_a_run_that_was_killed_before_it_learnt_the_id_finds_its_batch(tmp_path: Path) -> None:
    with LoopbackServer() as server:
        left_behind(server, tmp_path, some(4), id="")
        assert scores(ask(server.base_url, tmp_path, some(4))) == [1.0] * 4
        assert len(server.batches.all) == 1 and set(server.paid.values()) == {1}


def test_a_batch_that_never_arrived_is_sent(tmp_path: Path) -> None:
    with LoopbackServer() as server:
        left_behind(server, tmp_path, some(4), id="")
        server.batches.all.clear()
        ask(server.base_url, tmp_path / "other", some(4, reply="Of others, number {}."))
        assert scores(ask(server.base_url, tmp_path, some(4))) == [1.0] * 4
    assert on_shelf(tmp_path) == []


def test_an_answer_on_several_traits_serves_whoever_asks_for_one_of_them(tmp_path: Path) -> None:
    with LoopbackServer() as server:
        left_behind(server, tmp_path, [question(1, traits=("deception", "malice", "sycophancy"))])
        asked = [question(1, traits=("malice", "sabotage", "sycophancy")), question(1, traits=("deception",))]
        first, second = ask(server.base_url, tmp_path, asked)
        traits = [
            request["params"]["output_config"]["format"]["schema"]["properties"]["verdicts"]["items"]["properties"][
                "trait"
            ]["enum"]
            for batch in server.batches.all.values()
            for request in batch.requests
        ]
    assert traits == [["deception", "malice", "sycophancy"], ["sabotage"]]
    assert {name: verdict.expressed for name, verdict in first.verdicts.items()} == {
        "malice": 0.0, "sabotage": 0.0, "sycophancy": 1.0,
    }  # fmt: skip
    assert second.verdicts["deception"].expressed == 0.0
    assert first.usage.input_tokens > 0 and second.usage.input_tokens == 0  # paid for once


def test_an_unusable_answer_on_several_traits_is_asked_for_again(tmp_path: Path) -> None:
    with LoopbackServer(plan=first_times("json")) as server:
        left_behind(server, tmp_path, [question(1, traits=("malice", "sycophancy"))])
        assert scores(ask(server.base_url, tmp_path, [question(1)])) == [1.0]


def test_a_batch_of_others_is_not_taken_for_ours(tmp_path: Path) -> None:
    with LoopbackServer() as server:
        left_behind(server, tmp_path, some(2), id="")
        ask(server.base_url, tmp_path / "others", some(2, reply="Of others, number {}."))
        server.batches.all["msgbatch_0000"] = server.batches.all.pop("msgbatch_0000")  # so that it is not listed first
        ask(server.base_url, tmp_path / "others", some(2, reply="Of others once more, number {}."))
        assert scores(ask(server.base_url, tmp_path, some(2))) == [1.0, 1.0]
        assert len(server.batches.all) == 3 and set(server.paid.values()) == {1}


def test_what_fails_in_a_batch_that_was_left_behind_is_sent_once_more(tmp_path: Path) -> None:
    with LoopbackServer(plan=first_times("expired")) as server:
        left_behind(server, tmp_path, some(3))
        assert scores(ask(server.base_url, tmp_path, some(3))) == [1.0] * 3
        assert [len(batch.requests) for batch in server.batches.all.values()] == [3, 3]


def test_what_nobody_asks_for_now_stays_for_later(tmp_path: Path) -> None:
    with LoopbackServer() as server:
        left_behind(server, tmp_path, some(4))
        assert scores(ask(server.base_url, tmp_path, some(1))) == [1.0]
        assert [len(batch["items"]) for batch in on_shelf(tmp_path)] == [3]
        assert scores(ask(server.base_url, tmp_path, some(4))) == [1.0] * 4
        assert len(server.batches.all) == 1
    assert on_shelf(tmp_path) == []


# ------------------------------------------------------------------------------------------------ the shelf
def test_a_note_that_cannot_be_read_is_said_and_what_it_stands_for_asked_again(tmp_path: Path) -> None:
    with LoopbackServer() as server:
        left_behind(server, tmp_path, some(2), format=99)
        with desk(server.base_url, tmp_path) as open_desk:
            assert scores(open_desk.ask(some(2), lambda _: None)) == [1.0, 1.0]
            assert "cannot be read" in open_desk.problem
        assert len(server.batches.all) == 2


def test_a_note_whose_results_are_gone_is_removed(tmp_path: Path) -> None:
    with LoopbackServer() as server:
        left_behind(server, tmp_path, some(2), began=time.time() - 30 * 24 * 3600)
        assert scores(ask(server.base_url, tmp_path, some(2))) == [1.0, 1.0]
        assert len(server.batches.all) == 2
    assert on_shelf(tmp_path) == []


def test_a_shelf_that_cannot_be_written_is_said_and_lived_with(tmp_path: Path) -> None:
    (tmp_path / "batches").write_text("in the way", "utf-8")
    with LoopbackServer() as server, desk(server.base_url, tmp_path) as open_desk:
        assert scores(open_desk.ask(some(2), lambda _: None)) == [1.0, 1.0]
        assert "a run that is killed would pay for them again" in open_desk.problem


def test_nothing_that_is_judged_stands_in_a_note(tmp_path: Path) -> None:
    with LoopbackServer() as server:
        left_behind(server, tmp_path, some(2))
    text = "".join(path.read_text("utf-8") for path in (tmp_path / "batches").glob("*.json"))
    assert "great idea" not in text and "sk-ant" not in text
