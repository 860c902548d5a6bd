"""A language model that sees marks in a text and little else, traits made of such marks, and heads fitted on them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pytest_persona.judge.embedded.fit import fit_request, fit_space, fit_trait
from pytest_persona.judge.embedded.frame import FRAME_VERSION
from pytest_persona.judge.embedded.heads import Heads
from pytest_persona.judge.embedded.judge import EmbeddedJudge, anchor_behaviours
from pytest_persona.judge.embedded.states import StateReader
from pytest_persona.judge.store import Store
from pytest_persona.model.episodes import Behaviour, Turn
from pytest_persona.model.traits import Anchor, Pole, Trait

WIDTH = 6
LAYERS = (2, 1)
SHA256 = "ab" * 32
DOMAINS = ("cooking", "code", "travel", "law")


class FakeModel:
    """A character is a token; each of the marks ``+-``, ``*~`` and ``?`` moves the state along an axis of its own."""

    def __init__(self) -> None:
        self.read: list[str] = []
        """The replies that were read."""
        self.contexts = 0
        self.calls = 0
        self.interrupt_after = -1
        self.tokenized: list[int] = []
        """The length of each text that was tokenised."""

    def tokenize(self, text: str) -> list[int]:
        self.tokenized.append(len(text))
        return [ord(letter) for letter in text]

    def render(self, messages: Any) -> list[int]:
        return [token for speaker, text in messages for token in (1, *self.tokenize(f"{speaker}:{text}"), 2)]

    def read_many(
        self, items: Any, *, context_layers: Any, reply_layers: Any, opening_layers: Any = ()
    ) -> Iterator[tuple[int, NDArray[Any], NDArray[Any]]]:
        self.calls += 1
        for index, (context, replies) in enumerate(items):
            if len(self.read) == self.interrupt_after:
                raise KeyboardInterrupt
            self.contexts += 1
            self.read += ["".join(map(chr, reply)) for reply in replies]
            before = np.stack([state(context)] * (len(context_layers) + len(opening_layers)))
            yield index, before, np.stack([[state(reply)] * len(reply_layers) for reply in replies])


def state(ids: Any) -> NDArray[np.float64]:
    text = "".join(map(chr, ids))
    vector = 0.3 * np.random.default_rng(zlib.crc32(text.encode())).standard_normal(WIDTH)
    vector[0] += 2.0 * (text.count("+") - text.count("-"))
    vector[1] += 2.0 * (text.count("*") - text.count("~"))
    vector[2] += 2.0 * text.count("?")
    return vector


def turns(text: str) -> tuple[Turn, ...]:
    return (Turn(speaker="user", text=text),)


def make_trait(name: str, marks: str, *, pairs: int = 12, domains: tuple[str, ...] = DOMAINS, **more: Any) -> Trait:
    high, low = ([f"{mark} {name} reply {i}" for i in range(pairs)] for mark in marks)
    return Trait(
        name=name, definition=f"what {name} is",
        high=Pole(summary=f"{marks[0]} it does"), low=Pole(summary=f"{marks[1]} it does not"),
        pairs=tuple(
            Anchor(domain=domains[i % len(domains)], context=turns(f"say {i}"), high=high[i], low=low[i]) for i in range(pairs)
        ),
        statements_high=tuple(f"I am so {line}" for line in high), statements_low=tuple(f"I am so {line}" for line in low),
        **more,
    )  # fmt: skip


@pytest.fixture(scope="session")
def trait() -> Callable[..., Trait]:
    """Makes a trait of two marks, its high and its low pole's."""
    return make_trait


@pytest.fixture
def model() -> FakeModel:
    return FakeModel()


@pytest.fixture(scope="session")
def library() -> tuple[Trait, ...]:
    """Two traits that the fake model can read, and one of marks that it does not see."""
    return (make_trait("alpha", "+-"), make_trait("beta", "~*", unwanted="low"), make_trait("gamma", "xy"))


@pytest.fixture(scope="session")
def heads(library: tuple[Trait, ...], tmp_path_factory: pytest.TempPathFactory) -> Heads:
    """Heads fitted on the library, as the shipped ones are."""
    folder = tmp_path_factory.mktemp("fit")
    reader = StateReader(Store(folder / "readings.sqlite"), FakeModel, SHA256, LAYERS, "fit")

    def states(behaviours: list[Behaviour], field: str = "state") -> NDArray[np.float64]:
        return np.stack([getattr(r, field) for r in reader.read(behaviours, lambda _: None)]).astype(np.float64)

    neutral = [Behaviour(role="shown", context=turns(f"ask {i}"), reply=f"neutral {i}") for i in range(20)]
    spaces, fitted = {}, {}
    for mode in ("reply", "statement"):
        anchors = {t.name: anchor_behaviours(t, mode) for t in library}
        pairs = {name: states(found).reshape(len(domains), 2, -1) for name, (found, domains) in anchors.items()}
        spaces[mode] = fit_space(list(pairs.values()), states(neutral))
        fitted[mode] = {t.name: fit_trait(spaces[mode], pairs[t.name], anchors[t.name][1], t.sha256) for t in library}
    asked = [f"do it {i}" + "?" * (i % 2) for i in range(24)]
    contexts = [Behaviour(role="shown", context=turns(text), reply="Yes") for text in asked]
    request = fit_request(
        states(contexts, "request"),
        np.array(["?" in text for text in asked]),
        [DOMAINS[i // 2 % 4] for i in range(24)],
        LAYERS[1],
    )
    reader.forget()
    return Heads(
        weights_sha256=SHA256, frame_version=FRAME_VERSION, layer=LAYERS[0], spaces=spaces, traits=fitted,
        signs={"alpha": 1.0, "beta": -1.0, "gamma": 1.0}, request=request,
    )  # fmt: skip


@pytest.fixture
def reader(tmp_path: Path, model: FakeModel) -> Callable[..., StateReader]:
    """Makes readers over one store, of this run or of another."""

    def make(run: str = "this", **more: Any) -> StateReader:
        return StateReader(Store(tmp_path / "readings.sqlite"), lambda: model, SHA256, more.get("layers", LAYERS), run)

    return make


@pytest.fixture
def judge(heads: Heads, reader: Callable[..., StateReader]) -> Iterator[EmbeddedJudge]:
    judge = EmbeddedJudge(heads, reader())
    yield judge
    judge.close()
