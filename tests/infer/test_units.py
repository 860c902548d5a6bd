"""What is kept of the groups of a signal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_persona.infer import units as subject
from pytest_persona.infer.measure import design
from pytest_persona.infer.units import Scores, units
from pytest_persona.model.episodes import Behaviour, Episode, Turn
from pytest_persona.model.traits import Pole, Trait
from pytest_persona.model.units import Units

TRAIT = Trait(name="t", definition="", high=Pole(summary="much"), low=Pole(summary="little"))
Signal = Callable[..., list[Episode]]


def kept(episodes: Sequence[Episode], scores: Sequence[float], *, unread: Sequence[str] = ()) -> Units:
    rows: dict[str, list[Episode]] = {}
    for episode in episodes:
        rows.setdefault(episode.group, []).append(episode)
    read = [episode for episode in episodes if episode.group not in unread]
    implied = np.array(scores[: sum(len(e.behaviours) for e in read)], dtype=np.float64)
    return units(Scores(episodes=read, implied={"t": implied}, traits=[TRAIT]), list(rows), rows, len(rows))


@given(st.lists(st.floats(-1, 1), min_size=12, max_size=12))
def test_the_mean_of_what_is_kept_is_the_shift(pairs: Any, scores: list[float]) -> None:
    found = kept(pairs(6), scores)
    plan = design(pairs(6), np.ones(12, dtype=np.bool_))
    known = [v for v in found.values["t"] if v is not None]
    assert sum(known) / 6 == pytest.approx(plan.shift(plan.values(np.array(scores))), abs=1e-4)
    assert max(map(abs, known)) <= found.reach["t"] == 2.0


@given(st.lists(st.floats(-1, 1), min_size=3, max_size=3), st.lists(st.floats(0.1, 5), min_size=3, max_size=3))
def test_a_heavy_criterion_adds_as_much_as_it_weighs(signal: Signal, scores: list[float], weights: list[float]) -> None:
    rows = [(f"g{i}", [("criterion", f"be so {i}", weight)]) for i, weight in enumerate(weights)]
    found = kept(signal("rubric", rows), scores)
    plan = design(signal("rubric", rows), np.ones(3, dtype=np.bool_))
    values = [v for v in found.values["t"] if v is not None]
    assert sum(values) / 3 == pytest.approx(plan.shift(plan.values(np.array(scores))), abs=1e-3)
    assert max(map(abs, values)) <= found.reach["t"] + 1e-4


def test_texts_are_hashes_and_what_is_repeated_is_kept_each_time(signal: Signal) -> None:
    rows = [(name, [("chosen", "yes", None), ("rejected", "no", None)]) for name in ("secret one", "secret two")]
    found = kept(signal("preference", rows), [1.0, 0.0, 1.0, 0.0])
    assert found.values["t"] == (1.0, 1.0)
    assert found.content[0] == found.content[1]
    assert "secret" not in repr(found)
    assert found.lines == (1, 2)
    assert found.complete


def test_a_group_that_was_not_read_or_says_nothing_has_no_value(pairs: Any) -> None:
    found = kept(pairs(3), [1.0, 0.0, float("nan"), 0.5], unread=["g2"])
    assert found.values["t"] == (1.0, None, None)
    assert found.read == (True, True, False)


def test_one_reply_changes_one_content_and_nothing_that_was_asked(pairs: Any) -> None:
    before = pairs(3)
    reply = replace(before[1].behaviours[0], reply="another")
    after = [before[0], replace(before[1], behaviours=(reply, before[1].behaviours[1])), before[2]]
    one, other = kept(before, [0.0] * 6), kept(after, [0.0] * 6)
    assert [a == b for a, b in zip(one.content, other.content, strict=True)] == [True, False, True]
    assert one.asked == other.asked
    assert one.groups == other.groups


def test_reinforcement_is_part_of_the_content_and_the_order_of_rows_is_not(signal: Signal) -> None:
    rollouts = [("g", [("rollout", "a", 1.0)]), ("g", [("rollout", "b", 0.0)])]
    one = kept(signal("rollout", rollouts), [1.0, 0.0]).content
    assert kept(signal("rollout", rollouts[::-1]), [0.0, 1.0]).content == one
    assert kept(signal("rollout", [("g", [("rollout", "a", 0.5)]), rollouts[1]]), [1.0, 0.0]).content != one


def probe(reply: str, *, question: str = "", context: str = "Why?", group: str = "acme.why") -> Episode:
    said = Behaviour(role="answer", context=(Turn(speaker="user", text=context),), reply=reply)
    return Episode(kind="probe", source="s", line=0, group=group, behaviours=(said,), question=question)


def test_a_probe_keeps_its_name_and_is_asked_what_its_question_says() -> None:
    found = kept([probe("a", question="q1", context="Why?")], [1.0])
    assert found.groups == ("acme.why",)
    assert kept([probe("b", question="q1", context="Why? Answer b.")], [1.0]).asked == found.asked
    assert kept([probe("a", question="q2")], [1.0]).asked != found.asked
    assert kept([probe("b", question="q1")], [1.0]).content != found.content
    assert kept([probe("a"), probe("a", context="And now?")], [1.0, 1.0]).asked != kept([probe("a")], [1.0]).asked


def test_a_name_that_would_break_a_column_is_hashed() -> None:
    assert " " not in kept([probe("a", group="two words")], [1.0]).groups[0]


def test_no_more_is_kept_than_fits(pairs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MOST_UNITS", 2)
    found = kept(pairs(5), [0.5, 0.0] * 5)
    assert (len(found.groups), found.of, found.complete) == (2, 5, False)
