"""How long to wait after a fault, and for a reply."""

from __future__ import annotations

import random

__all__ = ["backoff", "patience"]

_FIRST, _LONGEST = 0.5, 30.0


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
