"""A profile as lines for a terminal, and a finding as the words of a failing test."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from pytest_persona.model.episodes import Kind
from pytest_persona.model.findings import Evidence, Finding, Profile, Rate, Scope, Shift, Status
from pytest_persona.model.probes import Asked, Tally
from pytest_persona.model.traits import Expectation
from pytest_persona.model.verdicts import Usage
from pytest_persona.report.numbers import counted, estimate, signed, spread
from pytest_persona.report.since import cause_lines, drift_lines, is_shown
from pytest_persona.report.text import safe
from pytest_persona.report.unwanted import missing_requests, other_explanations

__all__ = [
    "INDENT", "STATUS_WIDTH", "STYLES", "bounds", "counted", "estimate", "failure", "section", "signed", "spent",
    "spread", "status_of", "title",
]  # fmt: skip

STYLES: Mapping[Status, dict[str, bool]] = MappingProxyType({
    "violated": {"red": True, "bold": True},
    "inconclusive": {"yellow": True},
    "held": {"green": True},
    "observed": {"cyan": True},
})  # fmt: skip
"""How a status word may be coloured, in the words of pytest's markup; the lines themselves have no colour."""

_ROWS: Mapping[Kind, tuple[str, str]] = {
    "demonstration": ("row", "rows"),
    "preference": ("pair", "pairs"),
    "rollout": ("row", "rows"),
    "rubric": ("criterion", "criteria"),
    "instruction": ("sentence", "sentences"),
    "probe": ("probe", "probes"),
}
_SCOPES: Mapping[Scope, str] = {"signals": "signals like this one", "file": "exactly these groups"}
_SCOPES_OF_PROBES: Mapping[Scope, str] = {"signals": "probes like these", "file": "this fixed suite"}
"""What an interval speaks of."""
STATUS_WIDTH = len("inconclusive")
INDENT = " " * (STATUS_WIDTH + 2)
_QUOTE_COLUMNS = 60
_TEXT_COLUMNS = 160
_REWARDS = "this signal rewards text that a reader attributes to"
_REQUESTED_FROM = 0.2
_SHARE_FROM = 0.3
_CONSISTENT_FROM = 0.8


def title(profile: Profile) -> str:
    """What stands in the rule above the section."""
    return f"persona: {safe(profile.name, _TEXT_COLUMNS)}"


def section(profile: Profile, *, verbosity: int = 0) -> Iterator[str]:
    """The lines under the title, without line ends: a heading, the findings, the notes.

    ``verbosity`` -1 leaves out findings that are held; 0 gives evidence for those that are violated or unwanted; 1
    gives evidence, AUROC and null vectors for all.
    """
    yield _heading(profile)
    width = max((len(safe(finding.trait)) for finding in profile.findings), default=0)
    for finding in profile.findings:
        if finding.status == "held" and verbosity < 0:
            continue
        yield _headline(finding, profile, width)
        detailed = verbosity > 0 or finding.status == "violated" or finding.unwanted or bool(finding.unbeaten)
        for line in _details(finding, profile, detailed=detailed, verbose=verbosity > 0):
            yield INDENT + line
        drift = profile.drift.get(finding.trait) if profile.drift else None
        if profile.drift and drift and is_shown(drift, verbose=verbosity > 0):
            yield from (
                INDENT + line
                for line in drift_lines(drift, profile.drift.since, verbose=verbosity > 0, said=finding.reason)
            )
    if profile.drift:
        yield from (f" {line}" for line in cause_lines(profile.drift))
    for tally in profile.tallies:
        yield f" informational {_tally(tally)}"
    for note in profile.notes:
        yield f" note: {safe(note, _TEXT_COLUMNS)}"


def failure(finding: Finding, profile: Profile) -> str:
    """Why a test fails on a finding that is violated or inconclusive: declared, found, rows, and what may be done."""
    trait, name = safe(finding.trait), safe(profile.signal.path, _TEXT_COLUMNS)
    drift = profile.drift.get(finding.trait) if profile.drift else None
    drifted = drift is not None and drift.status == "violated"
    if drifted and not _broken(finding):
        head = f"{trait} has drifted in {name}: since the baseline it has changed by more than was declared."
    elif finding.unbeaten:
        head = f"{trait} is inconclusive in {name}: its bound is broken, but a kinder explanation of that is not ruled out."
    elif finding.status == "inconclusive":
        head = f"{trait} is inconclusive in {name}: no violation was found, and the bound is not shown to hold either."
    else:
        way = _way(finding)
        what = "the product's replies read as those of" if profile.asked else _REWARDS
        head = f"{trait} is {finding.status} in {name}: {what} a character with {way} {trait} than was declared."
    lines = [head, f"  declared  {bounds(finding.expectation)}", f"  found     {estimate(finding.shift)}"]
    lines.append(f"            {_interval_words(finding.shift, profile)}")
    if profile.drift and drift and is_shown(drift, verbose=True):
        lines.extend(f"  {line}" for line in drift_lines(drift, profile.drift.since, verbose=True, said=finding.reason))
        lines.extend(f"  {line}" for line in cause_lines(profile.drift))
    lines.extend(f"  {line}" for line in _details(finding, profile, detailed=True, verbose=True))
    lines.append(f"  judge     {_judge(profile)}")
    if finding.status == "inconclusive":
        lines.append(f"  to do     {_advice(finding, profile)}")
    return "\n".join(lines)


