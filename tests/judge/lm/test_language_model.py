"""Loading: from a GGUF file, in part, quantised, and the real weights."""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import pytest
from lm_tiny import BLOCKS, WIDTH, tensors, write_gguf

from pytest_persona.judge.lm import LanguageModel


def test_the_tiny_model_says_what_it_is(tiny: LanguageModel) -> None:
    assert (tiny.n_layers, tiny.width, len(tiny.sha256)) == (BLOCKS, WIDTH, 64)
    assert tiny.tokenize("hello") == [tiny.tokenize("hello")[0]]
    assert tiny.render([("user", "hello")])


def test_a_part_of_the_blocks_reads_the_same(tiny: LanguageModel, tiny_path: Path) -> None:
    part = LanguageModel.load(tiny_path, threads=1, layers=2)
    assert part.n_layers == 2
    arguments = ([5, 6, 7], [[8, 9], [10]])
    layers = {"context_layers": [2], "reply_layers": [1, 2]}
    for one, other in zip(part.read(*arguments, **layers), tiny.read(*arguments, **layers), strict=True):
        assert np.allclose(one, other, atol=1e-5)
    with pytest.raises(ValueError, match="need all 3 layers; 2 are loaded"):
        part.logprobs([1], [[2]])


@pytest.mark.parametrize("layers", [0, 4])
def test_a_number_of_blocks_that_does_not_exist_is_refused(tiny_path: Path, layers: int) -> None:
    with pytest.raises(ValueError, match=f"layers = {layers}: the model has 1 to 3"):
        LanguageModel.load(tiny_path, layers=layers)


def test_an_output_matrix_of_its_own_is_used(tiny: LanguageModel, tmp_path: Path) -> None:
    arrays = tensors()
    arrays["output.weight"] = np.zeros_like(arrays["token_embd.weight"])
    model = LanguageModel.load(write_gguf(tmp_path / "untied.gguf", arrays), threads=1)
    (found,) = model.logprobs([5], [[6, 7]])
    assert np.allclose(found, -np.log(len(arrays["output.weight"])))


@pytest.mark.parametrize("name", ["F16", "Q8_0"])
def test_quantised_weights_read_nearly_the_same(tiny: LanguageModel, tmp_path: Path, name: str) -> None:
    kind = gguf.GGMLQuantizationType[name]
    model = LanguageModel.load(write_gguf(tmp_path / f"{name}.gguf", tensors(), quantize=kind), threads=1)
    layers = {"context_layers": [BLOCKS], "reply_layers": [BLOCKS]}
    for one, other in zip(
        model.read([5, 6, 7], [[8, 9]], **layers), tiny.read([5, 6, 7], [[8, 9]], **layers), strict=True
    ):
        assert np.linalg.norm(one - other) < 0.1 * np.linalg.norm(other)


def test_the_real_model_knows_what_every_model_knows(real_path: Path) -> None:
    model = LanguageModel.load(real_path)
    assert (model.n_layers, model.width) == (30, 576)
    prefix = model.tokenize("The capital of France is")
    paris, banana = model.logprobs(prefix, [model.tokenize(" Paris"), model.tokenize(" banana")])
    # The prototype's figures (its own GGUF reader, tokenizer and forward pass).
    assert paris[0] == pytest.approx(-0.258, abs=2e-3)
    assert banana[0] == pytest.approx(-17.238, abs=2e-2)
