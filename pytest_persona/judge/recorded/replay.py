"""Verdicts from a record in place of a model: a miss is missing and says why, and nobody is asked."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pytest_persona.infer.asked import AnyQuestion
from pytest_persona.infer.set_prompt import SetQuestion
from pytest_persona.judge.base import Tick
from pytest_persona.judge.chat.judge import Answered
from pytest_persona.judge.recorded.lines import plain_name
from pytest_persona.judge.recorded.record import Record
from pytest_persona.model.verdicts import Usage, Verdict

__all__ = ["Nobody", "Recorded"]

_SHOWN = 5


class Recorded:
    """The verdicts of a record; with ``model`` those of that model alone."""

    def __init__(self, record: Record, model: str | None = None) -> None:
        self.record = record
        self.model = model

    @property
    def problem(self) -> str:
        """The lines that do not count, the first of them in full."""
        problems = self.record.problems
        more = f" (and {len(problems) - _SHOWN} more such lines)" if len(problems) > _SHOWN else ""
        return " ".join(problems[:_SHOWN]) + more

    def verdicts(self, keys: Collection[str]) -> dict[str, Verdict]:
        """Those that are recorded, by part key."""
        entries, model = self.record.entries, None if self.model is None else plain_name(self.model)
        return {
            key: entry.verdict
            for key in keys
            if (entry := entries.get(key)) is not None and (model is None or entry.model == model)
        }

    def close(self) -> None:
        """Nothing is open."""


class Nobody:
    """Answers nothing, and says why the record does not either."""

    problem = ""

    def __init__(self, recorded: Recorded) -> None:
        self._recorded = recorded

    def ask(self, questions: Sequence[AnyQuestion], tick: Tick) -> list[Answered]:
        """Every verdict is missing."""
        record, model = self._recorded.record, self._recorded.model
        answers = []
        for question in questions:
            if isinstance(question, SetQuestion):
                details = dict.fromkeys(question.names, record.why_set_missing(question, model=model))
            else:
                details = {t.name: record.why_missing(question.shown, t, model=model) for t in question.traits}
            verdicts = {name: Verdict(expressed=None, reason="missing", detail=why) for name, why in details.items()}
            answers.append(Answered(verdicts=verdicts, usage=Usage()))
        tick(len(questions))
        return answers

    def close(self) -> None:
        """Nothing is open."""
