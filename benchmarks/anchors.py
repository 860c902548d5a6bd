"""What reads the anchors without reading character: length alone, and a bag of words.

    python benchmarks/anchors.py [trait ...]

For each trait of the library: its pairs and domains, how often the high reply is the longer one, the AUROC of reply
length alone (must stay below 0.60 either way), and the AUROC of a bag-of-words classifier with whole domains left out.
The judge's own AUROC on the same folds is printed by ``benchmarks/embedded.py``.
"""

from __future__ import annotations

import re
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from scipy.optimize import minimize
from scipy.stats import rankdata

LIBRARY = Path(__file__).parent.parent / "pytest_persona" / "library" / "traits"
WORD = re.compile(r"[a-z']+|\d|[^\w\s]")


def auroc(high: np.ndarray, low: np.ndarray) -> float:
    """Area under the ROC curve, in [0, 1]: how often a high reply scores above a low one, ties counted half."""
    ranks = rankdata(np.concatenate([high, low]))
    return float((ranks[: len(high)].sum() - len(high) * (len(high) + 1) / 2) / (len(high) * len(low)))


def bag_of_words(texts: list[str]) -> np.ndarray:
    """(n, vocabulary) rows of log(1 + count) over words and word pairs, each of unit length."""
    rows = []
    for text in texts:
        words = WORD.findall(text.lower())
        rows.append(words + [f"{a} {b}" for a, b in pairwise(words)])
    index = {word: i for i, word in enumerate(sorted({word for row in rows for word in row}))}
    counts = np.zeros((len(rows), len(index)))
    for i, row in enumerate(rows):
        for word in row:
            counts[i, index[word]] += 1
    bag: np.ndarray = np.log1p(counts)
    bag /= np.maximum(np.linalg.norm(bag, axis=1, keepdims=True), 1e-9)
    return bag


def logistic(x: np.ndarray, y: np.ndarray, penalty: float = 0.05) -> np.ndarray:
    """Weights of a ridge logistic regression, labels y in {-1, +1}, fitted in the span of the rows of x."""
    gram = x @ x.T

    def loss(a: np.ndarray) -> tuple[float, np.ndarray]:
        margin = y * (gram @ a)
        value = np.logaddexp(0, -margin).mean() + 0.5 * penalty * a @ gram @ a
        slope = -y / (1 + np.exp(margin)) / len(y)
        return float(value), gram @ (slope + penalty * a)

    weights: np.ndarray = x.T @ minimize(loss, np.zeros(len(y)), jac=True, method="L-BFGS-B").x
    return weights


def left_out(texts: list[str], labels: np.ndarray, domains: list[str]) -> np.ndarray:
    """Scores of a bag of words for every text, each from a classifier that never saw the text's domain."""
    x = bag_of_words(texts)
    scores = np.zeros(len(texts))
    for domain in sorted(set(domains)):
        test = np.array([d == domain for d in domains])
        scores[test] = x[test] @ logistic(x[~test], labels[~test])
    return scores


def measure(trait: dict[str, Any]) -> dict[str, Any]:
    """Length and bag-of-words AUROC of one trait document."""
    pairs = trait["pairs"]
    texts = [p["high"] for p in pairs] + [p["low"] for p in pairs]
    labels = np.repeat([1.0, -1.0], len(pairs))
    domains = [p["domain"] for p in pairs] * 2
    words = np.array([len(t.split()) for t in texts], dtype=float)
    high, low = words[: len(pairs)], words[len(pairs) :]
    bag = left_out(texts, labels, domains)
    ratio = np.abs(np.log(high / low))
    return {
        "pairs": len(pairs),
        "domains": len(set(domains)),
        "longer": float((high > low).mean()),
        "words": float(words.mean()),
        "unlike": [p["context"] for p, r in zip(pairs, ratio, strict=True) if r > np.log(1.3)],
        "length": auroc(high, low),
        "bag": auroc(bag[: len(pairs)], bag[len(pairs) :]),
    }


def main(names: list[str]) -> None:
    files = sorted(LIBRARY.glob("*.yaml"))
    print(f"{'trait':24}{'pairs':>6}{'domains':>8}{'words':>7}{'high longer':>12}{'length':>8}{'bag of words':>14}")
    for file in files:
        if names and file.stem not in names:
            continue
        trait = yaml.safe_load(file.read_text(encoding="utf-8"))
        m = measure(trait)
        flag = "" if abs(m["length"] - 0.5) < 0.10 else "  <- length tells the pole"
        print(
            f"{file.stem:24}{m['pairs']:6}{m['domains']:8}{m['words']:7.0f}{m['longer']:12.2f}{m['length']:8.2f}{m['bag']:14.2f}{flag}"
        )
        for context in m["unlike"]:
            print(f"    lengths differ by more than 30 %: {str(context)[:90]!r}")


if __name__ == "__main__":
    main(sys.argv[1:])
