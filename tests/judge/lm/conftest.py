"""A tiny random model, as arrays and as a GGUF file, and the real one where it is installed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lm_tiny import BLOCKS, tensors, write_gguf

from pytest_persona.errors import JudgeError
from pytest_persona.judge.lm import LanguageModel, find_weights
from pytest_persona.judge.lm.gguf_file import GgufFile
from pytest_persona.judge.lm.llama import Block, Llama, Shape
from pytest_persona.judge.lm.tokens import Tokens


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test reads or writes the user's cache."""
    folder = tmp_path / "user-cache"
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(folder / name))
    return folder / "pytest-persona"


@pytest.fixture(scope="session")
def arrays() -> dict[str, np.ndarray]:
    return tensors()


@pytest.fixture(scope="session")
def tiny_path(arrays: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gguf(tmp_path_factory.mktemp("tiny") / "tiny.gguf", arrays)


@pytest.fixture(scope="session")
def llama(tiny_path: Path, arrays: dict[str, np.ndarray]) -> Llama:
    file = GgufFile(tiny_path)
    shape = Shape.of(file)
    return Llama(shape, arrays["token_embd.weight"], [Block.of(file, i, shape) for i in range(BLOCKS)])


@pytest.fixture
def tiny(tiny_path: Path) -> LanguageModel:
    return LanguageModel.load(tiny_path, threads=2)


@pytest.fixture(scope="session")
def real_path() -> Path:
    try:
        return find_weights()
    except JudgeError as error:
        pytest.skip(f"needs the real weights: {error}")


@pytest.fixture(scope="session")
def real_tokens(real_path: Path) -> Tokens:
    return Tokens(GgufFile(real_path))
