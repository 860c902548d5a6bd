"""Predicted against observed, as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_persona.model.confirmation import Agreement, Confirmation
from pytest_persona.report.numbers import counted, signed, spread
from pytest_persona.report.text import safe

__all__ = ["confirmation"]

_WIDTH = len("as-predicted")


def confirmation(found: Confirmation) -> Iterator[str]:
    """A heading, both numbers, a line for each trait, and what could not be compared."""
    yield f"{safe(found.signal)} implied, {safe(found.before)} to {safe(found.after)} observed"
    yield f" right sign        {_share(found.signs)}"
    yield f" rank correlation  {_correlation(found.ranks)}"
    width = max((len(safe(one.trait)) for one in found.findings), default=0)
    for one in found.findings:
        implied = f"{signed(one.implied)} {spread(one.implied_low, one.implied_high)} implied"
        observed = f"{signed(one.observed)} {spread(one.observed_low, one.observed_high)} observed"
        yield f" {one.outcome:<{_WIDTH}} {safe(one.trait):<{width}}   {implied}, {observed}"
    for text in found.left_out:
        yield f" left out: {safe(text)}"


def _share(signs: Agreement) -> str:
    if signs.value is None or signs.low is None or signs.high is None:
        return safe(signs.reason)
    clear = counted(
        signs.traits, "trait that was clearly implied and moved", "traits that were clearly implied and moved"
    )
    return f"{signs.value:.0%} [{signs.low:.0%}, {signs.high:.0%}] of {clear}"


def _correlation(ranks: Agreement) -> str:
    if ranks.value is None or ranks.low is None or ranks.high is None:
        return safe(ranks.reason)
    return f"{signed(ranks.value)} {spread(ranks.low, ranks.high)} over {counted(ranks.traits, 'trait')}"
