"""Faults, deadlines and money, in a time that passes at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_persona.errors import JudgeError
from pytest_persona.judge.chat import asking
from pytest_persona.judge.chat.asking import Asking
from pytest_persona.judge.chat.budget import Budget
from pytest_persona.judge.chat.intake import Call
from pytest_persona.judge.chat.ledger import Ledger, ledger_key
from pytest_persona.model.verdicts import Usage, Verdict
from pytest_persona.net.faults import Permanent, Transient


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "verdicts.sqlite")
    yield ledger
    ledger.close()


class Told:
    """How questions were answered, and how long that took."""

    def __init__(self, call: Call, asking: Asking, seconds: float) -> None:
        self.verdicts = [verdicts["a"] for verdicts in call.verdicts if verdicts]
        self.reasons = [verdict.reason for verdict in self.verdicts]
        self.details = [verdict.detail for verdict in self.verdicts]
        self.usage, self.error, self.problem, self.seconds = call.usage, call.error, asking.problem, seconds


Ask = Callable[..., list[Told]]


@pytest.fixture
def ask(ledger: Ledger, in_virtual_time: Callable[[Any], Any]) -> Ask:
    """Ask lists of questions one after the other, of a client: what they were told."""

    def put(client: Any, *asked: list[Any], linger: float = 0.0, **changed: Any) -> list[Told]:
        async def body() -> list[Told]:
            loop = asyncio.get_running_loop()
            options: dict[str, Any] = {"concurrency": 4, "deadline": 120.0, "budget": None, "run": "r", **changed}
            make_client = client if callable(client) else lambda: client
            desk = Asking(make_client, options.pop("ledger", ledger), **options)
            told = []
            try:
                for questions in asked:
                    call, began = Call(questions), loop.time()
                    desk.add(call, 0, [(question, keys(question)) for question in questions])
                    while not call.done.is_set():
                        await asyncio.sleep(0.01)
                    told.append(Told(call, desk, loop.time() - began))
                await asyncio.sleep(linger)
            finally:
                await desk.close()
            return told

        told: list[Told] = in_virtual_time(body)
        return told

    return put


def keys(question: Any) -> dict[str, str]:
    return {name: ledger_key("s", part) for name, part in question.parts.items()}


def kept(ledger: Ledger, questions: list[Any]) -> int:
    return len(ledger.known([key for question in questions for key in keys(question).values()]))


# ---------------------------------------------------------------------------------------------------- faults
def test_faults_that_may_go_away_are_met_with_patience(sweep: Any, ask: Ask) -> None:
    said = {
        1: Transient("HTTP 529", crowded=True),
        2: Transient("no connection"),
        3: Transient("HTTP 429", retry_after=40.0),
    }
    client = sweep.FakeClient(lambda n, k: said.get(k) if n == 1 else None)
    (told,) = ask(client, sweep.questions(3))
    assert told.reasons == [None] * 3
    assert told.usage[1] == Usage(calls=4, input_tokens=900, output_tokens=100, cached_tokens=400)
    assert 0.25 + 0.5 + 40 <= told.seconds <= 0.5 + 1 + 42.1
    assert (
        max(client.timeouts) == 60.0
    )  # half of the deadline, so that a reply that never comes leaves time for another


def test_a_question_that_fails_until_its_deadline_is_lost_alone(sweep: Any, ask: Ask, ledger: Ledger) -> None:
    client = sweep.FakeClient(lambda n, k: Transient("HTTP 500") if n == 2 else None)
    told, later = ask(client, sweep.questions(4), sweep.questions(1, first=9))
    assert told.reasons == [None, None, "failed", None]
    assert told.details[2] == f"HTTP 500, {client.times[2]} attempts in {told.seconds:.0f} s"
    assert told.usage[2] == Usage(calls=client.times[2])
    assert 8 <= client.times[2] <= 14 and told.seconds <= 120.0
    assert kept(ledger, sweep.questions(4)) == 3
    # Nobody else was asked in that time, so that others may fare better.
    assert (told.problem, later.reasons) == ("", [None])


def test_replies_that_never_come_are_given_up_in_time(sweep: Any, ask: Ask) -> None:
    class Slow(sweep.FakeClient):  # type: ignore[misc]
        async def ask(self, prompt: Any, *, most_tokens: int, timeout: float) -> Any:
            self.timeouts.append(timeout)
            await asyncio.sleep(timeout)
            raise Transient(f"no reply within {timeout:g} s")

    client = Slow()
    (told,) = ask(client, sweep.questions(1))
    assert client.timeouts[0] == 60.0 and 59.0 < client.timeouts[1] < 60.0
    assert told.seconds == pytest.approx(120.0, abs=0.1)
    assert told.details[0].endswith(", 2 attempts in 120 s")


def test_a_server_that_asks_for_more_time_than_there_is_ends_the_question(sweep: Any, ask: Ask) -> None:
    client = sweep.FakeClient(lambda n, k: Transient("HTTP 429", crowded=True, retry_after=3600.0) if n == 0 else None)
    told, later = ask(client, sweep.questions(1), sweep.questions(1, first=1))
    assert told.details == ["HTTP 429, 1 attempt in 0 s"]
    assert later.reasons == [None]
    assert 119.0 < later.seconds <= 120.1  # nobody is let in for as long as a question would have waited


def test_a_question_whose_turn_comes_too_late_is_lost(sweep: Any, ask: Ask) -> None:
    closes = Transient("HTTP 429", crowded=True, retry_after=119.0)
    said = {0: [Transient("HTTP 500")], 1: [sweep.reply("what?"), sweep.reply("what?"), closes]}

    def says(number: int, time: int) -> Any:
        return said[number][time - 1] if time <= len(said[number]) else None

    client = sweep.FakeClient(says, latency=0.2)
    (told,) = ask(client, sweep.questions(2), concurrency=2, deadline=119.2)
    assert told.details[0] == "HTTP 500, 1 attempt in 120 s"


def test_an_outage_is_found_once_and_the_rest_fails_at_once(sweep: Any, ask: Ask, ledger: Ledger) -> None:
    client = sweep.FakeClient(lambda n, k: Transient("no connection") if n >= 20 else None, latency=0.1)
    told, later = ask(client, sweep.questions(500), sweep.questions(3, first=900))
    assert told.reasons == [None] * 20 + ["failed"] * 480
    assert told.seconds < 122.0
    assert 12 <= told.details.count(told.details[499]) <= 480
    took = int(told.details[499].split()[6])
    assert 85 <= took <= 120  # where the next wait would go beyond the deadline it is over
    assert told.details[499] == f"the judge has not answered for {took} s (no connection)"
    assert told.problem == f"The{told.details[499][3:]}; what was left was not asked."
    assert told.usage[499] == Usage()
    assert len(client.times) <= 20 + 5 * 4  # while as many wait to be asked again, hardly any others are asked
    assert (later.reasons, later.seconds < 1.0) == (["failed"] * 3, True)
    assert kept(ledger, sweep.questions(500)) == 20


def test_a_server_that_comes_back_in_time_loses_nothing(sweep: Any, ask: Ask) -> None:
    client = sweep.FakeClient(lambda n, k: Transient("HTTP 503") if k <= 6 else None, latency=0.1)
    (told,) = ask(client, sweep.questions(40))
    assert told.reasons == [None] * 40


def test_an_unusable_answer_is_asked_for_twice_more(sweep: Any, ask: Ask, ledger: Ledger) -> None:
    client = sweep.FakeClient(lambda n, k: sweep.reply("I would rather not say") if k <= 2 + n else None)
    (told,) = ask(client, sweep.questions(2))
    assert told.reasons == [None, "unparsable"]
    assert told.details[1] == "the answer holds no JSON object"
    assert [usage.calls for usage in told.usage] == [3, 3]
    assert told.usage[0].output_tokens == 300
    assert kept(ledger, sweep.questions(2)) == 1


def test_an_answer_that_is_cut_off_is_allowed_more_tokens_twice(sweep: Any, ask: Ask) -> None:
    client = sweep.FakeClient(lambda n, k: sweep.reply('{"seal":', "length") if k <= 2 + n else None)
    (told,) = ask(client, sweep.questions(2), concurrency=1)
    assert told.reasons == [None, "unparsable"]
    once = client.most_tokens[0]
    assert client.most_tokens == [once, 2 * once, 4 * once] * 2
    assert told.details[1] == f"the answer was cut off at {4 * once:,} tokens"


def test_a_refusal_to_answer_is_kept_and_not_asked_again(sweep: Any, ask: Ask) -> None:
    client = sweep.FakeClient(lambda n, k: sweep.reply("no", "declined"))
    first, second = ask(client, sweep.questions(1), sweep.questions(1))
    assert first.reasons == second.reasons == ["declined"]
    assert client.asked == [0]


def test_a_question_that_cannot_be_asked_fails_once_and_alone(sweep: Any, ask: Ask, ledger: Ledger) -> None:
    client = sweep.FakeClient(lambda n, k: Permanent("HTTP 400: too long", fatal=False) if n == 1 else None)
    (told,) = ask(client, sweep.questions(3))
    assert told.reasons == [None, "failed", None]
    assert told.details[1] == "HTTP 400: too long"
    assert client.times[1] == 1
    assert kept(ledger, sweep.questions(3)) == 2


def test_what_is_in_flight_when_the_key_expires_is_kept_but_not_asked_again(
    sweep: Any, ask: Ask, ledger: Ledger
) -> None:
    said = {0: Permanent("HTTP 401.", fatal=True), 1: Transient("HTTP 500"), 2: sweep.reply("what?"), 3: None}

    class Uneven(sweep.FakeClient):  # type: ignore[misc]
        async def ask(self, prompt: Any, **limits: Any) -> Any:
            if "question 0" not in prompt.asked:
                await asyncio.sleep(1.0)
            return await super().ask(prompt, **limits)

    client = Uneven(lambda n, k: said[n])
    (told,) = ask(client, sweep.questions(50), concurrency=8, linger=5.0)
    assert isinstance(told.error, JudgeError)
    assert str(told.error) == "HTTP 401. What was answered before is kept and will not be asked again."
    assert (told.verdicts, told.seconds < 0.1) == ([], True)
    assert sorted(client.asked) == [0, 1, 2, 3]
    assert kept(ledger, sweep.questions(50)) == 1
    assert ledger.claim(["x", *keys(sweep.question(1)).values()]) == {"x", *keys(sweep.question(1)).values()}


def test_a_client_that_cannot_be_made_ends_everything(sweep: Any, ask: Ask) -> None:
    made = 0

    def refuse() -> Any:
        nonlocal made
        made += 1
        raise JudgeError("no key. Set ANTHROPIC_API_KEY.")

    first, second = ask(refuse, sweep.questions(20), sweep.questions(1))
    assert str(first.error) == str(second.error) == "no key. Set ANTHROPIC_API_KEY."
    assert made == 1


def test_a_client_that_cannot_be_closed_is_told(sweep: Any, in_virtual_time: Any, ledger: Ledger) -> None:
    client = sweep.FakeClient()
    client.close = lambda: asyncio.sleep(3600)

    async def body() -> str:
        desk = Asking(lambda: client, ledger, concurrency=1, deadline=1.0, budget=None, run="")
        desk.add(Call([sweep.question(0)]), 0, [(sweep.question(0), keys(sweep.question(0)))])
        await asyncio.sleep(1.0)
        await desk.close()
        return desk.problem

    problem = in_virtual_time(body)
    assert problem == "The connection to the judge could not be closed: TimeoutError()"


def test_a_budget_stops_within_one_question_for_each_slot(sweep: Any, ask: Ask) -> None:
    client = sweep.FakeClient(latency=0.2)
    told, later = ask(client, sweep.questions(100), sweep.questions(2, first=500), budget=Budget(tokens=10_000))
    read = told.reasons.count(None)
    assert 8 <= read <= 10 + 4
    assert len(client.asked) == read  # of 1,000 tokens each
    lost = Verdict(expressed=None, reason="missing", detail="the budget of 10,000 tokens is spent")
    assert [verdict for verdict in told.verdicts if verdict.reason] == [lost] * (100 - read)
    assert told.problem == "The budget of 10,000 tokens is spent; what was left was not asked."
    assert later.verdicts == [lost] * 2


def test_what_in_flight_costs_less_than_reserved_is_there_for_others(sweep: Any, ask: Ask) -> None:
    # 2,600 are reserved at first (half of the output allowed, on top of what is sent), 1,000 spent.
    client = sweep.FakeClient(latency=0.2)
    (told,) = ask(client, sweep.questions(10), budget=Budget(tokens=12_000), concurrency=8)
    assert told.reasons == [None] * 10
    assert client.most_active < 8


def test_a_request_that_failed_takes_nothing_from_the_budget(sweep: Any, ask: Ask) -> None:
    client = sweep.FakeClient(lambda n, k: Transient("HTTP 529", crowded=True) if k <= 5 else None)
    (told,) = ask(client, sweep.questions(4), budget=Budget(tokens=5_600))  # for four, not for five
    assert told.reasons == [None] * 4


def test_a_budget_smaller_than_a_question_asks_none(sweep: Any, ask: Ask) -> None:
    client = sweep.FakeClient()
    (told,) = ask(client, sweep.questions(3), budget=Budget(tokens=100))
    assert (told.reasons, client.asked) == (["missing"] * 3, [])


# ---------------------------------------------------------------------------------------------------- others
def test_what_another_process_asks_is_waited_for_and_asked_if_it_lets_go(
    sweep: Any, ask: Ask, ledger: Ledger, tmp_path: Path, in_virtual_time: Any
) -> None:
    other = Ledger(tmp_path / "verdicts.sqlite")
    questions = [sweep.question(number, "a", "b") for number in range(3)]
    theirs = [keys(question) for question in questions]
    other.claim([theirs[0]["a"], theirs[0]["b"], theirs[1]["b"]])
    verdict = {"expressed": -1.0, "requested": 0.5, "quote": None, "reason": None, "detail": "", "model": "m"}
    client = sweep.FakeClient()

    async def body() -> Call:
        desk = Asking(lambda: client, ledger, concurrency=4, deadline=9.0, budget=None, run="")
        call = Call(questions)
        desk.add(call, 0, list(zip(questions, theirs, strict=True)))
        await asyncio.sleep(3.0)
        assert sorted(zip(client.asked, client.traits, strict=True)) == [(1, ["a"]), (2, ["a", "b"])]
        other.keep({theirs[0]["a"]: verdict, theirs[1]["b"]: verdict})
        await asyncio.sleep(0.5)
        assert len(client.asked) == 2
        other.close()
        await asyncio.sleep(0.5)
        await desk.close()
        return call

    call = in_virtual_time(body)
    assert call.done.is_set() and call.error is None
    read = [{name: verdict.expressed for name, verdict in verdicts.items()} for verdicts in call.verdicts]
    assert read == [{"a": -1.0, "b": 1 / 3}, {"a": 1 / 3, "b": -1.0}, {"a": 1 / 3, "b": 1 / 3}]
    assert [usage.calls for usage in call.usage] == [1, 1, 1]
    assert (client.asked[2], client.traits[2]) == (0, ["b"])


def test_many_that_are_asked_elsewhere_are_looked_at_in_turns(
    sweep: Any, ledger: Ledger, tmp_path: Path, in_virtual_time: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_persona.judge.chat.intake._LOOKED_AT", 3)
    other = Ledger(tmp_path / "verdicts.sqlite")
    questions = sweep.questions(20)
    other.claim([key for question in questions for key in keys(question).values()])
    client = sweep.FakeClient()

    async def body() -> None:
        desk = Asking(lambda: client, ledger, concurrency=4, deadline=9.0, budget=None, run="")
        gone, stays = Call(questions[:10]), Call(questions[10:])
        for call, asked in ((gone, questions[:10]), (stays, questions[10:])):
            desk.add(call, 0, [(question, keys(question)) for question in asked])
        await asyncio.sleep(1.0)
        gone.given_up = True  # its questions fill the next turns
        other.close()
        await asyncio.sleep(4.0)
        assert stays.done.is_set()
        await desk.close()

    in_virtual_time(body)
    assert sorted(client.asked) == list(range(10, 20))


def test_a_question_about_no_trait_waits_for_nothing(sweep: Any, ask: Ask) -> None:
    (told,) = ask(pytest.fail, [replace(sweep.question(1), traits=())])
    assert (told.verdicts, told.error) == ([], None)


def test_what_nobody_waits_for_any_more_is_not_asked(
    sweep: Any, ledger: Ledger, tmp_path: Path, in_virtual_time: Any
) -> None:
    other = Ledger(tmp_path / "verdicts.sqlite")
    other.claim(keys(sweep.question(99)).values())
    client = sweep.FakeClient(latency=1.0)

    async def body() -> None:
        desk = Asking(lambda: client, ledger, concurrency=16, deadline=9.0, budget=None, run="")
        gone, stays = Call(sweep.questions(100)), Call([sweep.question(50)])
        for call, first in ((gone, 0), (stays, 50)):
            questions = sweep.questions(len(call.verdicts), first=first)
            desk.add(call, 0, [(question, keys(question)) for question in questions])
        await asyncio.sleep(0.5)
        gone.given_up = True
        await asyncio.sleep(5.0)
        assert stays.done.is_set()
        assert len(client.asked) <= 8 + 1 and client.asked[-1] == 50
        other.close()
        await asyncio.sleep(1.0)
        await desk.close()

    in_virtual_time(body)
    assert 99 not in client.asked
    third = Ledger(tmp_path / "verdicts.sqlite")
    unasked = [key for n in range(60, 100) for key in keys(sweep.question(n)).values()]
    assert third.claim(unasked) == set(unasked)  # nothing is left claimed
    third.close()


# ---------------------------------------------------------------------------------------------------- mistakes
def test_a_request_that_is_called_off_by_its_client_is_lost_alone(sweep: Any, ask: Ask) -> None:
    class Fickle(sweep.FakeClient):  # type: ignore[misc]
        async def ask(self, prompt: Any, **limits: Any) -> Any:
            if "question 1" in prompt.asked:
                raise asyncio.CancelledError
            return await super().ask(prompt, **limits)

    (told,) = ask(Fickle(), sweep.questions(3), concurrency=1)
    assert told.reasons == [None, "failed", None]
    assert told.details[1] == "it was called off"


@pytest.mark.parametrize("where", ["client", "prompt", "claim", "keep", "known"])
def test_a_mistake_of_ours_is_raised_and_nobody_waits_for_ever(
    sweep: Any, ask: Ask, ledger: Ledger, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def fail(*args: Any, **named: Any) -> Any:
        raise ZeroDivisionError("ours")

    client = sweep.FakeClient()
    place = {"client": (client, "ask"), "prompt": (asking, "prompt_of")}.get(where, (ledger, where))
    monkeypatch.setattr(*place, fail)
    (told,) = ask(client, sweep.questions(50))
    assert isinstance(told.error, ZeroDivisionError)
    monkeypatch.undo()
