"""What has changed between two profiles: the change of every trait with its interval, and the causes told apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import cast

from pytest_persona.infer import sequence
from pytest_persona.infer.bridge import MOST_MARGIN, Crossing, crossing
from pytest_persona.infer.causes import judge_change, product_change, redefined
from pytest_persona.infer.change import Change
from pytest_persona.infer.pairs import Match, Strata, match, strata
from pytest_persona.model.by_trait import Status
from pytest_persona.model.drift import Bridge, Comparison, Drift, Looks, OtherScope
from pytest_persona.model.findings import Finding, Method, Profile, Scope
from pytest_persona.model.history import PastRun
from pytest_persona.model.traits import Unwanted

__all__ = ["compare", "obstacles"]

_FEWEST_PAIRS = 3
_LEVEL = 0.95
_OPEN = "the bound lies within the interval of the change"

Ends = Callable[[float], tuple[float, float]]


def compare(base: Profile, now: Profile, *, since: str = "", history: Sequence[PastRun] | None = None) -> Comparison:
    """The change of every trait of either profile: those of ``now`` in its order, then those that only ``base`` has.

    ``since`` is what the baseline is called. ``history`` are the earlier runs against this baseline, None where none is kept.
    Where one is kept, a bound is broken only by the evidence of all runs together (see :mod:`pytest_persona.infer.sequence`).
    Several bounds are adjusted for as those of an audit are: the level of every declared drift is that at which
    Benjamini-Hochberg decides. Settings are those of ``now``.
    """
    since = since or base.name
    if why := obstacles(base, now):
        reason = f"not comparable with {since}: {'; '.join(why)}"
        kept = tuple(_without(finding, reason) for finding in now.findings)
        return Comparison(since=since, findings=kept, comparable=False, why=why)
    found = match(base, now)
    rejudged = base.judge.fingerprint != now.judge.fingerprint
    cases = [_Case.of(base, now, finding, found) for finding in now.findings]
    drifts = _decided(cases, now, None if rejudged else history)
    gone = [_nothing(f.trait, "only the baseline has it") for f in base.findings if f.trait not in now]
    why = tuple(dict.fromkeys(case.reason for case in cases if case.reason))
    comparable = not cases or any(case.ends is not None for case in cases)
    return Comparison(
        since=since,
        findings=(*drifts, *gone),
        comparable=comparable,
        why=() if comparable else why,
        data=None if found is None or found.probes else found.data(base, now),
        judge=judge_change(base, now, found, {case.trait: case.bridge for case in cases if case.bridge is not None}),
        product=product_change(base, now, found, history or ()),
        questions=None if found is None else found.questions(),
        redefined=tuple(f.trait for f in now.findings if redefined(found, f.trait)),
    )


def obstacles(base: Profile, now: Profile) -> tuple[str, ...]:
    """Why two profiles cannot be compared whatever is in them, in words; empty where they can: one kind of signal."""
    if base.signal.kind != now.signal.kind:
        return (f"the kinds of signal differ: {base.signal.kind} before, {now.signal.kind} now",)
    return ()


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class _Case:
    """One trait of now, ready to be decided."""

    trait: str
    pole: Unwanted
    bound: float | None
    reason: str = ""
    """Why nothing can be decided, in words."""
    value: float | None = None
    ends: Ends | None = None
    """The interval at a level; None where there is none."""
    level: float | None = None
    """The one level at which the interval is known; None where it can be had at any."""
    change: Change | None = None
    """None where groups could not be told apart."""
    found: Match | None = None
    bridge: Bridge | None = None

    @classmethod
    def of(cls, base: Profile, now: Profile, finding: Finding, found: Match | None) -> _Case:
        bound = finding.expectation.drift_at_most if finding.expectation else None
        case = cls(trait=finding.trait, pole=finding.pole, bound=bound)
        before = base.get(finding.trait)
        if before is None:
            return replace(case, reason="the baseline does not have it")
        if before.estimand != finding.estimand:
            return replace(case, reason="one is absolute and the other is not")
        if redefined(found, finding.trait):
            return replace(case, reason="its definition has changed, so that the judge was asked another question")
        reason = "" if before.qualified and finding.qualified else "the judge is not qualified for it"
        if found is None or not (finding.trait in found.base.values and finding.trait in found.now.values):
            return _of_shifts(replace(case, reason=reason), base, now, before, finding)
        return _of_units(replace(case, reason=reason, found=found), base, now, finding)


def _of_shifts(case: _Case, base: Profile, now: Profile, before: Finding, finding: Finding) -> _Case:
    """From the two shifts alone: from ``now.low - base.high`` to ``now.high - base.low``."""
    if base.judge.fingerprint != now.judge.fingerprint:
        return replace(case, reason="the judges differ, and one of the profiles kept nothing of its groups")
    known = before.shift.value is not None and finding.shift.value is not None
    low, high = finding.shift.low - before.shift.high, finding.shift.high - before.shift.low
    return replace(
        case,
        value=finding.shift.value - before.shift.value if known else None,  # type: ignore[operator]
        ends=lambda level: (low, high),
        level=max(0.0, finding.shift.level + before.shift.level - 1.0),
        reason=case.reason or ("" if known else "its shift is not identifiable"),
    )


def _of_units(case: _Case, base: Profile, now: Profile, finding: Finding) -> _Case:
    """From the groups of both."""
    found = cast("Match", case.found)
    rejudged = base.judge.fingerprint != now.judge.fingerprint
    pairs = strata(found, case.trait, rejudged=rejudged)
    across: Crossing | None = None
    if rejudged and not (pairs.same.all() and len(pairs.same) and not len(pairs.removed)):
        bridge = _crossing(case.trait, base, now, finding)
        if isinstance(bridge, str):
            return replace(case, reason=f"the judges differ, and {bridge}")
        across = bridge
        pairs = strata(found, case.trait, scale=across.scale, rejudged=True)
    change = Change(
        strata=pairs,
        method=cast("Method", now.settings.get("interval", "betting")),
        scope=cast("Scope", now.settings.get("scope", "signals")),
        seed=cast("int", now.settings.get("seed", 0)),
        unchanged=_unchanged(found, pairs) or (not found.probes and base.signal.sha256 == now.signal.sha256),
        fixed=found.base.complete and found.now.complete and not found.probes,
        crossing=across,
    )
    reason = case.reason or _too_little(change, found)
    return replace(
        case,
        change=change,
        value=change.value,
        ends=None if found.probes and not len(pairs.difference) else change.ends,
        bridge=None if across is None else _bridge(across, base[case.trait]),
        reason=reason,
    )


def _crossing(trait: str, base: Profile, now: Profile, finding: Finding) -> Crossing | str:
    """From the baseline's judge to that of now; in words why there is none that carries."""
    one, other = base.frozen.get(trait), now.frozen.get(trait)
    if one is None or other is None:
        return "no anchors were read by both that would bridge them"
    across = crossing(one, other, finding.estimand)
    if isinstance(across, str):
        return across
    margin = _bridge(across, base[trait]).margin
    if margin > MOST_MARGIN:
        return f"the bridge between them may be off by {margin:.2f}, more than {MOST_MARGIN:.2f}"
    return across


