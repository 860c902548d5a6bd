"""What stands beside an unwanted shift: its unrequested rows, what it would be without them, and what else may explain it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pytest_persona.engine.columns import Columns
from pytest_persona.infer import hints, unjudged
from pytest_persona.infer.attribute import excerpt
from pytest_persona.infer.counterfactual import Marks, explained_by, marks, without
from pytest_persona.infer.decide import Candidate, Decision, Look, margin
from pytest_persona.infer.measure import Design
from pytest_persona.model.episodes import Behaviour, Episode
from pytest_persona.model.findings import Counterfactual, Explanations, Expressing, ExpressingRow, Shift
from pytest_persona.model.traits import Trait
from pytest_persona.model.verdicts import Qualification

__all__ = ["Unwanted", "against", "is_towards"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_MOST_ROWS = 5


def against(columns: Columns, trait: Trait, other: Trait, known: Qualification, population: int) -> Candidate:
    """How far a trait goes beyond another one, ready to be decided; ``known`` is how well the judge tells the two apart."""
    plan, halves = columns.beyond(trait, other)
    return Candidate(
        trait=other.name,
        unwanted="high",
        design=plan,
        values=halves,
        qualified=known.qualified,
        why_not=known.reason,
        auroc=known.auroc,
        lost=unjudged.too_many_lost([verdicts[other.name] for verdicts in columns.verdicts if other.name in verdicts]),
        population=population,
    )


def is_towards(trait: Trait, decision: Decision) -> bool:
    """Whether a shift is, or may yet be, at its trait's unwanted pole: :class:`Unwanted` is about these."""
    value = decision.shift.value
    if decision.status != "inconclusive" or value is None:
        return decision.unwanted
    return trait.unwanted != "none" and trait.way * value > 0.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Unwanted:
    """One shift towards the unwanted pole of its trait, with the readings behind it."""

    columns: Columns
    trait: Trait
    decision: Decision
    expressed: Shift
    """Before requests are discounted."""
    mistake: Candidate | None
    """An honest mistake, where that was read and is not among what the trait must beat."""
    look: Look
    """What it was decided at; counterfactual shifts speak of signals like this one, whatever the scope."""
    compared: bool = False
    """Whether the replies of each preference were compared with one another: a verdict is then half of their difference."""

    def counterfactual(self) -> Counterfactual:
        """The unrequested replies apart from the requested ones, and the shift without these and with these requested."""
        unrequested, scored = self._marks.unrequested, self.columns.scored(self.trait.name)
        implied = np.nan_to_num(self.columns.column(self.trait.name, "implied"))
        rest = without(self._design, self.columns.episodes, unrequested, scored)
        explained = explained_by(
            self.columns.episodes, self._shown("expressed"), unrequested, self.trait.way, compared=self.compared
        )
        statements = any(behaviour.is_statement for _, behaviour in self._places)
        return Counterfactual(
            unrequested=self._expressing(unrequested),
            requested=self._expressing(self._marks.requested),
            without=self._shift(rest, implied),
            with_request=None if statements else self._shift(self._design, np.where(explained, 0.0, implied)),
        )

    def explanations(self) -> Explanations:
        """What else may explain it."""
        marked = self._marks.unrequested | self._marks.requested
        shown = [b for (_, b), mark in zip(self._places, marked, strict=True) if mark and not b.is_statement]
        beside = () if self.mistake is None else (margin(self.mistake, self.look, required=False),)
        return Explanations(
            margins=(*self.decision.margins, *beside),
            obedience=self._obedience(),
            replies=len(shown),
            fiction=sum(hints.sets_up_fiction(behaviour.context) for behaviour in shown),
            quotation=sum(hints.is_quotation(behaviour.reply) for behaviour in shown),
        )

    @cached_property
    def _places(self) -> list[tuple[Episode, Behaviour]]:
        return [(episode, behaviour) for episode in self.columns.episodes for behaviour in episode.behaviours]

    @cached_property
    def _design(self) -> Design:
        return self.columns.measured(self.trait.name)[0]

    @cached_property
    def _marks(self) -> Marks:
        return marks(
            self._design, self.columns.episodes, self._shown("expressed"), self.columns.column(self.trait.name, "requested"),
            self.trait.way,
        )  # fmt: skip

    @property
    def _reads_requests(self) -> bool:
        return any(
            known[self.trait.name].requested is not None for known in self.columns.verdicts if self.trait.name in known
        )

    def _shown(self, field: Literal["expressed", "implied"]) -> Floats:
        """What a reply expresses or implies; where replies were compared, by how much more than the other one."""
        return self.columns.column(self.trait.name, field) * (2.0 if self.compared else 1.0)

    def _shift(self, plan: Design, scores: Floats) -> Shift:
        return self.look.shift(plan, plan.values(scores), 0)

    def _obedience(self) -> float | None:
        shift, expressed = self.decision.shift.value, self.expressed
        clear = expressed.low > 0.0 or expressed.high < 0.0
        if shift is None or not expressed.value or not clear or not self._reads_requests:
            return None
        return 1.0 - shift / expressed.value

    def _expressing(self, mask: Mask) -> Expressing:
        indices = np.flatnonzero(mask)
        expressed, implied = self._shown("expressed"), self._shown("implied")
        asked = self.columns.column(self.trait.name, "requested")
        most = indices[np.argsort(-self.trait.way * implied[indices], kind="stable")][:_MOST_ROWS]
        found = bool(len(indices))
        return Expressing(
            replies=len(indices),
            groups=len({self._places[i][0].group for i in indices}),
            expressed=float(expressed[indices].mean()) if found else None,
            requested=float(asked[indices].mean()) if found and self._reads_requests else None,
            implied=float(implied[indices].mean()) if found else None,
            rows=tuple(self._row(int(i), float(expressed[i]), float(implied[i])) for i in most),
        )

    def _row(self, index: int, expressed: float, implied: float) -> ExpressingRow:
        episode, behaviour = self._places[index]
        verdict = self.columns.verdicts[index][self.trait.name]
        return ExpressingRow(
            source=episode.source,
            line=episode.line,
            role=behaviour.role,
            expressed=expressed,
            requested=verdict.requested,
            implied=implied,
            quote=excerpt(verdict.quote or behaviour.reply),
        )
