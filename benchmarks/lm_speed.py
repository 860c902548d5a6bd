"""How fast the embedded language model reads, and what part of the machine it uses.

    python benchmarks/lm_speed.py [--layers 18] [--threads 2] [--contexts 200]

Reads 400 replies of 90 to 150 tokens in 200 contexts, and compares the floating-point operations that this takes with
what one large matrix product of the same numpy reaches in between.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from pytest_persona.judge.lm import LanguageModel, find_weights
from pytest_persona.judge.lm.threads import thread_count


def main() -> None:
    """Measure, and print one line a figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=18, help="the deepest layer that is read (default: 18)")
    parser.add_argument("--threads", type=int, default=None, help="default: as the plugin chooses them")
    parser.add_argument("--repeats", type=int, default=3, help="of loading (default: 3)")
    parser.add_argument("--contexts", type=int, default=200, help="that two replies each are read in (default: 200)")
    arguments = parser.parse_args()
    layers, threads = arguments.layers, thread_count(arguments.threads)

    path = find_weights()
    seconds = []
    for _ in range(arguments.repeats):
        start = time.perf_counter()
        model = LanguageModel.load(path, threads=threads, layers=layers)
        seconds.append(time.perf_counter() - start)
        if len(seconds) < arguments.repeats:
            del model  # so that two never are in memory at once
    print(f"load           {min(seconds):8.2f} s for {layers} layers")

    random = np.random.default_rng(0)
    items = [
        (
            random.integers(100, 40_000, random.integers(40, 120)).tolist(),
            [random.integers(100, 40_000, random.integers(90, 151)).tolist() for _ in range(2)],
        )
        for _ in range(arguments.contexts)
    ]
    tokens = sum(len(context) + sum(map(len, replies)) for context, replies in items)
    # Small parts with the machine's own rate measured after each: a neighbour's load then hits both alike.
    size = max(1, len(items) // 10)
    parts = [items[i : i + size] for i in range(0, len(items), size)]
    elapsed, rates = [], []
    for part in parts:
        start = time.perf_counter()
        for _ in model.read_many(part, context_layers=[layers], reply_layers=[layers]):
            pass
        elapsed.append(time.perf_counter() - start)
        rates.append(_sgemm_rate(threads))
    done = [sum(_operations(model, layers, len(c), [*map(len, replies)]) for c, replies in part) for part in parts]
    rate = max(np.array(done) / elapsed)
    print(f"speed          {tokens / sum(elapsed):8.0f} tokens/s ({tokens} tokens, {threads} threads)")
    print(f"               {tokens * rate / sum(done):8.0f} tokens/s in the best tenth")
    print(f"operations     {rate / 1e9:8.0f} GFLOP/s in the best tenth")
    print(f"sgemm          {max(rates) / 1e9:8.0f} GFLOP/s at best")
    print(f"use            {rate / max(rates):8.0%} (aim: 60 %)")
    print(f"peak memory    {_peak_memory():8.0f} MB (aim: at most 800)")


def _operations(model: LanguageModel, layers: int, context: int, replies: list[int]) -> float:
    """Floating-point operations for one context and its replies: 2 for each parameter of a block and token, 4 for each
    visible pair of tokens, head and component."""
    block = model._llama.blocks[0]
    matrices = (block.query_key_value, block.attention_output, block.gate, block.up, block.down)
    linear = 2 * sum(matrix.size for matrix in matrices) * (context + sum(replies))
    pairs = context * (context + 1) / 2 + sum(n * context + n * (n + 1) / 2 for n in replies)
    return layers * (linear + 4 * model.width * pairs)


def _sgemm_rate(threads: int) -> float:
    a, b = (np.random.default_rng(seed).random((1536, 1536), np.float32) for seed in (1, 2))

    def seconds(_: int) -> float:
        start = time.perf_counter()
        np.matmul(a, b)
        return time.perf_counter() - start

    with threadpool_limits(threads, user_api="blas"):
        return 2 * 1536**3 / min(seconds(i) for i in range(5))


def _peak_memory() -> float:
    """The most memory that this process ever held, in MB; NaN where the system does not say (Windows)."""
    try:
        import resource
    except ImportError:
        return float("nan")
    # Linux counts in kB, macOS in bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


if __name__ == "__main__":
    main()
