"""The forward pass of a llama-architecture language model, in numpy.

Token sequences of one pass are *packed*: their rows lie one after the other in one matrix, so the linear maps (nine
tenths of the work) are a few large products without padding, and only attention goes sequence by sequence. Nothing is
padded, so nothing leaks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pytest_persona.errors import JudgeError
from pytest_persona.judge.lm.gguf_file import GgufFile, QuantizedRows

Floats = NDArray[np.float32]

# Rows of queries whose attention scores exist at once: bounds memory for long texts, and skips most of the half of
# the scores that causality would mask.
_QUERY_BLOCK = 128
# Rows that go through several elementwise steps together while the processor's cache holds them (a tenth of the time).
_CACHED_ROWS = 256


@dataclass(frozen=True)
class Shape:
    """The sizes of a model, as the fields of its GGUF file name them."""

    blocks: int
    width: int
    hidden: int
    heads: int
    kv_heads: int
    head_width: int
    context_length: int
    rope_base: float
    epsilon: float

    @classmethod
    def of(cls, file: GgufFile) -> Shape:
        """The sizes that the file states; raises `JudgeError` for another architecture than llama."""
        architecture = file.field("general.architecture")
        if architecture != "llama":
            raise JudgeError(f"{file.path}: its architecture is {architecture}; only llama is understood.")
        width, heads = file.field("llama.embedding_length"), file.field("llama.attention.head_count")
        if file.fields.get("llama.rope.dimension_count", width // heads) != width // heads:
            raise JudgeError(f"{file.path}: it rotates only a part of each head (RoPE), which is not understood.")
        return cls(
            blocks=file.field("llama.block_count"),
            width=width,
            hidden=file.field("llama.feed_forward_length"),
            heads=heads,
            kv_heads=file.field("llama.attention.head_count_kv"),
            head_width=width // heads,
            context_length=file.field("llama.context_length"),
            rope_base=file.field("llama.rope.freq_base"),
            epsilon=file.field("llama.attention.layer_norm_rms_epsilon"),
        )


@dataclass(frozen=True)
class Block:
    """The weights of one block; matrices are (outputs, inputs), joined where they read the same input."""

    attention_norm: Floats
    query_key_value: Floats  # the queries' part divided by sqrt(head_width) already
    attention_output: Floats
    feed_norm: Floats
    gate: Floats
    up: Floats
    down: Floats

    @classmethod
    def of(cls, file: GgufFile, index: int, shape: Shape) -> Block:
        """Block ``index`` of the file; raises `JudgeError` where a tensor is missing or has another shape."""

        def matrix(name: str, rows: int, columns: int) -> Floats:
            return file.matrix(f"blk.{index}.{name}.weight", rows, columns)

        width, hidden = shape.width, shape.hidden
        queries, keys = shape.heads * shape.head_width, shape.kv_heads * shape.head_width
        query_key_value = np.concatenate(
            [matrix("attn_q", queries, width), matrix("attn_k", keys, width), matrix("attn_v", keys, width)]
        )
        query_key_value[:queries] /= np.sqrt(np.float32(shape.head_width))
        return cls(
            attention_norm=file.vector(f"blk.{index}.attn_norm.weight", width),
            query_key_value=query_key_value,
            attention_output=matrix("attn_output", width, queries),
            feed_norm=file.vector(f"blk.{index}.ffn_norm.weight", width),
            gate=matrix("ffn_gate", hidden, width),
            up=matrix("ffn_up", hidden, width),
            down=matrix("ffn_down", width, hidden),
        )


@dataclass(frozen=True)
class Context:
    """A sequence that was read: what later sequences need in order to go on from it.

    ``keys`` and ``values`` hold one (tokens, kv heads, head width) array for each block that was run.
    """

    tokens: int
    keys: list[Floats] = field(default_factory=list)
    values: list[Floats] = field(default_factory=list)


@dataclass(frozen=True)
class Pass:
    """What one forward pass gives.

    ``means`` is (sequences, layers, width): residual streams averaged over each sequence's tokens. ``contexts`` has one
    `Context` a sequence when they were asked for, ``residual`` is (all tokens, width) after the last block that ran.
    """

    means: Floats
    contexts: list[Context]
    residual: Floats


class Llama:
    """The blocks of a model, and the pass through them."""

    def __init__(self, shape: Shape, embedding: QuantizedRows | Floats, blocks: Sequence[Block]) -> None:
        self.shape = shape
        self.blocks = blocks
        self._embedding = embedding
        exponents = np.arange(0, shape.head_width, 2) / shape.head_width
        self._frequencies = shape.rope_base**-exponents
        self._future = np.triu(np.full((_QUERY_BLOCK, _QUERY_BLOCK), -np.inf, np.float32), 1)

    def forward(
        self,
        sequences: Sequence[Sequence[int]],
        past: Sequence[Context] | None = None,
        *,
        layers: Sequence[int],
        ends: Sequence[tuple[int, int]] = (),
        keep: int = 0,
    ) -> Pass:
        """Run the sequences, each after its own past (or from the start), as deep as the deepest of ``layers``.

        Layer k is the residual stream after k blocks (0: the embeddings). Each (layer, tokens) of ``ends`` adds the average
        over a sequence's last so many tokens at that layer, after those of ``layers`` and no deeper. Keys and values of the
        first ``keep`` blocks are returned as contexts. A past is read where it lies, never copied. Raises `ValueError` for
        an empty sequence, `JudgeError` for one longer than the model's context length.
        """
        offsets = np.cumsum([0, *map(len, sequences)])
        rows = [slice(a, b) for a, b in pairwise(offsets.tolist())]
        starts = [context.tokens for context in past] if past else [0] * len(rows)
        self._check(rows, starts)
        turns = self._turns(
            np.concatenate([start + np.arange(r.stop - r.start) for r, start in zip(rows, starts, strict=True)])
        )
        contexts = [Context(start + r.stop - r.start) for r, start in zip(rows, starts, strict=True)] if keep else []
        means = np.empty((len(rows), len(layers) + len(ends), self.shape.width), np.float32)

        x = self._embedding[np.concatenate([np.asarray(ids, np.intp) for ids in sequences])]
        for depth in range(max(layers, default=0) + 1):
            for column in (i for i, layer in enumerate(layers) if layer == depth):
                np.add.reduceat(x, offsets[:-1], axis=0, out=means[:, column])
            for column, tokens in ((i, n) for i, (layer, n) in enumerate(ends, len(layers)) if layer == depth):
                for i, r in enumerate(rows):
                    means[i, column] = x[max(r.start, r.stop - tokens) : r.stop].mean(axis=0)
            if depth == max(layers, default=0):
                break
            block = self.blocks[depth]
            before = [(context.keys[depth], context.values[depth]) for context in past] if past else [None] * len(rows)
            x += self._attention(x, block, turns, rows, before, contexts if depth < keep else [])
            x += self._feed_forward(x, block)
        means[:, : len(layers)] /= np.diff(offsets)[:, None, None]
        return Pass(means, contexts, x)

    def _check(self, rows: Sequence[slice], starts: Sequence[int]) -> None:
        for r, start in zip(rows, starts, strict=True):
            if r.stop == r.start:
                raise ValueError("a sequence without tokens has no hidden states")
            if start + r.stop - r.start > self.shape.context_length:
                length = start + r.stop - r.start
                raise JudgeError(f"a text of {length} tokens: the model reads at most {self.shape.context_length}.")

    def _turns(self, positions: NDArray[np.intp]) -> NDArray[np.complex64]:
        # RoPE turns each pair of neighbours (u, v) by an angle: a product of complex numbers.
        turns: NDArray[np.complex64] = np.exp(1j * positions[:, None] * self._frequencies).astype(np.complex64)
        return turns[:, None]

    def _attention(
        self,
        x: Floats,
        block: Block,
        turns: NDArray[np.complex64],
        rows: Sequence[slice],
        before: Sequence[tuple[Floats, Floats] | None],
        kept: Sequence[Context],
    ) -> Floats:
        """What attention adds to the residual stream; the block's keys and values are appended to ``kept``, if any."""
        q, k, v = self._project(x, block, turns)
        mixed = np.empty_like(q)
        for r, earlier in zip(rows, before, strict=True):
            self._attend(q[r], k[r], v[r], earlier, mixed[r])
        for context, r in zip(kept, rows, strict=False):
            context.keys.append(k[r])
            context.values.append(v[r])
        added: Floats = mixed.reshape(len(x), -1) @ block.attention_output.T
        return added

    def _project(self, x: Floats, block: Block, turns: NDArray[np.complex64]) -> tuple[Floats, Floats, Floats]:
        """Queries (tokens, heads, head width), keys and values (tokens, kv heads, head width)."""
        shape = self.shape
        heads = self.normalized(x, block.attention_norm) @ block.query_key_value.T
        heads = heads.reshape(len(x), -1, shape.head_width)
        turned = heads[:, : shape.heads + shape.kv_heads].view(np.complex64)
        turned *= turns
        q, k, v = np.split(heads, (shape.heads, shape.heads + shape.kv_heads), axis=1)
        # Copies, so that keys and values that are kept do not keep the queries alive.
        return q, k.copy(), v.copy()

    def _attend(self, q: Floats, k: Floats, v: Floats, before: tuple[Floats, Floats] | None, out: Floats) -> None:
        """Attention of one sequence over its past and, causally, over itself; writes (tokens, heads, head width)."""
        shape = self.shape
        # (kv heads, heads that share one, tokens, head width); keys and values as (kv heads, 1, …) against them.
        q = q.reshape(len(q), shape.kv_heads, -1, shape.head_width).transpose(1, 2, 0, 3)
        out = out.reshape(len(out), shape.kv_heads, -1, shape.head_width).transpose(1, 2, 0, 3)
        k, v = _by_head(k), _by_head(v)
        for a in range(0, q.shape[2], _QUERY_BLOCK):
            b = min(a + _QUERY_BLOCK, q.shape[2])
            block = q[:, :, a:b]
            own = block @ k[:, :, :b].swapaxes(2, 3)
            own[..., a:] += self._future[: b - a, : b - a]
            top = own.max(axis=-1, keepdims=True)
            if before is not None:
                past_k, past_v = map(_by_head, before)
                seen = block @ past_k.swapaxes(2, 3)
                np.maximum(top, seen.max(axis=-1, keepdims=True), out=top)
            total = _exponentials(own, top)
            mixed = own @ v[:, :, :b]
            if before is not None:
                total += _exponentials(seen, top)
                mixed += seen @ past_v
            np.divide(mixed, total, out=out[:, :, a:b])

    def _feed_forward(self, x: Floats, block: Block) -> Floats:
        states = self.normalized(x, block.feed_norm)
        gate: Floats = states @ block.gate.T
        up: Floats = states @ block.up.T
        for start in range(0, len(x), _CACHED_ROWS):
            part = gate[start : start + _CACHED_ROWS]
            # SiLU, gate · sigmoid(gate), in place. exp(-gate) may overflow: gate / infinity is the right 0.
            with np.errstate(over="ignore"):
                divisor: Floats = np.exp(-part)
            divisor += 1
            part /= divisor
            part *= up[start : start + _CACHED_ROWS]
        product: Floats = gate @ block.down.T
        return product

    def normalized(self, x: Floats, weight: Floats) -> Floats:
        """RMSNorm: each row of ``x`` divided by its root mean square, times the weight."""
        mean_square: Floats = np.einsum("ij,ij->i", x, x) / np.float32(x.shape[1])
        root: Floats = np.sqrt(mean_square + np.float32(self.shape.epsilon))
        scaled: Floats = x / root[:, None]
        scaled *= weight
        return scaled


def _by_head(rows: Floats) -> Floats:
    """(tokens, kv heads, head width) as (kv heads, 1, tokens, head width), without a copy."""
    split: Floats = rows.transpose(1, 0, 2)[:, None]
    return split


def _exponentials(scores: Floats, top: Floats) -> Floats:
    """Turns scores into exp(score - top) in place, and returns their sums over the last axis."""
    scores -= top
    np.exp(scores, out=scores)
    total: Floats = scores.sum(axis=-1, keepdims=True)
    return total