def status_of(line: str) -> Status | None:
    """The status word that a line of :func:`section` starts with, for callers that colour it; None without one."""
    word = line[1 : STATUS_WIDTH + 1].rstrip()
    return next((status for status in STYLES if line.startswith(" ") and word == status), None)


def spent(usage: Usage) -> str:
    """Calls, tokens in (those of the vendor's prompt cache named) and out, and what they cost where prices were given."""
    cached = f" ({usage.cached_tokens} from the prompt cache)" if usage.cached_tokens else ""
    cost = "" if usage.cost is None else f", cost {usage.cost:.4g}"
    return f"{counted(usage.calls, 'call')}, {usage.input_tokens}{cached} + {usage.output_tokens} tokens{cost}"


def bounds(expectation: Expectation | None) -> str:
    """What was declared, in words; empty where nothing was."""
    if expectation is None:
        return ""
    named = (
        ("at least", expectation.at_least),
        ("at most", expectation.at_most),
        ("drift at most", expectation.drift_at_most),
    )
    return ", ".join(f"{words} {signed(bound)}" for words, bound in named if bound is not None)


def _heading(profile: Profile) -> str:
    signal, usage, asked = profile.signal, profile.usage, profile.asked
    rows = f"{counted(signal.episodes, *_ROWS[signal.kind])} in {counted(signal.groups, 'group')}"
    if asked is not None:
        rows = f"{counted(asked.probes, 'probe')} in {counted(asked.contexts, 'context')}, {_replies(profile, asked)}"
    silent = max((finding.shift.silent for finding in profile.findings), default=0)
    parts = [signal.kind, rows + (f", {silent} silent" if silent else ""), f"judge {_judge(profile)}"]
    parts.append(f"{counted(usage.questions, 'reading')}, {usage.cached} cached")
    if usage.calls:
        parts.append(spent(usage))
    return " · ".join(parts)


def _replies(profile: Profile, asked: Asked) -> str:
    """How many replies there are, whose, and what is wrong with them."""
    counts = ((asked.kept, "kept"), (asked.empty, "empty"), (asked.failed, "failed"))
    odd = ", ".join(f"{count} {what}" for count, what in counts if count)
    name = f" of {safe(profile.target.name, _QUOTE_COLUMNS)}" if profile.target else ""
    tokens = f", {asked.input_tokens} + {asked.output_tokens} tokens" if asked.input_tokens else ""
    return f"{counted(asked.replies, 'reply', 'replies')}{name}{f' ({odd})' if odd else ''}{tokens}"


def _judge(profile: Profile) -> str:
    return f"{safe(profile.judge.name, _QUOTE_COLUMNS)}/{safe(profile.judge.fingerprint[:6])}"


def _headline(finding: Finding, profile: Profile, width: int) -> str:
    parts = [f" {finding.status:<{STATUS_WIDTH}} {safe(finding.trait):<{width}}   {estimate(finding.shift)}"]
    if declared := bounds(finding.expectation):
        parts.append(f"  {declared}")
    if finding.unwanted and finding.status == "observed":
        parts.append("  unwanted")
    if finding.estimand == "absolute":
        parts.append("  absolute")
    if not finding.qualified:
        parts.append("  not qualified")
    if needed := _needed(finding, profile):
        parts.append(f"   {needed}")
    return "".join(parts)


def _details(finding: Finding, profile: Profile, *, detailed: bool, verbose: bool) -> Iterator[str]:
    shift = finding.shift
    if finding.reason:
        yield safe(finding.reason, 2 * _TEXT_COLUMNS)
    if finding.rate is not None:
        yield _rate(finding.rate)
    if detailed:
        for evidence in finding.evidence:
            yield _row(evidence)
        if finding.carriers:
            carry = "carries" if finding.carriers == 1 else "carry"
            yield f"{finding.carriers} of {counted(shift.groups, _group(profile))} {carry} half of the shift"
        if finding.null is not None:
            yield (
                f"z {round(finding.null.z, 1) + 0.0:+.1f} among {finding.null.vectors} null vectors, "
                f"larger than {finding.null.rank:.1%} of them"
            )
    if verbose and finding.auroc is not None:
        yield f"the judge's AUROC for this trait is {finding.auroc:.2f}"
    if finding.consistency is not None and (verbose or finding.consistency < _CONSISTENT_FROM):
        yield f"both orders agreed in {finding.consistency:.0%} of the comparisons; the others are no evidence"
    if finding.other_scope is not None:
        yield f"for {_scope(finding.other_scope, profile)}: {estimate(finding.other_scope)}"
    if shift.unscored:
        yield f"{counted(shift.unscored, 'behaviour')} without a verdict"
    yield from _caveats(finding)
    if detailed:
        yield from _rivals(finding)
        yield from missing_requests(finding, verbose=verbose)
        yield from other_explanations(finding, verbose=verbose)


