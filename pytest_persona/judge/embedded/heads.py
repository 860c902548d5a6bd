"""Directions of traits in the hidden states of a language model: plain data, and what they read.

A trait's direction is its persona vector (Chen et al. 2025, arXiv 2507.21509), the mean difference of its matched pairs, with
what any two texts differ in anyway turned down: W (mean of high - low), W the inverse of the shrunk covariance of anchors about
their poles' means (Fisher 1936). What it has in common with all other traits, a general good/bad direction, is taken out. It
stays linear in the pairs, so that null vectors are the same thing with random signs.
"""

from __future__ import annotations

import hashlib
import io
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from pytest_persona.errors import JudgeError
from pytest_persona.model.verdicts import Qualification

__all__ = ["FORMAT", "NULL_VECTORS", "Floats", "Heads", "Mode", "RequestHead", "Space", "TraitHead"]

Floats = NDArray[np.float64]
Mode = Literal["reply", "statement"]
FORMAT = 1
NULL_VECTORS = 400


@dataclass(frozen=True, kw_only=True)
class Space:
    """Where directions live: states over a reply and its context, standardised, with what texts differ in anyway turned down."""

    mean: Floats
    scale: Floats
    whiten: Floats
    """(width, width), symmetric."""
    neutral: Floats
    """(texts, width): standardised states of the neutral texts that set the zero."""

    def place(self, states: NDArray[Any]) -> Floats:
        """Standardised states, (n, width)."""
        placed: Floats = (np.asarray(states, np.float64) - self.mean) / self.scale
        return placed

    def directions(self, differences: Floats, signs: Floats, valence: Floats | None = None) -> Floats:
        """(k, width) unit vectors from (pairs, width) differences, one for each row of (k, pairs) signs.

        They are orthogonal to ``valence``, a (width,) unit vector.
        """
        vectors: Floats = (signs @ differences) @ self.whiten
        if valence is not None:
            vectors -= np.outer(vectors @ valence, valence)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        return vectors

    def valence(self, differences: Sequence[Floats]) -> Floats:
        """(width,) unit vector of what traits share: the mean of their directions, from each one's (pairs, width) differences.

        Differences are to point to the bad: high minus low where high is unwanted.
        """
        means = np.stack([pairs.mean(axis=0) for pairs in differences])
        total: Floats = self.directions(means, np.eye(len(means))).sum(axis=0)
        total /= np.linalg.norm(total)
        return total


@dataclass(frozen=True, kw_only=True)
class TraitHead:
    """What reads one trait in one space."""

    differences: Floats
    """(pairs, width): standardised high minus low of each matched pair."""
    valence: Floats
    """(width,) unit vector of what the other traits share, which is taken out of this one's direction."""
    slope: float
    zero: float
    """Score = 2 sigma(slope (projection - zero)) - 1: 0 on neutral texts on average."""
    auroc: float
    low: float
    high: float
    trait_sha256: str

    def project(self, space: Space, placed: Floats) -> Floats:
        """(n,) projections of placed states on the trait's direction."""
        signs = np.ones((1, len(self.differences)))
        projections: Floats = placed @ space.directions(self.differences, signs, self.valence)[0]
        return projections

    def score(self, projections: Floats) -> Floats:
        """``expressed`` in (-1, 1) from projections."""
        scores: Floats = np.tanh(self.slope * (projections - self.zero) / 2.0)  # = 2 sigma(...) - 1
        return scores

    def nulls(self, space: Space, placed: Floats) -> Floats:
        """(n, NULL_VECTORS) projections on directions of the same pairs with random signs, which mean nothing."""
        # Seeded by the trait's content: the same on every machine, and not the same signs for every trait.
        rng = np.random.default_rng(zlib.crc32(self.trait_sha256.encode()))
        signs = rng.choice([-1.0, 1.0], size=(NULL_VECTORS, len(self.differences)))
        projections: Floats = placed @ space.directions(self.differences, signs, self.valence).T
        return projections

    @property
    def qualification(self) -> Qualification:
        """What the held-out anchors say of the head."""
        return Qualification.of(self.auroc, self.low, self.high, len(self.differences))


