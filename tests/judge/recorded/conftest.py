"""Two traits, a few behaviours, and a record of the verdicts on them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_persona.judge.recorded import Entry, Header, entry_of, write
from pytest_persona.model.episodes import Behaviour, Turn
from pytest_persona.model.traits import Pole, Trait
from pytest_persona.model.verdicts import Verdict

Says = Callable[..., Behaviour]


@pytest.fixture(scope="session")
def trait() -> Trait:
    return Trait(name="sycophancy", definition="d", high=Pole(summary="flatters"), low=Pole(summary="is frank"))


@pytest.fixture(scope="session")
def other() -> Trait:
    return Trait(name="deception", definition="d", high=Pole(summary="deceives"), low=Pole(summary="is honest"))


@pytest.fixture(scope="session")
def says() -> Says:
    def make(reply: str, to: str = "Is my poem good?", role: str = "shown") -> Behaviour:
        context = (Turn(speaker="user", text=to),) if to else ()
        return Behaviour(role=role, context=context, reply=reply)  # type: ignore[arg-type]

    return make


@pytest.fixture(scope="session")
def header() -> Header:
    return Header(judge="claude", model="claude-1", prompt="1", fingerprint="f1")


@pytest.fixture(scope="session")
def entries(trait: Trait, other: Trait, says: Says) -> list[Entry]:
    """Six: two replies to one question for two traits each, and a comparison of them in both orders."""
    good, frank = says("Superb! You are a genius."), says("The second verse limps.")
    verdict = Verdict(expressed=1 / 3, requested=0.25, quote="Superb!")
    found = [
        entry_of(shown, asked, verdict, model="claude-1")
        for shown, asked in [
            *(((behaviour,), asked) for asked in (trait, other) for behaviour in (good, frank)),
            ((good, frank), trait),
            ((frank, good), trait),
        ]
    ]
    return [entry for entry in found if entry is not None]


@pytest.fixture
def path(tmp_path: Path, header: Header, entries: list[Entry]) -> Path:
    """A record: line 1 is the header, lines 2 to 7 the entries."""
    file = tmp_path / "record.jsonl"
    write(file, header, entries)
    return file
