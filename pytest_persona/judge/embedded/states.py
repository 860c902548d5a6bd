"""Hidden states of behaviours: read once, kept by content hash, the same to the bit whether they were kept or read."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pytest_persona.judge.embedded.frame import FRAME_VERSION, Framed, Tokenizer, frame
from pytest_persona.judge.store import Store
from pytest_persona.model.episodes import Behaviour

__all__ = ["Model", "Read", "StateReader"]

_AT_ONCE = 64  # behaviours between two writes to the store: what an interrupt can cost


class Model(Tokenizer, Protocol):
    """What states are read from; :class:`pytest_persona.judge.lm.LanguageModel` is one."""

    def read_many(
        self,
        items: Any,
        *,
        context_layers: Sequence[int],
        reply_layers: Sequence[int],
        opening_layers: Sequence[int] = (),
    ) -> Iterator[tuple[int, NDArray[Any], NDArray[Any]]]:
        """Mean states over each context and each of its replies, in the order of the items."""


@dataclass(frozen=True, slots=True)
class Read:
    """What one behaviour gave: averages of hidden states."""

    state: NDArray[np.float16]
    """(2 width,) at the judge's layer: over the reply and, beside it, over its context, so that what the context explains can
    be turned down."""
    request: NDArray[np.float16]
    """(2 width,) at the request head's layer: over the context and, beside it, over the tokens that open the reply."""
    tokens: int
    cut: bool
    fresh: bool
    """Whether it was read in this run, by whichever process."""


class StateReader:
    """Reads behaviours through the store; the model is loaded only when something is not there."""

    def __init__(
        self, store: Store, load: Callable[[], Model], weights_sha256: str, layers: tuple[int, int], run: str
    ) -> None:
        self._store = store
        self._load = load
        self._prefix = f"embedded/{FRAME_VERSION}/{weights_sha256[:16]}/{layers[0]}.{layers[1]}/"
        self._layer, self._request_layer = layers
        self._run = run
        self._model: Model | None = None
        self._known: dict[str, Read] = {}

    @property
    def problem(self) -> str:
        """Why readings are not kept; empty where they are."""
        return self._store.problem

    def read(self, behaviours: Sequence[Behaviour], tick: Callable[[int], None]) -> list[Read]:
        """The states of each behaviour. An interrupt loses at most the readings of one small batch."""
        keys = [behaviour.key for behaviour in behaviours]
        wanted = {key: behaviour for key, behaviour in zip(keys, behaviours, strict=True) if key not in self._known}
        kept = self._store.get(self._prefix + key for key in wanted)
        for key in list(wanted):
            entry = _decoded(kept.get(self._prefix + key), self._run)
            if entry is not None:
                self._known[key] = entry
                del wanted[key]
        tick(len(behaviours) - len(wanted))
        by_context: dict[tuple[Any, ...], list[str]] = {}
        for key, behaviour in wanted.items():
            by_context.setdefault((behaviour.is_statement, behaviour.context), []).append(key)
        batch: list[list[str]] = []
        for group in (keys[i : i + _AT_ONCE] for keys in by_context.values() for i in range(0, len(keys), _AT_ONCE)):
            batch.append(group)
            if sum(map(len, batch)) >= _AT_ONCE:
                self._ask(batch, wanted, tick)
                batch = []
        if batch:
            self._ask(batch, wanted, tick)
        return [self._known[key] for key in keys]

    def forget(self) -> None:
        """Release the model and what was read."""
        self._model = None
        self._known.clear()
        self._store.close()

    def _ask(self, groups: list[list[str]], wanted: Mapping[str, Behaviour], tick: Callable[[int], None]) -> None:
        if self._model is None:
            self._model = self._load()
        framed = {key: frame(self._model, wanted[key]) for group in groups for key in group}
        # Long ones first, so that batches hold like lengths.
        groups = sorted(groups, key=lambda group: (-len(framed[group[0]].context), group[0]))
        items = [(framed[group[0]].context, [framed[key].reply for key in group]) for group in groups]
        fresh: dict[str, dict[str, Any]] = {}
        try:
            for index, context, replies in self._model.read_many(
                items,
                context_layers=[self._layer, self._request_layer],
                reply_layers=[self._layer],
                opening_layers=[self._request_layer],
            ):
                for key, reply in zip(groups[index], replies, strict=True):
                    state, request = np.concatenate([reply[0], context[0]]), np.concatenate([context[1], context[2]])
                    fresh[key] = _encoded(framed[key], state, request, self._run)
                tick(len(groups[index]))
        finally:
            self._store.put({self._prefix + key: entry for key, entry in fresh.items()})
        for key, entry in fresh.items():
            decoded = _decoded(entry, self._run)
            assert decoded is not None
            self._known[key] = decoded


def _encoded(framed: Framed, state: NDArray[Any], request: NDArray[Any], run: str) -> dict[str, Any]:
    return {
        "state": _text(state),
        "request": _text(request),
        "tokens": len(framed.context) + len(framed.reply),
        "cut": framed.cut,
        "run": run,
    }


def _text(vector: NDArray[Any]) -> str:
    limit = np.finfo(np.float16).max
    return base64.b64encode(np.clip(vector, -limit, limit).astype("<f2").tobytes()).decode("ascii")


def _decoded(entry: Any, run: str) -> Read | None:
    """None for an entry that is not of this form: it is read again."""
    try:
        state, request = (
            np.frombuffer(base64.b64decode(entry[key], validate=True), "<f2") for key in ("state", "request")
        )
        if state.shape != request.shape or not (np.isfinite(state).all() and np.isfinite(request).all()):
            return None
        return Read(state, request, int(entry["tokens"]), bool(entry["cut"]), entry["run"] == run)
    except (TypeError, ValueError, KeyError):
        return None
