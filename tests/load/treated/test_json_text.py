"""Changes to JSON texts: what is meant changes, every other byte stays."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_persona.load.treated.json_text import AddKey, InsertItem, InsertText, Path, SetText, changed, elements

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
LAYOUT = st.fixed_dictionaries({"indent": st.sampled_from([None, 1]), "ensure_ascii": st.booleans()})


def paths(value: Any, here: Path = ()) -> list[Path]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(path for key, item in inner for path in paths(item, (*here, key)))]


def at(value: Any, path: Path) -> Any:
    for step in path:
        value = value[step]
    return value


def put(value: Any, path: Path, new: Any) -> Any:
    if not path:
        return new
    value = copy.deepcopy(value)
    at(value, path[:-1])[path[-1]] = new
    return value


@settings(max_examples=150, deadline=None)
@given(value=JSON, layout=LAYOUT, text=st.text(), data=st.data())
def test_what_is_changed_is_what_was_meant(value: Any, layout: Any, text: str, data: st.DataObject) -> None:
    raw = json.dumps(value, **layout)
    path = data.draw(st.sampled_from(paths(value)))
    there = at(value, path)
    if isinstance(there, str):
        place = data.draw(st.integers(0, len(there)))
        change: Any = InsertText(path=path, text=text, at=place)
        expected = put(value, path, there[:place] + text + there[place:])
    elif isinstance(there, list):
        change, expected = InsertItem(path=path, item={"x": text}), put(value, path, [{"x": text}, *there])
    else:
        change, expected = SetText(path=path, text=text), put(value, path, text)
    new = changed(raw, [change])
    assert json.loads(new) == expected
    if isinstance(there, str):  # in every other place the bytes stay
        prefix = next((i for i, (a, b) in enumerate(zip(raw, new, strict=False)) if a != b), min(len(raw), len(new)))
        assert raw[prefix:] == "" or new.endswith(raw[prefix:]) or text
    assert changed(raw, []) == raw


@settings(max_examples=100, deadline=None)
@given(value=st.lists(st.text(max_size=5), min_size=2, max_size=5, unique=True), text=st.text(max_size=5))
def test_several_changes_do_not_get_into_each_others_way(value: list[str], text: str) -> None:
    raw = json.dumps({"a": value, "b": value[0]})
    new = changed(
        raw, [InsertText(path=("a", i), text=text) for i in range(len(value))] + [InsertText(path=("b",), text=text)]
    )
    assert json.loads(new) == {"a": [text + one for one in value], "b": text + value[0]}


def test_a_key_comes_first_and_the_rest_keeps_its_layout() -> None:
    raw = ' {\n  "a" : 1.50 ,"b":[ ]}\r\n'
    assert changed(raw, [AddKey(key="s", value="t")]) == ' {"s": "t", \n  "a" : 1.50 ,"b":[ ]}\r\n'
    assert changed(raw, [InsertItem(path=("b",), item=1)]) == ' {\n  "a" : 1.50 ,"b":[1 ]}\r\n'


def test_what_is_new_is_ascii_where_the_text_is() -> None:
    assert changed('{"a": "b"}', [InsertText(path=("a",), text="é")]) == '{"a": "\\u00e9b"}'
    assert changed('{"a": "ö"}', [InsertText(path=("a",), text="é")]) == '{"a": "éö"}'


@pytest.mark.parametrize("text", ['a\\u00e9\\n\\"\\ud83d\\ude00z', 'aé\\n\\"\\uD83D\\uDE00z'])
def test_characters_count_as_they_are_read_however_they_are_written(text: str) -> None:
    raw = f'{{"k": "{text}"}}'
    said = json.loads(raw)["k"]
    for place in range(len(said) + 1):
        assert (
            json.loads(changed(raw, [InsertText(path=("k",), text="X", at=place)]))["k"]
            == said[:place] + "X" + said[place:]
        )


@pytest.mark.parametrize(
    ("raw", "path"),
    [('{"a": 1}', ("b",)), ('{"a": 1}', (0,)), ("[1]", (1,)), ("[1]", ("a",)), ('{"a": 1}', ("a", "b"))],
)
def test_a_path_that_leads_nowhere_is_refused(raw: str, path: Path) -> None:
    with pytest.raises(LookupError):
        changed(raw, [SetText(path=path, text="")])


def test_a_character_that_is_not_there_is_refused() -> None:
    with pytest.raises(LookupError):
        changed('["ab"]', [InsertText(path=(0,), text="x", at=3)])


@settings(max_examples=60, deadline=None)
@given(values=st.lists(JSON, max_size=4), layout=LAYOUT)
def test_the_elements_of_an_array_are_found(values: list[Any], layout: Any) -> None:
    raw = f"\n{json.dumps(values, **layout)} "
    assert [json.loads(raw[start:end]) for start, end in elements(raw)] == values
