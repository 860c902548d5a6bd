"""``pytest-persona confirm``: predicted against observed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_persona.load.schemas import schema_text

Run = Callable[..., Any]


@pytest.fixture
def saved(audit: Run, pairs: Callable[..., str], folder: Path) -> Callable[..., str]:
    """Saves a profile; with ``kind`` as one of a product's answers."""

    def save(name: str, kind: str = "preference", **signal: str) -> str:
        audit(pairs(**signal), "--trait", "sycophancy", "--trait", "malice", "--read-all", "--json", name)
        document = json.loads((folder / name).read_text(encoding="utf-8"))
        document["signal"]["kind"] = kind
        (folder / name).write_text(json.dumps(document), encoding="utf-8")
        return name

    return save


def test_what_was_implied_and_came_is_told(run: Run, saved: Callable[..., str], folder: Path) -> None:
    profiles = (
        saved("signal.json"),
        saved("before.json", "probe", chosen="So", rejected="Thus"),
        saved("after.json", "probe"),
    )
    ran = run("confirm", *profiles, "--json", "found.json")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines()[:3] == [
        "pairs.jsonl implied, pairs.jsonl to pairs.jsonl observed",
        " right sign        100% [3%, 100%] of 1 trait that was clearly implied and moved",
        " rank correlation  too few traits: 2, where 5 are the least",
    ]
    assert " as-predicted sycophancy" in ran.out
    document = json.loads((folder / "found.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, json.loads(schema_text("confirmation")))
    assert list(document) == list(json.loads(schema_text("confirmation"))["properties"])
    assert json.loads(run("confirm", *profiles, "--json", "-").out) == document


def test_too_few_traits_for_either_number_end_with_3(run: Run, saved: Callable[..., str]) -> None:
    same = saved("before.json", "probe")
    ran = run("confirm", saved("signal.json"), same, same)
    assert ran.code == 3
    assert " right sign        too few traits: none was both clearly implied and clearly seen to move" in ran.out


def test_profiles_of_signals_alone_end_with_2(run: Run, saved: Callable[..., str]) -> None:
    signal = saved("signal.json")
    ran = run("confirm", signal, signal, signal)
    assert ran.code == 2
    assert "is a profile of a preference signal, not of a product's answers" in ran.err
