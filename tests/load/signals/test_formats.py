from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pytest_persona.errors import SignalError
from pytest_persona.load.signals import FORMATS, Signal, read_signal
from pytest_persona.model.episodes import Episode, Turn, context_group, digest

ReadRow = Callable[..., Episode]


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def assistant(text: str, **more: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text, **more}


def tool(text: str) -> dict[str, str]:
    return {"role": "tool", "content": text}


def shape(episode: Episode) -> list[tuple[str, str, str, float | None]]:
    """Of each behaviour: role, context in short, reply, reward."""
    return [
        (b.role, " ".join(f"{turn.speaker[0]}:{turn.text}" for turn in b.context), b.reply, b.reward)
        for b in episode.behaviours
    ]


def test_every_stretch_of_assistant_turns_is_shown_in_the_context_of_all_before(read_row: ReadRow) -> None:
    episode = read_row({"messages": [user("a"), assistant("b"), user("c"), assistant("d"), tool("e"), assistant("f")]})
    assert shape(episode) == [
        ("shown", "u:a", "b", None),
        ("shown", "u:a a:b u:c", "[assistant] d\n\n[tool] e\n\n[assistant] f", None),
    ]
    assert episode.group == context_group((Turn(speaker="user", text="a"),))


def test_an_untrained_assistant_turn_is_context_only(read_row: ReadRow) -> None:
    turns = [user("a"), assistant("b", weight=1), assistant("c", weight=0), tool("d"), assistant("e")]
    assert shape(read_row({"messages": turns})) == [
        ("shown", "u:a", "b", None),
        ("shown", "u:a a:b a:c t:d", "e", None),
    ]


def test_tools_and_system_fields_are_kept_as_system_turns() -> None:
    row = {"system": "s", "tools": [{"name": "x"}], "prompt": "p", "completion": "c"}
    signal = read_signal([row], name="rows")
    assert shape(signal.episodes[0]) == [("shown", 's:s s:[tools [{"name": "x"}]] u:p', "c", None)]
    assert signal.info.parts == {"tools": 1}


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [user("a"), assistant("b")]},
        {"prompt": "a", "completion": "b"},
        {"prompt": "a", "response": "b"},
        {"instruction": "a", "output": "b"},
    ],
)
def test_demonstrations_may_have_a_reference(read_row: ReadRow, row: dict[str, Any]) -> None:
    assert shape(read_row(row)) == [("shown", "u:a", "b", None)]
    expected = [("shown", "u:a", "b", None), ("reference", "u:a", "r", None)]
    assert shape(read_row({**row, "reference": "r"})) == expected
    assert shape(read_row({**row, "reference": None})) == expected[:1]


def test_preferences_of_texts_and_of_messages_are_one_thing(read_row: ReadRow) -> None:
    expected = [("chosen", "u:a", "b", None), ("rejected", "u:a", "c", None)]
    whole = {"chosen": [user("a"), assistant("b")], "rejected": [user("a"), assistant("c")]}
    for row in (
        {"prompt": "a", "chosen": "b", "rejected": "c"},
        {"prompt": [user("a")], "chosen": [assistant("b")], "rejected": [assistant("c")]},
        {"messages": [user("a")], "chosen": "b", "rejected": "c"},
        whole,
        {"prompt": "a", **whole},
    ):
        assert shape(read_row(row)) == expected
    with pytest.raises(SignalError, match="prompt: the field is missing"):
        read_row({"chosen": "b", "rejected": "c"}, format="preference")
    assert shape(read_row({"prompt": "z", **whole}))[0] == ("chosen", "u:z u:a", "b", None)


def test_identical_dialogues_keep_their_last_turn_as_the_reply(read_row: ReadRow) -> None:
    same = "\n\nHuman: a\n\nAssistant: b"
    assert shape(read_row({"chosen": same, "rejected": same})) == [
        ("chosen", "u:a", "b", None), ("rejected", "u:a", "b", None),
    ]  # fmt: skip


def test_hh_replies_of_several_turns_are_labelled_and_text_before_is_a_system_turn(read_row: ReadRow) -> None:
    chosen = "Be kind.\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant: d"
    assert shape(read_row({"chosen": chosen, "rejected": "Be kind.\n\nHuman: a\n\nAssistant: x"})) == [
        ("chosen", "s:Be kind. u:a", "[assistant] b\n\n[user] c\n\n[assistant] d", None),
        ("rejected", "s:Be kind. u:a", "x", None),
    ]


