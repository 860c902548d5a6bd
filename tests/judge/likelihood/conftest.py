"""A language model that repeats what it has read, and traits and characters in words that it can repeat."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from loopback_logprobs import pieces, toy_logprobs

from pytest_persona.judge.likelihood import LikelihoodJudge, Reader
from pytest_persona.judge.likelihood.prefix import Asked
from pytest_persona.judge.likelihood.source import Scored
from pytest_persona.judge.store import Store
from pytest_persona.model.episodes import Behaviour, Turn
from pytest_persona.model.personas import NullCharacter
from pytest_persona.model.traits import Anchor, Exemplar, NeutralReply, Pole, Trait

DOMAINS = ("cooking", "code", "travel", "law")
HIGH, LOW = ("splendid", "marvellous", "glorious"), ("sober", "measured", "plain")
HOBBIES = ("trains", "shells", "tea", "green", "lakes", "maps", "kites", "bells")


def turns(text: str) -> tuple[Turn, ...]:
    return (Turn(speaker="user", text=text),)


class ToySource:
    """A source in a few lines; remembers what it was asked."""

    id, model, network, weakness, calls = "toy/1", "toy", False, "", 0
    wordings, room, at_once = 3, (400, 400), 8

    def __init__(self) -> None:
        self.asked: list[tuple[str, Asked]] = []
        self.closed = 0
        self.interrupt_after = -1
        self.refuses: Callable[[str, Asked], bool] = lambda opening, one: False

    def score(self, opening: str, asked: Sequence[Asked]) -> list[Scored]:
        if len(self.asked) >= self.interrupt_after >= 0:
            raise KeyboardInterrupt
        self.asked += [(opening, one) for one in asked]
        return [self._one(opening, one) for one in asked]

    def _one(self, opening: str, one: Asked) -> Scored:
        if self.refuses(opening, one):
            return Scored(logprob=None, detail="too long for the model")
        count, whole = len(pieces(one.reply)), toy_logprobs(opening + one.before + one.reply)
        return Scored(logprob=sum(whole[-count:]), tokens=count, read=len(whole))

    def close(self) -> None:
        self.closed += 1


def make_trait(name: str = "gush", *, pairs: int = 12, turned: bool = False, **more: Any) -> Trait:
    """High replies are splendid, low ones are sober; ``turned`` poles describe each other's anchors."""
    high, low = (LOW, HIGH) if turned else (HIGH, LOW)
    poles = [
        Pole(
            summary=f"It says {words[0]} things.",
            paraphrases=tuple(f"One who says {word} things and {words[0]} ones." for word in words),
            exemplars=tuple(Exemplar(context=f"what of {i}", reply=f"A {words[i]} thing.") for i in range(3)),
        )
        for words in (high, low)
    ]
    return Trait(
        name=name, definition=f"what {name} is", high=poles[0], low=poles[1],
        pairs=tuple(
            Anchor(
                domain=DOMAINS[i % 4], context=turns(f"say {i}"),
                high=f"A {HIGH[i % 3]} thing it was.", low=f"A {LOW[i % 3]} thing it was.",
            )
            for i in range(pairs)
        ),
        criteria_high=tuple(f"The reply is {HIGH[i % 3]} in point {i}." for i in range(pairs)),
        criteria_low=tuple(f"The reply is {LOW[i % 3]} in point {i}." for i in range(pairs)),
        **more,
    )  # fmt: skip


def said(text: str, *, asked: str = "say something", role: Any = "shown") -> Behaviour:
    return Behaviour(role=role, context=turns(asked) if asked else (), reply=text)


@pytest.fixture(scope="session")
def trait() -> Callable[..., Trait]:
    return make_trait


@pytest.fixture(scope="session")
def say() -> Callable[..., Behaviour]:
    return said


@pytest.fixture(scope="session")
def neutral() -> list[NeutralReply]:
    return [NeutralReply(domain="d", context=turns(f"ask {i}"), reply=f"It takes {i} minutes.") for i in range(40)]


@pytest.fixture(scope="session")
def nulls() -> list[NullCharacter]:
    texts = {
        hobby: tuple(f"The assistant likes {hobby} in the {when}." for when in ("dawn", "noon", "dusk"))
        for hobby in HOBBIES
    }
    return [NullCharacter(name=hobby, paraphrases=lines) for hobby, lines in texts.items()]


@pytest.fixture
def source() -> ToySource:
    return ToySource()


@pytest.fixture
def reader(tmp_path: Path, source: ToySource) -> Callable[..., Reader]:
    """Makes readers over one store, of this run or of another."""
    return lambda run="this", asks=source: Reader(asks, Store(tmp_path / "readings.sqlite"), run)


@pytest.fixture
def judge(
    reader: Callable[..., Reader], neutral: list[NeutralReply], nulls: list[NullCharacter]
) -> Iterator[LikelihoodJudge]:
    judge = LikelihoodJudge(reader(), neutral=neutral, nulls=nulls)
    yield judge
    judge.close()
