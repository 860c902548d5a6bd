"""The plain steps of JSONPath."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_persona.infer.json_path import find, parse_path

DOCUMENT = {"choices": [{"message": {"content": "yes"}}, {"a b": [1, [2, 3]]}], "none": None, "": 7}


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("$", (), DOCUMENT),
        ("$.none", ("none",), None),
        ("$.choices[0].message.content", ("choices", 0, "message", "content"), "yes"),
        ("$['choices'][-1]['a b'][1][0]", ("choices", -1, "a b", 1, 0), 2),
        ('$["choices"][1]["a b"][-1][-1]', ("choices", 1, "a b", -1, -1), 3),
        ("$['']", ("",), 7),
    ],
)
def test_steps_lead_to_a_value(text: str, path: tuple[Any, ...], value: Any) -> None:
    assert parse_path(text) == path
    assert find(DOCUMENT, path) == value


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("reply", "a path begins with $"),
        ("", "a path begins with $"),
        ("$reply", "'reply' is no step of a path"),
        ("$..reply", "'..reply' is no step of a path"),
        ("$.a[*]", "'[*]' is no step of a path"),
        ("$.a[?(@.b)]", "'[?(@.b)]' is no step of a path"),
        ("$.a[1:2]", "'[1:2]' is no step of a path"),
        ("$.a.", "'.' is no step of a path"),
        ("$[a]", "'[a]' is no step of a path"),
    ],
)
def test_what_looks_for_more_than_one_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse_path(text)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("$.choices[2]", "$['choices'] has no [2]; it is a list of 2"),
        ("$.choices[-3]", "$['choices'] has no [-3]; it is a list of 2"),
        ("$.choice", "$ has no ['choice']; it is an object with , choices, none"),
        ("$.none.x", "$['none'] has no ['x']; it is null"),
        ("$.choices[0].message.content[0]", "$['choices'][0]['message']['content'] has no [0]; it is a text"),
        ("$.choices.message", "$['choices'] has no ['message']; it is a list of 2"),
        ("$[''].x", "$[''] has no ['x']; it is a number"),
    ],
)
def test_where_it_ends_is_said_without_values(text: str, said: str) -> None:
    with pytest.raises(LookupError) as caught:
        find(DOCUMENT, parse_path(text))
    assert str(caught.value) == said


def test_other_things_are_named_too() -> None:
    for document, said in (
        (True, "true or false"),
        ({}, "an empty object"),
        ({"k" * 99: 1}, f"an object with {'k' * 60}…"),
    ):
        with pytest.raises(LookupError, match=said):
            find(document, ("x",))


@given(st.lists(st.one_of(st.from_regex(r"[a-z_][a-z0-9_-]*", fullmatch=True), st.integers(-9, 9)), max_size=5))
def test_a_path_that_is_written_out_is_read_back(steps: list[str | int]) -> None:
    for name in (".{}", "['{}']"):
        text = "$" + "".join(f"[{s}]" if isinstance(s, int) else name.format(s) for s in steps)
        assert parse_path(text) == tuple(steps)
