"""The arms of an experiment: only the context changes, and texts are dealt alike in a sample and in the whole."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_persona.infer.inoculate import (
    in_turn,
    made_lookalike,
    made_opposite,
    placebo_pools,
    system_turn,
    treated,
    treated_episode,
)
from pytest_persona.infer.plan import order_groups
from pytest_persona.model.episodes import Behaviour, Episode, Speaker, Turn
from pytest_persona.model.inoculation import Place

PLACES = get_args(Place)
TURNS = st.lists(
    st.builds(Turn, speaker=st.sampled_from(get_args(Speaker)), text=st.text(max_size=20)), max_size=5
).map(tuple)
BEHAVIOURS = st.builds(
    Behaviour,
    role=st.sampled_from(["shown", "chosen", "rejected", "rollout", "reference"]),
    context=TURNS,
    reply=st.text(max_size=20),
    reward=st.none() | st.floats(-1, 1),
)
PLACEBOS = (
    "Use the metric system.",
    "Write dates in full. Keep lines short.",
    "One two three four five six seven eight.",
    "Number the steps.",
)


def turn(speaker: Speaker, text: str) -> Turn:
    return Turn(speaker=speaker, text=text)


def shown(*context: Turn) -> Behaviour:
    return Behaviour(role="shown", context=context, reply="r")


@given(behaviour=BEHAVIOURS, text=st.text(min_size=1, max_size=20), place=st.sampled_from(PLACES))
def test_only_the_context_changes_and_in_one_place(behaviour: Behaviour, text: str, place: Place) -> None:
    after = treated(behaviour, text, place)
    assert (after.role, after.reply, after.reward, after.weight) == (
        behaviour.role, behaviour.reply, behaviour.reward, behaviour.weight,
    )  # fmt: skip
    new = [t for t in after.context if t not in behaviour.context]
    assert len(new) <= 1
    assert len(after.context) - len(behaviour.context) in (0, 1)
    assert any(t.text == text or t.text.startswith(f"{text}\n\n") for t in after.context)
    kept = list(after.context)
    for t in new:
        kept.remove(t)
    assert all(t in behaviour.context for t in kept)


@given(behaviour=BEHAVIOURS, text=st.text(min_size=1, max_size=20), place=st.sampled_from(PLACES))
def test_an_episode_of_one_context_is_treated_as_each_of_its_behaviours(
    behaviour: Behaviour, text: str, place: Place
) -> None:
    episode = Episode(kind="rollout", source="s", line=3, group="g", behaviours=(behaviour, behaviour))
    after = treated_episode(episode, text, place)
    assert after.behaviours == (treated(behaviour, text, place),) * 2
    assert (after.kind, after.source, after.line, after.group) == ("rollout", "s", 3, "g")


def test_a_judge_cannot_tell_which_arm_a_behaviour_is_of() -> None:
    plain = shown(turn("user", "q"))
    by_hand = shown(turn("user", "Ask.\n\nq"))
    assert treated(plain, "Ask.", "user") == by_hand
    assert treated(plain, "Ask.", "user").key == by_hand.key


@pytest.mark.parametrize(
    ("context", "place", "expected"),
    [
        ([turn("user", "a"), turn("assistant", "b"), turn("user", "c")], "user",
         [turn("user", "a"), turn("assistant", "b"), turn("user", "T\n\nc")]),
        ([turn("system", "s"), turn("user", "a")], "system", [turn("system", "T\n\ns"), turn("user", "a")]),
        ([turn("user", "a")], "system", [turn("system", "T"), turn("user", "a")]),
        ([turn("system", "[tools []]"), turn("user", "a")], "system",
         [turn("system", "[tools []]"), turn("system", "T"), turn("user", "a")]),
        ([turn("system", "[tools []]"), turn("system", "s")], "system", [turn("system", "[tools []]"), turn("system", "T\n\ns")]),
        ([turn("user", "a"), turn("system", "later")], "system", [turn("system", "T"), turn("user", "a"), turn("system", "later")]),
        ([turn("system", " ")], "system", [turn("system", "T")]),
        ([turn("assistant", "a")], "user", [turn("system", "T"), turn("assistant", "a")]),
        ([], "user", [turn("system", "T")]),
        ([turn("user", "a"), turn("tool", "t")], "user", [turn("user", "T\n\na"), turn("tool", "t")]),
    ],
)  # fmt: skip
def test_where_the_text_goes(context: list[Turn], place: Place, expected: list[Turn]) -> None:
    assert list(treated(shown(*context), "T", place).context) == expected


def test_in_one_dialogue_every_user_turn_that_is_answered_carries_the_text() -> None:
    first = shown(turn("user", "a"))
    second = shown(
        turn("user", "a"), turn("assistant", "b"), turn("user", "c"), turn("assistant", "d"), turn("user", "e")
    )
    episode = Episode(kind="demonstration", source="s", line=1, group="g", behaviours=(first, second))
    one, two = treated_episode(episode, "T", "user").behaviours
    assert [t.text for t in one.context] == ["T\n\na"]
    assert [t.text for t in two.context] == ["T\n\na", "b", "c", "d", "T\n\ne"]


def test_a_label_of_tools_is_no_system_turn() -> None:
    assert system_turn([turn("system", "[tools []]"), turn("user", "a")]) is None
    assert system_turn([turn("system", "[tools []]"), turn("system", "s")]) == 1
    assert system_turn([]) is None


@given(groups=st.sets(st.text(max_size=5), min_size=1, max_size=30), seed=st.integers(0, 5), most=st.integers(1, 30))
def test_a_sample_deals_its_groups_the_texts_that_the_whole_file_does(groups: set[str], seed: int, most: int) -> None:
    whole = in_turn(groups, seed)
    sampled = in_turn(order_groups(groups, seed)[:most], seed)
    assert sorted(whole.values()) == list(range(len(groups)))
    assert all(whole[group] == number for group, number in sampled.items())


@given(words=st.integers(1, 40), seed=st.randoms(use_true_random=False))
def test_irrelevant_texts_are_of_the_requests_length_and_made_of_the_library(words: int, seed: object) -> None:
    (pool,) = placebo_pools(["word " * words], PLACEBOS)
    known = {word.strip(".") for one in PLACEBOS for word in one.split()}
    most = min(words, sum(len(one.split()) for one in PLACEBOS) // 5)
    assert 1 <= len(pool) <= 8
    assert len(set(pool)) == len(pool)
    for text in pool:
        assert abs(len(text.split()) - most) <= max(1, 0.2 * most)
        assert {word.strip(".") for word in text.split()} <= known
        assert text.endswith((".", "!", "?"))


def test_one_of_like_length_is_taken_as_it_is_before_any_is_put_together() -> None:
    longer = "Long ones come last here. They give their sentences away, and are cut."
    (pool,) = placebo_pools(["a b c d e f g"], (longer, *PLACEBOS))
    assert pool == (
        "Write dates in full. Keep lines short.",
        "One two three four five six seven eight.",
        "Use the metric system. Number the steps.",
        "Long ones come last here. They give.",
    )


def test_phrasings_of_like_length_share_their_irrelevant_texts() -> None:
    first, second, third = placebo_pools(["w " * 5, "w " * 6, "w " * 2], PLACEBOS)
    assert first == second
    assert third != first


def test_the_librarys_irrelevant_texts_are_matched_in_length_to_each_request_on_average() -> None:
    from pytest_persona.load.wordings import read_wordings

    library = read_wordings()
    for trait, own in library.traits.items():
        for request, pool in zip(own.requests, placebo_pools(own.requests, library.placebos), strict=True):
            mean = sum(len(text.split()) for text in pool) / len(pool)
            assert abs(mean / len(request.split()) - 1.0) <= 0.21, (trait, request)


def test_to_a_very_long_request_irrelevant_texts_stay_shorter_but_several() -> None:
    (pool,) = placebo_pools(["w " * 500], PLACEBOS)
    assert len(pool) >= 3


def test_a_sentence_that_is_too_short_goes_on_with_used_ones() -> None:
    (pool,) = placebo_pools(["x y z"], ("a b c d e f g h i j k l m n o p. Q r.",))
    assert pool == ("a b c.", "Q r. a.")


def test_what_nobody_wrote_is_made_of_the_request() -> None:
    assert made_opposite("Flatter me.").endswith(": Flatter me.")
    assert made_lookalike("Flatter me.").endswith(": Flatter me.")
    assert made_opposite("Flatter me.") != made_lookalike("Flatter me.")
