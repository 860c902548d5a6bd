"""What a dry run says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

from pytest_persona.model.verdicts import Usage
from pytest_persona.report.terminal import counted
from pytest_persona.report.text import safe

__all__ = ["TITLE", "outlook_lines"]

TITLE = "persona: dry run, nothing is asked"


class Outlook(Protocol):
    """One audit's cost, as :class:`pytest_persona.engine.outlook.Outlook`."""

    @property
    def name(self) -> str: ...
    @property
    def traits(self) -> int: ...
    @property
    def behaviours(self) -> int: ...
    @property
    def usage(self) -> Usage: ...
    @property
    def asked(self) -> int: ...
    @property
    def characters(self) -> int: ...


def outlook_lines(outlooks: Sequence[Outlook], *, network: bool, unknown: int, basis: str = "") -> Iterator[str]:
    """The lines under the title: each audit, their sum, and how many tests cannot be counted. ``basis`` is what estimates rest on."""
    for outlook in outlooks:
        what = counted(outlook.characters, "character") if outlook.characters else counted(outlook.traits, "trait")
        head = f" {safe(outlook.name, 60)}: {counted(outlook.behaviours, 'behaviour')}, {what}"
        product = f"the product asked {counted(outlook.asked, 'time')}, " if outlook.asked else ""
        yield f"{head}: {product}{_cost(outlook.usage, network)}"
    if len(outlooks) > 1:
        yield f" in all: {_cost(_sum(outlook.usage for outlook in outlooks), network)}"
    if network and any(not outlook.characters for outlook in outlooks):
        yield " each audit at most: one that is decided early asks less"
    if basis:
        yield f" {basis}"
    if unknown:
        yield f" not counted: {counted(unknown, 'test')} with signals that are known only when tests run"


def _sum(usages: Iterable[Usage]) -> Usage:
    total = Usage()
    for usage in usages:
        total += usage
    return total


def _cost(usage: Usage, network: bool) -> str:
    if not network:
        return f"{counted(usage.questions, 'reading')}, on this machine"
    kept = f" ({usage.cached} of {usage.questions} verdicts are known)" if usage.cached else ""
    price = "" if usage.cost is None else f", cost about {usage.cost:.4g}"
    return f"{counted(usage.calls, 'question')}{kept}, about {usage.input_tokens} + {usage.output_tokens} tokens{price}"
