"""A tiny random model of the same kind, written as a GGUF file by the `gguf` library."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np

WIDTH, HIDDEN, HEADS, KV_HEADS, BLOCKS, CONTEXT = 64, 96, 4, 2, 3, 700
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def byte_letters() -> dict[int, str]:
    """The printable character that stands for each byte in a byte-level vocabulary (GPT-2)."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(256 + i) for i, byte in enumerate(rest)}


TOKENS = [*SPECIAL, *byte_letters().values(), "he", "ll", "hell", "hello", "Ġhello"]
MERGES = ["h e", "l l", "he ll", "hell o", "Ġ hello"]


def tensors(seed: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    head = WIDTH // HEADS

    def matrix(rows: int, columns: int) -> np.ndarray:
        return (random.standard_normal((rows, columns)) * 2 / np.sqrt(columns)).astype(np.float32)

    def norm() -> np.ndarray:
        return random.uniform(0.5, 1.5, WIDTH).astype(np.float32)

    made = {"token_embd.weight": matrix(len(TOKENS), WIDTH), "output_norm.weight": norm()}
    for i in range(BLOCKS):
        made |= {
            f"blk.{i}.attn_norm.weight": norm(),
            f"blk.{i}.attn_q.weight": matrix(WIDTH, WIDTH),
            f"blk.{i}.attn_k.weight": matrix(KV_HEADS * head, WIDTH),
            f"blk.{i}.attn_v.weight": matrix(KV_HEADS * head, WIDTH),
            f"blk.{i}.attn_output.weight": matrix(WIDTH, WIDTH),
            f"blk.{i}.ffn_norm.weight": norm(),
            f"blk.{i}.ffn_gate.weight": matrix(HIDDEN, WIDTH),
            f"blk.{i}.ffn_up.weight": matrix(HIDDEN, WIDTH),
            f"blk.{i}.ffn_down.weight": matrix(WIDTH, HIDDEN),
        }
    return made


def write_gguf(
    path: Path,
    arrays: dict[str, np.ndarray],
    *,
    architecture: str = "llama",
    pre: str = "smollm",
    tokens: list[str] | None = None,
    rope_width: int = WIDTH // HEADS,
    quantize: gguf.GGMLQuantizationType | None = None,
    extra: Callable[[gguf.GGUFWriter], None] = lambda writer: None,
) -> Path:
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_block_count(BLOCKS)
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(HIDDEN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_freq_base(10_000.0)
    writer.add_rope_dimension_count(rope_width)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(TOKENS if tokens is None else tokens)
    writer.add_token_types([3] * len(SPECIAL) + [1] * (len(TOKENS) - len(SPECIAL)))
    writer.add_token_merges(MERGES)
    extra(writer)
    for name, array in arrays.items():
        if quantize is not None and array.ndim == 2:
            writer.add_tensor(name, gguf.quants.quantize(array, quantize), raw_dtype=quantize)
        else:
            writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path
