"""A judge that is asked in words: what is known is looked up, what is missing is asked, each verdict once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from pytest_persona.infer.asked import AnyQuestion
from pytest_persona.infer.prompt import PROMPT_VERSION, Question, part_key, questions
from pytest_persona.infer.redact import redacted
from pytest_persona.infer.set_prompt import SetQuestion
from pytest_persona.judge.base import Answers, Tick
from pytest_persona.judge.chat.forecast import Estimator
from pytest_persona.judge.chat.qualify import anchor_pairs, qualification
from pytest_persona.judge.chat.sets import SetReader
from pytest_persona.model.episodes import Behaviour, digest
from pytest_persona.model.findings import JudgeInfo
from pytest_persona.model.traits import Trait
from pytest_persona.model.verdicts import Qualification, Usage, Verdict

__all__ = ["Answered", "Asker", "ChatJudge", "Known", "Part", "Sees", "fingerprint", "in_both_orders"]

Part = tuple[tuple[Behaviour, ...], Trait]
"""What one verdict is about: one behaviour, or two compared in the order shown, and a trait."""
Shown = tuple[Behaviour, ...]
_Item = tuple[Shown, Sequence[Trait]]
_EMPTY = Verdict(expressed=None, reason="empty")


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """What became of one question."""

    verdicts: Mapping[str, Verdict]
    """By name, one for each that the question names."""
    usage: Usage
    """Calls, tokens and cost; readings are counted by the judge."""


class Known(Protocol):
    """Verdicts of former runs."""

    @property
    def problem(self) -> str:
        """What a reader of the profile must know; empty where all is well."""

    def verdicts(self, keys: Collection[str]) -> dict[str, Verdict]:
        """Those that are known, by part key."""

    def close(self) -> None:
        """Release files; may be called twice."""


class Asker(Protocol):
    """Whoever puts questions to a model; called by several threads."""

    @property
    def problem(self) -> str:
        """What went wrong, in one message; empty where all is well."""

    def ask(self, questions: Sequence[AnyQuestion], tick: Tick) -> Sequence[Answered]:
        """The answers in the order of the questions; waits for them. Raises JudgeError where nothing can be asked at all."""

    def close(self) -> None:
        """Give up what is under way and keep what was answered; may be called twice."""


class Sees(Protocol):
    """Whoever keeps the verdicts that were used."""

    def saw(self, shown: Shown, trait: Trait, verdict: Verdict) -> None:
        """One verdict was used."""

    def saw_fit(self, question: SetQuestion, name: str, verdict: Verdict) -> None:
        """One verdict on a set and a character was used."""

    def leave(self) -> None:
        """There will be no more; may be called twice."""


def fingerprint(name: str, model: str, *, isolated: bool, pairwise: bool) -> str:
    """A hash of all that makes two chat judges read differently."""
    return digest("chat", name, model, PROMPT_VERSION, str(isolated), str(pairwise))


class ChatJudge:
    """Asks a model for verdicts, each once; the same machinery answers from a record."""

    one_pass = False

    def __init__(
        self,
        info: JudgeInfo,
        *,
        known: Known,
        asker: Asker,
        isolated: bool = False,
        pairwise: bool = False,
        redact: Callable[[str], str] | None = None,
        recorder: Sees | None = None,
        estimator: Estimator | None = None,
    ) -> None:
        self.info = info
        self._known, self._asker = known, asker
        self._isolated, self._pairwise, self._redact = isolated, pairwise, redact
        self._recorder, self._estimator = recorder, estimator
        self._sets = SetReader(known, asker, redact, recorder, estimator)
        self._qualified: dict[tuple[str, bool], Qualification] = {}
        self._lock = threading.Lock()
        self._unreported = Usage()

    @property
    def problem(self) -> str:
        """What a reader of the profile must know of the asking and the keeping; empty where all is well."""
        return "; ".join(filter(None, (self._asker.problem, self._known.problem)))

    def qualify(self, traits: Sequence[Trait], *, statements: bool = False) -> Mapping[str, Qualification]:
        """AUROC of each trait on a seeded choice of its anchors; asked once for each judge and trait, and kept."""
        missing = [trait for trait in traits if (trait.sha256, statements) not in self._qualified]
        chosen = [(trait, anchor_pairs(trait, statements=statements)) for trait in missing]
        pairs_asked = [(pair, [trait]) for trait, pairs in chosen for pair in pairs]
        if self._pairwise and not statements:
            verdicts, usage = self._compare(pairs_asked, _no_tick)
        else:
            verdicts, usage = self._answer(_one_by_one(pairs_asked), _no_tick)
        found = iter(verdicts)
        for trait, pairs in chosen:
            scores = [(next(found)[trait.name], next(found)[trait.name]) for _ in pairs]
            self._qualified[trait.sha256, statements] = qualification(scores)
        with self._lock:  # told with the next reading; its questions are no readings of the signal
            self._unreported += replace(usage, questions=0, cached=0)
        return {trait.name: self._qualified[trait.sha256, statements] for trait in traits}

    def read(self, behaviours: Sequence[Behaviour], traits: Sequence[Trait], tick: Tick) -> Answers:
        """See :meth:`pytest_persona.judge.base.Judge.read`."""
        return self._told(*self._answer([((b,), traits) for b in self._clean(behaviours)], tick))

    def compare(self, pairs: Sequence[tuple[Behaviour, Behaviour]], traits: Sequence[Trait], tick: Tick) -> Answers:
        """See :meth:`pytest_persona.judge.base.PairJudge.compare`; both orders are asked, and must agree on which has more."""
        clean = self._clean([behaviour for pair in pairs for behaviour in pair])
        items = [(pair, traits) for pair in zip(clean[::2], clean[1::2], strict=True)]
        return self._told(*self._compare(items, tick))

    def fits(self, questions: Sequence[SetQuestion], tick: Tick) -> Answers:
        """See :meth:`pytest_persona.judge.base.SetJudge.fits`."""
        return self._sets.read(questions, tick)

    def forecast_fits(self, questions: Sequence[SetQuestion], counted: set[str]) -> Usage:
        """See :meth:`pytest_persona.judge.base.SetJudge.forecast_fits`."""
        return self._sets.forecast(questions, counted)

    @property
    def estimates_rest_on(self) -> str:
        """What the forecast's numbers rest on, in words; empty where nobody is asked."""
        return "" if self._estimator is None else str(self._estimator)

    def forecast(
        self, behaviours: Sequence[Behaviour], traits: Sequence[Trait], *, compare: bool, counted: set[str]
    ) -> Usage:
        """See :meth:`pytest_persona.judge.base.Forecaster.forecast`."""
        clean = self._clean(behaviours)
        statements = bool(clean) and clean[0].is_statement
        anchors = [(pair, [trait]) for trait in traits for pair in anchor_pairs(trait, statements=statements)]
        items = _both_orders(anchors) if self._pairwise and not statements else _one_by_one(anchors)
        if compare:
            items += _both_orders([(pair, traits) for pair in zip(clean[::2], clean[1::2], strict=True)])
        else:
            items += [((behaviour,), traits) for behaviour in clean]
        parts = {key: part for key, part in _parts(items).items() if key not in counted}
        found = self._known.verdicts(parts)
        counted.update(parts)
        usage = Usage(questions=len(parts), cached=len(found))
        if self._estimator is None:
            return usage
        missing = _missing(parts, found)
        return usage + self._estimator.forecast(q for shown, traits in missing for q in self._questions(shown, traits))

    def close(self) -> None:
        """End what is being asked and release files; may be called twice."""
        self._asker.close()
        self._known.close()
        if self._recorder is not None:
            self._recorder.leave()

    def _clean(self, behaviours: Sequence[Behaviour]) -> list[Behaviour]:
        redact = self._redact
        return list(behaviours) if redact is None else [redacted(behaviour, redact) for behaviour in behaviours]

    def _told(self, verdicts: list[dict[str, Verdict]], usage: Usage) -> Answers:
        with self._lock:
            usage, self._unreported = usage + self._unreported, Usage()
        return Answers(verdicts=verdicts, usage=usage)

    def _answer(self, items: Sequence[_Item], tick: Tick) -> tuple[list[dict[str, Verdict]], Usage]:
        """One mapping from trait name to verdict for each item; texts without content are not asked about."""
        keys = [_part_keys(shown, traits) for shown, traits in items]
        parts = {
            names[trait.name]: (shown, trait)
            for (shown, traits), names in zip(items, keys, strict=True)
            for trait in (traits if names else ())
        }
        found = self._known.verdicts(parts)
        asked = [question for shown, traits in _missing(parts, found) for question in self._questions(shown, traits)]
        left = sum(not found.keys() >= set(names.values()) for names in keys)
        tick(len(items) - left)
        usage = Usage(questions=len(parts), cached=len(found))
        answers = self._asker.ask(asked, _shared_out(tick, left, len(asked))) if asked else ()
        if self._estimator is not None and answers:
            self._estimator.learn((q, answered.usage) for q, answered in zip(asked, answers, strict=True))
        for question, answered in zip(asked, answers, strict=True):
            usage += answered.usage
            found.update((key, answered.verdicts[name]) for name, key in question.parts.items())
        if self._recorder is not None:
            for key, (shown, trait) in parts.items():
                self._recorder.saw(shown, trait, found[key])
        return [
            {trait.name: found[names[trait.name]] if names else _EMPTY for trait in traits}
            for (_, traits), names in zip(items, keys, strict=True)
        ], usage

    def _questions(self, shown: Shown, traits: Sequence[Trait]) -> list[Question]:
        return questions(shown, traits, isolated=self._isolated)

    def _compare(self, pairs: Sequence[_Item], tick: Tick) -> tuple[list[dict[str, Verdict]], Usage]:
        """Two mappings for each pair, one for each of its replies."""
        verdicts, usage = self._answer(_both_orders(pairs), tick)
        both = []
        for (_, traits), there, back in zip(pairs, verdicts, verdicts[len(pairs) :], strict=False):
            agreed = {trait.name: in_both_orders(there[trait.name], back[trait.name]) for trait in traits}
            both += [{name: pair[side] for name, pair in agreed.items()} for side in (0, 1)]
        return both, usage


