"""Likelihoods of replies after openings: read once, kept by content hash."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_persona.infer.tokens import estimate
from pytest_persona.judge.base import CharacterLikelihoods
from pytest_persona.judge.likelihood.prefix import PREFIX_VERSION, Asked, asked, opening
from pytest_persona.judge.likelihood.source import Scored, Source
from pytest_persona.judge.store import Store
from pytest_persona.model.episodes import Behaviour, digest
from pytest_persona.model.personas import NullCharacter, Persona
from pytest_persona.model.verdicts import Usage

__all__ = ["Likelihoods", "Reader", "forecast_characters", "read_characters"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Likelihoods:
    """How likely n replies are after m openings."""

    values: Floats
    """(n, m) natural log-probability a token. A row with a gap in it is NaN throughout; `scored` says which."""
    scored: NDArray[np.bool_]
    """(n,) whether there is a value after every opening."""
    tokens: NDArray[np.intp]
    """(n,) tokens of each reply; 0 where it was not scored."""
    details: tuple[str, ...]
    """Why a row was not scored, in words; empty for one that was, and for a reply that is empty."""
    usage: Usage


class Reader:
    """Asks a source through the store."""

    def __init__(self, source: Source, store: Store, run: str) -> None:
        self.source = source
        self._store = store
        self._prefix = f"likelihood/{PREFIX_VERSION}/{source.id}/"
        self._run = run

    @property
    def problem(self) -> str:
        """Why readings are not kept; empty where they are."""
        return self._store.problem

    def read(
        self, behaviours: Sequence[Behaviour], openings: Sequence[str], tick: Callable[[int], None] | None = None
    ) -> Likelihoods:
        """How likely each reply is after each opening and its own context; an empty opening is no character at all.

        ``tick`` is told of each behaviour that is done. An interrupt loses at most one small batch. Raises JudgeError where the
        source cannot be asked at all.
        """
        n, m = len(behaviours), len(openings)
        values, tokens, details = np.full((n, m), np.nan), np.zeros(n, np.intp), [""] * n
        usage = Usage()
        step = self.source.at_once
        for start in range(0, n, step):
            part = [asked(behaviour, self.source.room) for behaviour in behaviours[start : start + step]]
            calls, fresh = self.source.calls, [False] * len(part)
            for column, text in enumerate(openings):
                for i, (scored, is_fresh) in enumerate(self._part(text, part)):
                    row = start + i
                    fresh[i] |= is_fresh
                    usage += Usage(input_tokens=scored.read if is_fresh else 0)
                    if scored.logprob is None:
                        details[row] = details[row] or scored.detail
                    else:
                        values[row, column], tokens[row] = scored.logprob / scored.tokens, scored.tokens
            usage += Usage(
                questions=len(part),
                cached=fresh.count(False),
                calls=self.source.calls - calls,
                cut=sum(one.cut for one in part),
            )
            if tick is not None:
                tick(len(part))
        whole = ~np.isnan(values).any(axis=1)
        values[~whole], tokens[~whole] = np.nan, 0
        return Likelihoods(values=values, scored=whole, tokens=tokens, details=tuple(details), usage=usage)

    def close(self) -> None:
        """Release the source and the store; may be called twice."""
        self.source.close()
        self._store.close()

    def _part(self, text: str, part: Sequence[Asked]) -> list[tuple[Scored, bool]]:
        """What the source says, or has said, of each, and whether it said it in this run."""
        keys = [self._prefix + digest(text, one.before, one.reply) for one in part]
        known = {key: _decoded(entry) for key, entry in self._store.get(keys).items()}
        found = {key: entry for key, entry in known.items() if entry is not None}
        missing = {key: one for key, one in zip(keys, part, strict=True) if key not in found and one.reply}
        if missing:
            scored = self.source.score(text, list(missing.values()))
            new = dict(zip(missing, scored, strict=True))
            kept = {key: _encoded(one, self._run) for key, one in new.items() if one.logprob is not None}
            self._store.put(kept)
            found |= {key: (one, self._run) for key, one in new.items()}
        empty = (Scored(logprob=None), self._run)
        said = [found.get(key, empty) for key in keys]
        return [(scored, run == self._run) for scored, run in said]


def read_characters(
    reader: Reader,
    behaviours: Sequence[Behaviour],
    characters: Sequence[Persona | NullCharacter],
    *,
    paraphrases: int | None = None,
    tick: Callable[[int], None] | None = None,
) -> CharacterLikelihoods:
    """How likely replies are under each paraphrase of each character, from any source.

    ``paraphrases``: how many of each, the first ones (default: as many as every character has); each costs a reading of every
    behaviour. A character is its text alone: without examples, which are at hand for traits only, small models hardly follow it.
    """
    fewest = min(len(character.paraphrases) for character in characters)
    count = min(fewest, paraphrases or fewest)
    openings = [opening(text) for character in characters for text in character.paraphrases[:count]]
    read = reader.read(behaviours, openings, tick)
    kept = np.flatnonzero(read.scored)
    return CharacterLikelihoods(
        values=read.values[kept].reshape(len(kept), len(characters), count),
        tokens=read.tokens[kept],
        kept=kept,
        names=tuple(character.name for character in characters),
        details=tuple(dict.fromkeys(filter(None, read.details))),
        usage=read.usage,
    )


def forecast_characters(
    source: Source, behaviours: Sequence[Behaviour], characters: Sequence[Persona | NullCharacter]
) -> Usage:
    """What `read_characters` would cost at most, with the source's own number of paraphrases; tokens by a rule of thumb."""
    count = min(source.wordings, *(len(character.paraphrases) for character in characters))
    openings = [opening(text) for character in characters for text in character.paraphrases[:count]]
    readings = len(behaviours) * len(openings)
    if not source.network:
        return Usage(questions=readings)
    texts = [asked(behaviour, source.room) for behaviour in behaviours]
    replies = sum(estimate(one.before + one.reply) for one in texts)
    sent = replies * (len(openings) + 2) + len(texts) * sum(map(estimate, openings))
    # One request a prompt is the most; the two more count the tokens of the reply.
    return Usage(questions=readings, calls=readings + 2 * len(texts), input_tokens=sent)


def _encoded(scored: Scored, run: str) -> dict[str, Any]:
    return {"logprob": scored.logprob, "tokens": scored.tokens, "read": scored.read, "run": run}


def _decoded(entry: Any) -> tuple[Scored, str] | None:
    """None for an entry that is not of this form: it is read again."""
    try:
        scored = Scored(logprob=float(entry["logprob"]), tokens=int(entry["tokens"]), read=int(entry["read"]))
        return (scored, str(entry["run"])) if scored.tokens > 0 and np.isfinite(scored.logprob or 0.0) else None
    except (TypeError, ValueError, KeyError):
        return None
