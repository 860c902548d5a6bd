"""A GGUF file of the user's: tested against a stand-in with the interface of llama-cpp-python 0.3, never against the real one."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
import pytest

from pytest_persona.errors import JudgeError
from pytest_persona.judge.likelihood.gguf import GgufSource
from pytest_persona.judge.likelihood.prefix import Asked
from pytest_persona.judge.likelihood.source import open_source
from pytest_persona.settings import Settings

VOCABULARY = 300
BEGIN = 299


class Llama:
    """As documented: ``tokenize``, ``reset``, ``eval``, ``n_tokens`` and, with ``logits_all``, ``scores`` of every token.

    A token is a byte; the logits at a place depend on all that was read up to it.
    """

    made: ClassVar[list[Llama]] = []
    recurrent = False
    fails = ""
    spaces = False

    def __init__(
        self,
        model_path: str,
        *,
        n_ctx: int = 512,
        n_threads: int | None = None,
        logits_all: bool = False,
        verbose: bool = True,
    ) -> None:
        if "broken" in Path(model_path).read_text():
            raise ValueError("Failed to load model from file")
        assert logits_all and not verbose
        self.n_ctx, self.n_threads, self.n_tokens, self.evaluated = n_ctx, n_threads, 0, 0
        self.input_ids = np.zeros(n_ctx, np.intc)
        self.scores = np.full((n_ctx, VOCABULARY), np.nan, np.single)
        self.state: list[int] = []
        Llama.made.append(self)

    def tokenize(self, text: bytes, add_bos: bool = True, special: bool = False) -> list[int]:
        assert not special
        return [BEGIN] * add_bos + ([32] if Llama.spaces and text else []) + list(text)

    def reset(self) -> None:
        self.n_tokens = 0
        self.state = []

    def eval(self, tokens: list[int]) -> None:
        if Llama.fails == "rewound" and len(self.state) > self.n_tokens:
            raise RuntimeError("llama_decode returned -1")
        if not Llama.recurrent:
            self.state = self.state[: self.n_tokens]
        for token in tokens:
            self.state.append(token)
            self.input_ids[self.n_tokens] = token
            self.scores[self.n_tokens] = self.logits()
            self.n_tokens += 1
        self.evaluated += len(tokens)

    def logits(self) -> np.ndarray:
        seed = (len(self.state) * 31 + sum(self.state)) % 100_003
        return np.random.default_rng(seed).normal(0.0, 3.0, VOCABULARY)


@pytest.fixture(autouse=True)
def llama_cpp(monkeypatch: pytest.MonkeyPatch) -> type[Llama]:
    module = ModuleType("llama_cpp")
    module.Llama = Llama  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "llama_cpp", module)
    monkeypatch.setattr(Llama, "made", [])
    return Llama


@pytest.fixture
def source(tmp_path: Path) -> GgufSource:
    (tmp_path / "model.gguf").write_text("weights")
    source = open_source(Settings(root=tmp_path, model="model.gguf", threads=2))
    assert isinstance(source, GgufSource)
    return source


def ask(reply: str, before: str = "User: hello\nAssistant:") -> Asked:
    return Asked(before=before, reply=f" {reply}" if reply else "", cut=False)


def expected(opening: str, one: Asked) -> float:
    ids = [BEGIN, *opening.encode(), *one.before.encode(), *one.reply.encode()]
    state: Any = Llama.__new__(Llama)
    total = 0.0
    for place in range(len(ids) - len(one.reply.encode()), len(ids)):
        state.state = ids[:place]
        logits = Llama.logits(state).astype(np.single).astype(np.float64)
        total += float(logits[ids[place]] - np.log(np.exp(logits).sum()))
    return total


ASKED = [ask("well"), ask("sure thing"), ask("é", "User: hi\nAssistant:")]


def test_a_replys_log_probability_is_that_of_its_tokens_after_all_that_stands_before(source: GgufSource) -> None:
    found = source.score("Kind.\n\n", ASKED)
    for scored, one in zip(found, ASKED, strict=True):
        assert scored.logprob == pytest.approx(expected("Kind.\n\n", one), rel=1e-6)
        assert scored.tokens == len(one.reply.encode())


def test_an_opening_is_read_once(source: GgufSource, llama_cpp: type[Llama]) -> None:
    source.score("Kind.\n\n" * 50, ASKED)
    (model,) = llama_cpp.made
    replies = sum(len((one.before + one.reply).encode()) for one in ASKED)
    first = len((ASKED[0].before + ASKED[0].reply).encode())
    assert model.evaluated == 1 + 50 * 7 + replies + first, (
        "the first reply twice, to see whether the model can be taken back"
    )
    assert model.n_threads == 2


@pytest.mark.parametrize("how", ["recurrent", "fails"])
def test_a_model_that_cannot_be_taken_back_reads_the_opening_each_time(
    source: GgufSource, llama_cpp: type[Llama], monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(llama_cpp, how, True if how == "recurrent" else "rewound")
    for _ in range(2):
        for scored, one in zip(source.score("Kind.\n\n", ASKED), ASKED, strict=True):
            assert scored.logprob == pytest.approx(expected("Kind.\n\n", one), rel=1e-6)


def test_a_tokenizer_that_puts_spaces_in_front_does_not_make_replies_longer(
    source: GgufSource, llama_cpp: type[Llama], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(llama_cpp, "spaces", True)
    assert source.score("", [ask("well")])[0].tokens == 5


def test_what_is_too_long_for_the_model_is_said(source: GgufSource) -> None:
    long, short = source.score("", [ask("word " * 1000), ask("well")])
    assert (long.logprob, long.detail) == (None, "it takes more than the 4096 tokens that the model is given")
    assert short.logprob is not None


def test_the_file_is_in_its_name_by_content(tmp_path: Path, source: GgufSource) -> None:
    (tmp_path / "other.gguf").write_text("other weights")
    other = open_source(Settings(root=tmp_path, model="other.gguf"))
    assert source.id != other.id and source.id == open_source(Settings(root=tmp_path, model="model.gguf")).id
    assert (source.model, source.network, source.calls) == ("model.gguf", False, 0)


def test_a_file_that_is_missing_or_broken_is_said(tmp_path: Path) -> None:
    with pytest.raises(JudgeError, match=r"gone\.gguf: there is no such file, and it is named as the model"):
        open_source(Settings(root=tmp_path, model="gone.gguf"))
    (tmp_path / "broken.gguf").write_text("broken")
    with pytest.raises(
        JudgeError, match=r"broken\.gguf: llama-cpp-python cannot load it: Failed to load model from file\."
    ):
        open_source(Settings(root=tmp_path, model="broken.gguf")).score("", [ask("well")])


def test_without_the_package_the_line_that_installs_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llama_cpp", None)
    (tmp_path / "model.gguf").write_text("weights")
    with pytest.raises(JudgeError, match=r"Install it with: pip install 'pytest-persona\[likelihood\]'"):
        open_source(Settings(root=tmp_path, model="model.gguf"))


def test_it_may_be_closed_twice(source: GgufSource, llama_cpp: type[Llama]) -> None:
    source.score("", ASKED)
    source.close()
    source.close()
    source.score("", ASKED)
    assert len(llama_cpp.made) == 2