def _bridge(across: Crossing, before: Finding) -> Bridge:
    margin = across.margin(before.shift.value or 0.0, _LEVEL)
    return Bridge(scale=across.scale.scale, offset=across.scale.offset, margin=margin, pairs=across.pairs)


def _unchanged(found: Match, pairs: Strata) -> bool:
    """Whether nothing that is compared has changed: of a product, the replies to what is about the trait."""
    return bool(len(pairs.same) and pairs.same.all()) if found.probes else found.nothing_changed


def _too_little(change: Change, found: Match) -> str:
    """Why the groups do not suffice, in words; empty where they do."""
    if change.way == "same":
        return ""
    if change.value is None or (found.probes and not len(change.strata.difference)):
        return (
            "no probe was asked in the same words and answered before"
            if found.probes
            else "its shift is not identifiable"
        )
    units = len(change.strata.difference)
    if (found.probes or change.way == "paired") and units < _FEWEST_PAIRS:
        return f"only {units} of {len(found.both)} can be paired, and say different things; {_FEWEST_PAIRS} must"
    return ""


def _decided(cases: Sequence[_Case], now: Profile, history: Sequence[PastRun] | None) -> list[Drift]:
    """All traits at the level at which Benjamini-Hochberg decides: the strictest that as many bounds reach as it is shared by."""
    family = cast("float", now.settings.get("level", _LEVEL))
    judged = [case for case in cases if case.bound is not None and not case.reason]
    count = rejected = max(len(judged), 1)
    while True:
        level = 1.0 - (1.0 - family) * rejected / count
        drifts = [_drift(case, level if case in judged else family, history) for case in cases]
        settled = sum(d.status in ("held", "violated") for case, d in zip(cases, drifts, strict=True) if case in judged)
        if rejected == 1 or settled >= rejected:
            return drifts
        rejected = max(settled, 1)  # fewer are settled at any stricter level, so that those between cannot be it


