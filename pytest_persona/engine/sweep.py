"""One audit's reading: groups in seeded order, batch by batch, until every declared finding is decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol, cast

from pytest_persona.engine.sample import Audit, Sample
from pytest_persona.infer import plan
from pytest_persona.model.episodes import Behaviour, Episode
from pytest_persona.model.suites import AuditSpec
from pytest_persona.model.traits import Trait
from pytest_persona.model.verdicts import Usage, Verdict
from pytest_persona.settings import Settings

if TYPE_CHECKING:
    from pytest_persona.judge.base import Judge, PairJudge
    from pytest_persona.load.signals import Signal

__all__ = ["Audit", "Progress", "Sweep", "compares"]

_Place = tuple[int, int]
"""An episode's index, and that of one of its behaviours."""
_ByPlace = Mapping[_Place, Mapping[str, Verdict]]
_MISSING = Verdict(expressed=None, reason="missing")


class Progress(Protocol):
    """Sees how a reading gets on."""

    def start(self, label: str, total: int) -> None:
        """A reading of at most ``total`` behaviours begins."""

    def advance(self, count: int) -> None:
        """So many more have been read."""

    def finish(self, label: str) -> None:
        """The reading of that label has ended, early or not."""

    def wipe(self) -> None:
        """Leave the terminal to others."""


class Sweep:
    """Reads one signal for one audit; made and run once by the engine."""

    def __init__(
        self,
        *,
        settings: Settings,
        hooks: Any,
        judge: Judge,
        progress: Progress | None,
        lock: AbstractContextManager[object],
        spec: AuditSpec,
        signal: Signal,
        wanted: Sequence[Trait],
        beside: Sequence[Trait],
    ) -> None:
        self.settings, self.hooks, self.judge, self.progress, self.lock = settings, hooks, judge, progress, lock
        self.spec, self.signal, self.wanted = spec, signal, wanted
        # Rivals cost a chat judge money; where one pass serves all traits they are free.
        self.traits = [*wanted, *beside] if judge.one_pass else list(wanted)
        self.groups: dict[str, list[int]] = defaultdict(list)
        for index, episode in enumerate(signal.episodes):
            self.groups[episode.group].append(index)
        # Before anything is read, as what it costs is told with the first reading.
        self.qualified = judge.qualify(self.traits, statements=signal.info.kind in ("rubric", "instruction"))
        self.usage = Usage()
        self.watched = bool(hooks.pytest_persona_verdict.get_hookimpls())
        """Whether any plugin looks at verdicts; calling nobody ten thousand times takes a while."""
        self.compares = compares(judge, settings, signal.episodes)
        self.verdicts: dict[int, list[Mapping[str, Verdict]]] = {}
        """By the episode's index: one mapping from trait to verdict for each of its behaviours."""

    def run(self) -> Audit:
        """Read, decide, and make the profile."""
        order = plan.order_groups(self.groups, self.settings.seed)
        # A batch takes hours: whoever wants one wants all questions in it.
        whole = self.settings.read_all or self.settings.batch
        peek = bool(self.spec.expectations) and self.settings.interval == "betting" and not whole
        if self.progress is not None:
            self.progress.start(self.spec.name, sum(len(e.behaviours) for e in self.signal.episodes))
        read: list[str] = []
        try:
            # Over a network a pause between batches costs more than it is worth where nobody looks.
            for batch in [order] if self.judge.info.network and not peek else plan.batches(order):
                self._read(batch)
                read.extend(batch)
                if peek and len(read) < len(order) and self._sample(read).decided():
                    break
        finally:
            if self.progress is not None:
                self.progress.finish(self.spec.name)
        return self._sample(read).audit(early=len(read) < len(order))

    def _read(self, groups: Sequence[str]) -> None:
        places = [
            (i, j) for group in groups for i in self.groups[group] for j in range(len(self._episode(i).behaviours))
        ]
        behaviours = [self._episode(i).behaviours[j] for i, j in places]
        asked, traits = list(behaviours), list(self.traits)
        with self.lock:
            self.hooks.pytest_persona_modify_questions(behaviours=asked, traits=traits)
        answers = self._compare(groups, asked, traits) if self.compares else self._ask(places, asked, traits)
        for (i, j), behaviour in zip(places, behaviours, strict=True):
            answer = answers.get((i, j), {})
            verdicts = {trait.name: answer.get(trait.name, _MISSING) for trait in self.traits}
            self.verdicts.setdefault(i, []).append(verdicts)
            if self.watched:
                with self.lock:
                    for trait in self.traits:
                        self.hooks.pytest_persona_verdict(
                            behaviour=behaviour, trait=trait, verdict=verdicts[trait.name]
                        )

    def _ask(self, places: Sequence[_Place], asked: Sequence[Behaviour], traits: Sequence[Trait]) -> _ByPlace:
        answers = self.judge.read(asked, traits, self._tick)
        self.usage += answers.usage
        found = dict(zip(asked, answers.verdicts, strict=True))
        return {(i, j): found.get(self._episode(i).behaviours[j], {}) for i, j in places}

    def _compare(self, groups: Sequence[str], asked: Sequence[Behaviour], traits: Sequence[Trait]) -> _ByPlace:
        """As :meth:`_ask`, for the two replies of each preference together; one whose pair a plugin dropped is not asked."""
        kept = set(asked)
        episodes = [i for group in groups for i in self.groups[group] if kept.issuperset(self._episode(i).behaviours)]
        pairs = [(self._episode(i).behaviours[0], self._episode(i).behaviours[1]) for i in episodes]
        answers = cast("PairJudge", self.judge).compare(pairs, traits, self._tick)
        self.usage += answers.usage
        return dict(zip(((i, j) for i in episodes for j in (0, 1)), answers.verdicts, strict=True))

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
            qualified=self.qualified,
            groups=len(groups),
            compared=self.compares,
            usage=self.usage,
        )


def compares(judge: Judge, settings: Settings, episodes: Sequence[Episode]) -> bool:
    """Whether replies are compared in pairs: the user wants it, the judge can, and every episode is two replies to one context."""
    return settings.pairwise and hasattr(judge, "compare") and all(map(_is_pair, episodes))


def _is_pair(episode: Episode) -> bool:
    behaviours = episode.behaviours
    return episode.kind == "preference" and len(behaviours) == 2 and behaviours[0].context == behaviours[1].context
