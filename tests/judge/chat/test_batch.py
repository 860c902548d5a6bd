"""Batches: gathered, sent off, followed, read, and never paid for twice; with the real SDK against the loopback server."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from batch_sweeps import ask, desk, first_times, on_shelf, scores, some, until
from loopback_faults import named
from loopback_server import LoopbackServer

from pytest_persona.errors import JudgeError
from pytest_persona.judge.chat.budget import Budget
from pytest_persona.judge.chat.desk import Answered


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-test")


# ------------------------------------------------------------------------------------------------ asking
def test_questions_of_all_threads_go_off_together_and_each_once(tmp_path: Path) -> None:
    answers: dict[int, list[Answered]] = {}
    ticks: list[int] = []
    with LoopbackServer() as server, desk(server.base_url, tmp_path) as open_desk:

        def audit(number: int) -> None:
            answers[number] = open_desk.ask(some(20)[number * 5 : number * 5 + 10], ticks.append)

        threads = [threading.Thread(target=audit, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.batches.all) == 1
        assert set(server.paid.values()) == {1} and len(server.paid) == 20
    assert all(scores(answers[number]) == [1.0] * 10 for number in range(3))
    assert sum(ticks) == 30
    assert sum(answered.usage.calls for number in answers for answered in answers[number]) == 20
    assert on_shelf(tmp_path) == []


def test_what_is_known_is_not_sent_again(tmp_path: Path) -> None:
    with LoopbackServer() as server:
        ask(server.base_url, tmp_path, some(4))
        answers = ask(server.base_url, tmp_path, some(6))
        assert [len(batch.requests) for batch in server.batches.all.values()] == [4, 2]
    assert scores(answers) == [1.0] * 6
    assert [answered.usage.calls for answered in answers] == [0, 0, 0, 0, 1, 1]


@pytest.mark.parametrize("limits, sizes", [((4, 10**9), [4, 4, 2]), ((100, 25_000), None)])
def test_more_than_a_batch_may_hold_is_split(tmp_path: Path, limits: tuple[int, int], sizes: list[int] | None) -> None:
    with LoopbackServer(batch_limit=limits[0]) as server:
        assert scores(ask(server.base_url, tmp_path, some(10), limits=limits)) == [1.0] * 10
        found = [len(batch.requests) for batch in server.batches.all.values()]
    assert sum(found) == 10 and len(found) > 2
    assert sizes is None or found == sizes


def test_two_processes_with_the_same_questions_share_them_out(tmp_path: Path) -> None:
    with LoopbackServer() as server, desk(server.base_url, tmp_path) as one, desk(server.base_url, tmp_path) as other:
        results: list[list[Answered]] = []
        threads = [
            threading.Thread(target=lambda d=each: results.append(d.ask(some(30), lambda _: None)))
            for each in (one, other)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(server.paid.values()) == {1} and len(server.paid) == 30
    assert [scores(answers) for answers in results] == [[1.0] * 30] * 2


# ------------------------------------------------------------------------------------------------ faults of questions
@pytest.mark.parametrize("name", ["errored", "expired", "canceled", "529", "empty"])
def test_what_was_not_answered_is_sent_once_more(tmp_path: Path, name: str) -> None:
    with LoopbackServer(plan=first_times(name)) as server:
        answers = ask(server.base_url, tmp_path, some(3))
        assert len(server.batches.all) == 2
    assert scores(answers) == [1.0] * 3
    assert [answered.usage.calls for answered in answers] == [2, 2, 2]


@pytest.mark.parametrize(
    "name, said", [("errored", "api_error"), ("expired", "its batch was expired before it was answered")]
)
def test_what_is_not_answered_twice_has_failed(tmp_path: Path, name: str, said: str) -> None:
    with LoopbackServer(plan=first_times(name, 9)) as server:
        (answered,) = ask(server.base_url, tmp_path, some(1))
        assert len(server.batches.all) == 2
    (verdict,) = answered.verdicts.values()
    assert verdict.reason == "failed" and said in verdict.detail and "in 2 batches" in verdict.detail


def test_a_question_that_is_refused_fails_at_once_and_alone(tmp_path: Path) -> None:
    plan = lambda index, asked: named("400") if index == 0 else None  # noqa: E731
    with LoopbackServer(plan=plan) as server:
        assert scores(ask(server.base_url, tmp_path, some(3))) == ["failed", 1.0, 1.0]
        assert len(server.batches.all) == 1


def test_an_unusable_answer_is_asked_for_again_in_another_batch(tmp_path: Path) -> None:
    with LoopbackServer(plan=first_times("json")) as server:
        assert scores(ask(server.base_url, tmp_path, some(2))) == [1.0, 1.0]
        assert len(server.batches.all) == 2


def test_a_model_that_always_thinks_is_left_to_in_the_next_batch(tmp_path: Path) -> None:
    with LoopbackServer(always_thinks=True) as server:
        assert scores(ask(server.base_url, tmp_path, some(2))) == [1.0, 1.0]
        thinking = [
            ["thinking" in request["params"] for request in batch.requests] for batch in server.batches.all.values()
        ]
    assert thinking == [[True, True], [False, False]]


def test_a_fault_that_no_question_escapes_ends_the_run(tmp_path: Path) -> None:
    with LoopbackServer(plan=first_times("401")) as server, pytest.raises(JudgeError, match="the API key was refused"):
        ask(server.base_url, tmp_path, some(2))


# ------------------------------------------------------------------------------------------------ money
def test_only_as_many_are_sent_as_the_budget_allows(tmp_path: Path) -> None:
    with LoopbackServer() as server, desk(server.base_url, tmp_path, budget=Budget(tokens=10_000)) as open_desk:
        answers = open_desk.ask(some(20), lambda _: None)
        entries = list(server.log)
        assert "the budget of 10,000 tokens is spent" in open_desk.problem.lower()
    found = scores(answers)
    assert found.count(1.0) == len(entries) >= 3 and found.count("missing") == 20 - len(entries)
    assert sum(entry.input_tokens + entry.output_tokens for entry in entries) <= 10_000


# ------------------------------------------------------------------------------------------------ faults of batches
def test_a_batch_that_arrived_although_nobody_said_so_is_not_sent_twice(tmp_path: Path) -> None:
    with LoopbackServer() as server:
        server.batches.plan[0] = "lost"
        assert scores(ask(server.base_url, tmp_path, some(3))) == [1.0] * 3
        assert len(server.batches.all) == 1 and set(server.paid.values()) == {1}


def test_a_batch_that_is_refused_for_a_while_is_sent_again(tmp_path: Path) -> None:
    with LoopbackServer() as server:
        server.batches.plan[0] = "refused"
        assert scores(ask(server.base_url, tmp_path, some(2))) == [1.0, 1.0]
        assert set(server.paid.values()) == {1}


def test_a_batch_that_is_refused_for_good_leaves_nothing_behind(tmp_path: Path) -> None:
    with LoopbackServer(batch_limit=1) as server:
        answers = ask(server.base_url, tmp_path, some(2))
    assert scores(answers) == ["failed", "failed"]
    assert "HTTP 400" in answers[0].verdicts["sycophancy"].detail
    assert on_shelf(tmp_path) == []


@pytest.mark.parametrize("name", ["dropped", "truncated", "html"])
def test_a_hiccup_while_a_batch_is_followed_does_no_harm(tmp_path: Path, name: str) -> None:
    with LoopbackServer(batch_latency=0.0) as server:
        server.batches.hiccups += [named(name)]
        assert scores(ask(server.base_url, tmp_path, some(2), deadline=20.0)) == [1.0, 1.0]
        assert not server.batches.hiccups and set(server.paid.values()) == {1}


def test_results_that_are_no_results_are_read_again(tmp_path: Path) -> None:
    with LoopbackServer() as server:
        open_results = server.batches.handle

        def once(request: Any) -> Any:
            reply = open_results(request)
            if request.path.endswith("/results"):
                server.batches.handle = open_results  # type: ignore[method-assign]
                reply.body = b'{"custom_id": "x"}\n'
            return reply

        server.batches.handle = once  # type: ignore[method-assign]
        assert scores(ask(server.base_url, tmp_path, some(2))) == [1.0, 1.0]


def test_a_question_that_the_results_leave_out_is_sent_once_more(tmp_path: Path) -> None:
    with LoopbackServer(batch_latency=0.1) as server, desk(server.base_url, tmp_path) as open_desk:
        waiting = threading.Thread(target=lambda: answers.extend(open_desk.ask(some(3), lambda _: None)))
        answers: list[Answered] = []
        waiting.start()
        until(lambda: server.batches.all)
        del server.batches.all["msgbatch_0000"].requests[1]
        waiting.join()
        assert [len(batch.requests) for batch in server.batches.all.values()] == [2, 1]
    assert scores(answers) == [1.0] * 3


def test_a_batch_that_the_vendor_has_no_more_is_sent_again(tmp_path: Path) -> None:
    with LoopbackServer(batch_latency=0.2) as server, desk(server.base_url, tmp_path) as open_desk:
        answers: list[Answered] = []
        waiting = threading.Thread(target=lambda: answers.extend(open_desk.ask(some(2), lambda _: None)))
        waiting.start()
        until(lambda: server.batches.all)
        server.batches.all["msgbatch_lost"] = server.batches.all.pop("msgbatch_0000")
        waiting.join()
    assert scores(answers) == [1.0, 1.0]


def test_a_vendor_out_of_reach_fails_what_waits_and_the_next_run_reads_it(tmp_path: Path) -> None:
    with LoopbackServer(batch_latency=0.3) as server:
        with desk(server.base_url, tmp_path, deadline=0.3) as open_desk:
            server.batches.hiccups += [named("503")] * 50
            answers = open_desk.ask(some(2), lambda _: None)
            assert "has not answered for 0.3 s" in open_desk.problem
        assert scores(answers) == ["failed", "failed"]
        server.batches.hiccups.clear()
        assert scores(ask(server.base_url, tmp_path, some(2))) == [1.0, 1.0]
        assert set(server.paid.values()) == {1}
