"""The examples of docs/reference/signal-formats.md are what they say they are."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_persona.load.signals import FORMATS, Signal

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "signal-formats.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"^### `([\w-]+)`\n.*?^```\w+\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE))
TEXTS = re.findall(r"^A text named `([\w.-]+)`:\n\n```\w+\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE)


def test_every_format_is_documented_with_an_example() -> None:
    assert set(EXAMPLES) == set(FORMATS)
    assert all(f"| `{name}` | {made.kind} |" in PAGE for name, made in FORMATS.items())


@pytest.mark.parametrize("name", FORMATS)
def test_an_example_is_recognised_as_its_format(name: str, read: Callable[..., Signal]) -> None:
    signal = read(EXAMPLES[name], name="example")
    assert signal.info.format == name
    assert len(signal.episodes) >= 1


def test_text_examples_are_told_apart_by_their_file_names(read: Callable[..., Signal]) -> None:
    found = {name: read(text, name=name) for name, text in TEXTS}
    assert {name: signal.info.format for name, signal in found.items()} == {
        "support-rubric.md": "rubric",
        "system-prompt.txt": "instruction",
    }
    assert [episode.behaviours[0].reply for episode in found["system-prompt.txt"].episodes] == [
        "You are the assistant of Dr. Okafor's practice.",
        "Answer in two sentences.",
        "Never: guess a diagnosis",
        "Never: promise an appointment",
    ]
