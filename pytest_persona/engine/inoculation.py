"""One inoculation experiment: its arms, their reading, and the findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from pytest_persona.engine.arms import ArmReader, Reading, Texts
from pytest_persona.engine.means import Means
from pytest_persona.errors import SettingsError, SignalError
from pytest_persona.infer import discount, gating, nulls, plan, unjudged
from pytest_persona.infer.decide import Look
from pytest_persona.infer.discount import Case
from pytest_persona.infer.inoculate import made_lookalike, made_opposite, placebo_pools
from pytest_persona.infer.measure import Design, design
from pytest_persona.model.findings import NullTest
from pytest_persona.model.inoculation import (
    ARMS,
    Arm,
    ArmReading,
    Inoculation,
    InoculationFinding,
    InoculationSpec,
    Wordings,
)
from pytest_persona.model.traits import Trait
from pytest_persona.model.verdicts import Qualification
from pytest_persona.settings import Settings

if TYPE_CHECKING:
    from pytest_persona.judge.base import Controls, Judge
    from pytest_persona.load.signals import Signal
    from pytest_persona.load.wordings import WordingLibrary

__all__ = ["ArmTexts", "Measured", "Trial", "check_contexts", "look_of", "measured", "notes_of", "recorded"]

Floats = NDArray[np.float64]

_RECORDED = ("level", "interval", "scope", "seed", "max_groups", "read_all", "format", "map", "on_bad_row")
"""Settings that change results."""
_KINDS = {"opposite": "an opposite", "look-alike": "a look-alike"}


class ArmTexts:
    """Which text each group reads in each arm of an experiment, by the group's number; the same for every trait but the leaks."""

    def __init__(self, spec: InoculationSpec, traits: Sequence[Trait], library: WordingLibrary) -> None:
        self.requests = spec.requests
        self._pools = placebo_pools(spec.requests, library.placebos)
        self.placebos = tuple(dict.fromkeys(text for pool in self._pools for text in pool))
        self.made: list[str] = []
        """Kinds of leak texts that nobody wrote, so that they are made of the request."""
        self._own: dict[tuple[Arm, str], tuple[str, ...]] = {}
        for trait in traits:
            known = library.of(trait.name) if spec.audit.traits else Wordings()
            self._own["opposite", trait.name] = self._leak("opposite", spec.opposite, known.opposite)
            self._own["look-alike", trait.name] = self._leak("look-alike", spec.lookalikes, known.lookalikes)

    def arm(self, kind: Arm, trait: str) -> str:
        """The name of the arm that a trait's values of that kind are read from; traits with the same texts share it."""
        if kind not in ("opposite", "look-alike"):
            return kind
        texts = self._own[kind, trait]
        same = [name for (other, name), own in self._own.items() if other == kind and own == texts]
        alone = all(own == texts for (other, _), own in self._own.items() if other == kind)
        return kind if alone else f"{kind}:{same[0]}"

    @property
    def arms(self) -> dict[str, Texts]:
        """The text of each group by its number, by arm."""
        arms: dict[str, Texts] = {"as-is": lambda _: None, "requested": self.request, "placebo": self.placebo}
        for (kind, trait), texts in self._own.items():
            arms[self.arm(kind, trait)] = _turns(texts)
        return arms

    @property
    def texts(self) -> dict[str, tuple[str, ...]]:
        """The texts of each arm that has any."""
        own = {self.arm(kind, trait): texts for (kind, trait), texts in self._own.items()}
        return {"requested": self.requests, "placebo": self.placebos, **own}

    def request(self, number: int) -> str:
        """The phrasing that a group reads."""
        return self.requests[number % len(self.requests)]

    def placebo(self, number: int) -> str:
        """The irrelevant text that a group reads, of the length of its phrasing."""
        turn, which = divmod(number, len(self.requests))
        pool = self._pools[which]
        return pool[turn % len(pool)]

    def _leak(self, kind: Arm, given: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
        if given or known:
            return given or known
        if kind not in self.made:
            self.made.append(kind)
        make = made_opposite if kind == "opposite" else made_lookalike
        return tuple(map(make, self.requests))


class Trial:
    """Reads one signal in all arms; made and run once by the engine."""

    def __init__(
        self, means: Means, spec: InoculationSpec, signal: Signal, traits: Sequence[Trait], library: WordingLibrary
    ) -> None:
        if not spec.requests:
            raise SettingsError("there is no request. Say what is to be asked for, in at least one phrasing.")
        check_contexts(signal)
        self.means, self.judge = means, means.judge
        self.spec, self.signal, self.traits = spec, signal, traits
        self.texts = ArmTexts(spec, traits, library)
        self.reader = ArmReader(means, episodes=signal.episodes, traits=traits, arms=self.texts.arms, place=spec.place)

    def run(self) -> Inoculation:
        """Read, decide, and make the document's data."""
        order = plan.order_groups(self.reader.numbers, self.means.settings.seed)
        look = look_of(self.means.settings)
        early = self.means.looks_early(declared=bool(self.spec.audit.traits))
        known = self.judge.qualify(self.traits)  # before anything is read, as an audit does
        read: list[str] = []
        with self.means.watched(self.spec.audit.name, self.reader.total):
            for step in self.means.steps(order, early=early):
                self.reader.read(step)
                read.extend(step)
                unread = early and len(read) < len(order)
                if unread and discount.decided(self._cases(self.reader.reading(read), known), look):
                    break
        reading = self.reader.reading(read)
        return self._found(reading, discount.findings(self._cases(reading, known), look), len(read))

    def _cases(self, reading: Reading, known: Mapping[str, Qualification]) -> list[Case]:
        cases = []
        for trait in self.traits:
            arms = {kind: self.texts.arm(kind, trait.name) for kind in ARMS}
            found = measured(reading, trait, arms, self.judge)
            numbers = [self.reader.numbers[group] for group in found.design.units]
            requests = [self.texts.requests.index(self.texts.request(number)) for number in numbers]
            placebos = [self.texts.placebos.index(self.texts.placebo(number)) for number in numbers]
            lost = unjudged.too_many_lost([v for arm in arms.values() for v in reading.given(arm, trait.name)])
            cases.append(
                Case(
                    trait=trait.name,
                    unwanted=trait.unwanted,
                    design=found.design,
                    values=found.values,
                    phrasing=np.array(requests, dtype=np.intp),
                    placebo=np.array(placebos, dtype=np.intp),
                    texts=self.texts.requests,
                    effect_at_least=self.spec.effect_at_least,
                    leak_at_most=self.spec.leak_at_most,
                    qualified=known[trait.name].qualified,
                    auroc=known[trait.name].auroc,
                    why_not=known[trait.name].reason or lost,
                    null=found.null,
                    population=self.signal.info.groups,
                    arms=found.arms,
                )
            )
        return cases

    def _found(self, reading: Reading, found: list[InoculationFinding], groups: int) -> Inoculation:
        if not self.spec.audit.traits:
            found.sort(key=lambda f: (-abs(f.effect.value or 0.0), f.trait))
        return Inoculation(
            name=self.spec.audit.name,
            signal=self.signal.info,
            judge=self.judge.info,
            place=self.spec.place,
            findings=tuple(found),
            usage=self.reader.usage,
            declared=bool(self.spec.audit.traits),
            settings=recorded(self.means.settings),
            groups_read=groups,
            texts=self.texts.texts,
            warnings=tuple(self._warnings(found)),
            notes=tuple([*self._own_notes(), *notes_of(self.reader, reading, self.signal, groups, self.judge)]),
        )

    def _warnings(self, found: Sequence[InoculationFinding]) -> Iterator[str]:
        yield from gating.of_texts(self.texts.requests, self.signal.info.groups)
        for finding in found:
            yield from gating.of_effects(finding)

    def _own_notes(self) -> Iterator[str]:
        for kind in self.texts.made:
            yield f"nobody wrote {_KINDS[kind]} of this request, so that it is made of the request itself"


def _turns(texts: tuple[str, ...]) -> Texts:
    return lambda number: texts[number % len(texts)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """One trait in some arms."""

    design: Design
    """What all arms share."""
    values: Mapping[Arm, Floats]
    """(units,) by arm."""
    arms: Mapping[Arm, ArmReading]
    null: NullTest | None


def measured(reading: Reading, trait: Trait, arms: Mapping[Arm, str], judge: Judge) -> Measured:
    """The values of a trait's units in arms by kind, over the behaviours that have a verdict in all of them."""
    columns = {kind: reading.column(arm, trait.name) for kind, arm in arms.items()}
    scored = ~np.any([np.isnan(column) for column in columns.values()], axis=0)
    shared = design(reading.episodes, scored)
    values: dict[Arm, Floats] = {kind: shared.values(np.nan_to_num(column)) for kind, column in columns.items()}
    read = {
        kind: ArmReading(
            shift=shared.shift(values[kind]), requested=_mean(reading.column(arm, trait.name, "requested"), scored)
        )
        for kind, arm in arms.items()
    }
    null = _null(reading, trait, shared, scored, columns["as-is"], judge)
    return Measured(design=shared, values=values, arms=read, null=null)


def check_contexts(signal: Signal) -> None:
    """Raise SignalError for a signal whose texts have no context that anything could be put into."""
    if signal.info.kind in ("rubric", "instruction"):
        raise SignalError(
            f"a signal of the kind {signal.info.kind} has no contexts to put a request into",
            remedy="Inoculate demonstrations, preferences or rollouts",
            path=signal.info.path,
        )


def look_of(settings: Settings) -> Look:
    """How values are looked at under these settings."""
    return Look(level=settings.level, method=settings.interval, scope=settings.scope, seed=settings.seed)


def recorded(settings: Settings) -> dict[str, object]:
    """The settings that change results, as plain data."""
    values = {name: getattr(settings, name) for name in _RECORDED}
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()}


def notes_of(reader: ArmReader, reading: Reading, signal: Signal, groups: int, judge: Judge) -> Iterator[str]:
    """What a reader must know of how the signal was read."""
    sampled = len(reader.numbers)
    if groups < sampled:
        yield f"reading stopped after {groups} of {sampled} groups: every finding was decided"
    if sampled < signal.info.groups:
        yield f"{sampled} of {signal.info.groups} groups were drawn by the seed (max-groups)"
    if signal.info.skipped:
        yield f"{signal.info.skipped} unreadable rows were skipped"
    if cut := reader.usage.cut:
        yield f"{cut} readings were longer than the judge's budget and were cut in the middle, where a text may have stood"
    places = [(episode, behaviour) for episode in reading.episodes for behaviour in episode.behaviours]
    for arm, verdicts in reading.verdicts.items():
        own = [[v[trait.name] for trait in reader.traits] for v in verdicts]
        yield from (f"{arm}: {note}" for note in unjudged.notes(places, own))
    if problem := getattr(judge, "problem", ""):
        yield problem


def _mean(requested: Floats, scored: NDArray[np.bool_]) -> float | None:
    heard = requested[scored & ~np.isnan(requested)]
    return float(heard.mean()) if len(heard) else None


def _null(
    reading: Reading, trait: Trait, shared: Design, scored: NDArray[np.bool_], implied: Floats, judge: Judge
) -> NullTest | None:
    """Where the shift as it is stands among null vectors; None where the judge has none."""
    if not hasattr(judge, "panel") or not shared.units:
        return None
    used = np.flatnonzero(scored)
    behaviours = reading.behaviours
    scores, panel = cast("Controls", judge).panel([behaviours[i] for i in used], trait)
    rows, table = np.zeros(len(behaviours)), np.zeros((len(behaviours), panel.shape[1]))
    rows[used], table[used] = scores, panel
    return nulls.null_test(shared, np.nan_to_num(implied), rows, table)
