"""Slow and obviously right: the same model in float64, one token after the other."""

from __future__ import annotations

import numpy as np
from lm_tiny import BLOCKS, HEADS, KV_HEADS, WIDTH


def hidden_states(arrays: dict[str, np.ndarray], ids: list[int]) -> np.ndarray:
    """The residual streams, (BLOCKS + 1, tokens, WIDTH), float64."""
    weights = {name: array.astype(np.float64) for name, array in arrays.items()}
    head, group = WIDTH // HEADS, HEADS // KV_HEADS

    def norm(x: np.ndarray, w: np.ndarray) -> np.ndarray:
        return x / np.sqrt(np.mean(x * x) + 1e-5) * w

    def rotate(x: np.ndarray, position: int) -> np.ndarray:
        out = x.copy()
        for i in range(0, head, 2):
            angle = position * 10_000.0 ** (-i / head)
            out[i] = x[i] * np.cos(angle) - x[i + 1] * np.sin(angle)
            out[i + 1] = x[i] * np.sin(angle) + x[i + 1] * np.cos(angle)
        return out

    states = [np.array([weights["token_embd.weight"][i] for i in ids])]
    for n in range(BLOCKS):
        w = {name.split(".")[2]: a for name, a in weights.items() if name.startswith(f"blk.{n}.")}
        x, keys, values = states[-1].copy(), [], []
        for t in range(len(ids)):
            y = norm(x[t], w["attn_norm"])
            keys.append([rotate(k, t) for k in (w["attn_k"] @ y).reshape(KV_HEADS, head)])
            values.append((w["attn_v"] @ y).reshape(KV_HEADS, head))
            mixed = []
            for h, q in enumerate((w["attn_q"] @ y).reshape(HEADS, head)):
                scores = np.exp([rotate(q, t) @ k[h // group] / np.sqrt(head) for k in keys])
                mixed.append(sum(s * v[h // group] for s, v in zip(scores, values, strict=True)) / scores.sum())
            x[t] += w["attn_output"] @ np.concatenate(mixed)
            y = norm(x[t], w["ffn_norm"])
            gate = w["ffn_gate"] @ y
            x[t] += w["ffn_down"] @ (gate / (1 + np.exp(-gate)) * (w["ffn_up"] @ y))
        states.append(x)
    return np.array(states)


def token_logprobs(arrays: dict[str, np.ndarray], prefix: list[int], ids: list[int]) -> np.ndarray:
    last = hidden_states(arrays, prefix + ids)[-1][len(prefix) - 1 : -1]
    normed = last / np.sqrt((last**2).mean(1, keepdims=True) + 1e-5) * arrays["output_norm.weight"]
    logits = normed @ arrays["token_embd.weight"].T
    return logits[np.arange(len(ids)), ids] - np.log(np.exp(logits).sum(1))
