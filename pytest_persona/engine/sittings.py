"""One signal sits for its portrait: what is read of it, by a judge of whole samples or by a judge of likelihoods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from pytest_persona.engine.means import Means
from pytest_persona.errors import JudgeError
from pytest_persona.infer import characters, fits, samples
from pytest_persona.infer.measure import design
from pytest_persona.infer.samples import Pick
from pytest_persona.infer.set_prompt import set_question
from pytest_persona.model.episodes import Episode
from pytest_persona.model.findings import Estimand
from pytest_persona.model.personas import Cast
from pytest_persona.model.portrait import Basis, Comparison, Passage, PortraitSpec, Sampled
from pytest_persona.model.verdicts import Usage, Verdict

if TYPE_CHECKING:
    from pytest_persona.judge.base import CharacterJudge, Judge, SetJudge
    from pytest_persona.load.signals import Signal

__all__ = ["Seen", "Sitting", "most_groups", "sitting"]

Floats = NDArray[np.float64]

_SPARE = 2
"""How many times the groups that are needed are kept, as some show nothing."""
_FEWEST_NULLS = 6
_NAMED = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What a sitting has brought."""

    estimand: Estimand
    characters: Comparison | None
    groups: int
    usage: Usage
    reason: str = ""
    """Why there are no characters."""
    tokens: int = 0
    samples: tuple[Sampled, ...] = ()
    consistency: float | None = None
    notes: tuple[str, ...] = ()


class Sitting(Protocol):
    """A portrait that is ready to be read."""

    basis: Basis
    total: int
    """How many ticks it takes."""

    @property
    def behaviours(self) -> int:
        """Texts that are read, each as often as it is."""

    def forecast(self, counted: set[str]) -> Usage:
        """What reading would cost; asks nothing."""

    def read(self) -> Seen:
        """Read, and say which characters it is like."""


def most_groups(judge: Judge, spec: PortraitSpec, asked_for: int) -> int:
    """How many groups of a signal are kept in memory, those that the user asked for or as many as will do.

    Raises JudgeError for a judge that knows of no characters.
    """
    if hasattr(judge, "fits"):
        return asked_for or _SPARE * spec.samples * spec.sample_size
    if hasattr(judge, "likelihoods"):
        return asked_for or cast("CharacterJudge", judge).groups_at_once
    raise JudgeError(
        f"The judge {judge.info.name} reads traits one by one and knows of no characters. Name one that does with --persona-judge: "
        "claude or openai, replay, or likelihood (offline with the embedded weights, slow and weak)."
    )


def sitting(means: Means, spec: PortraitSpec, signal: Signal, people: Cast) -> Sitting:
    """The sitting for what the judge can do."""
    if hasattr(means.judge, "fits"):
        return SetSitting(means, spec, signal, people)
    return LikelihoodSitting(means, signal, people)


