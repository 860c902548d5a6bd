"""The language model as the judges use it: text to ids, ids to hidden means and log-probabilities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pytest_persona.judge.lm.gguf_file import GgufFile, QuantizedRows
from pytest_persona.judge.lm.llama import Block, Floats, Llama, Pass, Shape
from pytest_persona.judge.lm.threads import Threads, thread_count
from pytest_persona.judge.lm.tokens import OPENING_TOKENS, Tokens
from pytest_persona.judge.lm.weights import sha256_of

# Tokens of one forward pass. Products of a thousand rows run at the machine's full rate; their largest intermediate
# takes 12 MB.
_PASS_TOKENS = 1024
# Rows whose logits exist at once: 25 MB for a vocabulary of 49,152.
_LOGIT_ROWS = 128

Item = tuple[Sequence[int], Sequence[Sequence[int]]]


class LanguageModel:
    """A small language model that reads a context and its replies once and says what it made of them.

    ``sha256`` is that of the weights' file, ``n_layers`` the number of blocks that were loaded, ``width`` that of the
    residual stream. Layer k means the residual stream after k blocks, 0 <= k <= n_layers. Not to be used by two
    threads at once.
    """

    def __init__(
        self, sha256: str, tokens: Tokens, llama: Llama, output: tuple[Floats, QuantizedRows], threads: Threads
    ) -> None:
        self.sha256 = sha256
        self.n_layers = len(llama.blocks)
        self.width = llama.shape.width
        self._tokens = tokens
        self._llama = llama
        self._output_norm, self._output_rows = output
        self._output: Floats | None = None
        self._threads = threads

    @classmethod
    def load(cls, path: Path, *, threads: int | None = None, layers: int | None = None) -> LanguageModel:
        """Read a GGUF file of the SmolLM2 family.

        ``threads`` as in `thread_count`; ``layers`` keeps only the first so many blocks, which saves 14 MB and 20 ms
        each (and `logprobs`, which needs all). Raises `JudgeError` for a file that is broken or of another kind,
        `ValueError` for a number of layers that the model does not have.
        """
        file = GgufFile(path)
        shape = Shape.of(file)
        if layers is not None and not 0 < layers <= shape.blocks:
            raise ValueError(f"layers = {layers}: the model has 1 to {shape.blocks}")
        embedding = file.rows("token_embd.weight", shape.width)
        # Without a matrix of its own for its output, a model uses that of its input.
        output = file.rows("output.weight", shape.width) if "output.weight" in file else embedding
        workers = Threads(thread_count(threads))
        blocks = workers.map(lambda index: Block.of(file, index, shape), range(layers or shape.blocks))
        return cls(
            sha256_of(path),
            Tokens(file),
            Llama(shape, embedding, blocks),
            (file.vector("output_norm.weight", shape.width), output),
            workers,
        )

    def tokenize(self, text: str) -> list[int]:
        """The ids of a text, never those of special tokens; see `Tokens.encode`."""
        return self._tokens.encode(text)

    def render(self, messages: Sequence[tuple[str, str]], *, open_reply: bool = True) -> list[int]:
        """The ids of a chat of (role, content); see `Tokens.render`."""
        return self._tokens.render(messages, open_reply=open_reply)

    def read(
        self,
        context: Sequence[int],
        replies: Sequence[Sequence[int]],
        *,
        context_layers: Sequence[int],
        reply_layers: Sequence[int],
    ) -> tuple[Floats, Floats]:
        """Hidden states averaged over the tokens of a context, and over those of each reply to it.

        Returns (context layers, width) and (replies, reply layers, width), float32. A reply's own tokens are averaged,
        as read after the context; replies do not see each other. Raises `ValueError` for a context or reply without
        tokens and for a layer that was not loaded, `JudgeError` where both are longer than the model can read.
        """
        ((_, context_means, reply_means),) = self.read_many(
            [(context, replies)], context_layers=context_layers, reply_layers=reply_layers
        )
        return context_means, reply_means

    def read_many(
        self,
        items: Iterable[Item],
        *,
        context_layers: Sequence[int],
        reply_layers: Sequence[int],
        opening_layers: Sequence[int] = (),
    ) -> Iterator[tuple[int, Floats, Floats]]:
        """`read` for many contexts, each with its replies; short ones are computed together, which is faster.

        ``opening_layers`` add, after the context's means, averages over its last `OPENING_TOKENS` alone: the template's
        tokens between the last turn and the reply, where a model sums up what was asked of it. None may be deeper than
        the deepest other layer.

        Yields (index of the item, context means, reply means), in the order of the items, which are drawn as they are
        needed. Raises as `read` does.
        """
        for layer in (*context_layers, *reply_layers, *opening_layers):
            if not 0 <= layer <= self.n_layers:
                raise ValueError(f"layer {layer}: 0 to {self.n_layers} are loaded")
        ends = [(layer, OPENING_TOKENS) for layer in opening_layers]
        done = 0
        batches = _batches(items)
        # A few batches for each thread at a time, so that none waits long for the others' last one.
        while group := list(islice(batches, 4 * self._threads.count)):
            for read in self._threads.map(
                lambda batch: self._read_batch(batch, context_layers, reply_layers, ends), group
            ):
                for context_means, reply_means in read:
                    yield done, context_means, reply_means
                    done += 1

    def _read_batch(
        self,
        batch: Sequence[Item],
        context_layers: Sequence[int],
        reply_layers: Sequence[int],
        ends: Sequence[tuple[int, int]],
    ) -> list[tuple[Floats, Floats]]:
        """The batch's contexts in one pass, then its replies in as many as they need."""
        depth = max(reply_layers, default=0)
        # The replies' depth is added as a layer, so that the contexts run deep enough to be answered.
        layers = [*context_layers, depth]
        first = self._llama.forward([context for context, _ in batch], layers=layers, ends=ends, keep=depth)
        replies = [(reply, i) for i, (_, replies) in enumerate(batch) for reply in replies]
        means = np.empty((len(replies), len(reply_layers), self.width), np.float32)
        for part in _parts([len(reply) for reply, _ in replies]):
            past = [first.contexts[i] for _, i in replies[part]] if depth else None
            means[part] = self._llama.forward([reply for reply, _ in replies[part]], past, layers=reply_layers).means
        splits = np.cumsum([len(replies) for _, replies in batch])[:-1]
        wanted = np.delete(first.means, len(context_layers), axis=1)
        return list(zip(wanted, np.split(means, splits), strict=True))

    def logprobs(self, prefix: Sequence[int], continuations: Sequence[Sequence[int]]) -> list[NDArray[np.float32]]:
        """The natural log-probability of each token of each continuation, given the prefix and the tokens before it.

        One (tokens,) float32 array a continuation, all <= 0. Raises `ValueError` for a prefix or continuation without
        tokens, and for a model that was loaded without its last layers; `JudgeError` as `read`.
        """
        shape = self._llama.shape
        if self.n_layers < shape.blocks:
            raise ValueError(f"log-probabilities need all {shape.blocks} layers; {self.n_layers} are loaded")
        if self._output is None:
            self._output = self._output_rows.dense()
        (first,) = self._threads.map(
            lambda ids: self._llama.forward([ids], layers=[self.n_layers], keep=self.n_layers), [prefix]
        )
        parts = [continuations[part] for part in _parts([len(ids) for ids in continuations])]
        return [logs for part in self._threads.map(lambda part: self._continue(first, part), parts) for logs in part]

    def _continue(self, prefix: Pass, continuations: Sequence[Sequence[int]]) -> list[NDArray[np.float32]]:
        """The log-probabilities of as many continuations as fit one pass."""
        then = self._llama.forward(continuations, prefix.contexts * len(continuations), layers=[self.n_layers])
        result, start = [], 0
        for ids in continuations:
            # The token before predicts each token: the prefix's last one the first.
            before = np.concatenate([prefix.residual[-1:], then.residual[start : start + len(ids) - 1]])
            result.append(self._token_logprobs(before, np.asarray(ids, np.intp)))
            start += len(ids)
        return result

    def _token_logprobs(self, residual: Floats, ids: NDArray[np.intp]) -> NDArray[np.float32]:
        assert self._output is not None
        states = self._llama.normalized(residual, self._output_norm)
        result = np.empty(len(ids), np.float32)
        for start in range(0, len(ids), _LOGIT_ROWS):
            rows = slice(start, start + _LOGIT_ROWS)
            logits = states[rows] @ self._output.T
            logits -= logits.max(axis=1, keepdims=True)
            chosen = logits[np.arange(len(logits)), ids[rows]]
            np.exp(logits, out=logits)
            result[rows] = chosen - np.log(logits.sum(axis=1))
        return result


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Items in order, as many together as their contexts fill one pass."""
    batch: list[Item] = []
    tokens = 0
    for item in items:
        if batch and tokens + len(item[0]) > _PASS_TOKENS:
            yield batch
            batch, tokens = [], 0
        batch.append(item)
        tokens += len(item[0])
    if batch:
        yield batch


def _parts(lengths: Sequence[int]) -> Iterator[slice]:
    """Slices of a list of sequences, in order, as many together as fill one pass."""
    start = tokens = 0
    for i, length in enumerate(lengths):
        if i > start and tokens + length > _PASS_TOKENS:
            yield slice(start, i)
            start, tokens = i, 0
        tokens += length
    if start < len(lengths):
        yield slice(start, len(lengths))
