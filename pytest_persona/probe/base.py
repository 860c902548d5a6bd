"""What a target is: somebody with whom dialogues can be held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pytest_persona.model.episodes import Turn
from pytest_persona.model.probes import TargetInfo
from pytest_persona.net.faults import Permanent, Transient

__all__ = ["MOST_CHARACTERS", "Answer", "Hung", "Session", "Target", "Unreadable"]

MOST_CHARACTERS = 5_000_000
"""A longer reply is refused."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """One reply of a product, and what a vendor says that it took."""

    text: str
    input_tokens: int = 0
    output_tokens: int = 0


class Hung(Permanent):
    """A call that has not come back and cannot be stopped."""


class Unreadable(Transient):
    """An answer of the wrong form; that it goes away is possible, and not likely."""


class Session(Protocol):
    """One dialogue with a product."""

    async def reply(self, turns: Sequence[Turn], timeout: float) -> Answer:
        """The reply to a dialogue that ends with a user's turn, asked once; raises :class:`~pytest_persona.net.faults.Fault`.

        ``turns`` is the whole dialogue so far, whether the product remembers it or not.
        """

    async def close(self) -> None:
        """End the dialogue."""


class Target(Protocol):
    """A product; used on one event loop."""

    info: TargetInfo
    at_once: int | None
    """How many dialogues it bears at once; None: as many as the settings allow."""
    keeps_state: bool
    """Whether a dialogue that broke off can only be held again from its start."""
    timeout: float
    """Seconds that one reply may take at the most, whatever the settings say."""

    async def open(self, timeout: float) -> Session:
        """Begin a dialogue within so many seconds; raises :class:`~pytest_persona.net.faults.Fault`."""

    async def close(self) -> None:
        """Release connections."""