class SetSitting:
    """Samples that a judge is shown whole."""

    basis: Basis = "set"

    def __init__(self, means: Means, spec: PortraitSpec, signal: Signal, people: Cast) -> None:
        self.means, self.people, self.signal = means, people, signal
        self.judge = cast("SetJudge", means.judge)
        seed = means.settings.seed
        episodes, self._dropped = _asked(means, signal.episodes)
        self.estimand, found = samples.picks(episodes, seed=seed)
        self._steering = [one for one in found if samples.steers(one)]
        self._picks = {one.group: one for one in found if one not in self._steering}
        drawn = samples.draw(self._picks, seed=seed, count=spec.samples, size=spec.sample_size)
        self._drawn, self._looked_at = drawn, len({episode.group for episode in episodes})
        asked = [
            set_question([self._picks[group] for group in groups], people, number=number, seed=seed)
            for number, groups in enumerate(drawn.samples)
        ]
        self.questions, self._signs = [question for question, _ in asked], [sign for _, sign in asked]
        self.total = len(self.questions)

    @property
    def behaviours(self) -> int:
        """See :class:`Sitting`."""
        return sum(len(shown) for question in self.questions for shown in question.sets)

    def forecast(self, counted: set[str]) -> Usage:
        """See :class:`Sitting`."""
        return self.judge.forecast_fits(self.questions, counted)

    def read(self) -> Seen:
        """See :class:`Sitting`."""
        if not self.questions:
            speaking, least = len(self._picks), samples.FEWEST_GROUPS
            reason = f"{speaking} of the {self._looked_at} groups looked at show something; {least} are the least"
            return self._seen(Usage(), None, reason)
        answers = self.judge.fits(self.questions, self.means.tick)
        names = [one.name for one in self.people.everyone]
        scores = np.array(
            [
                [sign * _score(verdicts[name]) for name in names]
                for sign, verdicts in zip(self._signs, answers.verdicts, strict=True)
            ]
        )
        taken = tuple(self._sampled(scores, answers.verdicts))
        real = scores[:, : len(self.people.characters)]
        try:
            found = fits.by_fit(
                scores,
                names,
                reference=self.people.reference.name,
                nulls=[null.name for null in self.people.nulls],
                level=self.means.settings.level,
                overlap=self._drawn.overlap,
                evidence=self._evidence(answers.verdicts),
            )
        except ValueError as error:
            why = next((one.reason for one in taken if one.reason), "")
            return self._seen(answers.usage, None, f"too few scores: {error}" + (f" ({why})" if why else ""), taken)
        return self._seen(answers.usage, found, "", taken, fits.consistency(real))

    def _seen(
        self,
        usage: Usage,
        found: Comparison | None,
        reason: str,
        taken: tuple[Sampled, ...] = (),
        agree: float | None = None,
    ) -> Seen:
        return Seen(
            estimand=self.estimand,
            characters=found,
            reason=reason,
            groups=len({group for sample in self._drawn.samples for group in sample}),
            usage=usage,
            samples=taken,
            consistency=agree,
            notes=tuple(self._notes(taken, usage)),
        )

    def _sampled(self, scores: Floats, verdicts: Sequence[Mapping[str, Verdict]]) -> Iterator[Sampled]:
        for number, (groups, row) in enumerate(zip(self._drawn.samples, scores, strict=True)):
            best = [one.name for one, score in zip(self.people.characters, row, strict=False) if score == _top(row)]
            lost = next((v for v in verdicts[number].values() if v.expressed is None), None)
            said = not np.isnan(row).all()
            yield Sampled(
                groups=len(groups),
                texts=sum(map(len, self.questions[number].sets)),
                best=best[0] if len(best) == 1 else "",
                reason="" if said or lost is None else lost.detail or str(lost.reason),
            )

    def _evidence(self, verdicts: Sequence[Mapping[str, Verdict]]) -> dict[str, list[Passage]]:
        """The quotes that speak for a character, each once."""
        found: dict[str, dict[str, Passage]] = {}
        for number, (sign, given) in enumerate(zip(self._signs, verdicts, strict=True), start=1):
            for name, verdict in given.items():
                if verdict.quote and sign * (verdict.expressed or 0.0) > 0.0:
                    found.setdefault(name, {}).setdefault(verdict.quote, Passage(sample=number, quote=verdict.quote))
        return {name: list(passages.values()) for name, passages in found.items()}

    def _notes(self, taken: Sequence[Sampled], usage: Usage) -> Iterator[str]:
        yield from _dropped(self._dropped)
        if self._steering:
            places = _places(self._steering, self.signal.episodes)
            yield f"{len(self._steering)} groups try to steer whoever judges them and were not shown: {places}"
        sizes = {len(sample) for sample in self._drawn.samples}
        if self._drawn.overlap:
            yield "there are too few groups for samples of their own: they share groups, which the intervals take into account"
        if sizes and min(sizes) < samples.FEWEST_TOGETHER:
            yield f"samples of {min(sizes)} groups show less than the {samples.FEWEST_TOGETHER} that a character takes to show"
        for number, one in enumerate(taken, start=1):
            if one.reason:
                yield f"sample {number} was not answered: {one.reason}"
        if usage.cut:
            yield f"in {usage.cut} samples texts were longer than the judge's budget and were cut in the middle"