def in_both_orders(there: Verdict, back: Verdict) -> tuple[Verdict, Verdict]:
    """The verdicts on two compared replies from the comparison and the one turned round: half the difference, and its negative.

    Where one of them has no score neither has; where they name different replies as the one with more, it is ``inconsistent``.
    A judge that favours a place is thus no evidence, where counting it as a tie would show a shift of 0.
    """
    for verdict in (there, back):
        if verdict.expressed is None:
            return verdict, verdict
    assert there.expressed is not None and back.expressed is not None
    if _sign(there.expressed) != -_sign(back.expressed):
        lost = Verdict(expressed=None, reason="inconsistent")
        return lost, lost
    difference = (there.expressed - back.expressed) / 2
    asked = ((there.requested or 0.0) + (back.requested or 0.0)) / 2
    half = Verdict(expressed=difference / 2, requested=asked, quote=there.quote)
    return half, replace(half, expressed=-difference / 2)


def _both_orders(pairs: Sequence[_Item]) -> list[_Item]:
    """The pairs, then the pairs turned round."""
    return [*pairs, *((shown[::-1], traits) for shown, traits in pairs)]


def _one_by_one(pairs: Sequence[_Item]) -> list[_Item]:
    return [((text,), traits) for shown, traits in pairs for text in shown]


