"""What audits would cost, without asking anything."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from pytest_persona.engine.sweep import companions, compares
from pytest_persona.model.inoculation import InoculationSpec
from pytest_persona.model.portrait import PortraitSpec
from pytest_persona.model.suites import AuditSpec, ProbingSpec
from pytest_persona.model.verdicts import Usage

if TYPE_CHECKING:
    from pytest_persona.engine import Engine
    from pytest_persona.judge.base import Forecaster

__all__ = ["Outlook", "outlooks"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outlook:
    """The most that one audit would cost: it may be decided before all of its groups are read."""

    name: str
    traits: int
    behaviours: int
    usage: Usage
    asked: int = 0
    """How often a product would be asked."""
    characters: int = 0
    """Of a portrait; 0 for what reads traits."""


def outlooks(
    engine: Engine, specs: Sequence[AuditSpec | InoculationSpec | PortraitSpec | ProbingSpec]
) -> Iterator[Outlook]:
    """One for each audit or experiment; a question that several need is counted with the first. Raises PersonaError as they would."""
    counted: set[str] = set()
    for spec in specs:
        if isinstance(spec, InoculationSpec):
            yield _of_trial(engine, spec, counted)
            continue
        if isinstance(spec, ProbingSpec):
            yield _of_probing(engine, spec, counted)
            continue
        if isinstance(spec, PortraitSpec):
            yield _of_portrait(engine, spec, counted)
            continue
        signal = engine.read_signal(spec)
        library = engine.library.extended(spec.definitions)
        traits = engine.wanted(spec) or list(library.all())
        traits += companions(traits, library)[0]
        behaviours = [behaviour for episode in signal.episodes for behaviour in episode.behaviours]
        usage = Usage(questions=len(behaviours))
        if hasattr(engine.judge, "forecast"):
            judge = cast("Forecaster", engine.judge)
            compare = compares(engine.judge, engine.settings, signal.episodes)
            usage = judge.forecast(behaviours, traits, compare=compare, counted=counted)
            for trait, anchors in engine.baselines.anchors(traits, signal.info.kind):
                usage += judge.forecast(anchors, [trait], compare=False, counted=counted)
        yield Outlook(name=spec.name, traits=len(traits), behaviours=len(behaviours), usage=usage)


def _of_trial(engine: Engine, spec: InoculationSpec, counted: set[str]) -> Outlook:
    traits = engine.wanted(spec.audit) or engine.library.extended(spec.audit.definitions).all()
    reader = engine.trial(spec, traits).reader
    behaviours = reader.behaviours(list(reader.numbers))
    usage = Usage(questions=len(behaviours))
    if hasattr(engine.judge, "forecast"):
        usage = cast("Forecaster", engine.judge).forecast(behaviours, traits, compare=False, counted=counted)
    return Outlook(name=spec.audit.name, traits=len(traits), behaviours=len(behaviours), usage=usage)


def _of_probing(engine: Engine, spec: ProbingSpec, counted: set[str]) -> Outlook:
    """What a product would be asked is known, what it would reply is not: texts of a usual length stand in for it."""
    probing = engine.probing(spec)
    usage, behaviours = Usage(), 0
    for episode in probing.imagined():
        traits = [trait for trait in probing.wanted if trait.name in episode.traits]
        traits += [other for other in probing.needed if any(other.name in trait.must_beat for trait in traits)]
        behaviours += len(episode.behaviours)
        if hasattr(engine.judge, "forecast"):
            judge = cast("Forecaster", engine.judge)
            usage += judge.forecast(episode.behaviours, traits, compare=False, counted=counted)
        else:
            usage += Usage(questions=len(episode.behaviours))
    return Outlook(
        name=spec.audit.name,
        traits=len(probing.wanted),
        behaviours=behaviours,
        usage=usage,
        asked=probing.questions(),
    )


def _of_portrait(engine: Engine, spec: PortraitSpec, counted: set[str]) -> Outlook:
    _, people, sitting = engine.sit(spec)
    return Outlook(
        name=spec.audit.name,
        traits=0,
        behaviours=sitting.behaviours,
        usage=sitting.forecast(counted),
        characters=len(people.characters),
    )