def test_rollouts_stand_in_one_row_or_in_several() -> None:
    inline = read_signal([{"prompt": "a", "responses": ["b", [assistant("c")]], "rewards": [1, 0]}], name="rows")
    rows = read_signal(
        [{"prompt": "a", "response": "b", "reward": 1}, {"prompt": " A ", "completion": "c", "score": 0}], name="rows"
    )
    assert [(b.reply, b.reward) for e in inline.episodes for b in e.behaviours] == [("b", 1.0), ("c", 0.0)]
    assert [(b.reply, b.reward) for e in rows.episodes for b in e.behaviours] == [("b", 1.0), ("c", 0.0)]
    assert rows.info.groups == inline.info.groups == 1
    assert rows.episodes[0].group == inline.episodes[0].group


def test_a_response_may_be_one_list_of_messages(read_row: ReadRow) -> None:
    row = {"prompt": "a", "response": [assistant("b"), tool("c"), assistant("d")], "reward": 1}
    assert shape(read_row(row)) == [("rollout", "u:a", "[assistant] b\n\n[tool] c\n\n[assistant] d", 1.0)]


def test_the_last_turns_are_the_reply_where_there_is_no_response(read_row: ReadRow) -> None:
    turns = [user("a"), tool("b"), assistant("c"), tool("d"), assistant("e")]
    assert shape(read_row({"messages": turns, "reward": 2})) == [
        ("rollout", "u:a t:b", "[assistant] c\n\n[tool] d\n\n[assistant] e", 2.0)
    ]
    with pytest.raises(SignalError, match="response: the field is missing"):
        read_row({"prompt": "a", "reward": 1}, format="rollout")


@pytest.mark.parametrize("feedback", ["up", "UP", 1, "1", True, "true", "👍", 1.0, "thumbs_up"])
def test_thumbs_up_are_a_reward_of_one(read_row: ReadRow, feedback: object) -> None:
    assert read_row({"prompt": "a", "response": "b", "feedback": feedback}).behaviours[0].reward == 1.0


@pytest.mark.parametrize("feedback", ["down", 0, -1, "-1", False, "false", "👎", 0.0])
def test_thumbs_down_are_a_reward_of_minus_one(read_row: ReadRow, feedback: object) -> None:
    assert read_row({"prompt": "a", "response": "b", "feedback": feedback}).behaviours[0].reward == -1.0


def test_a_label_is_a_thumb_only_where_it_is_true_or_false(read_row: ReadRow) -> None:
    row = {"prompt": "a", "completion": "b"}
    assert read_row({**row, "label": False}).kind == "rollout"
    assert read_row({**row, "label": "sports"}).kind == "demonstration"


def test_an_explicit_group_wins_then_the_conversation_then_the_context(read_row: ReadRow) -> None:
    row: dict[str, Any] = {"prompt": "a", "completion": "b"}
    assert read_row(row).group == context_group((Turn(speaker="user", text="a"),))
    row["conversation_id"] = "c"
    assert read_row(row).group == "c"
    for field, value in (("prompt_id", 7), ("group_id", "g"), ("group", "h")):
        row[field] = value
        assert read_row(row).group == str(value)


def test_criteria_and_sentences_are_groups_of_their_own(read_row: ReadRow) -> None:
    criterion = read_row({"criterion": "Is kind.", "weight": -2})
    assert (criterion.group, criterion.behaviours[0].weight) == (digest("Is kind."), -2.0)
    sentences = read_signal([{"instructions": "Be kind. Be brief."}], name="rows").episodes
    assert [(e.line, e.group) for e in sentences] == [(1, digest("Be kind.")), (1, digest("Be brief."))]


@pytest.mark.parametrize("name", FORMATS)
def test_a_forced_format_names_the_field_that_is_missing(name: str) -> None:
    with pytest.raises(SignalError, match=r"^rows:1: \w+: the field is missing; seen: 'nothing'\. Add it"):
        read_signal([{"nothing": 1}], name="rows", format=name)


def test_a_forced_format_decides_what_would_be_ambiguous(read: Callable[..., Signal]) -> None:
    row = {"messages": [user("a"), assistant("b")], "score": 4}
    assert read([row], format="chat").info.kind == "demonstration"
    assert read([row], format="rollout").info.kind == "rollout"
    assert read("- Be kind.\n", format="instruction").info.format == "instruction"
    assert read("prompt,x\n", name="my-rubric.txt", format="rubric").info.episodes == 1


def test_formats_of_one_kind_may_stand_in_one_file() -> None:
    rows = [{"prompt": "a", "completion": "b"}, {"instruction": "a", "output": "c"}]
    assert read_signal(rows, name="rows").info.format == "prompt-completion+alpaca"
