"""What a vendor's client must do for the desk, and how it says that something went wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from pytest_persona.infer.prompt import Prompt

__all__ = ["Client", "Fault", "Permanent", "Reply", "Transient"]


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


class Fault(Exception):
    """Why there is no reply; its text has no secret in it."""


class Transient(Fault):
    """One that may go away: a limit, an overload, a lost connection, a slow or truncated reply."""

    def __init__(self, said: str, *, retry_after: float | None = None, crowded: bool = False) -> None:
        super().__init__(said)
        self.retry_after = retry_after
        """Seconds that the server asks to wait."""
        self.crowded = crowded
        """Whether the server says that it has too much to do (429, 529)."""


class Permanent(Fault):
    """One that asking again will not mend."""

    def __init__(self, said: str, *, fatal: bool) -> None:
        super().__init__(said)
        self.fatal = fatal
        """Whether no other question would fare better: an expired key, a retired model."""


class Client(Protocol):
    """One connection to a model, used on one event loop."""

    async def ask(self, prompt: Prompt, *, most_tokens: int, timeout: float) -> Reply:
        """One request and no retries of its own; raises Fault within ``timeout`` seconds."""

    async def close(self) -> None:
        """Close connections."""