class LikelihoodSitting:
    """Replies whose likelihood is read under each wording of each character."""

    basis: Basis = "likelihood"

    def __init__(self, means: Means, signal: Signal, people: Cast) -> None:
        self.means, self.signal = means, signal
        # More null characters than there are others cost more than they tell.
        self.people = replace(people, nulls=people.nulls[: max(_FEWEST_NULLS, len(people.characters))])
        self.judge = cast("CharacterJudge", means.judge)
        self.episodes, self._dropped = _asked(means, signal.episodes)
        self._behaviours = [behaviour for episode in self.episodes for behaviour in episode.behaviours]
        self.total = len(self._behaviours)

    @property
    def behaviours(self) -> int:
        """See :class:`Sitting`."""
        return len(self._behaviours)

    def forecast(self, counted: set[str]) -> Usage:
        """See :class:`Sitting`."""
        return self.judge.forecast_likelihoods(self._behaviours, self.people.everyone)

    def read(self) -> Seen:
        """See :class:`Sitting`."""
        read = self.judge.likelihoods(self._behaviours, self.people.everyone, self.means.tick)
        scored = np.zeros(self.total, dtype=np.bool_)
        scored[read.kept] = True
        values = np.zeros((self.total, *read.values.shape[1:]))
        values[read.kept] = read.values
        tokens = np.zeros(self.total)
        tokens[read.kept] = read.tokens
        # Rows, so that how alike those of a group are is seen; only a covariance is of a whole group.
        rows = self.episodes
        if rows and rows[0].kind != "rollout":
            rows = [replace(episode, group=str(i)) for i, episode in enumerate(rows)]
        plan = design(rows, scored)
        units = plan.units if rows is self.episodes else [self.episodes[int(i)].group for i in plan.units]
        found, reason = None, f"none of the {plan.groups} groups looked at says anything"
        lengths = np.zeros(0)
        if len(units):
            sizes = np.add.reduceat(np.abs(plan.coefficients), plan.starts)
            # A unit counts as one reply of the length of its replies: a pair, or a group of rollouts, as no more.
            lengths = np.add.reduceat(np.abs(plan.coefficients) * tokens[plan.behaviours], plan.starts) / sizes
            try:
                found, reason = self._compared(plan.values(values), lengths, list(units), read.names), ""
            except ValueError as error:
                reason = f"too little to compare: {error}"
        return Seen(
            estimand=plan.estimand,
            characters=found,
            reason=reason,
            groups=len(set(units)),
            usage=read.usage,
            tokens=round(float(lengths.sum())),
            notes=tuple(self._notes(read.details, read.usage, plan.weights is not None, plan.note)),
        )

    def _compared(self, values: Floats, lengths: Floats, groups: Sequence[str], names: Sequence[str]) -> Comparison:
        return characters.by_likelihood(
            values,
            lengths,
            groups,
            names,
            reference=self.people.reference.name,
            nulls=[null.name for null in self.people.nulls],
            level=self.means.settings.level,
        )

    def _notes(self, details: Sequence[str], usage: Usage, weighted: bool, note: str) -> Iterator[str]:
        yield from _dropped(self._dropped)
        if note:
            yield note
        if weighted:
            yield "in a portrait all criteria count alike, whatever their weight"
        yield from (f"some replies could not be scored: {detail}" for detail in details[:_NAMED])
        if usage.cut:
            yield f"{usage.cut} behaviours were longer than the judge's budget and were cut in the middle"


def _asked(means: Means, episodes: Sequence[Episode]) -> tuple[list[Episode], int]:
    """The episodes of which no behaviour was dropped by a plugin, and how many others there are."""
    behaviours = [behaviour for episode in episodes for behaviour in episode.behaviours]
    left = set(means.questions(behaviours, [])[0])
    kept = [episode for episode in episodes if left.issuperset(episode.behaviours)]
    return kept, len(episodes) - len(kept)


def _dropped(count: int) -> Iterator[str]:
    if count:
        yield f"{count} rows were left out, as a plugin dropped them"


def _places(picks: Sequence[Pick], episodes: Sequence[Episode]) -> str:
    groups = {one.group for one in picks}
    places = [f"{episode.source}:{episode.line}" for episode in episodes if episode.group in groups]
    return ", ".join(places[:_NAMED]) + (" …" if len(places) > _NAMED else "")


def _score(verdict: Verdict) -> float:
    return np.nan if verdict.expressed is None else verdict.expressed


def _top(row: Floats) -> float:
    return float(np.nanmax(row, initial=0.0)) or np.inf
