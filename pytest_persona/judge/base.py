"""What a judge is: one that reads behaviours and says how far each expresses each trait."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pytest_persona.model.episodes import Behaviour
from pytest_persona.model.findings import JudgeInfo
from pytest_persona.model.traits import Trait
from pytest_persona.model.verdicts import Qualification, Usage, Verdict

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytest_persona.infer.set_prompt import SetQuestion
    from pytest_persona.model.personas import NullCharacter, Persona
    from pytest_persona.settings import Settings

__all__ = [
    "Answers",
    "CharacterJudge",
    "CharacterLikelihoods",
    "Controls",
    "Discerning",
    "Forecaster",
    "Judge",
    "JudgeFactory",
    "PairJudge",
    "SetJudge",
    "Tick",
]

Tick = Callable[[int], None]
"""Called with the number of readings just done."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Answers:
    """What one call of a judge brought."""

    verdicts: Sequence[Mapping[str, Verdict]]
    """One mapping from trait name to verdict for each behaviour, in the order asked."""
    usage: Usage
    """What the call has cost, and what qualifying has cost since the last call."""


class Judge(Protocol):
    """Answers, for one behaviour and one trait: how far does the reply express it, how far did the context request it."""

    info: JudgeInfo
    one_pass: bool
    """Whether one reading of a behaviour serves all traits, so that further traits cost nothing.

    Two more attributes are looked for: ``problem``, a text for the notes of a profile, and ``blind_to_code``, whether the judge
    cannot see if code works or has holes.
    """

    def qualify(self, traits: Sequence[Trait], *, statements: bool = False) -> Mapping[str, Qualification]:
        """How well the judge is known to tell the poles of each trait apart, by trait name.

        ``statements`` asks for texts that say how to behave (criteria, instructions) instead of replies.
        """

    def read(self, behaviours: Sequence[Behaviour], traits: Sequence[Trait], tick: Tick) -> Answers:
        """Verdicts on behaviours. What was read survives an interrupt. A judge with ``info.network`` is called by several threads."""

    def close(self) -> None:
        """Release files and memory; may be called twice."""


class Discerning(Protocol):
    """A judge that knows how well it tells the unwanted poles of two traits apart."""

    def tells_apart(self, trait: Trait, other: Trait, *, statements: bool = False) -> Qualification:
        """AUROC of the difference of its readings on anchors of the one and of the other, with whole domains left out.

        Of a judge without this method it is taken to be as good as its qualification for the other trait.
        """


class PairJudge(Protocol):
    """A judge that can compare two replies to one context."""

    def compare(self, pairs: Sequence[tuple[Behaviour, Behaviour]], traits: Sequence[Trait], tick: Tick) -> Answers:
        """Verdicts on the behaviours of pairs, flattened: half the difference for the first of a pair, its negative for the second."""


class Forecaster(Protocol):
    """A judge that can say what asking would cost."""

    def forecast(
        self, behaviours: Sequence[Behaviour], traits: Sequence[Trait], *, compare: bool, counted: set[str]
    ) -> Usage:
        """What it would cost to qualify for the traits and to read the behaviours: ``calls`` questions and estimated tokens.

        ``compare`` takes them as pairs, flattened. What is in ``counted`` costs nothing more; what this would ask is added to it.
        """


class SetJudge(Protocol):
    """A judge that can be shown many texts at once and say how well they fit characters."""

    def fits(self, questions: Sequence[SetQuestion], tick: Tick) -> Answers:
        """For each question a verdict on each character by name: ``expressed`` is the fit in [-1, 1]; of two sets, how much better
        the first fits."""

    def forecast_fits(self, questions: Sequence[SetQuestion], counted: set[str]) -> Usage:
        """What asking would cost; ``counted`` as in :meth:`Forecaster.forecast`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CharacterLikelihoods:
    """How likely replies are under characters, for :mod:`pytest_persona.infer.characters`."""

    values: NDArray[np.float64]
    """(kept, characters, paraphrases) natural log-probability a token."""
    tokens: NDArray[np.intp]
    """(kept,) tokens of each reply."""
    kept: NDArray[np.intp]
    """(kept,) which of the behaviours asked about they are: those that could not be scored are left out."""
    names: tuple[str, ...]
    """Of the characters, in order."""
    details: tuple[str, ...]
    """Why the others could not be scored."""
    usage: Usage


class CharacterJudge(Protocol):
    """A judge that can say how likely replies are under characters."""

    groups_at_once: int
    """How many groups a portrait reads where the user names no number: what it can do in minutes."""

    def likelihoods(
        self, behaviours: Sequence[Behaviour], characters: Sequence[Persona | NullCharacter], tick: Tick
    ) -> CharacterLikelihoods:
        """How likely each reply is in its context, under several paraphrases of each character."""

    def forecast_likelihoods(
        self, behaviours: Sequence[Behaviour], characters: Sequence[Persona | NullCharacter]
    ) -> Usage:
        """What that would cost at most: readings, and calls and estimated tokens where it is asked over a network."""


class Controls(Protocol):
    """A judge that can say what meaningless directions read on the same behaviours."""

    def panel(self, behaviours: Sequence[Behaviour], trait: Trait) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(n,) linear readings along the trait's direction, and (n, vectors) along null vectors, in the same units."""

    def valence(self, behaviours: Sequence[Behaviour], trait: Trait) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(n,) readings of a trait before the general good/bad factor was taken out, and (n,) what was taken.

        A judge without this method has taken nothing out; the factor is then estimated from the other traits it read.
        """


JudgeFactory = Callable[["Settings"], Any]
"""Makes a :class:`Judge` from settings; raises JudgeError when it cannot be set up."""
