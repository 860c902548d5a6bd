"""An inoculation experiment as lines for a terminal, a finding as the words of a failing test, and a ranking of requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from pytest_persona.model.inoculation import (
    Explained,
    Inoculation,
    InoculationFinding,
    InoculationStatus,
    RankedRequest,
    Ranking,
)
from pytest_persona.report.terminal import INDENT, STATUS_WIDTH, counted, estimate, signed, spent
from pytest_persona.report.text import safe

__all__ = ["STYLES", "failure", "ranking_lines", "section", "status_of", "title"]

STYLES: Mapping[InoculationStatus, dict[str, bool]] = MappingProxyType({
    "shown": {"green": True},
    "refuted": {"red": True, "bold": True},
    "inconclusive": {"yellow": True},
})  # fmt: skip
"""How a status word may be coloured, in the words of pytest's markup."""

_TEXT_COLUMNS = 160
_REQUEST_COLUMNS = 100
_PLACES = {"system": "the system turn", "user": "the last user turn"}
_HEADS = ("trait", "as it is", "effect", "explained away", "leak, opposite", "leak, look-alike")


def title(found: Inoculation) -> str:
    """What stands in the rule above the section."""
    return f"inoculation: {safe(found.name, _TEXT_COLUMNS)}"


def section(found: Inoculation, *, verbosity: int = 0) -> Iterator[str]:
    """The lines under the title: a heading, a table with a row a trait, what is missing, warnings, notes.

    ``verbosity`` -1 leaves out what is missing of traits that were not named, and notes; 1 adds what each arm and phrasing read.
    """
    yield _heading(found)
    rows = [_HEADS, *(_cells(finding) for finding in found.findings)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    statuses = ["", *(finding.status for finding in found.findings)]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    for number, (status, line) in enumerate(zip(statuses, lines, strict=True)):
        yield f" {status:<{STATUS_WIDTH}} {line}"
        if number and (found.declared or verbosity > 0):
            yield from (INDENT + detail for detail in _details(found.findings[number - 1], verbose=verbosity > 0))
    yield from (f" warning: {safe(warning, 2 * _TEXT_COLUMNS)}" for warning in found.warnings)
    if verbosity >= 0:
        yield from (f" note: {safe(note, 2 * _TEXT_COLUMNS)}" for note in found.notes)


def failure(finding: InoculationFinding, found: Inoculation) -> str:
    """Why a test fails on an effect that is refuted or inconclusive: declared, found, missing, and what may be done."""
    trait, name = safe(finding.trait), safe(found.signal.path, _TEXT_COLUMNS)
    if finding.status == "refuted":
        head = f"the inoculation of {name} against {trait} is refuted: the effect is not there, or other texts have it too."
    else:
        head = f"the inoculation of {name} against {trait} is inconclusive: not all of what it takes was shown, nor the contrary."
    shift = finding.effect
    scope = "signals like this one" if shift.scope == "signals" else "exactly these groups"
    lines = [
        head,
        f"  declared  effect above {finding.effect_at_least:.2f}, leaks at most {finding.leak_at_most:.2f}",
        f"  found     effect {estimate(shift)} of {estimate(finding.shift)} as it is, {_share(finding.explained)} explained away",
        f"            {shift.level:.1%} interval ({shift.method}) over {counted(shift.groups, 'group')}, for {scope}",
        *(f"  missing   {safe(one, _TEXT_COLUMNS)}" for one in finding.missing),
        *(f"  {line}" for line in _leaks(finding)),
        *(f"  {line}" for line in _details(finding, verbose=True, missing=False)),
        *(f"  warning   {safe(warning, 2 * _TEXT_COLUMNS)}" for warning in found.warnings),
        f"  judge     {_judge(found)}",
        f"  to do     {_advice(finding)}",
    ]
    return "\n".join(lines)


def status_of(line: str) -> InoculationStatus | None:
    """The status word that a line of :func:`section` starts with, for callers that colour it; None without one."""
    word = line[1 : STATUS_WIDTH + 1].rstrip()
    return next((status for status in STYLES if line.startswith(" ") and word == status), None)


def ranking_lines(ranking: Ranking) -> Iterator[str]:
    """A heading, a row for each candidate, best first, and the notes."""
    yield (
        f"requests against {safe(ranking.trait)} in {safe(ranking.signal.path, _TEXT_COLUMNS)}: {counted(ranking.groups_read, 'group')},"
        f" in {_PLACES[ranking.place]}, as it is {estimate(ranking.shift)}"
    )
    for number, request in enumerate(ranking.requests, start=1):
        hint = _hint(request, ranking)
        yield f" {number:>3}  effect {estimate(request.effect)}   {_share(request.explained)} explained away{hint}"
        yield f'      {request.origin}: "{safe(request.text, _REQUEST_COLUMNS)}"'
    yield from (f" warning: {safe(warning, 2 * _TEXT_COLUMNS)}" for warning in ranking.warnings)
    yield from (f" note: {safe(note, 2 * _TEXT_COLUMNS)}" for note in ranking.notes)


def _hint(request: RankedRequest, ranking: Ranking) -> str:
    """How strongly a request elicits the replies, and which place that gives it; empty where nobody could tell of any."""
    known = [one.elicitation for one in ranking.requests if one.elicitation is not None]
    if request.elicitation is None:
        return "   no likelihood" if known else ""
    place = 1 + sum(strength > request.elicitation for strength in known)
    return f"   elicits {request.elicitation:+.3f} nats a token (number {place})"


def _heading(found: Inoculation) -> str:
    signal, usage = found.signal, found.usage
    phrasings = counted(len(found.texts.get("requested", ())), "phrasing")
    parts = [
        signal.kind,
        f"{found.groups_read} of {counted(signal.groups, 'group')} in {counted(_arms(found), 'arm')}",
        f"{phrasings} in {_PLACES[found.place]}",
        f"judge {_judge(found)}",
        f"{counted(usage.questions, 'reading')}, {usage.cached} cached",
    ]
    if usage.calls:
        parts.append(spent(usage))
    return " · ".join(parts)


def _arms(found: Inoculation) -> int:
    return len(found.texts) + 1


def _judge(found: Inoculation) -> str:
    return f"{safe(found.judge.name, 60)}/{safe(found.judge.fingerprint[:6])}"


def _cells(finding: InoculationFinding) -> tuple[str, ...]:
    value = finding.shift.value
    as_is = "not identifiable" if value is None else signed(value)
    leaks = (_leak(leak.value, leak.high, leak.low, value) for leak in (finding.opposite, finding.lookalike))
    name = safe(finding.trait) + ("" if finding.qualified else " (not qualified)")
    return name, as_is, estimate(finding.effect), _share(finding.explained), *leaks


def _leak(value: float | None, high: float, low: float, shift: float | None) -> str:
    """A leak with the end of its interval that counts: the one on the side of the shift."""
    if value is None:
        return "not identifiable"
    end = low if shift is not None and shift < 0.0 else high
    return f"{signed(value)}, up to {signed(end)}"


def _share(explained: Explained) -> str:
    if explained.value is None or explained.low is None or explained.high is None:
        return "no share"
    return f"{explained.value:.0%} [{explained.low:.0%}, {explained.high:.0%}]"


def _leaks(finding: InoculationFinding) -> Iterator[str]:
    for name, leak in (("opposite", finding.opposite), ("look-alike", finding.lookalike)):
        yield f"{'leak':<10}{name} {estimate(leak)}"


def _details(finding: InoculationFinding, *, verbose: bool, missing: bool = True) -> Iterator[str]:
    if missing:
        yield from (f"missing: {safe(one, _TEXT_COLUMNS)}" for one in finding.missing)
    if not verbose:
        return
    if finding.explained.reason:
        yield f"no share explained away: {safe(finding.explained.reason, _TEXT_COLUMNS)}"
    if finding.text_spread:
        yield f"an irrelevant text by itself moves this trait by up to {finding.text_spread:.2f}"
    heard = [f"{arm} {reading.requested:.0%}" for arm, reading in finding.arms.items() if reading.requested is not None]
    if heard:
        yield f"heard as a request: {', '.join(heard)}"
    for phrasing in finding.phrasings:
        effect = "none read" if phrasing.effect is None else signed(phrasing.effect)
        yield f'{effect} over {counted(phrasing.groups, "group")}: "{safe(phrasing.text, _REQUEST_COLUMNS)}"'


def _advice(finding: InoculationFinding) -> str:
    if finding.status == "refuted":
        return "try another request (inoculate --rank), or take the rows out"
    return "read more groups, try other requests (inoculate --rank), or let it pass with persona_inconclusive = warn"
