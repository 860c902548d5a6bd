"""What a vendor's client must do for the desk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from pytest_persona.infer.prompt import Prompt

__all__ = ["Client", "Reply"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reply:
    """A model's reply to one prompt, and what it cost."""

    text: str
    stop: Literal["end", "length", "declined"]
    """It ended by itself, met the limit on output tokens, or the model or its filters declined."""
    model: str
    """The model that says it replied."""
    input_tokens: int
    """All of them, those of the prompt cache among them."""
    output_tokens: int
    cached_tokens: int = 0
    """Of the input tokens, those read from the prompt cache."""


class Client(Protocol):
    """One connection to a model, used on one event loop."""

    async def ask(self, prompt: Prompt, *, most_tokens: int, timeout: float) -> Reply:
        """One request and no retries of its own; raises :class:`~pytest_persona.net.faults.Fault` within ``timeout`` seconds."""

    async def close(self) -> None:
        """Close connections."""
