"""Numbers as words and lines have them."""

from __future__ import annotations

__all__ = ["counted", "signed", "spread"]


def signed(value: float) -> str:
    """With sign and two decimals; never ``-0.00``."""
    return f"{round(value, 2) + 0.0:+.2f}"


def spread(low: float, high: float) -> str:
    """An interval in brackets."""
    return f"[{signed(low)}, {signed(high)}]"


def counted(count: int, one: str, many: str = "") -> str:
    """A number with its noun."""
    return f"{count} {one if count == 1 else many or one + 's'}"
