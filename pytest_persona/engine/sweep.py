"""One audit's reading: groups in seeded order, batch by batch, until every declared finding is decided."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, cast

from pytest_persona.engine.means import Means
from pytest_persona.engine.pairing import with_units
from pytest_persona.engine.sample import Audit, Probed, Sample
from pytest_persona.infer import plan
from pytest_persona.model.episodes import Behaviour, Episode
from pytest_persona.model.suites import AuditSpec
from pytest_persona.model.traits import HONEST_MISTAKE, Trait
from pytest_persona.model.verdicts import Usage, Verdict
from pytest_persona.settings import Settings

if TYPE_CHECKING:
    from pytest_persona.judge.base import Judge, PairJudge
    from pytest_persona.load.signals import Signal
    from pytest_persona.load.traits import TraitLibrary

__all__ = ["Audit", "Sweep", "companions", "compares"]

_Place = tuple[int, int]
"""An episode's index, and that of one of its behaviours."""
_ByPlace = Mapping[_Place, Mapping[str, Verdict]]


class Sweep:
    """Reads one signal for one audit; made and run once by the engine."""

    def __init__(
        self,
        means: Means,
        spec: AuditSpec,
        signal: Signal,
        *,
        wanted: Sequence[Trait],
        needed: Sequence[Trait],
        beside: Sequence[Trait],
        probed: Probed | None = None,
    ) -> None:
        """``probed``: whose replies the signal is, where a product was asked."""
        self.means, self.judge = means, means.judge
        self.spec, self.signal, self.wanted, self.probed = spec, signal, wanted, probed
        # Rivals cost a chat judge money; where one pass serves all traits they are free. What must be beaten is always read.
        self.traits = [*wanted, *needed, *(beside if self.judge.one_pass else ())]
        self.groups: dict[str, list[int]] = defaultdict(list)
        for index, episode in enumerate(signal.episodes):
            self.groups[episode.group].append(index)
        # Before anything is read, as what it costs is told with the first reading.
        self.qualified = self.judge.qualify(self.traits, statements=signal.info.kind in ("rubric", "instruction"))
        self.usage = Usage()
        self.compares = compares(self.judge, means.settings, signal.episodes)
        self.verdicts: dict[int, list[Mapping[str, Verdict]]] = {}
        """By the episode's index: one mapping from trait to verdict for each of its behaviours."""

    def run(self) -> Audit:
        """Read, decide, and make the profile."""
        order = plan.order_groups(self.groups, self.means.settings.seed)
        # A product's replies are there already and were the dearer part; and what is said of a fixed suite needs all of them.
        early = self.probed is None and self.means.looks_early(declared=bool(self.spec.expectations))
        read: list[str] = []
        with self.means.watched(self.spec.name, sum(len(e.behaviours) for e in self.signal.episodes)):
            for step in self.means.steps(order, early=early):
                self._read(step)
                read.extend(step)
                if early and len(read) < len(order) and self._sample(read).decided():
                    break
        audit = self._sample(read).audit(early=len(read) < len(order))
        return with_units(audit, self.signal.episodes, self.groups, order)

    def _read(self, groups: Sequence[str]) -> None:
        for names, part in self._by_traits(groups).items():
            self._read_for(part, self._about(names))

    def _about(self, names: tuple[str, ...]) -> Sequence[Trait]:
        """What groups that were asked for the sake of these traits are read for: them, and what is held against them."""
        if not names:
            return self.traits
        read = set(names)
        for trait in self.traits:
            if trait.name in names:
                read.update(trait.must_beat)
                if self.judge.one_pass:
                    read.update((*trait.rivals, HONEST_MISTAKE))
        return [trait for trait in self.traits if trait.name in read]

    def _by_traits(self, groups: Sequence[str]) -> dict[tuple[str, ...], list[str]]:
        """The groups by the traits that they are about, as they are read for no others; without a trait: all."""
        parts: dict[tuple[str, ...], list[str]] = defaultdict(list)
        for group in groups:
            parts[self._episode(self.groups[group][0]).traits].append(group)
        return parts

    def _read_for(self, groups: Sequence[str], about: Sequence[Trait]) -> None:
        places = [
            (i, j) for group in groups for i in self.groups[group] for j in range(len(self._episode(i).behaviours))
        ]
        there = [place for place in places if not self._behaviour(place).failure]
        asked, traits = self.means.questions(list(map(self._behaviour, there)), about)
        answers = self._compare(groups, asked, traits) if self.compares else self._ask(there, asked, traits)
        for place in places:
            behaviour = self._behaviour(place)
            answer = answers.get(place, {})
            if behaviour.failure:
                lost = Verdict(expressed=None, reason="failed", detail=behaviour.failure)
                answer = {trait.name: lost for trait in about}
            self.verdicts.setdefault(place[0], []).append(self.means.verdicts(behaviour, about, answer))

    def _ask(self, places: Sequence[_Place], asked: Sequence[Behaviour], traits: Sequence[Trait]) -> _ByPlace:
        answers = self.judge.read(asked, traits, self.means.tick)
        self.usage += answers.usage
        found = dict(zip(asked, answers.verdicts, strict=True))
        return {place: found.get(self._behaviour(place), {}) for place in places}

    def _compare(self, groups: Sequence[str], asked: Sequence[Behaviour], traits: Sequence[Trait]) -> _ByPlace:
        """As :meth:`_ask`, for the two replies of each preference together; one whose pair a plugin dropped is not asked."""
        kept = set(asked)
        episodes = [i for group in groups for i in self.groups[group] if kept.issuperset(self._episode(i).behaviours)]
        pairs = [(self._episode(i).behaviours[0], self._episode(i).behaviours[1]) for i in episodes]
        answers = cast("PairJudge", self.judge).compare(pairs, traits, self.means.tick)
        self.usage += answers.usage
        return dict(zip(((i, j) for i in episodes for j in (0, 1)), answers.verdicts, strict=True))

    def _episode(self, index: int) -> Episode:
        return self.signal.episodes[index]

    def _behaviour(self, place: _Place) -> Behaviour:
        return self._episode(place[0]).behaviours[place[1]]

    def _sample(self, groups: Sequence[str]) -> Sample:
        chosen = set(groups)
        indices = [i for i, episode in enumerate(self.signal.episodes) if episode.group in chosen]
        return Sample(
            settings=self.means.settings,
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
            probed=self.probed,
        )


def compares(judge: Judge, settings: Settings, episodes: Sequence[Episode]) -> bool:
    """Whether replies are compared in pairs: the user wants it, the judge can, and every episode is two replies to one context."""
    return settings.pairwise and hasattr(judge, "compare") and all(map(_is_pair, episodes))


def companions(wanted: Sequence[Trait], library: TraitLibrary) -> tuple[list[Trait], list[Trait]]:
    """What has to be read with the wanted traits, because they must beat it, and what is read where that is free: their rivals.

    Raises TraitError where nobody offers what must be beaten.
    """
    must = dict.fromkeys(name for trait in wanted for name in trait.must_beat)
    needed = [trait for trait in map(library.get, must) if trait not in wanted]
    rivals = dict.fromkeys([*(rival for trait in wanted for rival in trait.rivals), HONEST_MISTAKE])
    beside = [library.get(name) for name in rivals if name in library.names()]
    return needed, [trait for trait in beside if trait not in (*wanted, *needed)]


def _is_pair(episode: Episode) -> bool:
    behaviours = episode.behaviours
    return episode.kind == "preference" and len(behaviours) == 2 and behaviours[0].context == behaviours[1].context
