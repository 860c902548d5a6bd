"""The change between two profiles as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_persona.model.drift import Comparison
from pytest_persona.model.findings import Finding, Profile
from pytest_persona.report.since import about, cause_lines, change
from pytest_persona.report.terminal import INDENT, STATUS_WIDTH, bounds, estimate
from pytest_persona.report.text import safe

__all__ = ["comparison"]


def comparison(base: Profile, now: Profile, found: Comparison) -> Iterator[str]:
    """A heading, the causes, then for each trait the status of its drift, the change, what was declared, both estimates."""
    yield f"change from {safe(base.name)} to {safe(now.name)}"
    causes = list(cause_lines(found))
    yield from (f" {line}" for line in causes or ["nothing has changed"])
    width = max((len(safe(drift.trait)) for drift in found.findings), default=0)
    for drift in found.findings:
        yield f" {drift.status:<{STATUS_WIDTH}} {safe(drift.trait):<{width}}   {change(drift, ' drift at most')}"
        yield from (INDENT + line for line in about(drift, verbose=True))
        yield f"{INDENT}{_found(base.get(drift.trait))} before, {_found(now.get(drift.trait))} now"
        finding = now.get(drift.trait)
        if finding is not None and finding.status in ("violated", "inconclusive"):
            yield f"{INDENT}{finding.status} now: {bounds(finding.expectation)}"


def _found(finding: Finding | None) -> str:
    return "nothing" if finding is None else estimate(finding.shift)
