"""Choosing a request: candidates ranked by what they are measured to do on a sample."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from pytest_persona.engine.arms import ArmReader, Texts
from pytest_persona.engine.inoculation import Measured, check_contexts, look_of, measured, notes_of
from pytest_persona.engine.means import Means
from pytest_persona.errors import SettingsError
from pytest_persona.infer import discount, gating, plan
from pytest_persona.infer.discount import Case
from pytest_persona.infer.inoculate import placebo_pools, treated
from pytest_persona.model.inoculation import InoculationSpec, RankedRequest, Ranking
from pytest_persona.model.traits import Trait
from pytest_persona.settings import Settings

if TYPE_CHECKING:
    from pytest_persona.judge.base import Judge
    from pytest_persona.judge.likelihood import Reader
    from pytest_persona.load.signals import Signal
    from pytest_persona.load.wordings import WordingLibrary

__all__ = ["SAMPLE", "rank"]

SAMPLE = 32
"""Groups that candidates are compared on where the settings name no number."""
_HINTED = 8
"""Groups that a likelihood is read for: it is a hint, and slow."""
_BEST_OF = (
    "the best of several looks better than it is: what it does was measured on the rows that it was chosen by."
    " Measure it again with another --seed"
)
_HINT = "elicitation is a hint only: what elicits a behaviour more often suppresses it better, but by no means always"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Candidate:
    text: str
    origin: Literal["library", "given"]
    arm: str
    placebos: tuple[str, ...]
    placebo_arm: str
    """The same for candidates that share their irrelevant texts."""

    def said_to(self, number: int) -> str:
        """The same text for every group."""
        return self.text

    def placebo_for(self, number: int) -> str:
        """The irrelevant text that a group reads."""
        return self.placebos[number % len(self.placebos)]


def rank(means: Means, signal: Signal, spec: InoculationSpec, trait: Trait, library: WordingLibrary) -> Ranking:
    """The library's candidates and the spec's own for one trait, best first, on a seeded sample of the signal.

    Each is compared with irrelevant texts of its own length on the same rows. Raises SettingsError where there is no candidate,
    SignalError as an audit does.
    """
    check_contexts(signal)
    candidates = _candidates(spec.requests, library.of(trait.name).requests, library.placebos)
    if not candidates:
        raise SettingsError(f"there is no candidate for {trait.name!r}: the library has none. Name one with --request.")
    settings, judge = means.settings, means.judge
    arms: dict[str, Texts] = {"as-is": lambda _: None}
    for candidate in candidates:
        arms[candidate.arm] = candidate.said_to
        arms[candidate.placebo_arm] = candidate.placebo_for
    groups = plan.order_groups((e.group for e in signal.episodes), settings.seed)[: settings.max_groups or SAMPLE]
    chosen = set(groups)
    sampled = [episode for episode in signal.episodes if episode.group in chosen]
    reader = ArmReader(means, episodes=sampled, traits=[trait], arms=arms, place=spec.place)
    judge.qualify([trait])  # before anything is read, as an audit does
    with means.watched(spec.audit.name, reader.total):
        reader.read(groups)
    return _ranking(spec, trait, signal, reader, groups, candidates, settings, judge)


def _ranking(
    spec: InoculationSpec, trait: Trait, signal: Signal, reader: ArmReader, groups: Sequence[str],
    candidates: Sequence[_Candidate], settings: Settings, judge: Judge,
) -> Ranking:  # fmt: skip
    reading, look = reader.reading(groups), look_of(settings)
    shift = measured(reading, trait, {"as-is": "as-is"}, judge)
    as_is = look.shift(shift.design, shift.values["as-is"], signal.info.groups)
    hints = _elicited(reader, groups, shift, candidates, spec, settings)
    ranked = []
    for candidate in candidates:
        found = measured(
            reading, trait, {"as-is": "as-is", "requested": candidate.arm, "placebo": candidate.placebo_arm}, judge
        )
        numbers = [reader.numbers[group] for group in found.design.units]
        case = Case(
            trait=trait.name, unwanted=trait.unwanted, design=found.design, values=found.values, texts=(candidate.text,),
            phrasing=np.zeros(len(numbers), dtype=np.intp), population=signal.info.groups,
            placebo=np.array([number % len(candidate.placebos) for number in numbers], dtype=np.intp),
        )  # fmt: skip
        effect, explained = discount.effect(case, look)
        ranked.append(
            RankedRequest(
                text=candidate.text, origin=candidate.origin, effect=effect, explained=explained,
                elicitation=hints.get(candidate.text),
            )
        )  # fmt: skip
    way = discount.sign(trait.unwanted, as_is)
    ranked.sort(key=lambda request: (-way * (request.effect.value or 0.0), request.text))
    return Ranking(
        trait=trait.name, signal=signal.info, judge=judge.info, place=spec.place, shift=as_is, requests=tuple(ranked),
        usage=reader.usage, groups_read=len(groups),
        warnings=tuple(gating.of_candidates([way * (request.effect.value or 0.0) for request in ranked])),
        notes=tuple([*_notes(trait, judge, bool(hints)), *notes_of(reader, reading, signal, len(groups), judge)]),
    )  # fmt: skip


def _candidates(given: Sequence[str], library: Sequence[str], pool: Sequence[str]) -> list[_Candidate]:
    origins: dict[str, Literal["library", "given"]] = dict.fromkeys(library, "library")
    origins.update(dict.fromkeys(given, "given"))
    pools = placebo_pools(list(origins), pool)
    distinct = list(dict.fromkeys(pools))
    return [
        _Candidate(
            text=text,
            origin=origin,
            arm=f"request {number}",
            placebos=placebos,
            placebo_arm=f"placebo {distinct.index(placebos) + 1}",
        )
        for number, ((text, origin), placebos) in enumerate(zip(origins.items(), pools, strict=True), start=1)
    ]


def _notes(trait: Trait, judge: Judge, hinted: bool) -> Iterator[str]:
    known = judge.qualify([trait])[trait.name]
    if not known.qualified:
        yield f"the judge is not qualified for {trait.name}: {known.reason}"
    yield _BEST_OF
    if hinted:
        yield _HINT


def _elicited(
    reader: ArmReader, groups: Sequence[str], found: Measured, candidates: Sequence[_Candidate], spec: InoculationSpec,
    settings: Settings,
) -> Mapping[str, float]:  # fmt: skip
    """By candidate, by how many nats a token the request makes the reinforced replies likelier; empty where nobody can tell."""
    few = reader.reading(groups[:_HINTED])
    rewarded = measured(few, reader.traits[0], {"as-is": "as-is"}, reader.means.judge).design
    reinforced = rewarded.coefficients > 0.0
    behaviours = [few.behaviours[i] for i in rewarded.behaviours[reinforced]]
    weights = rewarded.coefficients[reinforced]
    hints: dict[str, float] = {}
    with _likelihoods(reader.means.judge, settings) as source:
        if source is None or not behaviours:
            return hints
        plain = source.read(behaviours, [""])
        for candidate in candidates:
            asked = source.read([treated(b, candidate.text, spec.place) for b in behaviours], [""])
            known = plain.scored & asked.scored
            if known.any():
                gains = asked.values[known, 0] - plain.values[known, 0]
                hints[candidate.text] = float(np.average(gains, weights=weights[known]))
    return hints


@contextmanager
def _likelihoods(judge: Judge, settings: Settings) -> Iterator[Reader | None]:
    """What reads likelihoods: the likelihood judge's own reader, or for the embedded judge one of its weights; None for others."""
    if judge.info.name != "embedded":
        yield getattr(judge, "reader", None) if judge.info.name == "likelihood" else None
        return
    from pytest_persona.judge.likelihood import Reader
    from pytest_persona.judge.likelihood.embedded import EmbeddedSource
    from pytest_persona.judge.store import Store

    store = Store(settings.root / settings.cache / "readings.sqlite")
    reader = Reader(EmbeddedSource.open(settings), store, settings.run or uuid.uuid4().hex)
    try:
        yield reader
    finally:
        reader.close()
