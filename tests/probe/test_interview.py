"""Dialogues with a target that fails in every way: what comes of them, how often it is asked, and what is kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from pytest_persona.errors import TargetError
from pytest_persona.model.episodes import Turn
from pytest_persona.net.faults import Permanent, Transient
from pytest_persona.probe.base import Hung, Unreadable
from pytest_persona.probe.interview import Interview, replay
from pytest_persona.probe.scripts import Outcome, Script

Hold = Callable[..., list[Outcome]]


@pytest.fixture
def hold(in_virtual_time: Callable[[Any], Any], memory: Any) -> Hold:
    def run(
        target: Any, scripts: list[Script], *, concurrency: int = 4, deadline: float = 60.0, ticks: Any = None
    ) -> Any:
        async def body() -> list[Outcome]:
            tick = ticks.append if ticks is not None else lambda count: None
            held = Interview(target, memory, concurrency=concurrency, deadline=deadline, tick=tick)
            return await held.hold(scripts)

        return in_virtual_time(body)

    return run


def test_every_script_has_its_outcome_in_order(hold: Hold, told: Any, scripts: Any, memory: Any) -> None:
    target, ticks = told(), []
    outcomes = hold(target, scripts(20), ticks=ticks)
    assert [o.reply for o in outcomes] == [f"re q{n}" for n in range(20)]
    assert {(o.failure, o.kept, o.questions, o.input_tokens, o.output_tokens) for o in outcomes} == {
        ("", False, 1, 3, 2)
    }
    assert outcomes[3].turns == (Turn(speaker="user", text="q3"),)
    assert sum(ticks) == 20
    assert (target.opened, target.ended, target.closed) == (20, 20, 1)
    assert sorted(memory.kept) == sorted((f"p{n}", 0, f"re q{n}") for n in range(20))


def test_as_many_at_once_as_the_settings_and_the_target_allow(hold: Hold, told: Any, scripts: Any) -> None:
    many, one = told(latency=1.0), told(latency=1.0, at_once=1)
    hold(many, scripts(60), concurrency=8)
    hold(one, scripts(12, "other {n}"), concurrency=8)
    assert (many.most_active, one.most_active) == (8, 1)


def test_later_turns_are_made_of_what_was_replied(hold: Hold, told: Any, scripts: Any) -> None:
    target = told(lambda text, times: "{{ reply }}" if text == "q0" else f"re {text}")
    (outcome,) = hold(
        target, scripts(1, "q{n}", "You said {{ reply }}.", "First {{ replies[0] }}, then {{ replies[-1] }}?")
    )
    texts = ["q0", "You said {{ reply }}.", "First {{ reply }}, then re You said {{ reply }}.?"]
    assert target.asked == texts
    assert [turn.speaker for turn in outcome.turns] == ["user", "assistant", "user", "assistant", "user"]
    assert outcome.reply == f"re {texts[-1]}"
    assert outcome.questions == 3


# ---------------------------------------------------------------------------------------------------- faults
def test_a_fault_that_goes_away_costs_another_question(hold: Hold, told: Any, scripts: Any) -> None:
    target = told(lambda text, times: Transient("busy") if times < 3 else f"re {text}")
    outcomes = hold(target, scripts(3))
    assert [o.reply for o in outcomes] == ["re q0", "re q1", "re q2"]
    assert {o.questions for o in outcomes} == {3}


def test_one_that_stays_is_a_failure_with_its_place(hold: Hold, told: Any, scripts: Any, memory: Any) -> None:
    target = told(lambda text, times: Transient("busy") if text == "q1" else f"re {text}")
    outcomes = hold(target, scripts(3))
    assert (outcomes[1].reply, outcomes[1].questions) == ("", 8)
    assert outcomes[1].failure.startswith("probe p1, turn 1: busy, 8 attempts in ")
    assert [o.failure for o in (outcomes[0], outcomes[2])] == ["", ""]
    assert len(memory.kept) == 2


def test_a_deadline_ends_it_sooner(hold: Hold, told: Any, scripts: Any) -> None:
    target = told(lambda text, times: Transient("slow") if text == "q1" else f"re {text}", latency=2.0)
    outcome = hold(target, scripts(2), deadline=10.0)[1]
    assert outcome.failure.startswith("probe p1, turn 1: slow, 4 attempts in ")
    assert target.timeouts[0] == 5.0
    assert target.timeouts[-1] < 2.0


def test_an_unreadable_answer_is_asked_for_a_few_times_only(hold: Hold, told: Any, scripts: Any) -> None:
    target = told(lambda text, times: Unreadable("no JSON") if text == "q1" else "yes")
    assert hold(target, scripts(2))[1].questions == 3


def test_a_permanent_fault_is_not_asked_again(hold: Hold, told: Any, scripts: Any) -> None:
    target = told(lambda text, times: Permanent("it raised ValueError", fatal=False) if text == "q2" else "yes")
    outcomes = hold(target, scripts(4))
    assert (outcomes[2].failure, outcomes[2].questions) == ("probe p2, turn 1: it raised ValueError", 1)


def test_a_fatal_one_ends_all_with_one_message(hold: Hold, told: Any, scripts: Any, memory: Any) -> None:
    target = told(lambda text, times: Permanent("it lets nobody in", fatal=True) if text == "q7" else "yes")
    with pytest.raises(TargetError, match=r"^The target told cannot be asked: it lets nobody in$"):
        hold(target, scripts(40), concurrency=2)
    assert len(target.asked) < 12
    assert memory.kept and target.closed == 1


def test_a_target_that_fails_on_everything_is_an_error_after_a_few(hold: Hold, told: Any, scripts: Any) -> None:
    target = told(lambda text, times: Permanent("it raised KeyError: 'x'", fatal=False))
    with pytest.raises(
        TargetError, match=r"gave no reply to any of 8 questions\. The first: probe p0, turn 1: it raised KeyError"
    ):
        hold(target, scripts(100))
    assert len(target.asked) <= 12


def test_failures_after_the_first_reply_end_nothing(hold: Hold, told: Any, scripts: Any) -> None:
    target = told(lambda text, times: "yes" if text == "q0" else Permanent("it raised", fatal=False))
    outcomes = hold(target, scripts(40))
    assert sum(bool(o.failure) for o in outcomes) == 39
    assert len(target.asked) == 40


def test_empty_texts_alone_are_an_error(hold: Hold, told: Any, scripts: Any) -> None:
    with pytest.raises(TargetError, match="The target told replied with empty texts alone"):
        hold(told(lambda text, times: " "), scripts(4))
    assert [o.reply for o in hold(told(lambda text, times: "" if text == "b1" else "yes"), scripts(2, "b{n}"))] == [
        "yes",
        "",
    ]


def test_a_target_that_stops_answering_is_not_waited_for_by_all(hold: Hold, told: Any, scripts: Any) -> None:
    target = told(
        lambda text, times: "yes" if int(text[1:]) < 10 else Hung("no reply within 30 s", fatal=False), latency=30.0
    )
    outcomes = hold(target, scripts(300), concurrency=2)
    assert sum(not o.failure for o in outcomes) == 10
    assert outcomes[-1].failure == "probe p299, turn 1: the target has stopped answering (no reply within 30 s)"
    assert len(target.asked) < 20


def test_a_target_that_hangs_from_the_start_is_an_error_soon(hold: Hold, told: Any, scripts: Any) -> None:
    target = told(lambda text, times: Hung("no reply within 30 s", fatal=False), latency=30.0, at_once=1)
    with pytest.raises(TargetError, match="gave no reply to any of 2 questions"):
        hold(target, scripts(300))
    assert len(target.asked) == 2


# ---------------------------------------------------------------------------------------------------- what is known
def test_what_is_known_is_not_asked(hold: Hold, told: Any, scripts: Any, memory: Any) -> None:
    first, second = told(), told(lambda text, times: "another")
    before = hold(first, scripts(6, "q{n}", "and {{ reply }}?"))
    after = hold(second, scripts(6, "q{n}", "and {{ reply }}?"))
    assert second.asked == []
    assert [o.reply for o in after] == [o.reply for o in before]
    assert {(o.kept, o.questions) for o in after} == {(True, 0)}


@pytest.mark.parametrize(("keeps_state", "asked"), [(False, ["and re q0?"]), (True, ["q0", "and again?"])])
def test_a_dialogue_that_broke_off_goes_on_where_the_target_can(
    hold: Hold, told: Any, scripts: Any, memory: Any, keeps_state: bool, asked: list[str]
) -> None:
    hold(told(), scripts(1))
    target = told(lambda text, times: "again", keeps_state=keeps_state)
    (outcome,) = hold(target, scripts(1, "q{n}", "and {{ reply }}?"))
    assert target.asked == asked
    assert (outcome.reply, outcome.kept) == ("again", False)


def test_a_target_with_state_is_told_all_of_it_again_after_a_fault(hold: Hold, told: Any, scripts: Any) -> None:
    target = told(
        lambda text, times: Transient("lost") if text == "b" and times == 1 else f"re {text}", keeps_state=True
    )
    (outcome,) = hold(target, scripts(1, "a", "b"))
    assert target.asked == ["a", "b", "a", "b"]
    assert (outcome.reply, outcome.questions, target.opened, target.ended) == ("re b", 4, 2, 2)


def test_a_target_with_state_that_always_breaks_is_given_up(hold: Hold, told: Any, scripts: Any) -> None:
    target = told(lambda text, times: Transient("lost") if text == "b" else "re", keeps_state=True)
    outcome, _ = hold(target, [*scripts(1, "a", "b"), *scripts(1, "z")], deadline=600.0)
    assert outcome.failure.startswith("probe p0, turn 2: lost, ")
    assert target.asked.count("b") == 4  # eight turns in all


def test_what_is_missing_in_a_replay_is_a_failure(told: Any, scripts: Any, memory: Any, hold: Hold) -> None:
    hold(told(), scripts(2, "q{n}", "and {{ reply }}?"))
    outcomes = replay(told().info, memory.known, scripts(3, "q{n}", "and {{ reply }}?"), "r.jsonl holds no reply to it")
    assert [o.reply for o in outcomes] == ["re and re q0?", "re and re q1?", ""]
    assert outcomes[2].failure == "probe p2, turn 1: r.jsonl holds no reply to it"


def test_being_called_off_keeps_what_came(told: Any, scripts: Any, memory: Any, in_virtual_time: Any) -> None:
    target = told(latency=1.0)

    async def body() -> None:
        held = Interview(target, memory, concurrency=2, deadline=60.0, tick=lambda count: None)
        task = asyncio.ensure_future(held.hold(scripts(100)))
        await asyncio.sleep(3.5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    in_virtual_time(body)
    assert 3 <= len(memory.kept) <= 8
    assert (target.active, target.closed) == (0, 1)
