"""Likelihoods: read once, kept, and never made up."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_persona.judge.likelihood import Reader, read_characters
from pytest_persona.judge.likelihood.reader import forecast_characters
from pytest_persona.judge.store import Store
from pytest_persona.model.episodes import Behaviour
from pytest_persona.model.personas import NullCharacter, Persona

Say = Callable[..., Behaviour]
MakeReader = Callable[..., Reader]
OPENINGS = ["A splendid one.\n\n", "A sober one.\n\n"]


def test_a_reply_is_likelier_after_an_opening_in_its_words(reader: MakeReader, say: Say) -> None:
    read = reader().read([say("How splendid."), say("How sober.")], OPENINGS)
    assert read.values[0, 0] > read.values[0, 1] and read.values[1, 1] > read.values[1, 0]
    assert read.scored.all() and (read.tokens == 3).all()


def test_an_empty_opening_is_no_character(reader: MakeReader, say: Say) -> None:
    with_it, without = reader().read([say("How splendid.")], [OPENINGS[0], ""]).values[0]
    assert with_it > without


def test_nothing_is_read_twice(reader: MakeReader, source: Any, say: Say) -> None:
    behaviours = [say(f"Reply {i}.") for i in range(20)] + [say("Reply 0.")]
    first = reader().read(behaviours, OPENINGS)
    assert len(source.asked) == 40
    again = reader("another").read(behaviours, OPENINGS)
    assert len(source.asked) == 40
    assert np.array_equal(first.values, again.values)
    assert (first.usage.questions, first.usage.cached, again.usage.cached) == (21, 0, 21)
    assert first.usage.input_tokens > 0 == again.usage.input_tokens


def test_what_this_run_read_does_not_count_as_cached(reader: MakeReader, say: Say) -> None:
    reader().read([say("Well.")], OPENINGS)
    assert reader().read([say("Well.")], OPENINGS).usage.cached == 0


def test_a_reply_that_cannot_be_scored_has_a_reason_and_no_number(reader: MakeReader, source: Any, say: Say) -> None:
    source.refuses = lambda opening, one: "long" in one.reply and opening == OPENINGS[1]
    read = reader().read([say("long"), say("short"), say("  ")], OPENINGS)
    assert read.scored.tolist() == [False, True, False]
    assert np.isnan(read.values[[0, 2]]).all() and read.tokens.tolist() == [0, 1, 0]
    assert read.details == ("too long for the model", "", "")
    assert [one.reply for _, one in source.asked].count("") == 0, "an empty reply is not asked about"


def test_a_failure_is_not_kept(reader: MakeReader, source: Any, say: Say) -> None:
    source.refuses = lambda opening, one: True
    reader().read([say("well")], OPENINGS)
    source.refuses = lambda opening, one: False
    assert reader().read([say("well")], OPENINGS).scored.all()


def test_an_interrupt_loses_one_small_batch(reader: MakeReader, source: Any, say: Say) -> None:
    source.interrupt_after = 16
    behaviours = [say(f"Reply {i}.") for i in range(24)]
    with pytest.raises(KeyboardInterrupt):
        reader().read(behaviours, OPENINGS)
    source.interrupt_after = -1
    reader().read(behaviours, OPENINGS)
    assert len(source.asked) == 48


@pytest.mark.parametrize(
    "entry",
    [{"logprob": None, "tokens": 1}, {"logprob": -1.0, "tokens": 0, "read": 1, "run": ""}, "text",
     {"logprob": float("nan"), "tokens": 2, "read": 2, "run": ""}],
)  # fmt: skip
def test_a_damaged_entry_is_read_again(
    reader: MakeReader, source: Any, say: Say, tmp_path: Path, entry: object
) -> None:
    read = reader().read([say("well")], OPENINGS[:1])
    store = Store(tmp_path / "readings.sqlite")
    (key,) = (store.attempt(lambda db: [row[0] for row in db.execute("SELECT key FROM readings")])) or []
    store.put({key: entry})
    assert np.array_equal(reader().read([say("well")], OPENINGS[:1]).values, read.values)
    assert len(source.asked) == 2


def test_progress_is_told_of_each_behaviour_once(reader: MakeReader, say: Say) -> None:
    done: list[int] = []
    reader().read([say(f"{i}") for i in range(20)], OPENINGS, done.append)
    assert sum(done) == 20


def test_texts_that_were_cut_are_counted(reader: MakeReader, say: Say) -> None:
    assert reader().read([say("word " * 200), say("word")], OPENINGS).usage.cut == 1


def test_what_hinders_the_cache_is_said(reader: MakeReader, tmp_path: Path) -> None:
    (tmp_path / "readings.sqlite").mkdir()
    assert "readings are not kept" in reader().problem


def test_characters_are_read_by_each_of_their_paraphrases(
    reader: MakeReader, source: Any, say: Say, nulls: list[NullCharacter]
) -> None:
    expert = Persona(
        name="expert",
        kind="reference",
        description="d",
        profile={},
        paraphrases=("It is sober.", "It is plain.", "x", "y"),
    )
    source.refuses = lambda opening, one: "lost" in one.reply
    done: list[int] = []
    found = read_characters(
        reader(), [say("A sober word."), say("lost"), say("I like trains.")], [expert, *nulls], tick=done.append
    )
    assert found.values.shape == (2, 9, 3) and found.names[:2] == ("expert", "trains")
    assert found.kept.tolist() == [0, 2] and found.tokens.tolist() == [4, 4]
    assert found.details == ("too long for the model",) and sum(done) == 3
    assert found.values[0, 0, 0] > found.values[0, 1, 0], "the expert is likelier to say sober things"
    assert found.values[1, 1].mean() > found.values[1, 2].mean(), (
        "who likes trains is likelier to say so than who likes shells"
    )


def test_fewer_paraphrases_cost_less(reader: MakeReader, source: Any, say: Say, nulls: list[NullCharacter]) -> None:
    assert read_characters(reader(), [say("well")], nulls, paraphrases=1).values.shape == (1, 8, 1)
    assert len(source.asked) == 8


def test_what_characters_would_cost_is_counted_without_reading(
    source: Any, say: Say, nulls: list[NullCharacter]
) -> None:
    behaviours = [say("well"), say("a sober word")]
    assert forecast_characters(source, behaviours, nulls).questions == 2 * 8 * 3
    source.network = True
    usage = forecast_characters(source, behaviours, nulls)
    assert (usage.questions, usage.calls) == (48, 52) and usage.input_tokens > 48
    assert source.asked == []
