"""Where a problem is, and how untrusted text is shown in its message."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pytest_persona.errors import SignalError

__all__ = ["Place", "nearest", "quote", "quote_all"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A line (from 1) of a signal, for messages."""

    path: str
    line: int

    def error(self, problem: str, remedy: str = "", field: str = "") -> SignalError:
        """The problem, said of this place."""
        return SignalError(problem, remedy=remedy, path=self.path, line=self.line, field=field)

    def down(self, lines: int) -> Place:
        """The place so many lines below."""
        return replace(self, line=self.line + lines)


def quote(text: str, most: int = 80) -> str:
    """The text in quotes, what is not printable escaped, of at most ``most`` characters with the quotes."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text[:most])
    return f"'{shown}'" if len(text) <= most and len(shown) <= most - 2 else f"'{shown[: most - 3]}…'"


def quote_all(names: Iterable[str], most: int = 12) -> str:
    """Names in quotes, the first ``most`` of them."""
    every = list(names)
    rest = f" and {len(every) - most} more" if len(every) > most else ""
    return (", ".join(quote(name, 40) for name in every[:most]) or "none") + rest


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of ``names`` that ``name`` is most likely a misspelling of; None where none is near."""
    found = difflib.get_close_matches(name, names, n=1, cutoff=0.7)
    return found[0] if found else None
