"""What audits and experiments read with, and how they go about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from pytest_persona.infer import plan
from pytest_persona.model.episodes import Behaviour
from pytest_persona.model.traits import Trait
from pytest_persona.model.verdicts import Verdict
from pytest_persona.settings import Settings

if TYPE_CHECKING:
    from pytest_persona.judge.base import Judge

__all__ = ["Means", "Progress"]

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


@dataclass(frozen=True, kw_only=True)
class Means:
    """The judge, the settings, the plugins and the progress line that all readings of an engine share."""

    settings: Settings
    hooks: Any
    judge: Judge
    progress: Progress | None
    lock: AbstractContextManager[object]
    """Held while plugins are called: readings go on in several threads."""

    def looks_early(self, *, declared: bool) -> bool:
        """Whether reading may stop as soon as all that was declared is decided.

        A batch takes hours: whoever wants one wants all questions in it.
        """
        settings = self.settings
        return declared and settings.interval == "betting" and not (settings.read_all or settings.batch)

    def steps(self, groups: Sequence[str], *, early: bool) -> Iterator[Sequence[str]]:
        """The groups in the portions that they are read in.

        Over a network a pause between portions costs more than it is worth where nobody looks early.
        """
        return iter([groups]) if self.judge.info.network and not early else plan.batches(groups)

    @contextmanager
    def watched(self, label: str, total: int) -> Iterator[None]:
        """The progress line of one reading of at most ``total`` behaviours."""
        if self.progress is None:
            yield
            return
        self.progress.start(label, total)
        try:
            yield
        finally:
            self.progress.finish(label)

    def tick(self, count: int) -> None:
        """So many more have been read."""
        if self.progress is not None:
            self.progress.advance(count)

    def questions(
        self, behaviours: Sequence[Behaviour], traits: Sequence[Trait]
    ) -> tuple[list[Behaviour], list[Trait]]:
        """What is left to ask once plugins have had their say."""
        asked, about = list(behaviours), list(traits)
        with self.lock:
            self.hooks.pytest_persona_modify_questions(behaviours=asked, traits=about)
        return asked, about

    def verdicts(
        self, behaviour: Behaviour, traits: Sequence[Trait], answer: Mapping[str, Verdict]
    ) -> dict[str, Verdict]:
        """One verdict a trait, ``missing`` where there is no answer; shown to the plugins that look."""
        verdicts = {trait.name: answer.get(trait.name, _MISSING) for trait in traits}
        look = self.hooks.pytest_persona_verdict
        if look.get_hookimpls():  # to call nobody ten thousand times takes a while
            with self.lock:
                for trait in traits:
                    look(behaviour=behaviour, trait=trait, verdict=verdicts[trait.name])
        return verdicts
