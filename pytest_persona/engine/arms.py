"""The same groups read in several arms: a text in their contexts, another, none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pytest_persona.engine.means import Means
from pytest_persona.infer.inoculate import in_turn, treated_episode
from pytest_persona.model.episodes import Behaviour, Episode
from pytest_persona.model.inoculation import Place
from pytest_persona.model.traits import Trait
from pytest_persona.model.verdicts import Usage, Verdict

__all__ = ["ArmReader", "Reading", "Texts"]

Floats = NDArray[np.float64]
Texts = Callable[[int], str | None]
"""The text of a group by its number in the seed's order; None leaves the group as it is."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """The episodes of the groups read so far, with the verdicts on their behaviours in each arm."""

    episodes: tuple[Episode, ...]
    verdicts: Mapping[str, Sequence[Mapping[str, Verdict]]]
    """By arm, one mapping from trait to verdict for each behaviour of the episodes, flattened."""

    @property
    def behaviours(self) -> list[Behaviour]:
        """The behaviours as they are, flattened."""
        return [behaviour for episode in self.episodes for behaviour in episode.behaviours]

    def column(self, arm: str, trait: str, field: Literal["implied", "requested"] = "implied") -> Floats:
        """(n,) one number a behaviour; NaN where there is no verdict."""
        scores = np.full(len(self.verdicts[arm]), np.nan)
        for i, verdicts in enumerate(self.verdicts[arm]):
            value = getattr(verdicts[trait], field) if verdicts[trait].expressed is not None else None
            scores[i] = np.nan if value is None else value
        return scores

    def given(self, arm: str, trait: str) -> list[Verdict]:
        """The verdicts of an arm on a trait."""
        return [verdicts[trait] for verdicts in self.verdicts[arm]]


class ArmReader:
    """Reads groups in all arms at once, so that a judge may share what they have in common; blind to which arm is which."""

    def __init__(
        self,
        means: Means,
        *,
        episodes: Sequence[Episode],
        traits: Sequence[Trait],
        arms: Mapping[str, Texts],
        place: Place,
    ) -> None:
        self.means, self.episodes, self.traits, self.arms, self.place = means, episodes, traits, arms, place
        self.numbers = in_turn((episode.group for episode in episodes), means.settings.seed)
        self.usage = Usage()
        self._rows: dict[str, list[int]] = defaultdict(list)
        for index, episode in enumerate(episodes):
            self._rows[episode.group].append(index)
        self._verdicts: dict[tuple[str, int], list[Mapping[str, Verdict]]] = {}

    @property
    def total(self) -> int:
        """How many readings all groups in all arms are."""
        return len(self.arms) * sum(len(episode.behaviours) for episode in self.episodes)

    def behaviours(self, groups: Sequence[str]) -> list[Behaviour]:
        """The behaviours of groups in all arms, in the order they are asked."""
        return [behaviour for _, _, episode in self._treated(groups) for behaviour in episode.behaviours]

    def read(self, groups: Sequence[str]) -> None:
        """Read groups in every arm, in one call of the judge."""
        treated = list(self._treated(groups))
        behaviours = [behaviour for _, _, episode in treated for behaviour in episode.behaviours]
        asked, traits = self.means.questions(behaviours, self.traits)
        answers = self.means.judge.read(asked, traits, self.means.tick)
        self.usage += answers.usage
        found = dict(zip(asked, answers.verdicts, strict=True))
        for arm, index, episode in treated:
            self._verdicts[arm, index] = [
                self.means.verdicts(b, self.traits, found.get(b, {})) for b in episode.behaviours
            ]

    def reading(self, groups: Sequence[str]) -> Reading:
        """What was read of these groups, rows in the order of the file."""
        rows = sorted(index for group in groups for index in self._rows[group])
        return Reading(
            episodes=tuple(self.episodes[index] for index in rows),
            verdicts={arm: [v for index in rows for v in self._verdicts[arm, index]] for arm in self.arms},
        )

    def _treated(self, groups: Sequence[str]) -> Iterator[tuple[str, int, Episode]]:
        for group in groups:
            for index in self._rows[group]:
                for arm, text_of in self.arms.items():
                    text = text_of(self.numbers[group])
                    episode = self.episodes[index]
                    yield arm, index, episode if text is None else treated_episode(episode, text, self.place)