def _parts(items: Sequence[_Item]) -> dict[str, Part]:
    """What is to be known of each text and trait, by part key; texts without content are not asked about."""
    return {
        names[trait.name]: (shown, trait)
        for shown, traits in items
        if (names := _part_keys(shown, traits))
        for trait in traits
    }


def _missing(parts: Mapping[str, Part], found: Mapping[str, Verdict]) -> list[_Item]:
    """What is not known, the traits of one text together."""
    missing: dict[tuple[str, ...], tuple[Shown, list[Trait]]] = {}
    for key, (shown, trait) in parts.items():
        if key not in found:
            missing.setdefault(tuple(b.key for b in shown), (shown, []))[1].append(trait)
    return list(missing.values())


def _part_keys(shown: Shown, traits: Sequence[Trait]) -> dict[str, str]:
    """Part keys by trait name; none where a text is empty."""
    if not all(behaviour.reply.strip() for behaviour in shown):
        return {}
    return {trait.name: part_key(shown, trait) for trait in traits}


def _shared_out(tick: Tick, items: int, questions: int) -> Tick:
    """A tick that takes questions and passes on as many items, so that all of them are told when all questions are."""
    done = told = 0

    def count(more: int) -> None:
        nonlocal done, told
        done += more
        due = items * done // questions
        if due > told:
            tick(due - told)
            told = due

    return count


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def _no_tick(_: int) -> None: ...
