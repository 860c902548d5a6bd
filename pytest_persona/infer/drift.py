"""What has changed between two profiles."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_persona.model.findings import Finding, Profile, Status

__all__ = ["Drift", "drift", "obstacles"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """The change of one trait's shift from a baseline to now, with what was declared of it."""

    trait: str
    value: float | None
    """Now minus baseline; None where one of the two is not identifiable."""
    low: float | None
    high: float | None
    level: float | None
    """The interval holds with at least this confidence, in [0, 1]; None, as its ends, where there is none."""
    status: Status
    drift_at_most: float | None = None
    reason: str = ""
    """Why it cannot be compared or decided, in words; empty where it can."""


def obstacles(base: Profile, now: Profile) -> tuple[str, ...]:
    """Why two profiles cannot be compared, in words; empty where they can: one judge and one kind of signal."""
    found = []
    if base.judge.fingerprint != now.judge.fingerprint:
        found.append(f"the judges differ: {_judge(base)} before, {_judge(now)} now")
    if base.signal.kind != now.signal.kind:
        found.append(f"the kinds of signal differ: {base.signal.kind} before, {now.signal.kind} now")
    return tuple(found)


def drift(base: Profile, now: Profile) -> tuple[Drift, ...]:
    """The change of every trait of either profile: those of ``now`` in its order, then those that only ``base`` has.

    The interval is conservative: from ``now.low - base.high`` to ``now.high - base.low``. It holds wherever both
    intervals hold, whatever the two signals share (Bonferroni's inequality), so at least at the level
    ``1 - (1 - now.level) - (1 - base.level)``. A declared ``drift_at_most`` is decided on the whole interval.
    """
    kept = [_change(base.get(finding.trait), finding) for finding in now.findings]
    gone = [_one_sided(f.trait, "only the baseline has it") for f in base.findings if f.trait not in now]
    return (*kept, *gone)


def _change(before: Finding | None, now: Finding) -> Drift:
    bound = now.expectation.drift_at_most if now.expectation else None
    if before is None or before.estimand != now.estimand:
        missing = before is None
        reason = "the baseline does not have it" if missing else "one is absolute and the other is not"
        return _one_sided(now.trait, reason, bound)
    known = before.shift.value is not None and now.shift.value is not None
    low, high = now.shift.low - before.shift.high, now.shift.high - before.shift.low
    status, reason = _decided(low, high, bound)
    if not (before.qualified and now.qualified):
        reason = "the judge is not qualified for it"
    elif not known:
        reason = "its shift is not identifiable"
    if bound is not None and reason:
        status = "inconclusive"
    return Drift(
        trait=now.trait,
        value=now.shift.value - before.shift.value if known else None,  # type: ignore[operator]
        low=low,
        high=high,
        level=max(0.0, now.shift.level + before.shift.level - 1.0),
        status=status,
        drift_at_most=bound,
        reason=reason,
    )


def _decided(low: float, high: float, bound: float | None) -> tuple[Status, str]:
    if bound is None:
        return "observed", ""
    if high <= bound:
        return "held", ""
    if low > bound:
        return "violated", ""
    return "inconclusive", "the bound lies within the interval of the change"


def _one_sided(trait: str, reason: str, bound: float | None = None) -> Drift:
    status: Status = "observed" if bound is None else "inconclusive"
    return Drift(
        trait=trait, value=None, low=None, high=None, level=None, status=status, drift_at_most=bound, reason=reason
    )


def _judge(profile: Profile) -> str:
    return f"{profile.judge.name}/{profile.judge.fingerprint[:6]}"