def _drift(case: _Case, level: float, history: Sequence[PastRun] | None) -> Drift:
    looks = _looks(case, level, history)
    shown = case.level if case.level is not None else level
    if looks is not None and looks.evidence is None:  # nothing to pool: the looks are paid by the interval
        shown = 1.0 - (1.0 - shown) * 2.0 * sequence.share(looks.runs)
    low, high = case.ends(shown) if case.ends is not None else (None, None)
    status, reason = _judged(case, low, high, looks)
    change = case.change
    return Drift(
        trait=case.trait,
        value=case.value,
        low=low,
        high=high,
        level=shown if case.ends is not None else None,
        status=status,
        drift_at_most=case.bound,
        reason=reason,
        way="separate" if change is None else change.way,
        pairs=0 if change is None else change.strata.groups,
        parts=change.strata.parts() if change is not None and change.way in ("paired", "partly-paired") else None,
        other_scope=_other_scope(case, shown, status),
        looks=looks,
    )


def _other_scope(case: _Case, level: float, status: Status) -> OtherScope | None:
    """How exactly these groups, or signals like this one, are decided where that is not the scope; None where it is the same."""
    if case.bound is None or case.change is None or case.reason or not case.change.fixed:
        return None
    scope: Scope = "file" if case.change.scope == "signals" else "signals"
    low, high = replace(case.change, scope=scope).ends(level)
    other, _ = _judged(case, low, high, None)
    return None if other == status else OtherScope(scope=scope, low=low, high=high, status=other)


def _looks(case: _Case, level: float, history: Sequence[PastRun] | None) -> Looks | None:
    if history is None or case.found is None or case.change is None or case.bound is None or case.reason:
        return None
    past = sequence.earlier(history, sequence.past_run(case.found))
    needed = 1.0 / (1.0 - level)
    evidence = None
    if case.change.way in ("same", "paired") and case.change.method == "betting":
        evidence = sequence.evidence(case.change.strata, case.trait, past, bound=case.bound, pole=case.pole)
    return Looks(runs=len(past) + 1, evidence=evidence, needed=needed)


def _judged(case: _Case, low: float | None, high: float | None, looks: Looks | None) -> tuple[Status, str]:
    if case.bound is None:
        return "observed", case.reason
    if case.reason or low is None or high is None:
        return "inconclusive", case.reason
    if _inside(case, low, high):
        return "held", ""
    beyond = _beyond(case, low, high)
    if looks is None or looks.evidence is None:
        return ("violated", "") if beyond else ("inconclusive", _OPEN)
    if looks.evidence >= looks.needed and case.value is not None and _beyond(case, case.value, case.value):
        return "violated", ""
    if beyond:
        return (
            "inconclusive",
            "this run alone is beyond the bound, but after so many looks it takes the evidence of more runs",
        )
    return "inconclusive", _OPEN


def _inside(case: _Case, low: float, high: float) -> bool:
    """Whether the whole interval is within the bound on growth towards the unwanted pole."""
    bound = cast("float", case.bound)
    return (case.pole == "low" or high <= bound) and (case.pole == "high" or low >= -bound)


def _beyond(case: _Case, low: float, high: float) -> bool:
    bound = cast("float", case.bound)
    return (case.pole != "low" and low > bound) or (case.pole != "high" and high < -bound)


def _without(finding: Finding, reason: str) -> Drift:
    return _nothing(finding.trait, reason, finding.expectation.drift_at_most if finding.expectation else None)


def _nothing(trait: str, reason: str, bound: float | None = None) -> Drift:
    status: Status = "observed" if bound is None else "inconclusive"
    return Drift(
        trait=trait, value=None, low=None, high=None, level=None, status=status, drift_at_most=bound, reason=reason
    )