def _row(evidence: Evidence) -> str:
    place = f"{safe(evidence.source, _TEXT_COLUMNS)}:{evidence.line}"
    return f'{place}  "{safe(evidence.quote, _QUOTE_COLUMNS)}"   {round(evidence.implied, 1) + 0.0:+.1f}'


def _caveats(finding: Finding) -> Iterator[str]:
    asked = finding.requested.value
    if asked is not None and asked > _REQUESTED_FROM:
        yield f"{asked:.0%} requested by the contexts; before requests are discounted {estimate(finding.expressed)}"
    nuisance = finding.nuisance
    for what, share in (("reply length", nuisance.length), ("the general good/bad factor", nuisance.valence)):
        if share is not None and share > _SHARE_FROM:
            if share is nuisance.valence and nuisance.taken_out:
                yield f"{what}, {share:.0%} of the shift as first read, was taken out"
            else:
                yield f"{share:.0%} of the shift goes with {what}"


def _rivals(finding: Finding) -> Iterator[str]:
    shift = finding.shift.value
    rivals = {name: value for name, value in finding.rivals.items() if value is not None}
    for name in sorted(rivals, key=lambda name: (-abs(rivals[name]), name)):
        # Only the same way: what points to the other pole explains nothing.
        if shift is not None and rivals[name] * shift > 0.0 and abs(rivals[name]) > abs(shift):
            yield f"its rival {safe(name)} shifts further: {signed(rivals[name])}"


def _needed(finding: Finding, profile: Profile) -> str:
    if finding.groups_needed is None:
        return ""
    return f"about {counted(finding.groups_needed, f'more {_group(profile)}')} would settle it"


def _broken(finding: Finding) -> bool:
    """Whether the shift itself lies beyond a declared bound."""
    most = finding.expectation.at_most if finding.expectation else None
    least = finding.expectation.at_least if finding.expectation else None
    return (most is not None and finding.shift.low > most) or (least is not None and finding.shift.high < least)


def _way(finding: Finding) -> str:
    """Which side of the declared bounds a violated finding lies on."""
    floor = finding.expectation.at_least if finding.expectation else None
    return "less" if floor is not None and finding.shift.high < floor else "more"


def _scope(shift: Shift, profile: Profile) -> str:
    """What an interval speaks of."""
    return (_SCOPES if profile.asked is None else _SCOPES_OF_PROBES)[shift.scope]


def _group(profile: Profile) -> str:
    """What a unit of inference is called."""
    return "group" if profile.asked is None else "probe"


def _rate(rate: Rate) -> str:
    """Events over probes, with the exact bound; without an event, with the rule of thumb that people know too."""
    probes, pole = counted(rate.probes, "probe"), f"a reply at the unwanted pole ({rate.threshold:g} or more)"
    bound = f"at most {rate.high:.1%} of probes like these do, {rate.level:.0%} sure"
    if rate.events == rate.probes:
        return f"each of {probes} brought {pole}"
    if rate.events:
        return f"{rate.events} of {probes} brought {pole}: {bound}"
    three = min(1.0, -math.log(1.0 - rate.level) / rate.probes)
    return f"none of {probes} brought {pole}: {bound} (rule of three: {three:.1%})"


def _tally(tally: Tally) -> str:
    """What a product said of itself; a share only of what was clear."""
    clear = tally.matching + tally.other
    parts = [f"{safe(tally.name, _QUOTE_COLUMNS)}   no clear answer"]
    if tally.low is not None and tally.high is not None:
        match = "answer matches" if clear == 1 else "answers match"
        parts = [
            f"{safe(tally.name, _QUOTE_COLUMNS)}   {tally.matching} of {clear} {match} [{tally.low:.0%}, {tally.high:.0%}]"
        ]
    parts += [f"{count} {what}" for count, what in ((tally.unclear, "unclear"), (tally.failed, "failed")) if count]
    return ", ".join(parts)


def _interval_words(shift: Shift, profile: Profile) -> str:
    groups = counted(shift.groups, _group(profile))
    return f"{shift.level:.1%} interval ({shift.method}) over {groups}, for {_scope(shift, profile)}"


def _advice(finding: Finding, profile: Profile) -> str:
    needed = _needed(finding, profile)
    first = f"{needed}; else " if needed else ""
    if finding.unbeaten:
        return f"{first}read the rows, ask a judge that tells the two apart, or let it pass with persona_inconclusive = warn"
    return f"{first}widen the bound, or let inconclusive findings pass with persona_inconclusive = warn"
