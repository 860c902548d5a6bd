"""How asking goes wrong, and how long to wait: after a fault, and for a reply."""

from __future__ import annotations

import random

__all__ = ["Fault", "Permanent", "Transient", "backoff", "patience"]

_FIRST, _LONGEST = 0.5, 30.0


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


def backoff(key: str, attempt: int, retry_after: float | None = None) -> float:
    """Seconds to wait after a question's ``attempt`` (1, 2, …) met a fault: 0.5, 1, 2, … at most 30, less a seeded share of up to half.

    The shares scatter questions that failed together. A time that the server names comes on top, so that it is never undercut.
    """
    longest = min(_LONGEST, _FIRST * 2.0 ** min(attempt - 1, 10))
    share = random.Random(f"{key} {attempt}").uniform(0.5, 1.0)
    return (retry_after or 0.0) + longest * share


def patience(left: float, deadline: float) -> float:
    """Seconds that one attempt may take: half of a question's deadline, so that a reply that never comes leaves time for another."""
    return min(left, deadline / 2)
