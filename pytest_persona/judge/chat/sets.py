"""Samples that a chat judge is shown whole: what is known is looked up, what is missing is asked, each verdict once."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_persona.infer.redact import redacted
from pytest_persona.infer.set_prompt import SetQuestion
from pytest_persona.judge.base import Answers, Tick
from pytest_persona.judge.chat.forecast import Estimator
from pytest_persona.model.verdicts import Usage

if TYPE_CHECKING:
    from pytest_persona.judge.chat.judge import Asker, Known, Sees

__all__ = ["SetReader"]


class SetReader:
    """Puts questions about sets to the asker of a chat judge; they share its cache, budget, retries and record."""

    def __init__(
        self,
        known: Known,
        asker: Asker,
        redact: Callable[[str], str] | None,
        recorder: Sees | None,
        estimator: Estimator | None,
    ) -> None:
        self._known, self._asker, self._redact = known, asker, redact
        self._recorder, self._estimator = recorder, estimator

    def read(self, questions: Sequence[SetQuestion], tick: Tick) -> Answers:
        """See :meth:`pytest_persona.judge.base.SetJudge.fits`."""
        clean = [self._clean(question) for question in questions]
        found = self._known.verdicts([key for question in clean for key in question.parts.values()])
        missing = [left for question in clean if (left := _left(question, found)).names]
        parts = [key for question in clean for key in question.parts.values()]
        usage = Usage(questions=len(parts), cached=sum(key in found for key in parts))
        tick(len(questions) - len(missing))
        answers = self._asker.ask(missing, tick) if missing else ()
        if self._estimator is not None and answers:
            self._estimator.learn((q, answered.usage) for q, answered in zip(missing, answers, strict=True))
        for question, answered in zip(missing, answers, strict=True):
            usage += answered.usage
            found.update((key, answered.verdicts[name]) for name, key in question.parts.items())
        verdicts = [{name: found[key] for name, key in question.parts.items()} for question in clean]
        if self._recorder is not None:
            for question, given in zip(clean, verdicts, strict=True):
                for name, verdict in given.items():
                    self._recorder.saw_fit(question, name, verdict)
        return Answers(verdicts=verdicts, usage=usage)

    def forecast(self, questions: Sequence[SetQuestion], counted: set[str]) -> Usage:
        """See :meth:`pytest_persona.judge.base.SetJudge.forecast_fits`."""
        fresh = []
        for question in map(self._clean, questions):
            fresh.append(_left(question, counted))
            counted.update(question.parts.values())
        parts = [key for question in fresh for key in question.parts.values()]
        found = self._known.verdicts(parts)
        usage = Usage(questions=len(parts), cached=len(found))
        if self._estimator is None:
            return usage
        return usage + self._estimator.forecast(left for question in fresh if (left := _left(question, found)).names)

    def _clean(self, question: SetQuestion) -> SetQuestion:
        redact = self._redact
        if redact is None:
            return question
        return replace(question, sets=tuple(tuple(redacted(text, redact) for text in shown) for shown in question.sets))


def _left(question: SetQuestion, known: Container[str]) -> SetQuestion:
    """The question with the verdicts alone whose keys are not known."""
    return question.only([name for name, key in question.parts.items() if key not in known])
