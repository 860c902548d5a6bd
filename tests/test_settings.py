"""Texts become settings, or errors that name the option."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_persona.errors import SettingsError
from pytest_persona.settings import Settings, default_judge, settings_from


def setting(name: str, text: str) -> Any:
    return getattr(settings_from({name: text}, root=Path()), name.replace("-", "_"))


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("budget", "200000", ("tokens", 200_000.0)),
        ("budget", "200_000 tokens", ("tokens", 200_000.0)),
        ("budget", "1e6", ("tokens", 1e6)),
        ("budget", "$2.50", ("money", 2.5)),
        ("budget", "3 EUR", ("money", 3.0)),
        ("prices", "input=3,output=15", {"input": 3.0, "output": 15.0}),
        ("prices", "input=3\noutput=15\ncached=0.3", {"input": 3.0, "output": 15.0, "cached": 0.3}),
        ("concurrency", "64", 64),
        ("deadline", "1.5", 1.5),
        ("redact", "email\n[0-9]{9}", ("email", "[0-9]{9}")),
        ("pairwise", "true", True),
        ("pairwise", "off", False),
        ("max-groups", "7", 7),
        ("level", "0.9", 0.9),
        ("bound", "-0.5", -0.5),
    ],
)
def test_a_text_is_parsed(name: str, text: str, value: Any) -> None:
    assert setting(name, text) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("budget", "0"), ("budget", "-5"), ("budget", "much"), ("budget", "$0"), ("budget", "inf"), ("budget", "5 dollars"),
        ("prices", "input=3"), ("prices", "input=3,output=-1"), ("prices", "input=3,output=15,reading=1"), ("prices", "3/15"),
        ("concurrency", "0"), ("concurrency", "1001"), ("deadline", "0"), ("deadline", "nan"), ("pairwise", "perhaps"),
        ("max-groups", "-1"), ("level", "1"), ("bound", "3"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_names_its_option(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=f"^--{name}: "):
        setting(name, text)


def test_every_option_is_an_attribute_with_the_same_default() -> None:
    made = settings_from({}, root=Path("/x"))
    assert made == Settings(root=Path("/x"))


CI = {"CI": "true"}


@pytest.mark.parametrize(
    ("values", "environment", "judge"),
    [
        ({"judge": "claude"}, CI, "replay"),
        ({"judge": "openai"}, CI, "replay"),
        ({}, CI, "replay"),
        ({"judge": "embedded"}, CI, "embedded"),
        ({"judge": "mine"}, CI, "mine"),
        ({"judge": "claude"}, {}, "claude"),
        ({"judge": "claude"}, {**CI, "ANTHROPIC_API_KEY": "x"}, "claude"),
        ({"judge": "claude", "base-url": "http://127.0.0.1"}, CI, "replay"),
        ({"judge": "openai", "base-url": "http://127.0.0.1"}, CI, "openai"),
        ({"judge": "claude", "record": "new"}, CI, "claude"),
        ({"judge": "claude", "replay": "elsewhere.jsonl"}, CI, "claude"),
    ],
)
def test_ci_without_a_key_replays_where_there_is_a_record(
    tmp_path: Path, values: dict[str, str], environment: dict[str, str], judge: str
) -> None:
    (tmp_path / "persona-record.jsonl").touch()
    assert default_judge(values, root=tmp_path, environment=environment) == judge
