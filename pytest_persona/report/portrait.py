"""A portrait as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from pytest_persona.model.findings import Estimand
from pytest_persona.model.portrait import CharacterReading, Comparison, Portrait, ProbeForecast
from pytest_persona.report.terminal import counted, signed, spent, spread
from pytest_persona.report.text import safe

__all__ = ["section", "title"]

_TEXT_COLUMNS = 320
_QUOTE_COLUMNS = 100
_SHOWN = 5
"""Rows of each table that are shown unless more are asked for."""
_QUOTES = _QUESTIONS = 2
_OF: dict[Estimand, str] = {
    "contrast": "what is reinforced against what it is compared with",
    "selection": "what earns more reward against what earns less",
    "absolute": "the texts themselves",
}


def title(portrait: Portrait) -> str:
    """What stands in the rule above the section."""
    return f"portrait: {safe(portrait.name, 160)}"


def section(portrait: Portrait, *, verbosity: int = 0) -> Iterator[str]:
    """The lines under the title: a heading, what it reads like, the characters, what is predicted, notes.

    ``verbosity`` -1 leaves all but the heading and what it reads like out; 1 shows every character, prediction and probe.
    """
    yield _heading(portrait)
    yield f" {_verdict(portrait)}"
    if verbosity < 0:
        return
    most = None if verbosity > 0 else _SHOWN
    if portrait.characters is not None:
        yield from _characters(portrait, portrait.characters, most)
    yield from _samples(portrait, verbose=verbosity > 0)
    yield from _predictions(portrait, most)
    yield from (f" note: {safe(note, _TEXT_COLUMNS)}" for note in portrait.notes)


def _heading(portrait: Portrait) -> str:
    signal, usage = portrait.signal, portrait.usage
    if portrait.basis == "set":
        sizes = sorted({sample.groups for sample in portrait.samples}) or [0]
        read = f"{counted(len(portrait.samples), 'sample')} of {counted(sizes[-1], 'group')}"
    else:
        read = f"{portrait.groups_read} of {counted(signal.groups, 'group')}, {counted(portrait.tokens, 'token')}"
    judge = f"{safe(portrait.judge.name, 60)}/{safe(portrait.judge.fingerprint[:6])}"
    parts = [signal.kind, read, _OF[portrait.estimand], f"judge {judge}"]
    parts.append(f"{counted(usage.questions, 'reading')}, {usage.cached} cached")
    if usage.calls:
        parts.append(spent(usage))
    return " · ".join(parts)


def _verdict(portrait: Portrait) -> str:
    found = portrait.characters
    if found is None:
        return f"nothing can be said: {safe(portrait.reason, _TEXT_COLUMNS)}"
    if not found.most_like:
        return "reads like none of them clearly"
    first = next(reading for reading in found.readings if reading.name == found.most_like)
    others = [r for r in found.readings if r.stands_out and r.low > 0.0 and r is not first and r.high >= first.low]
    beside = f"; not told apart from {_named(others)}" if others else ""
    return (
        f"reads most like {safe(first.name)}: {_estimate(first, portrait)} beyond {safe(found.reference)} ({_unit(portrait)}), "
        f"posterior share {_share(first.share)} among {len(found.shares)} characters{beside}"
    )


def _named(readings: Sequence[CharacterReading]) -> str:
    names = [safe(reading.name) for reading in readings[:_SHOWN]]
    return ", ".join(names) + (" …" if len(readings) > _SHOWN else "")


def _characters(portrait: Portrait, found: Comparison, most: int | None) -> Iterator[str]:
    shown = found.readings[:most]
    width = max((len(safe(reading.name)) for reading in shown), default=0)
    for reading in shown:
        marks = "   stands out" if reading.stands_out and reading.low > 0.0 else ""
        share = f"share {_share(reading.share):>6}"
        yield f"   {safe(reading.name):<{width}}  {_estimate(reading, portrait)}   {share}   z {round(reading.z, 1) + 0.0:+.1f}{marks}"
        for passage in islice(reading.evidence, _QUOTES if reading.stands_out else 0):
            yield f'      "{safe(passage.quote, _QUOTE_COLUMNS)}"   sample {passage.sample}'
    if len(found.readings) > len(shown):
        yield f"   and {len(found.readings) - len(shown)} more (-v)"
    nulls = f"{_number(found.null_mean, portrait)}, s.d. {_number(found.null_spread, portrait).lstrip('+')}"
    yield f"   {counted(found.nulls, 'null character')}: {nulls}"
    for name, reason in found.unread.items():
        yield f"   {safe(name)} was not read: {safe(reason, _TEXT_COLUMNS)}"


def _samples(portrait: Portrait, *, verbose: bool) -> Iterator[str]:
    if portrait.consistency is not None:
        yield f" the samples agree on how well the characters fit: r = {signed(portrait.consistency)}"
    if verbose:
        for number, sample in enumerate(portrait.samples, start=1):
            best = f"best fits {safe(sample.best)}" if sample.best else "no character fits best"
            yield f"   sample {number}, {counted(sample.texts, 'text')}: {safe(sample.reason, 160) if sample.reason else best}"


def _predictions(portrait: Portrait, most: int | None) -> Iterator[str]:
    if portrait.predictions:
        yield " prediction: what such a character would express beyond the reference; nobody has read it"
        width = max(len(safe(one.trait)) for one in portrait.predictions[:most])
        for one in portrait.predictions[:most]:
            yield f"   {safe(one.trait):<{width}}  {signed(one.value)} {spread(one.low, one.high)}"
        yield from _more(len(portrait.predictions), most)
    if portrait.probes:
        yield " prediction: the questions on which it would differ most; nobody has asked them"
        asked: dict[str, list[ProbeForecast]] = {}
        for probe in portrait.probes:
            asked.setdefault(probe.trait, []).append(probe)
        width = max(len(safe(trait)) for trait in islice(asked, most))
        for trait, probes in islice(asked.items(), most):
            shown = probes if most is None else probes[:_QUESTIONS]
            named = ", ".join(f"{safe(probe.suite, 60)}::{safe(probe.id, 80)}" for probe in shown)
            yield f"   {safe(trait):<{width}}  {signed(probes[0].difference)}   {named}{' …' if len(shown) < len(probes) else ''}"
        yield from _more(len(asked), most)


def _more(count: int, most: int | None) -> Iterator[str]:
    if most is not None and count > most:
        yield f"   and {count - most} more (-v)"


def _unit(portrait: Portrait) -> str:
    return "on a scale from -2 to 2" if portrait.basis == "set" else "nats a token"


def _number(value: float, portrait: Portrait) -> str:
    """A likelihood differs in the third decimal, a scale of steps in the first."""
    return signed(value) if portrait.basis == "set" else f"{round(value, 4) + 0.0:+.4f}"


def _estimate(reading: CharacterReading, portrait: Portrait) -> str:
    return f"{_number(reading.value, portrait)} [{_number(reading.low, portrait)}, {_number(reading.high, portrait)}]"


def _share(share: float) -> str:
    """In per cent, never 0 or 100: there is no such certainty."""
    return "< 1 %" if share < 0.01 else "> 99 %" if share > 0.99 else f"{share:.0%}".replace("%", " %")
