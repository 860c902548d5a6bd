"""One audit's reading: groups in seeded order, batch by batch, until every declared finding is decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Protocol

from pytest_persona.engine.sample import Audit, Sample
from pytest_persona.infer import plan
from pytest_persona.model.episodes import Episode
from pytest_persona.model.suites import AuditSpec
from pytest_persona.model.traits import Trait
from pytest_persona.model.verdicts import Usage, Verdict
from pytest_persona.settings import Settings

if TYPE_CHECKING:
    from pytest_persona.judge.base import Judge
    from pytest_persona.load.signals import Signal

__all__ = ["Audit", "Progress", "Sweep"]

_MISSING = Verdict(expressed=None, reason="missing")


class Progress(Protocol):
    """Sees how a reading gets on."""

    def start(self, label: str, total: int) -> None:
        """A reading of at most ``total`` behaviours begins."""

    def advance(self, count: int) -> None:
        """So many more have been read."""

    def finish(self) -> None:
        """The reading has ended, early or not."""


class Sweep:
    """Reads one signal for one audit; made and run once by the engine."""

    def __init__(
        self,
        *,
        settings: Settings,
        hooks: Any,
        judge: Judge,
        progress: Progress | None,
        spec: AuditSpec,
        signal: Signal,
        wanted: Sequence[Trait],
        beside: Sequence[Trait],
    ) -> None:
        self.settings, self.hooks, self.judge, self.progress = settings, hooks, judge, progress
        self.spec, self.signal, self.wanted = spec, signal, wanted
        # Rivals cost a chat judge money; where one pass serves all traits they are free.
        self.traits = [*wanted, *beside] if judge.one_pass else list(wanted)
        self.groups: dict[str, list[int]] = defaultdict(list)
        for index, episode in enumerate(signal.episodes):
            self.groups[episode.group].append(index)
        self.before = judge.usage()
        self.verdicts: dict[int, list[Mapping[str, Verdict]]] = {}
        """By the episode's index: one mapping from trait to verdict for each of its behaviours."""

    def run(self) -> Audit:
        """Read, decide, and make the profile."""
        order = plan.order_groups(self.groups, self.settings.seed)
        peek = bool(self.spec.expectations) and self.settings.interval == "betting" and not self.settings.read_all
        if self.progress is not None:
            self.progress.start(self.spec.name, sum(len(e.behaviours) for e in self.signal.episodes))
        read: list[str] = []
        try:
            for batch in plan.batches(order):
                self._read(batch)
                read.extend(batch)
                if peek and len(read) < len(order) and self._sample(read).decided():
                    break
        finally:
            if self.progress is not None:
                self.progress.finish()
        return self._sample(read).audit(early=len(read) < len(order))

    def _read(self, groups: Sequence[str]) -> None:
        places = [
            (i, j) for group in groups for i in self.groups[group] for j in range(len(self._episode(i).behaviours))
        ]
        behaviours = [self._episode(i).behaviours[j] for i, j in places]
        asked, traits = list(behaviours), list(self.traits)
        self.hooks.pytest_persona_modify_questions(behaviours=asked, traits=traits)
        answers = dict(zip(asked, self.judge.read(asked, traits, self._tick), strict=True))
        for (i, _), behaviour in zip(places, behaviours, strict=True):
            answer = answers.get(behaviour, {})
            verdicts = {trait.name: answer.get(trait.name, _MISSING) for trait in self.traits}
            self.verdicts.setdefault(i, []).append(verdicts)
            for trait in self.traits:
                self.hooks.pytest_persona_verdict(behaviour=behaviour, trait=trait, verdict=verdicts[trait.name])

    def _episode(self, index: int) -> Episode:
        return self.signal.episodes[index]

    def _tick(self, count: int) -> None:
        if self.progress is not None:
            self.progress.advance(count)

    def _sample(self, groups: Sequence[str]) -> Sample:
        chosen = set(groups)
        indices = [i for i, episode in enumerate(self.signal.episodes) if episode.group in chosen]
        return Sample(
            settings=self.settings,
            judge=self.judge,
            spec=self.spec,
            info=self.signal.info,
            episodes=[self.signal.episodes[i] for i in indices],
            verdicts=[verdicts for i in indices for verdicts in self.verdicts[i]],
            wanted=self.wanted,
            traits=self.traits,
            groups=len(groups),
            usage=_difference(self.judge.usage(), self.before),
        )


def _difference(after: Usage, before: Usage) -> Usage:
    return Usage(**{field.name: getattr(after, field.name) - getattr(before, field.name) for field in fields(Usage)})
