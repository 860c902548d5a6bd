"""What stands under an unwanted finding: unrequested rows, the shift without them, and kinder explanations."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_persona.model.findings import Expressing, Finding, Margin
from pytest_persona.model.traits import HONEST_MISTAKE
from pytest_persona.report.numbers import counted, estimate, signed
from pytest_persona.report.text import safe

__all__ = ["missing_requests", "other_explanations"]

_TEXT_COLUMNS = 160
_QUOTE_COLUMNS = 60
_STATEMENTS = {"criterion": ("criterion", "criteria"), "sentence": ("sentence", "sentences")}


def missing_requests(finding: Finding, *, verbose: bool) -> Iterator[str]:
    """The requested replies apart from the unrequested ones, and the shift without these and with these requested."""
    found = finding.counterfactual
    if found is None:
        return
    for name, side in (("requested", found.requested), ("unrequested", found.unrequested)):
        if side.replies:
            yield _side(name, side)
            if verbose:
                yield from _rows(side)
    if not found.unrequested.replies:
        yield "no reinforced reply expresses it clearly and unasked"
        return
    parts = [f"without these {estimate(found.without)} in {counted(found.without.groups, 'group')}"]
    if found.with_request is not None:
        parts.append(f"with these requested {estimate(found.with_request)}")
    yield f"{', '.join(parts)}; recomputed after looking, decides nothing"


def other_explanations(finding: Finding, *, verbose: bool) -> Iterator[str]:
    """How the shift stands to an honest mistake, to requests, to fiction and to quotation: one line, more where ``verbose``."""
    found = finding.explanations
    if found is None:
        return
    parts = [_margin(margin) for margin in found.margins]
    if not parts and finding.trait != HONEST_MISTAKE:
        parts.append(f"an honest mistake was not read (trait {HONEST_MISTAKE})")
    if found.obedience is not None:
        parts.append(f"requests explain {max(found.obedience, 0.0):.0%}")
    if found.replies:
        of = counted(found.replies, "reply", "replies")
        parts.append(f"a hint from words alone: fiction {found.fiction} and quotation {found.quotation} of {of}")
    yield f"rival explanations: {'; '.join(parts)}" if parts else "rival explanations: none could be read"
    if verbose:
        for margin in found.margins:
            yield from _beyond(margin)


def _side(name: str, side: Expressing) -> str:
    one, many = _STATEMENTS.get(side.rows[0].role, ("reply", "replies")) if side.rows else ("reply", "replies")
    where = f"{counted(side.replies, one, many)} in {counted(side.groups, 'group')}"
    return f"{name}: {where}, {', '.join(_readings(side.expressed, side.requested, side.implied))}"


def _readings(expressed: float | None, requested: float | None, implied: float | None) -> Iterator[str]:
    if expressed is not None:
        yield f"expressed {signed(expressed)}"
    yield "request not read" if requested is None else f"requested {requested:.0%}"
    if implied is not None:
        yield f"implied {signed(implied)}"


def _rows(side: Expressing) -> Iterator[str]:
    for row in side.rows:
        place = f"{safe(row.source, _TEXT_COLUMNS)}:{row.line}"
        readings = ", ".join(_readings(row.expressed, row.requested, row.implied))
        yield f'  {place}  {readings}  "{safe(row.quote, _QUOTE_COLUMNS)}"'


def _margin(margin: Margin) -> str:
    return f"{safe(margin.called)} {'is outdone' if margin.beaten else 'remains'}"


def _beyond(margin: Margin) -> Iterator[str]:
    known = "" if margin.auroc is None else f"; AUROC {margin.auroc:.2f} at telling them apart"
    yield f"  the shift goes beyond {safe(margin.called)} by {estimate(margin.beyond)}{known}"
    if margin.reason:
        yield f"  which does not rule that out: {safe(margin.reason, 2 * _TEXT_COLUMNS)}"
