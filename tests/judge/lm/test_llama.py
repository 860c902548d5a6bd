"""The forward pass: right against a slow reference, and the same however sequences are put together."""

from __future__ import annotations

import numpy as np
import pytest
from lm_reference import hidden_states, token_logprobs
from lm_tiny import BLOCKS, CONTEXT, TOKENS

from pytest_persona.errors import JudgeError
from pytest_persona.judge.lm import LanguageModel
from pytest_persona.judge.lm import language_model as module
from pytest_persona.judge.lm.llama import Llama

LAYERS = list(range(BLOCKS + 1))


def ids(length: int, seed: int = 0) -> list[int]:
    return np.random.default_rng(seed).integers(0, len(TOKENS), length).tolist()


def close(one: np.ndarray, other: np.ndarray, tolerance: float = 2e-5) -> None:
    assert np.abs(one - other).max() < tolerance * np.abs(other).max()


def test_hidden_states_agree_with_the_reference(tiny: LanguageModel, arrays: dict[str, np.ndarray]) -> None:
    context, replies = ids(13), [ids(7, 1), ids(1, 2), ids(20, 3)]
    means, reply_means = tiny.read(context, replies, context_layers=LAYERS, reply_layers=LAYERS)
    assert means.dtype == reply_means.dtype == np.float32
    close(means, hidden_states(arrays, context).mean(1))
    for reply, found in zip(replies, reply_means, strict=True):
        close(found, hidden_states(arrays, context + reply)[:, len(context) :].mean(1))


def test_log_probabilities_agree_with_the_reference(
    tiny: LanguageModel, arrays: dict[str, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LOGIT_ROWS", 5)
    continuations = [ids(6, 1), ids(1, 2), ids(13, 3)]
    found = tiny.logprobs(ids(9), continuations)
    for one, expected in zip(found, continuations, strict=True):
        assert one.shape == (len(expected),)
        close(one, token_logprobs(arrays, ids(9), expected))
    assert tiny.logprobs(ids(9), []) == []


def test_log_probabilities_of_all_next_tokens_sum_to_one(tiny: LanguageModel) -> None:
    found = tiny.logprobs(ids(5), [[token] for token in range(len(TOKENS))])
    assert np.exp(np.concatenate(found)).sum() == pytest.approx(1, abs=1e-5)


def test_a_text_longer_than_a_block_of_queries_reads_as_in_short_blocks(
    llama: Llama, monkeypatch: pytest.MonkeyPatch
) -> None:
    past = llama.forward([ids(40)], layers=[BLOCKS], keep=BLOCKS).contexts
    long = llama.forward([ids(600, 1)], past, layers=LAYERS).means
    monkeypatch.setattr("pytest_persona.judge.lm.llama._QUERY_BLOCK", 37)
    close(llama.forward([ids(600, 1)], past, layers=LAYERS).means, long)


def test_a_kept_context_reads_as_one_whole_pass(llama: Llama) -> None:
    whole = llama.forward([ids(30)], layers=[BLOCKS], keep=1)
    first = llama.forward([ids(30)[:18]], layers=[BLOCKS], keep=BLOCKS)
    assert len(first.contexts[0].keys) == BLOCKS and len(whole.contexts[0].keys) == 1
    assert first.contexts[0].tokens == 18
    second = llama.forward([ids(30)[18:]], first.contexts, layers=[BLOCKS])
    close(np.concatenate([first.residual, second.residual]), whole.residual)


def test_sequences_of_one_pass_do_not_see_each_other(llama: Llama) -> None:
    sequences = [ids(length, seed) for seed, length in enumerate((3, 50, 1, 17))]
    together = llama.forward(sequences, layers=LAYERS).means
    for sequence, means in zip(sequences, together, strict=True):
        close(llama.forward([sequence], layers=LAYERS).means[0], means)
    other = llama.forward([ids(3, 99), *sequences[1:]], layers=LAYERS).means
    close(other[1:], together[1:])


def test_many_items_read_as_one_by_one(tiny: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    items = [(ids(5 + 9 * i, i), [ids(3 + 7 * j, 50 + j) for j in range(i % 4)]) for i in range(12)]
    one_by_one = [tiny.read(*item, context_layers=[0, 2], reply_layers=[3]) for item in items]
    for tokens in (1, 60, 10_000):
        monkeypatch.setattr(module, "_PASS_TOKENS", tokens)
        found = list(tiny.read_many(iter(items), context_layers=[0, 2], reply_layers=[3]))
        assert [index for index, _, _ in found] == list(range(12))
        for (_, context, replies), (context_alone, replies_alone) in zip(found, one_by_one, strict=True):
            close(context, context_alone)
            assert replies.shape == replies_alone.shape
            if len(replies):
                close(replies, replies_alone)


def test_items_are_drawn_as_they_are_needed(tiny: LanguageModel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PASS_TOKENS", 10)
    drawn = []

    def items():  # type: ignore[no-untyped-def]
        for i in range(100):
            drawn.append(i)
            yield ids(9, i), [ids(3)]

    next(tiny.read_many(items(), context_layers=[1], reply_layers=[1]))
    assert len(drawn) < 20


def test_layers_may_repeat_and_come_in_any_order(tiny: LanguageModel) -> None:
    context, replies = tiny.read(ids(5), [ids(4)], context_layers=[3, 0, 3], reply_layers=[2, 1])
    assert np.array_equal(context[0], context[2])
    close(replies[0, 1], tiny.read(ids(5), [ids(4)], context_layers=[], reply_layers=[1])[1][0, 0])


def test_no_layer_or_embeddings_alone(tiny: LanguageModel, arrays: dict[str, np.ndarray]) -> None:
    context, replies = tiny.read(ids(5), [ids(4)], context_layers=[0], reply_layers=[])
    close(context[0], arrays["token_embd.weight"][ids(5)].mean(0))
    assert replies.shape == (1, 0, tiny.width)
    context, replies = tiny.read(ids(5), [ids(4)], context_layers=[2], reply_layers=[0])
    close(replies[0, 0], arrays["token_embd.weight"][ids(4)].mean(0))


def test_large_values_stay_finite_and_silent(llama: Llama) -> None:
    x = np.full((1, llama.shape.width), 1e4, np.float32)
    block = llama.blocks[0]
    steep = type(block)(**{**vars(block), "gate": block.gate * 1e4})
    assert np.isfinite(llama._feed_forward(x, steep)).all()


def test_what_cannot_be_read_is_refused(tiny: LanguageModel) -> None:
    with pytest.raises(ValueError, match="without tokens"):
        tiny.read([], [ids(3)], context_layers=[1], reply_layers=[1])
    with pytest.raises(ValueError, match="without tokens"):
        tiny.read(ids(3), [[]], context_layers=[1], reply_layers=[1])
    with pytest.raises(ValueError, match="layer 4: 0 to 3"):
        tiny.read(ids(3), [ids(3)], context_layers=[1], reply_layers=[4])
    with pytest.raises(JudgeError, match=f"{CONTEXT + 1} tokens.*at most {CONTEXT}"):
        tiny.read(ids(CONTEXT), [ids(1)], context_layers=[1], reply_layers=[1])
