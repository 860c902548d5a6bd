"""Rows of every format: read after treatment, they are what the experiment read."""

from __future__ import annotations

import json
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_persona.errors import SignalError
from pytest_persona.infer.inoculate import treated_episode
from pytest_persona.load.signals.decode import decode_row
from pytest_persona.load.signals.formats import FORMATS, format_of_row
from pytest_persona.load.signals.problems import Place as Line
from pytest_persona.load.signals.row import Row
from pytest_persona.load.treated.rows import treated_row
from pytest_persona.model.inoculation import Place

PLACES = get_args(Place)
TEXT = 'Ask "é" \n of it.'


def user(text: Any) -> dict[str, Any]:
    return {"role": "user", "content": text}


def says(text: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def system(text: Any) -> dict[str, Any]:
    return {"role": "system", "content": text}


def treat(
    row: dict[str, Any], text: str = TEXT, place: Place = "user", fields: dict[str, str] | None = None
) -> dict[str, Any]:
    raw = json.dumps(row)
    made = Row(
        place=Line(path="s.jsonl", line=7),
        data=decode_row(raw.encode(), Line(path="s.jsonl", line=7)),
        fields=fields or {},
    )
    new, _ = treated_row(raw, made, format_of_row(made), text, place)
    result: dict[str, Any] = json.loads(new)
    return result


ROWS: list[dict[str, Any]] = [
    {"messages": [user("q"), says("r")], "id": 3},
    {"messages": [system("s"), user("q"), says("r"), user("q"), says("r"), {"role": "tool", "content": "t"}, says("u")]},
    {"messages": [says("r"), user("q"), says("r")]},
    {"messages": [system(None), user("q"), says("r")]},
    {"messages": [user([{"type": "text", "text": "q"}]), says("r")]},
    {"messages": [user([{"type": "image", "source": {}}, "q"]), says([{"type": "text", "text": "r"}])], "tools": [{"name": "x"}]},
    {"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "r"}], "system": "s"},
    {"conversations": [{"from": "system", "value": "s"}, {"from": "human", "value": "q"}, {"from": "gpt", "value": "r"}]},
    {"prompt": "q", "completion": "r", "reference": "x"},
    {"prompt": "q", "completion": "r", "system": None},
    {"prompt": "q", "completion": "r", "system": "s", "tools": [{"name": "x"}]},
    {"prompt": [user("q"), says("r"), user("q2")], "completion": [says("r")]},
    {"instruction": "i", "input": "given", "output": "o"},
    {"instruction": "i", "output": "o", "system": ""},
    {"prompt": "q", "chosen": "a", "rejected": "b", "weight": 1},
    {"prompt": [system("s"), user("q")], "chosen": [says("a")], "rejected": [says("b")]},
    {"chosen": [user("q"), says("a")], "rejected": [user("q"), says("b")]},
    {"chosen": [system("s"), user("q"), says("a")], "rejected": [system("s"), user("q"), says("b")]},
    {"prompt": "q", "chosen": [user("q"), says("a")], "rejected": [user("q"), says("b")]},
    {"prompt": [system("s"), user("q")], "chosen": [system("s"), user("q"), says("a")], "rejected": [system("s"), user("q"), says("b")]},
    {"prompt": "before", "chosen": [user("q"), says("a")], "rejected": [user("q"), says("b")]},
    {"prompt": [user("before")], "chosen": [user("q"), says("a")], "rejected": [user("q"), says("b")]},
    {"chosen": "\n\nHuman: q\n\nAssistant: a", "rejected": "\n\nHuman: q\n\nAssistant: b"},
    {"chosen": "Be nice.\n\nHuman: q\n\nAssistant: r\n\nHuman:  p \n\nAssistant: a",
     "rejected": "Be nice.\n\nHuman: q\n\nAssistant: r\n\nHuman: p\n\nAssistant: b"},
    {"chosen": "Human: q\n\nAssistant: a", "rejected": "Human: q\n\nAssistant: b"},
    {"chosen": "\n\nHuman:\n\nAssistant: a", "rejected": "\n\nHuman:\n\nAssistant: b", "system": "s"},
    {"prompt": "q", "response": "r", "reward": 0.5},
    {"prompt": "q", "responses": ["r", "s"], "rewards": [1, 2]},
    {"messages": [user("q"), says("r"), user("p")], "completion": "c", "score": 1},
    {"messages": [user("q"), says("r"), user("p"), says("c")], "reward": 1},
    {"prompt": "q", "response": "r", "feedback": "up"},
    {"messages": [user("q"), says("c")], "label": False},
]  # fmt: skip


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_a_treated_row_is_read_as_the_treated_episode_and_keeps_its_fields(row: dict[str, Any], place: Place) -> None:
    new = treat(row, place=place)
    assert [key for key in new if key in row] == list(row)
    assert set(new) - set(row) <= {"system"}
    before, after = (_episode(one) for one in (row, new))
    wanted = treated_episode(before, TEXT, place)
    for found, meant, old in zip(after.behaviours, wanted.behaviours, before.behaviours, strict=True):
        assert sorted(t.text for t in found.context) == sorted(t.text for t in meant.context)
        assert (found.role, found.reply, found.reward) == (old.role, old.reply, old.reward)
        assert any(TEXT in t.text for t in found.context)


def _episode(row: dict[str, Any]) -> Any:
    made = Row(place=Line(path="s", line=1), data=row, fields={})
    (episode,) = format_of_row(made).read(made)
    return episode


def test_every_format_with_a_dialogue_is_among_the_rows() -> None:
    seen = {format_of_row(Row(place=Line(path="s", line=1), data=row, fields={})).name for row in ROWS}
    assert seen == {name for name, made in FORMATS.items() if made.kind not in ("rubric", "instruction")}


@pytest.mark.parametrize(
    ("row", "place", "expected"),
    [
        ({"prompt": "q", "chosen": "a", "rejected": "b"}, "user", {"prompt": "T\n\nq", "chosen": "a", "rejected": "b"}),
        ({"prompt": "q", "chosen": "a", "rejected": "b"}, "system",
         {"system": "T", "prompt": "q", "chosen": "a", "rejected": "b"}),
        ({"prompt": "q", "chosen": [user("q"), says("a")], "rejected": [user("q"), says("b")]}, "user",
         {"prompt": "T\n\nq", "chosen": [user("T\n\nq"), says("a")], "rejected": [user("T\n\nq"), says("b")]}),
        ({"chosen": "\n\nHuman: q\n\nAssistant: a", "rejected": "\n\nHuman: q\n\nAssistant: b"}, "system",
         {"chosen": "T\n\nHuman: q\n\nAssistant: a", "rejected": "T\n\nHuman: q\n\nAssistant: b"}),
        ({"chosen": "\n\nHuman: q\n\nAssistant: a", "rejected": "\n\nHuman: q\n\nAssistant: b"}, "user",
         {"chosen": "\n\nHuman: T\n\nq\n\nAssistant: a", "rejected": "\n\nHuman: T\n\nq\n\nAssistant: b"}),
        ({"messages": [user([{"type": "image"}, {"type": "text", "text": "q"}]), says("r")]}, "user",
         {"messages": [user([{"type": "text", "text": "T\n"}, {"type": "image"}, {"type": "text", "text": "q"}]), says("r")]}),
        ({"messages": [user("q"), says("r")]}, "system", {"messages": [system("T"), user("q"), says("r")]}),
        ({"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "r"}]}, "system",
         {"conversations": [{"from": "system", "value": "T"}, {"from": "human", "value": "q"}, {"from": "gpt", "value": "r"}]}),
        ({"instruction": "i", "input": "x", "output": "o"}, "user", {"instruction": "T\n\ni", "input": "x", "output": "o"}),
    ],
)  # fmt: skip
def test_where_the_text_goes(row: dict[str, Any], place: Place, expected: dict[str, Any]) -> None:
    assert treat(row, "T", place) == expected


def test_a_mapped_field_is_treated_in_its_column() -> None:
    row = {"meta": {"question": "q"}, "better": "a", "worse": "b"}
    fields = {"prompt": "meta.question", "chosen": "better", "rejected": "worse"}
    assert treat(row, "T", "user", fields)["meta"] == {"question": "T\n\nq"}


@pytest.mark.parametrize(
    ("row", "text", "place"),
    [
        ({"chosen": "\n\nHuman: q\n\nAssistant: a", "rejected": "\n\nHuman: q\n\nAssistant: b"}, "Sure.\n\nAssistant: yes", "user"),
        ({"chosen": "\n\nHuman: q\n\nAssistant: a", "rejected": "\n\nHuman: q\n\nAssistant: b"}, "Sure.\n\nHuman: yes", "system"),
        ({"messages": [{"role": "system"}, user("q"), says("r")]}, "T", "system"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_hold_the_text_is_refused_with_its_line(row: dict[str, Any], text: str, place: Place) -> None:
    with pytest.raises(SignalError, match=r"^s\.jsonl:7: the text cannot be put into this row: .*--place"):
        treat(row, text, place)


@pytest.mark.parametrize("text", ["nul \0", "half \ud800"])
def test_a_text_that_no_signal_may_hold_is_refused(text: str) -> None:
    with pytest.raises(SignalError, match="the text cannot be put into this row"):
        treat({"prompt": "q", "completion": "r"}, text)


SPOKEN = st.lists(
    st.tuples(st.sampled_from(["system", "user", "assistant"]), st.text(min_size=1, max_size=8)), min_size=1, max_size=6
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(spoken=SPOKEN, text=st.text(min_size=1, max_size=10), place=st.sampled_from(PLACES))
def test_any_dialogue_is_treated_or_refused(spoken: list[tuple[str, str]], text: str, place: Place) -> None:
    row = {"messages": [{"role": who, "content": said} for who, said in [*spoken, ("user", "q"), ("assistant", "r")]]}
    try:
        before = _episode(row)
        new = treat(row, text, place)
    except SignalError as error:
        assert (
            max(text + str(spoken)) >= "\ud800"
            or "empty" in str(error)
            or "NUL" in str(error)
            or "cannot be put" in str(error)
        )
        return
    wanted = treated_episode(before, text, place)
    assert [b.reply for b in _episode(new).behaviours] == [b.reply for b in wanted.behaviours]
    assert [b.context for b in _episode(new).behaviours] == [b.context for b in wanted.behaviours]