@dataclass(frozen=True, kw_only=True)
class RequestHead:
    """What reads, from the states over a context and over what opens the reply, whether unusual behaviour was asked for."""

    layer: int
    weights: Floats
    """(2 width,), on raw states."""
    bias: float
    auroc: float
    low: float
    high: float

    def score(self, states: NDArray[Any]) -> Floats:
        """``requested`` in (0, 1) for (n, 2 width) states."""
        scores: Floats = 0.5 + 0.5 * np.tanh((np.asarray(states, np.float64) @ self.weights + self.bias) / 2.0)
        return scores


@dataclass(frozen=True, kw_only=True)
class Heads:
    """All that was fitted on the library's anchors for one file of weights."""

    weights_sha256: str
    frame_version: str
    layer: int
    """The layer whose residual stream is read, chosen once, on anchors alone."""
    spaces: Mapping[Mode, Space]
    traits: Mapping[Mode, Mapping[str, TraitHead]]
    signs: Mapping[str, float]
    """+1 where a trait's high pole is the unwanted one, else -1."""
    request: RequestHead
    sha256: str = ""
    """Of the file they were read from; part of the judge's fingerprint."""

    def valence(self, mode: Mode) -> Floats:
        """(width,) unit vector of what all traits share: their mean direction, towards the bad."""
        heads = sorted(self.traits[mode].items())
        return self.spaces[mode].valence([self.signs[name] * head.differences for name, head in heads])

    def save(self, path: Path) -> None:
        """Write plain arrays and JSON (.npz without pickle), byte for byte the same for the same heads."""
        arrays: dict[str, NDArray[Any]] = {"request.weights": self.request.weights.astype(np.float32)}
        meta: dict[str, Any] = {
            "format": FORMAT,
            "weights_sha256": self.weights_sha256,
            "frame_version": self.frame_version,
            "signs": dict(sorted(self.signs.items())),
            "request": {key: getattr(self.request, key) for key in ("layer", "bias", "auroc", "low", "high")},
            "layer": self.layer,
            "traits": {},
        }
        for mode, space in self.spaces.items():
            for key in ("mean", "scale", "whiten", "neutral"):
                arrays[f"{mode}.{key}"] = getattr(space, key).astype(
                    np.float16 if key in ("whiten", "neutral") else np.float32
                )
            for name, head in sorted(self.traits[mode].items()):
                arrays[f"{mode}.trait.{name}"] = head.differences.astype(np.float16)
                arrays[f"{mode}.valence.{name}"] = head.valence.astype(np.float32)
                meta["traits"].setdefault(mode, {})[name] = {
                    key: getattr(head, key) for key in ("slope", "zero", "auroc", "low", "high", "trait_sha256")
                }
        arrays["meta"] = np.frombuffer(json.dumps(meta, sort_keys=True).encode(), np.uint8)
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
        path.write_bytes(buffer.getvalue())

    @classmethod
    def load(cls, path: Path) -> Heads:
        """Read what :meth:`save` wrote; raises JudgeError for a file that is damaged or of another format."""
        try:
            content = path.read_bytes()
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                arrays = {key: file[key] for key in file.files}
            meta = json.loads(arrays.pop("meta").tobytes())
            if meta["format"] != FORMAT:
                raise ValueError(f"its format is {meta['format']}, where {FORMAT} is right")
            spaces = {mode: _space(arrays, mode) for mode in meta["traits"]}
            traits = {
                mode: {
                    name: TraitHead(
                        differences=arrays[f"{mode}.trait.{name}"].astype(np.float64),
                        valence=arrays[f"{mode}.valence.{name}"].astype(np.float64),
                        **values,
                    )
                    for name, values in heads.items()
                }
                for mode, heads in meta["traits"].items()
            }
            request = RequestHead(weights=arrays["request.weights"].astype(np.float64), **meta["request"])
            return cls(
                weights_sha256=meta["weights_sha256"],
                frame_version=meta["frame_version"],
                layer=meta["layer"],
                spaces=spaces,
                traits=traits,
                signs=meta["signs"],
                request=request,
                sha256=hashlib.sha256(content).hexdigest(),
            )
        except Exception as error:  # a damaged archive fails in as many ways as it has parts
            raise JudgeError(
                f"{path.name}: the fitted heads cannot be read: {error}. Reinstall pytest-persona."
            ) from error


def _space(arrays: Mapping[str, NDArray[Any]], mode: Mode) -> Space:
    fields = {key: arrays[f"{mode}.{key}"].astype(np.float64) for key in ("mean", "scale", "whiten", "neutral")}
    return Space(**fields)
