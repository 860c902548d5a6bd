"""Numbers in words."""

from __future__ import annotations

from pytest_persona.model.findings import Shift

__all__ = ["counted", "estimate", "signed", "spread"]


def signed(value: float) -> str:
    """With sign and two decimals; never ``-0.00``."""
    return f"{round(value, 2) + 0.0:+.2f}"


def spread(low: float, high: float) -> str:
    """An interval in brackets."""
    return f"[{signed(low)}, {signed(high)}]"


def estimate(shift: Shift) -> str:
    """A shift with its interval, or the words for one that nothing identifies."""
    return "not identifiable" if shift.value is None else f"{signed(shift.value)} {spread(shift.low, shift.high)}"


def counted(count: int, one: str, many: str = "") -> str:
    """A number with its noun."""
    return f"{count} {one if count == 1 else many or one + 's'}"
