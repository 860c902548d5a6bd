"""The embedded weights as a source: a tiny model of the same kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lm_tiny import tensors, write_gguf

from pytest_persona.errors import JudgeError
from pytest_persona.judge.likelihood import embedded
from pytest_persona.judge.likelihood.embedded import EmbeddedSource
from pytest_persona.judge.likelihood.prefix import Asked
from pytest_persona.judge.likelihood.source import open_source
from pytest_persona.judge.lm import LanguageModel
from pytest_persona.settings import Settings


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gguf(tmp_path_factory.mktemp("tiny") / "tiny.gguf", tensors())


@pytest.fixture
def source(weights: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> EmbeddedSource:
    monkeypatch.setattr(embedded, "find_weights", lambda: weights)
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path))
    source = open_source(Settings(root=tmp_path, threads=1))
    assert isinstance(source, EmbeddedSource)
    return source


def ask(reply: str, before: str = "User: hello\nAssistant:") -> Asked:
    return Asked(before=before, reply=f" {reply}", cut=False)


@pytest.mark.parametrize("opening", ["A kind one.\n\n", ""])
def test_a_replys_log_probability_is_the_models_own(source: EmbeddedSource, weights: Path, opening: str) -> None:
    model = LanguageModel.load(weights, threads=1)
    found = source.score(opening, [ask("hello there"), ask("hell"), ask("hello there", "User: hi\nAssistant:")])
    for scored, one in zip(
        found, [ask("hello there"), ask("hell"), ask("hello there", "User: hi\nAssistant:")], strict=True
    ):
        prefix = model.tokenize(opening or "\n") + model.tokenize(one.before)
        (logs,) = model.logprobs(prefix, [model.tokenize(one.reply)])
        assert scored.logprob == pytest.approx(float(np.sum(logs, dtype=np.float64)), rel=1e-4)
        assert scored.tokens == len(logs) and scored.read == len(model.tokenize(one.before)) + len(logs)


def test_its_weakness_is_stated_and_its_weights_are_in_its_name(source: EmbeddedSource) -> None:
    assert "the sign can turn with the wording of the poles" in source.weakness
    assert source.id.startswith("weights/") and len(source.id) == 24
    assert not source.network and source.calls == 0


def test_it_loads_when_it_is_first_asked_and_again_after_it_was_closed(source: EmbeddedSource) -> None:
    first = source.score("", [ask("hello")])
    assert source.score("", [ask("hello")]) == first
    source.close()
    source.close()
    assert source.score("", [ask("hello")]) == first


def test_one_that_is_too_long_does_not_take_the_others_along(source: EmbeddedSource) -> None:
    short, long = source.score("", [ask("hello"), ask("x" * 800)])
    assert short.logprob is not None
    assert long.logprob is None and "700" in long.detail


def test_without_weights_it_cannot_be_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def missing() -> Path:
        raise JudgeError("not installed")

    monkeypatch.setattr(embedded, "find_weights", missing)
    with pytest.raises(JudgeError, match="not installed"):
        open_source(Settings(root=tmp_path))
