"""What has changed since a baseline, in words: the change of a trait, and the causes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_persona.model.drift import Comparison, DataChange, Drift, JudgeChange, ProductChange, QuestionChange
from pytest_persona.report.numbers import counted, signed, spread
from pytest_persona.report.text import safe

__all__ = ["about", "cause_lines", "change", "drift_lines", "is_shown"]

_COLUMNS = 160
_NAMES = 5
_RARE = 20.0
"""Evidence that chance brings in less than one product of 20, however often one looks."""


def is_shown(drift: Drift, *, verbose: bool) -> bool:
    """Whether a change is worth its line: it was bounded, or is clear of 0, or everything is wanted."""
    clear = drift.low is not None and drift.high is not None and (drift.low > 0.0 or drift.high < 0.0)
    return verbose or drift.drift_at_most is not None or clear


def change(drift: Drift, bounded: str = "at most") -> str:
    """The change with its interval and what was declared of it; ``bounded`` is what a bound is called."""
    if drift.value is None or drift.low is None or drift.high is None:
        text = "no change known"
    else:
        text = f"{signed(drift.value)} {spread(drift.low, drift.high)}"
    return text if drift.drift_at_most is None else f"{text} {bounded} {signed(drift.drift_at_most)}"


def drift_lines(drift: Drift, since: str, *, verbose: bool, said: str = "") -> Iterator[str]:
    """The change of one trait since a baseline; with ``verbose`` or a broken bound where it comes from and how it was found.

    ``said`` is what was said of the finding before: a reason in it is not given again.
    """
    yield f"drift {change(drift)}, since {safe(since, _COLUMNS)}"
    yield from (f"  {line}" for line in about(drift, verbose=verbose, said=said))


def about(drift: Drift, *, verbose: bool, said: str = "") -> Iterator[str]:
    """Why a change is not decided, the looks taken at it, and with ``verbose`` or a broken bound where it comes from."""
    if drift.reason and drift.reason not in said:
        yield safe(drift.reason, _COLUMNS)
    if drift.other_scope is not None:
        which = "exactly these groups" if drift.other_scope.scope == "file" else "signals like this one"
        yield f"{drift.other_scope.status} for {which}: {spread(drift.other_scope.low, drift.other_scope.high)}"
    if drift.looks is not None and (verbose or drift.status != "held"):
        evidence = (
            "" if drift.looks.evidence is None else f", evidence {drift.looks.evidence:.3g} of {drift.looks.needed:.3g}"
        )
        yield f"run {drift.looks.runs} against this baseline{evidence}"
    if (verbose or drift.status == "violated") and drift.parts is not None:
        parts = ((name, getattr(drift.parts, name)) for name in ("unchanged", "altered", "added", "removed"))
        told = [f"{name} {signed(value)}" for name, value in parts if round(value, 2)]
        yield f"{counted(drift.pairs, 'pair')}: {', '.join(told) or 'no part of it moves the shift'}"


def cause_lines(found: Comparison) -> Iterator[str]:
    """One line for each cause that applies."""
    if found.data is not None:
        yield f"data: {_data(found.data)}"
    if found.judge is not None:
        yield f"judge: {_judge(found.judge)}"
    if found.product is not None:
        yield f"product: {_product(found.product)}"
    if found.questions is not None:
        yield f"questions: {_questions(found.questions)}"
    if found.redefined:
        yield f"questions: the definition of {_named(found.redefined)} has changed"
    if not found.comparable:
        yield f"not comparable: {safe('; '.join(found.why), _COLUMNS)}"


def _data(data: DataChange) -> str:
    counts = ((data.altered, "altered"), (data.added, "added"), (data.removed, "removed"))
    told = [f"{count} {what}" for count, what in counts if count]
    groups = counted(data.same + data.altered + data.removed, "group")
    if not told:
        return f"the file differs, but none of its {groups} does"
    kept = "" if data.complete else " of those that were kept"
    places = f" ({', '.join(safe(place, _COLUMNS) for place in data.places)})" if data.places else ""
    return f"of {groups}{kept} {', '.join(told)}{places}"


def _judge(judge: JudgeChange) -> str:
    parts = [f"{safe(judge.before)} before, {safe(judge.now)} now"]
    if moved := [f"{safe(trait)} {signed(value)}" for trait, value in judge.reread.items()]:
        parts.append(f"it reads the same texts as {', '.join(moved[:_NAMES])} against before")
    bridges = [
        f"{safe(trait)} x {bridge.scale:.2f}, off by {bridge.margin:.2f} at most, from {counted(bridge.pairs, 'pair')}"
        for trait, bridge in judge.bridges.items()
    ]
    if bridges:
        parts.append(f"bridged on anchors: {'; '.join(bridges[:_NAMES])}")
    return "; ".join(parts)


def _product(product: ProductChange) -> str:
    text = f"the replies to {product.replies} of {counted(product.probes, 'probe')} differ"
    if product.evidence is not None:
        word = "more than chance explains" if product.evidence >= _RARE else "which chance may explain"
        text += f", {word} (evidence {product.evidence:.3g})"
    if product.before != product.now:
        text += f"; {safe(product.before, _COLUMNS) or 'not known'} before, {safe(product.now, _COLUMNS) or 'not known'} now"
    return text


def _questions(questions: QuestionChange) -> str:
    parts = []
    if questions.reworded:
        parts.append(f"{_named(questions.reworded)} asked in other words, and not compared")
    if questions.added:
        parts.append(f"{_named(questions.added)} added")
    if questions.removed:
        parts.append(f"{_named(questions.removed)} removed")
    return "; ".join(parts)


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(safe(name, 60) for name in names[:_NAMES])
    return shown if len(names) <= _NAMES else f"{shown} and {len(names) - _NAMES} more"
