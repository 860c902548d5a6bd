"""The desk: every question is asked once and answered or accounted for, whoever asks and however it ends."""

from __future__ import annotations

import asyncio
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pytest_persona.errors import JudgeError
from pytest_persona.infer.answers import read_answer
from pytest_persona.infer.prompt import prompt_of
from pytest_persona.judge.chat import asking
from pytest_persona.judge.chat.budget import Budget, Prices
from pytest_persona.judge.chat.desk import Answered, Desk
from pytest_persona.judge.chat.ledger import Ledger, ledger_key
from pytest_persona.model.verdicts import Usage, Verdict
from pytest_persona.net import faults
from pytest_persona.net.faults import Permanent, Transient

MakeDesk = Callable[..., Desk]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "verdicts.sqlite")
    yield ledger
    ledger.close()


@pytest.fixture
def make_desk(ledger: Ledger) -> Iterator[MakeDesk]:
    desks: list[Desk] = []

    def make(client: Any, **changed: Any) -> Desk:
        make_client = client if callable(client) else lambda: client
        options: dict[str, Any] = {"scope": "s", "concurrency": 4, "deadline": 10.0, **changed}
        desks.append(Desk(make_client, options.pop("ledger", ledger), **options))
        return desks[-1]

    yield make
    for desk in desks:
        desk.close()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits after a fault are short."""
    monkeypatch.setattr(faults, "_FIRST", 0.01)


def no_tick(count: int) -> None: ...


def reasons(answers: list[Answered]) -> list[str | None]:
    return [answered.verdicts["a"].reason for answered in answers]


def kept(ledger: Ledger, questions: list[Any]) -> int:
    keys = [ledger_key("s", part) for question in questions for part in question.parts.values()]
    return len(ledger.known(keys))


# ---------------------------------------------------------------------------------------------------- answers
def test_answers_come_in_order_with_what_they_cost(sweep: Any, make_desk: MakeDesk) -> None:
    client = sweep.FakeClient(lambda n, k: sweep.reply(stop="declined") if n == 3 else None, latency=0.001)
    ticks: list[int] = []
    budget = Budget(prices=Prices(input=10.0, output=100.0, cached=1.0))
    answers = make_desk(client, budget=budget).ask(sweep.questions(20, "b", "a"), ticks.append)
    assert [list(answered.verdicts) for answered in answers] == [["b", "a"]] * 20
    good = Verdict(expressed=1 / 3, requested=0.0)
    for number, answered in enumerate(answers):
        expected = Verdict(expressed=None, reason="declined") if number == 3 else good
        assert set(answered.verdicts.values()) == {expected}
    cost = (500 * 10 + 400 * 1 + 100 * 100) / 1e6
    assert answers[0].usage == Usage(calls=1, input_tokens=900, output_tokens=100, cached_tokens=400, cost=cost)
    assert sum(ticks) == 20
    assert sorted(client.asked) == list(range(20))
    assert client.most_active <= 4


def test_no_questions_need_no_client(make_desk: MakeDesk) -> None:
    assert make_desk(pytest.fail).ask([], no_tick) == []


def test_what_is_in_the_ledger_is_not_asked(sweep: Any, make_desk: MakeDesk, ledger: Ledger) -> None:
    first, second = sweep.FakeClient(), sweep.FakeClient()
    make_desk(first).ask(sweep.questions(3), no_tick)
    answers = make_desk(second).ask(sweep.questions(5), no_tick)
    assert sorted(second.asked) == [3, 4]
    assert reasons(answers) == [None] * 5
    assert [answered.usage.calls for answered in answers] == [0, 0, 0, 1, 1]
    assert make_desk(sweep.FakeClient(), scope="another").ask(sweep.questions(1), no_tick)[0].usage.calls == 1
    assert kept(ledger, sweep.questions(5)) == 5


def test_many_threads_ask_at_once_and_each_question_is_asked_once(sweep: Any, make_desk: MakeDesk) -> None:
    client = sweep.FakeClient(latency=0.02)
    desk = make_desk(client, concurrency=16)
    with ThreadPoolExecutor(8) as pool:
        calls = [pool.submit(desk.ask, sweep.questions(30, first=5 * n), no_tick) for n in range(8)]
        answers = [call.result() for call in calls]
    assert sorted(client.asked) == list(range(65))
    assert all(reasons(answered) == [None] * 30 for answered in answers)
    assert sum(one.usage.calls for answered in answers for one in answered) == 65


def test_a_question_that_shares_a_trait_with_one_in_flight_asks_the_others_only(
    sweep: Any, make_desk: MakeDesk
) -> None:
    client = sweep.FakeClient(latency=0.05)
    desk = make_desk(client)
    twice = sweep.question(1, "b", "c")
    first, second, third = desk.ask([sweep.question(1, "a", "b"), sweep.question(1, "a", "c"), twice], no_tick)
    assert sorted(map(tuple, client.traits)) == [("a", "b"), ("c",)]
    assert (set(first.verdicts), set(second.verdicts), set(third.verdicts)) == ({"a", "b"}, {"a", "c"}, {"b", "c"})
    assert [answered.usage.calls for answered in (first, second, third)] == [1, 1, 0]


def test_a_text_shown_in_part_counts_as_cut(sweep: Any, make_desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_persona.infer.prompt.REPLY_CHARACTERS", 5)
    assert make_desk(sweep.FakeClient()).ask(sweep.questions(1), no_tick)[0].usage.cut == 1


def test_it_works_where_an_event_loop_runs(sweep: Any, make_desk: MakeDesk) -> None:
    client = sweep.FakeClient(latency=0.01)

    async def body() -> list[Answered]:
        return make_desk(client).ask(sweep.questions(10), no_tick)

    assert reasons(asyncio.run(body())) == [None] * 10


# ---------------------------------------------------------------------------------------------------- faults
def test_an_expired_key_ends_everything_with_one_message(sweep: Any, make_desk: MakeDesk, ledger: Ledger) -> None:
    expired = Permanent("the API key was refused (HTTP 401). Check ANTHROPIC_API_KEY.", fatal=True)
    client = sweep.FakeClient(lambda n, k: expired if n >= 30 else None, latency=0.005)
    desk = make_desk(client)
    told: list[str] = []

    def ask(first: int) -> None:
        with pytest.raises(JudgeError) as caught:
            desk.ask(sweep.questions(300, first=first), no_tick)
        told.append(str(caught.value))

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(ask, (0, 100, 200)))
    ask(1000)
    assert set(told) == {
        "the API key was refused (HTTP 401). Check ANTHROPIC_API_KEY."
        " What was answered before is kept and will not be asked again."
    }
    assert len([number for number in client.asked if number >= 30]) <= 4
    desk.close()
    assert kept(ledger, sweep.questions(1300)) == len([n for n in client.asked if n < 30])
    other = Ledger(ledger._store.path)  # nothing is left claimed
    keys = {ledger_key("s", *question.parts.values()) for question in sweep.questions(300)}
    assert other.claim(keys) == keys - set(other.known(keys))
    other.close()


def test_a_client_that_cannot_be_made_is_told_to_every_caller(sweep: Any, make_desk: MakeDesk) -> None:
    made: list[str] = []

    def refuse() -> Any:
        made.append(threading.current_thread().name)
        raise JudgeError("no key. Set ANTHROPIC_API_KEY.")

    desk = make_desk(refuse)

    def ask(first: int) -> None:
        with pytest.raises(JudgeError, match=r"^no key. Set ANTHROPIC_API_KEY.$"):
            desk.ask(sweep.questions(20, first=first), no_tick)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(ask, (0, 20, 40, 60)))
    ask(100)
    assert made == ["pytest-persona desk"]


def test_verdicts_count_where_the_disk_is_full(sweep: Any, make_desk: MakeDesk, ledger: Ledger) -> None:
    assert ledger._store._db is not None
    ledger._store._db.execute("PRAGMA max_page_count=5")
    client = sweep.FakeClient()
    desk = make_desk(client)
    assert reasons(desk.ask(sweep.questions(100), no_tick)) == [None] * 100
    assert "full" in ledger.problem
    assert reasons(desk.ask(sweep.questions(100), no_tick)) == [None] * 100
    assert sorted(client.asked) == list(range(100))


# ---------------------------------------------------------------------------------------------------- money
def test_a_budget_in_money_holds_for_all_desks_of_a_run(sweep: Any, make_desk: MakeDesk) -> None:
    budget = Budget(money=0.02, prices=Prices(input=1.0, output=10.0))
    clients = [sweep.FakeClient(latency=0.002) for _ in range(3)]
    desks = [
        make_desk(client, budget=budget, run=run) for client, run in zip(clients, ("one", "one", "two"), strict=True)
    ]
    with ThreadPoolExecutor(2) as pool:
        calls = [pool.submit(desk.ask, sweep.questions(50, first=100 * n), no_tick) for n, desk in enumerate(desks[:2])]
        answers = [answered for call in calls for answered in call.result()]
    cost = sum(answered.usage.cost or 0.0 for answered in answers)
    assert 0.015 <= cost <= 0.02 + 8 * 0.0019
    assert reasons(answers).count("missing") == 100 - len(clients[0].asked) - len(clients[1].asked) > 50
    assert desks[0].problem == "The budget of 0.02 is spent; what was left was not asked."
    assert None in reasons(desks[2].ask(sweep.questions(2, first=900), no_tick))


# ---------------------------------------------------------------------------------------------------- ends
def test_closing_lets_those_who_wait_go_and_keeps_what_was_answered(
    sweep: Any, make_desk: MakeDesk, ledger: Ledger
) -> None:
    closing: list[threading.Thread] = []

    def says(number: int, time: int) -> None:
        if number == 40:
            closing.append(threading.Thread(target=desk.close))
            closing[0].start()

    client = sweep.FakeClient(says, latency=0.01)
    desk = make_desk(client)
    with pytest.raises(JudgeError, match=r"^The judge was closed before it had answered. What was answered is kept.$"):
        desk.ask(sweep.questions(1000), no_tick)
    closing[0].join()
    desk.close()
    assert (client.active, client.closed) == (0, 1)
    assert len(client.asked) - 4 <= kept(ledger, sweep.questions(1000)) <= len(client.asked) < 500
    with pytest.raises(JudgeError, match="closed"):
        desk.ask(sweep.questions(1), no_tick)


def test_a_desk_that_asked_nothing_can_be_closed(sweep: Any, make_desk: MakeDesk) -> None:
    desk = make_desk(pytest.fail)
    desk.close()
    with pytest.raises(JudgeError, match="closed"):
        desk.ask(sweep.questions(1), no_tick)


def test_ctrl_c_lets_the_caller_go_and_its_questions_with_it(sweep: Any, make_desk: MakeDesk, ledger: Ledger) -> None:
    def says(number: int, time: int) -> None:
        if number == 12:
            signal.raise_signal(signal.SIGINT)  # for the main thread, which waits

    client = sweep.FakeClient(says, latency=0.02)
    desk = make_desk(client)
    questions = sweep.questions(2000)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            desk.ask(questions, no_tick)
    finally:
        signal.signal(signal.SIGINT, before)
    assert gone_with_its_questions(sweep, desk, client, ledger)


def test_so_does_a_tick_that_fails(sweep: Any, make_desk: MakeDesk, ledger: Ledger) -> None:
    client = sweep.FakeClient(latency=0.02)
    desk = make_desk(client)
    with pytest.raises(ZeroDivisionError):
        desk.ask(sweep.questions(2000), lambda count: count // 0)  # type: ignore[arg-type]
    assert gone_with_its_questions(sweep, desk, client, ledger)


def gone_with_its_questions(sweep: Any, desk: Desk, client: Any, ledger: Ledger) -> bool:
    """The next caller does not wait for what nobody wants any more; what was in flight is kept."""
    assert reasons(desk.ask(sweep.questions(1, first=5000), no_tick)) == [None]
    desk.close()
    assert len(client.asked) < 500
    assert max(client.times.values()) == 1
    return kept(ledger, sweep.questions(2000)) >= len(client.asked) - 1 - 4


def test_a_desk_that_is_closed_while_questions_are_handed_in_says_so(sweep: Any, make_desk: MakeDesk) -> None:
    desk = make_desk(sweep.FakeClient())
    desk.ask(sweep.questions(1), no_tick)
    desk.close()
    desk._closed = False
    with pytest.raises(JudgeError, match="closed"):
        desk.ask(sweep.questions(1), no_tick)


def test_a_thread_that_has_gone_is_noticed(sweep: Any, make_desk: MakeDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = make_desk(sweep.FakeClient(latency=30.0))
    monkeypatch.setattr(desk, "_is_open", lambda: False)  # as in a process that was forked
    with pytest.raises(JudgeError, match="closed"):
        desk.ask(sweep.questions(1), no_tick)


def test_clock_changes_change_nothing(
    sweep: Any, make_desk: MakeDesk, monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    jumps = iter([0.0, 1e9, -1e9] * 10_000)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + next(jumps))
    client = sweep.FakeClient(lambda n, k: Transient("HTTP 529", crowded=True) if k == 1 else None, latency=0.001)
    started = time.monotonic()
    answers = make_desk(client, deadline=5.0).ask(sweep.questions(50), no_tick)
    assert reasons(answers) == [None] * 50
    assert time.monotonic() - started < 4.0


def test_ten_thousand_questions_with_faults_are_each_answered_or_accounted_for(
    sweep: Any, make_desk: MakeDesk, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, quick: None
) -> None:
    draw = random.Random(1)
    prompt = prompt_of(sweep.question(0), fence="0" * 16)
    monkeypatch.setattr(asking, "prompt_of", lambda question, fence: _numbered(prompt, question))
    good = {"a": Verdict(expressed=1 / 3, requested=0.0)}
    monkeypatch.setattr(asking, "read_answer", lambda q, p, text: good if text[:1] == "{" else read_answer(q, p, text))
    kinds = (
        Transient("HTTP 429", crowded=True, retry_after=0.01),
        Transient("HTTP 500"),
        Permanent("HTTP 400", fatal=False),
        sweep.reply("what?"),
        sweep.reply("no", "declined"),
    )

    def says(number: int, time: int) -> Any:
        return draw.choice(kinds) if draw.random() < 0.05 else None

    client = sweep.FakeClient(says, latency=0.001)
    desk = make_desk(client, concurrency=64)
    questions = sweep.questions(10_000)
    started = time.monotonic()
    answers = desk.ask(questions, no_tick)
    assert time.monotonic() - started < 30.0
    found = reasons(answers)
    assert set(found) <= {None, "failed", "declined", "unparsable"}
    assert found.count(None) > 9_700
    assert set(client.asked) == set(range(10_000))
    assert sum(answered.usage.calls for answered in answers) == len(client.asked)
    assert kept(ledger, questions) == found.count(None) + found.count("declined")
    assert desk.problem == ""


def _numbered(prompt: Any, question: Any) -> Any:
    from dataclasses import replace

    return replace(prompt, asked=question.shown[0].context[0].text)
