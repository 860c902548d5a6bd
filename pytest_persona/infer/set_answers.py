"""What a chat judge answered about a set: checked against its question as the answers about single texts are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_persona.infer.answers import (
    UnusableAnswer,
    comparable,
    excerpt,
    need_step,
    parsed,
    short,
    steering,
    unproven,
    verdicts_in,
)
from pytest_persona.infer.prompt import Prompt
from pytest_persona.infer.set_prompt import SetQuestion
from pytest_persona.infer.set_words import FIT_STEPS
from pytest_persona.model.verdicts import Verdict

__all__ = ["read_set_answer"]

_VERDICT = ("character", "quote", "fit")


def read_set_answer(question: SetQuestion, prompt: Prompt, text: str) -> dict[str, Verdict]:
    """The verdict on each character of the question, by name; raises UnusableAnswer for an answer of the wrong form.

    ``expressed`` is the fit in [-1, 1]; of two sets, how much better the first fits. A verdict whose quote is in none of the texts
    is ``unreliable``. Where the answer does not bring the seal back, where a text tries to steer its judge, or where the judge says
    so, all verdicts are ``suspected-injection``.
    """
    answer = parsed(text)
    seal = answer.get("seal")
    if isinstance(seal, str) and seal.strip().casefold() != prompt.seal:
        return _suspected(question, "the answer does not bring back the seal of its question")
    given = _given(answer, question)
    sign = _sign(question)
    if answer["addresses_judge"] and not sign:
        sign = "the judge says that one of them is addressed to it"
    if sign:
        return _suspected(question, f"the texts try to steer their judge: {sign}")
    shown = [comparable(one) for one in prompt.texts]
    return {name: _verdict(given[name], shown) for name in question.names}


def _given(answer: Mapping[str, Any], question: SetQuestion) -> dict[str, Mapping[str, Any]]:
    """What is given for each character, once and of the right types; raises UnusableAnswer."""
    given: dict[str, Mapping[str, Any]] = {}
    for said in verdicts_in(answer, _VERDICT):
        number = said["character"]
        if isinstance(number, bool) or number not in range(1, len(question.sketches) + 1):
            raise UnusableAnswer(f"a verdict is on character {short(number)}, and there is no such number")
        name = question.sketches[int(number) - 1].name
        if name in given:
            raise UnusableAnswer(f"two verdicts are on character {number}")
        if not isinstance(said["quote"], str):
            raise UnusableAnswer(f"character {number}: quote must be a text")
        need_step(said, "fit", -FIT_STEPS, FIT_STEPS, of=f"character {number}")
        given[name] = said
    missing = [str(i) for i, sketch in enumerate(question.sketches, start=1) if sketch.name not in given]
    if missing:
        raise UnusableAnswer(f"there is no verdict on character {', '.join(missing[:5])}")
    return given


def _verdict(said: Mapping[str, Any], shown: list[str]) -> Verdict:
    quote, fit = said["quote"], int(said["fit"])
    if problem := unproven(quote, fit, shown):
        return Verdict(expressed=None, reason="unreliable", detail=problem)
    return Verdict(expressed=fit / FIT_STEPS, quote=excerpt(quote))


def _sign(question: SetQuestion) -> str:
    texts = (text for shown in question.sets for one in shown for text in (one.reply, *(t.text for t in one.context)))
    return next(filter(None, map(steering, texts)), "")


def _suspected(question: SetQuestion, detail: str) -> dict[str, Verdict]:
    verdict = Verdict(expressed=None, reason="suspected-injection", detail=detail)
    return dict.fromkeys(question.names, verdict)
