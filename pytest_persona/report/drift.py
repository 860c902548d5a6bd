"""The change between two profiles as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_persona.infer.drift import Drift
from pytest_persona.model.findings import Finding, Profile
from pytest_persona.report.terminal import INDENT, STATUS_WIDTH, bounds, estimate, signed, spread
from pytest_persona.report.text import safe

__all__ = ["comparison"]


def comparison(base: Profile, now: Profile, drifts: Sequence[Drift]) -> Iterator[str]:
    """A heading, then a line for each trait: the status of its drift, the change, what was declared, both estimates."""
    yield f"change from {safe(base.name)} to {safe(now.name)}"
    width = max((len(safe(drift.trait)) for drift in drifts), default=0)
    for drift in drifts:
        yield f" {drift.status:<{STATUS_WIDTH}} {safe(drift.trait):<{width}}   {_change(drift)}"
        if drift.reason:
            yield INDENT + safe(drift.reason)
        yield f"{INDENT}{_found(base.get(drift.trait))} before, {_found(now.get(drift.trait))} now"
        finding = now.get(drift.trait)
        if finding is not None and finding.status in ("violated", "inconclusive"):
            yield f"{INDENT}{finding.status} now: {bounds(finding.expectation)}"


def _change(drift: Drift) -> str:
    if drift.value is None or drift.low is None or drift.high is None:
        text = "no change known"
    else:
        text = f"{signed(drift.value)} {spread(drift.low, drift.high)}"
    return text if drift.drift_at_most is None else f"{text}  drift at most {signed(drift.drift_at_most)}"


def _found(finding: Finding | None) -> str:
    return "nothing" if finding is None else estimate(finding.shift)
