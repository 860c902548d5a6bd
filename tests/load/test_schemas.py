from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_persona.errors import SuiteError
from pytest_persona.load.documents import Document
from pytest_persona.load.schemas import NAMES, __main__, check, schema_path, schema_text
from pytest_persona.load.signals import iter_episodes


@pytest.mark.parametrize("name", NAMES)
def test_the_committed_schema_is_what_the_code_says(name: str) -> None:
    assert schema_text(name) == __main__.generated(name), "run: python -m pytest_persona.load.schemas"


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_valid_named_and_closed(name: str) -> None:
    schema = json.loads(schema_text(name))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"urn:pytest-persona:{name}:v1"
    assert schema["title"]
    for form in objects(schema):
        # rows of signals carry whatever else their owner keeps in them
        assert form["additionalProperties"] is (name == "signal"), form["title"]
        assert form["description"]


@pytest.mark.parametrize("name", ["suite", "trait", "requests", "neutral", "signal"])
def test_every_key_that_users_write_has_a_text_for_editors(name: str) -> None:
    for form in objects(json.loads(schema_text(name))):
        for key, value in form["properties"].items():
            assert value.get("description"), (form["title"], key)


def objects(schema: Any) -> list[dict[str, Any]]:
    """All parts of a schema that list properties."""
    parts = schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else []
    own = [schema] if isinstance(schema, dict) and isinstance(schema.get("properties"), dict) else []
    return own + [form for part in parts for form in objects(part)]


def test_the_generator_writes_every_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(__main__, "schema_path", lambda name: tmp_path / f"{name}.json")
    __main__.main()
    assert {file.stem for file in tmp_path.iterdir()} == set(NAMES)
    assert (tmp_path / "suite.json").read_text(encoding="utf-8") == schema_text("suite")


def test_only_known_schemas_have_a_path() -> None:
    with pytest.raises(ValueError, match="'colour' is none of suite, trait"):
        schema_path("colour")


@pytest.mark.parametrize(
    "row",
    [
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": [{"type": "text", "text": "b"}]}]},
        {"prompt": "a", "chosen": "b", "rejected": "c", "id": 3},
        {"chosen": "\n\nHuman: a\n\nAssistant: b", "rejected": "\n\nHuman: a\n\nAssistant: c"},
        {"prompt": "a", "response": "b", "reward": 0.5},
        {"prompt": "a", "completion": "b", "score": 1},
        {"prompt": "a", "responses": ["b", "c"], "rewards": [0.5, 1]},
        {"prompt": "a", "response": "b", "feedback": "up"},
        {"instruction": "a", "input": "", "output": "b"},
        {"criterion": "is polite", "weight": 2},
        {"prompt": "a", "completion": "b"},
        {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]},
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}], "label": True},
        {"system": "Be polite."},
    ],
)  # fmt: skip
def test_each_documented_row_fits_the_schema_of_signals_and_is_read(row: dict[str, Any]) -> None:
    jsonschema.validate(row, json.loads(schema_text("signal")))
    assert len(list(iter_episodes([row], name="rows"))) == 1


@pytest.mark.parametrize("row", [{}, {"prompt": "a"}, {"chosen": "a"}, {"criterion": 3}, {"messages": "a"}])
def test_what_is_no_row_does_not_fit_the_schema_of_signals(row: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(row, json.loads(schema_text("signal")))


def test_a_keyword_without_words_of_its_own_still_makes_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "_validator", lambda name: jsonschema.Draft202012Validator({"multipleOf": 2}))
    document = Document(path="x", data=3, lines={(): 1})
    with pytest.raises(SuiteError, match=r"^x:1: does not fit the schema \(multipleOf\)\. See the schema"):
        check.check(document, "suite", SuiteError)


def test_a_long_value_is_cut_in_the_message() -> None:
    suite = {"persona": 1, "name": "x", "signals": ["a"], "expect": {"a": {"at_most": "y" * 1000}}}
    with pytest.raises(SuiteError) as caught:
        check.check(Document(path="x", data=suite, lines={}), "suite", SuiteError)
    assert len(str(caught.value)) < 150


def test_importing_the_readers_imports_neither_pydantic_nor_jsonschema() -> None:
    code = (
        "import sys, pytest_persona.load.suites, pytest_persona.load.profiles\n"
        "print(sorted({'pydantic', 'jsonschema', 'pytest', 'numpy'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
