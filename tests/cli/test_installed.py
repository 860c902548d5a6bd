"""``traits``, ``judges``, ``schema`` and ``model``: what is there."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_persona.errors import JudgeError
from pytest_persona.judge import lm
from pytest_persona.load.schemas import NAMES
from pytest_persona.load.traits import library_paths

Run = Callable[..., Any]


def test_every_trait_of_the_library_has_a_line(run: Run) -> None:
    ran = run("traits")
    assert ran.code == 0
    assert [line.split()[0] for line in ran.out.splitlines()] == sorted(path.stem for path in library_paths())
    (line,) = [line for line in ran.out.splitlines() if line.startswith("sycophancy ")]
    _, pole, pairs, word, *_ = line.split()
    assert (pole, word) == ("high", "pairs")
    assert int(pairs) >= 24
    assert line.endswith("…")


def test_a_trait_is_shown_whole(run: Run) -> None:
    ran = run("traits", "sycophancy")
    assert ran.out.startswith("sycophancy 1.0.0 (library)\n  definition: ")
    for text in ("  unwanted: high\n", "  high pole: ", "    paraphrase: ", "      reply: ", "    says of itself: "):
        assert text in ran.out
    assert ran.out.count("\n  pair ") >= 24
    assert "    user: " in ran.out


def test_a_trait_that_is_not_there_ends_with_2_and_the_nearest(run: Run) -> None:
    ran = run("traits", "sycophansy")
    assert (ran.code, ran.out) == (2, "")
    assert "The nearest known: 'sycophancy'" in ran.err


def test_judges_are_listed_with_what_they_say_of_themselves(run: Run) -> None:
    listed = run("judges").out.splitlines()
    assert [line.split()[0] for line in listed] == ["claude", "embedded", "likelihood", "openai", "replay"]
    assert listed[1].split(maxsplit=1)[1] == "Reads offline with the hidden states of a 135M language model."
    assert "keywords\n" in run("judges", "--plugin", "keywords_plugin").out


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_is_printed(run: Run, name: str) -> None:
    ran = run("schema", name)
    assert ran.code == 0
    assert json.loads(ran.out)["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_a_schema_that_is_not_there_ends_with_2(run: Run) -> None:
    ran = run("schema", "../suite")
    assert (ran.code, ran.out) == (2, "")
    assert "there is none named '../suite'. Schemas: suite, trait, profile" in ran.err


def test_the_model_is_found_or_installed(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(lm, "find_weights", lambda: tmp_path / "found")
    monkeypatch.setattr(lm, "install", lambda: tmp_path / "installed")
    assert run("model", "path").out == f"{tmp_path / 'found'}\n"
    assert run("model", "install").out == f"{tmp_path / 'installed'}\n"


def test_a_model_that_is_not_there_ends_with_2(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> Path:
        raise JudgeError("The weights are not installed: run `pytest-persona model install`.")

    monkeypatch.setattr(lm, "find_weights", refuse)
    ran = run("model", "path")
    assert (ran.code, ran.out) == (2, "")
    assert "pytest-persona model install" in ran.err
