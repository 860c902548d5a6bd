"""All that a chat judge can be asked, whatever kind of question it is: in words, its answer, and how long that may be."""

from __future__ import annotations

import json

from pytest_persona.infer.answers import read_answer as _read_answer
from pytest_persona.infer.prompt import Prompt, Question
from pytest_persona.infer.prompt import prompt_of as _prompt_of
from pytest_persona.infer.set_answers import read_set_answer
from pytest_persona.infer.set_prompt import SetQuestion, set_prompt
from pytest_persona.infer.set_prompt import usual_answer as _usual_set_answer
from pytest_persona.model.verdicts import Verdict

__all__ = ["AnyQuestion", "prompt_of", "read_answer", "usual_answer"]

AnyQuestion = Question | SetQuestion
_QUOTE = "a passage of the length that judges tend to quote, some twelve words"


def prompt_of(question: AnyQuestion, *, fence: str) -> Prompt:
    """The question in words; ``fence`` is a code of random hexadecimal digits, fresh for each question."""
    if isinstance(question, SetQuestion):
        return set_prompt(question, fence=fence)
    return _prompt_of(question, fence=fence)


def read_answer(question: AnyQuestion, prompt: Prompt, text: str) -> dict[str, Verdict]:
    """The verdicts of an answer by the question's names; raises UnusableAnswer for an answer of the wrong form."""
    if isinstance(question, SetQuestion):
        return read_set_answer(question, prompt, text)
    return _read_answer(question, prompt, text)


def usual_answer(question: AnyQuestion, prompt: Prompt) -> str:
    """An answer of the length that is to be expected."""
    if isinstance(question, SetQuestion):
        return _usual_set_answer(question, prompt, _QUOTE)
    verdicts = [
        {"trait": name, "state": "judged", "quote": _QUOTE, "expressed": 2, "requested": 0} for name in question.names
    ]
    return json.dumps({"seal": prompt.seal, "addresses_judge": False, "verdicts": verdicts})
