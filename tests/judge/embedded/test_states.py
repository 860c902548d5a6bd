"""Hidden states: read once, kept, and the same whether they were kept or read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_persona.judge.embedded.states import Read, StateReader
from pytest_persona.model.episodes import Behaviour, Turn

Make = Callable[..., StateReader]


def behaviours(count: int, *, contexts: int = 0, role: Any = "shown") -> list[Behaviour]:
    """So many replies, each in a context of its own or spread over a few."""
    return [
        Behaviour(role=role, context=(Turn(speaker="user", text=f"q{i % (contexts or count)}"),), reply=f"reply {i} +")
        for i in range(count)
    ]


def same(a: list[Read], b: list[Read]) -> bool:
    return all((x.state == y.state).all() and (x.request == y.request).all() for x, y in zip(a, b, strict=True))


def ignore(count: int) -> None:
    pass


def test_states_are_those_of_reply_and_context_and_requests_those_of_context_and_opening(
    reader: Make, model: Any
) -> None:
    (read,) = reader().read(behaviours(1), ignore)
    assert read.state.dtype == read.request.dtype == np.float16
    assert read.state.shape == read.request.shape == (12,)
    assert read.state[0] > 1.0  # the mark in the reply
    assert (read.state[6:] == read.request[:6]).all()  # the context
    assert (read.tokens, read.cut) == (len("reply 0 +") + len("\x01user:q0\x02"), False)


def test_kept_and_fresh_are_the_same_to_the_bit(reader: Make, model: Any) -> None:
    fresh = reader().read(behaviours(5), ignore)
    again = reader()
    kept = again.read(behaviours(5), ignore)
    assert same(fresh, kept)
    assert len(model.read) == 5
    assert same(again.read(behaviours(5), ignore), kept)


def test_the_model_is_not_loaded_where_everything_is_kept(reader: Make, model: Any) -> None:
    first = reader()
    first.read(behaviours(3), ignore)
    first.forget()
    second = reader()
    second._load = lambda: pytest.fail("the model was loaded")
    second.read(behaviours(3), ignore)


def test_replies_to_one_context_share_its_pass(reader: Make, model: Any) -> None:
    reader().read(behaviours(12, contexts=3), ignore)
    assert (model.contexts, len(model.read)) == (3, 12)


def test_states_come_in_the_order_of_the_behaviours_whatever_is_read_first(reader: Make, model: Any) -> None:
    mixed = behaviours(6, contexts=2) + behaviours(2, role="sentence")
    together = reader().read(mixed, ignore)
    alone = [reader("other").read([behaviour], ignore)[0] for behaviour in mixed]
    assert same(together, alone)


def test_a_behaviour_that_comes_twice_is_read_once_and_counted_twice(reader: Make, model: Any) -> None:
    ticks: list[int] = []
    twice = behaviours(3) * 2
    assert len(reader().read(twice, ticks.append)) == 6
    assert (len(model.read), sum(ticks)) == (3, 6)


def test_ticks_add_up_to_what_was_asked_for(reader: Make, model: Any) -> None:
    reader().read(behaviours(70), ignore)
    ticks: list[int] = []
    reader().read(behaviours(100), ticks.append)
    assert ticks[0] == 70
    assert sum(ticks) == 100


def test_many_replies_to_one_context_are_kept_in_small_batches(reader: Make, model: Any) -> None:
    model.interrupt_after = 128
    with pytest.raises(KeyboardInterrupt):
        reader().read(behaviours(200, contexts=1), ignore)
    model.interrupt_after = -1
    reader().read(behaviours(200, contexts=1), ignore)
    assert len(model.read) == 200


@pytest.mark.parametrize("after", [10, 64, 90])
def test_an_interrupt_keeps_what_was_read_and_the_next_run_reads_only_the_rest(
    reader: Make, model: Any, after: int
) -> None:
    model.interrupt_after = after
    with pytest.raises(KeyboardInterrupt):
        reader().read(behaviours(100), ignore)
    assert len(model.read) == after
    model.interrupt_after = -1
    second = reader("next").read(behaviours(100), ignore)
    assert len(model.read) == len(set(model.read)) == 100
    assert sum(not read.fresh for read in second) == after


def test_what_this_run_read_is_fresh_and_what_another_read_is_not(reader: Make) -> None:
    assert [r.fresh for r in reader("one").read(behaviours(2), ignore)] == [True, True]
    assert [r.fresh for r in reader("one").read(behaviours(2), ignore)] == [True, True]  # another process of that run
    assert [r.fresh for r in reader("two").read(behaviours(3), ignore)] == [False, False, True]


def test_another_layer_is_another_reading(reader: Make, model: Any) -> None:
    reader().read(behaviours(2), ignore)
    reader(layers=(2, 0)).read(behaviours(2), ignore)
    reader(layers=(1, 1)).read(behaviours(2), ignore)
    assert len(model.read) == 6


@pytest.mark.parametrize(
    "payload",
    [
        '{"state": "AAA=", "request": "AAA=", "tokens": 1, "cut": false}',
        '{"state": "!", "request": "!", "tokens": 1, "cut": false, "run": ""}',
        '{"state": "AAA=", "request": "AAAAAA==", "tokens": 1, "cut": false, "run": ""}',
        '{"state": "AHw=", "request": "AAA=", "tokens": 1, "cut": false, "run": ""}',
        '{"state": "AAA=", "request": "AHw=", "tokens": 1, "cut": false, "run": ""}',
        '{"state": 7}',
        '["state"]',
        '"state"',
        "{",
    ],
)
def test_a_broken_payload_is_read_again(reader: Make, model: Any, tmp_path: Path, payload: str) -> None:
    fresh = reader().read(behaviours(2), ignore)
    with sqlite3.connect(tmp_path / "readings.sqlite") as db:
        db.execute("UPDATE readings SET payload = ?", (payload,))
    db.close()
    assert same(reader().read(behaviours(2), ignore), fresh)
    assert len(model.read) == 4
    assert same(reader().read(behaviours(2), ignore), fresh)
    assert len(model.read) == 4


def test_states_beyond_half_precision_are_clipped_not_lost(reader: Make, model: Any) -> None:
    behaviour = Behaviour(role="shown", context=(), reply="+" * 40_000)
    framed = reader().read([behaviour], ignore)[0]
    assert framed.cut
    model.read_many = lambda items, **layers: iter([(0, np.full((3, 6), 1e9), np.full((1, 1, 6), -1e9))])
    (read,) = reader().read(behaviours(1), ignore)
    assert read.state.tolist() == [-65504.0] * 6 + [65504.0] * 6


def test_a_disk_that_is_full_stops_nothing_and_is_said(reader: Make, model: Any) -> None:
    full = reader()
    assert full._store._db is not None
    full._store._db.execute("PRAGMA max_page_count=3")
    states = full.read(behaviours(100), ignore)
    assert full.problem == "readings are not kept: database or disk is full"
    assert same(full.read(behaviours(100), ignore), states)
    assert len(model.read) == 100


def test_what_is_forgotten_is_read_again_from_the_file(reader: Make, model: Any) -> None:
    first = reader()
    states = first.read(behaviours(2), ignore)
    first.forget()
    first.forget()
    assert same(reader().read(behaviours(2), ignore), states)
    assert len(model.read) == 2
