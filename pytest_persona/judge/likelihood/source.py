"""What gives log-probabilities: one small protocol, and the source that the settings name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pytest_persona.judge.likelihood.prefix import Asked
from pytest_persona.settings import Settings

__all__ = ["Scored", "Source", "open_source"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Scored:
    """What a source says of one reply after one opening."""

    logprob: float | None
    """The natural log-probability of the whole reply, <= 0; None where it could not be had."""
    tokens: int = 0
    """Tokens of the reply, at least 1 where there is a log-probability. The same after every opening."""
    read: int = 0
    """Tokens that were read for it: of the opening, the context and the reply."""
    detail: str = ""
    """Why there is none, in words."""


class Source(Protocol):
    """A language model that says how likely a reply is."""

    id: str
    """Which weights, as far as they can be known; part of every reading's key."""
    model: str
    """Its name, for people."""
    network: bool
    """Whether it is asked over a network, by several threads."""
    wordings: int
    """How many wordings of a trait's poles it is asked for; each costs two readings of a behaviour."""
    room: tuple[int, int]
    """Characters of a context and of a reply that it is given."""
    at_once: int
    """Behaviours between two writes to the cache: what an interrupt can cost."""
    weakness: str
    """What a reader of the profile must know of it; empty where there is nothing."""

    @property
    def calls(self) -> int:
        """Requests that have left the machine so far, of the calling thread."""

    def score(self, opening: str, asked: Sequence[Asked]) -> list[Scored]:
        """How likely each reply is, after an opening (empty for none) and its own context; in the order asked.

        No reply is empty. One that cannot be scored (too long for the model, no answer in time) has no log-probability but a
        detail; raises JudgeError for what would hold for all of them.
        """

    def close(self) -> None:
        """Release what is held; may be called twice."""


def open_source(settings: Settings) -> Source:
    """A server where the settings name a base URL, a GGUF file where they name a model, else the embedded weights.

    Raises JudgeError for one that cannot be set up.
    """
    if settings.base_url:
        from pytest_persona.judge.likelihood.server import ServerSource

        return ServerSource.open(settings)
    if settings.model:
        from pytest_persona.judge.likelihood.gguf import GgufSource

        return GgufSource.open(settings)
    from pytest_persona.judge.likelihood.embedded import EmbeddedSource

    return EmbeddedSource.open(settings)
