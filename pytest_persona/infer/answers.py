"""What a chat judge answered: checked against its question, and against the signs that the text answered for it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_persona.infer.fence import clipped, plain
from pytest_persona.infer.prompt import CONTEXT_CHARACTERS, REPLY_CHARACTERS, Prompt, Question
from pytest_persona.infer.words import EXPRESSED_STEPS, QUOTE_CHARACTERS, REQUESTED_STEPS, STATES
from pytest_persona.model.verdicts import Verdict

__all__ = [
    "UnusableAnswer",
    "comparable",
    "excerpt",
    "need_step",
    "parsed",
    "read_answer",
    "short",
    "steering",
    "unproven",
    "verdicts_in",
]

_ANSWER = ("seal", "addresses_judge", "verdicts")
_VERDICT = ("trait", "state", "quote", "expressed", "requested")
_NEEDS_QUOTE = 2
"""Steps from 0 at which a score needs a passage that shows it."""
_ESCAPE = re.compile(r"<U\+[0-9A-F]{4,6}[^<>\n]{0,60}>")
_MARK = re.compile(r"^[0-9a-f]{4}\| ?", re.MULTILINE)
_ELLIPSIS = re.compile(r"[\[(]?(?:…|\.{3,})[\])]?")


class UnusableAnswer(ValueError):
    """An answer of the wrong form: asking again may bring a right one."""


def read_answer(question: Question, prompt: Prompt, text: str) -> dict[str, Verdict]:
    """The verdict on each trait of the question, by name; raises UnusableAnswer for an answer of the wrong form.

    ``expressed`` of a comparison is in [-1, 1], positive where the first reply shows more of the high pole. A verdict whose
    quote is not in the text is ``unreliable``. Where the answer does not bring the seal back, where the text tries to steer its
    judge, or where the judge says so, all verdicts are ``suspected-injection``, whichever way they point: a text may as well want
    a rival reply blackened, and who wants what the judge cannot know.
    """
    answer = parsed(text)
    seal = answer.get("seal")
    # Before the form: an answer that the text dictated is seldom of the right one, and asking again would not mend it.
    if isinstance(seal, str) and seal.strip().casefold() != prompt.seal:
        return _suspected(question, "the answer does not bring back the seal of its question")
    given = _given(answer, [trait.name for trait in question.traits])
    sign = _sign(question)
    if answer["addresses_judge"] and not sign:
        sign = "the judge says that it is addressed to it"
    if sign:
        return _suspected(question, f"the text tries to steer its judge: {sign}")
    shown, statement = [comparable(text) for text in prompt.texts], question.shown[0].is_statement
    return {trait.name: _verdict(given[trait.name], shown, statement=statement) for trait in question.traits}


def parsed(text: str) -> dict[str, Any]:
    """The one JSON object in a text, which servers without structured output fence or talk around."""
    start, end = text.find("{"), text.rfind("}")
    if start < 0:
        raise UnusableAnswer("the answer holds no JSON object")
    try:
        # An object, as it begins with a brace.
        answer: dict[str, Any] = json.loads(text[start : end + 1], object_pairs_hook=_distinct)
    except (ValueError, RecursionError) as error:
        raise UnusableAnswer(f"the answer is not one JSON object: {error}") from None
    return answer


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        raise ValueError("a key stands in it twice")
    return fields


def _given(answer: Mapping[str, Any], names: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """What is given for each trait, once and of the right types; raises UnusableAnswer."""
    given: dict[str, Mapping[str, Any]] = {}
    for said in verdicts_in(answer, _VERDICT):
        name = said["trait"]
        if name not in names or name in given:
            raise UnusableAnswer(f"a verdict is on {short(name)}, which was not asked, or was answered before")
        if said["state"] not in STATES or not isinstance(said["quote"], str):
            raise UnusableAnswer(f"{name}: state must be one of {', '.join(STATES)}, and quote a text")
        need_step(said, "expressed", -EXPRESSED_STEPS, EXPRESSED_STEPS, of=name)
        need_step(said, "requested", 0, REQUESTED_STEPS, of=name)
        given[name] = said
    if missing := [name for name in names if name not in given]:
        raise UnusableAnswer(f"there is no verdict on {', '.join(missing)}")
    return given


def verdicts_in(answer: Mapping[str, Any], keys: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """The verdicts of an answer, each with just these keys; raises UnusableAnswer for another form of it or of them."""
    _need_keys(answer, _ANSWER, "the answer")
    if not isinstance(answer["seal"], str) or not isinstance(answer["addresses_judge"], bool):
        raise UnusableAnswer("seal must be a text, and addresses_judge true or false")
    if not isinstance(answer["verdicts"], list):
        raise UnusableAnswer("verdicts must be a list")
    for said in answer["verdicts"]:
        if not isinstance(said, dict):
            raise UnusableAnswer("each verdict must be an object")
        _need_keys(said, keys, "a verdict")
        yield said


def _need_keys(fields: Mapping[str, Any], keys: Sequence[str], what: str) -> None:
    if set(fields) != set(keys):
        raise UnusableAnswer(f"{what} must have the keys {', '.join(keys)}; it has {short(', '.join(fields))}")


def need_step(said: Mapping[str, Any], key: str, low: int, high: int, *, of: str) -> None:
    """Raise UnusableAnswer, which speaks ``of`` something, for a value that is no whole number within its bounds."""
    value = said[key]
    # JSON's 2.0 is a whole number; Python's True is one too, but no score.
    if isinstance(value, bool) or value not in range(low, high + 1):
        raise UnusableAnswer(f"{of}: {key} is {short(value)}, not a whole number from {low} to {high}")


def short(value: object) -> str:
    """A value of an answer for an error: not all of it."""
    return repr(value)[:60]


def _sign(question: Question) -> str:
    """The first sign, in what was shown, of an attempt to steer the judge."""
    shown = [clipped(behaviour.reply, REPLY_CHARACTERS)[0] for behaviour in question.shown]
    shown += [clipped(turn.text, CONTEXT_CHARACTERS)[0] for turn in question.shown[0].context]
    return next(filter(None, map(steering, shown)), "")


def steering(text: str) -> str:
    """See :func:`pytest_persona.infer.steering.steering`, whose rules take 0.2 s to make: nobody who asks nothing waits for them."""
    from pytest_persona.infer import steering as rules

    return rules.steering(text)


def _suspected(question: Question, detail: str) -> dict[str, Verdict]:
    verdict = Verdict(expressed=None, reason="suspected-injection", detail=detail)
    return {trait.name: verdict for trait in question.traits}


def _verdict(said: Mapping[str, Any], shown: Sequence[str], *, statement: bool) -> Verdict:
    if said["state"] != "judged":
        return Verdict(expressed=None, reason=said["state"])
    quote, expressed = said["quote"], int(said["expressed"])
    if problem := unproven(quote, expressed, shown):
        return Verdict(expressed=None, reason="unreliable", detail=problem)
    return Verdict(
        expressed=expressed / EXPRESSED_STEPS,
        requested=0.0 if statement else said["requested"] / REQUESTED_STEPS,
        quote=excerpt(quote),
    )


def unproven(quote: str, steps: int, shown: Sequence[str]) -> str:
    """Why a quote does not stand for a score so many steps from 0, in words; empty where it does. ``shown`` are `comparable` texts."""
    pieces = _pieces(quote)
    if not pieces and abs(steps) >= _NEEDS_QUOTE:
        return "the judge quotes nothing that shows its score"
    if not any(_in_order(pieces, text) for text in shown):
        return f"the judge quotes what is not in the text: {short(quote)}"
    return ""


def excerpt(quote: str) -> str | None:
    """A quote on one line, without marks of ours; None where it says nothing."""
    return " ".join(_MARK.sub("", quote).split())[:QUOTE_CHARACTERS] if _pieces(quote) else None


def _pieces(quote: str) -> list[str]:
    return [piece for piece in map(comparable, _ELLIPSIS.split(quote)) if piece]


def comparable(text: str) -> str:
    """Without what a judge may change in copying: white space, case, the shape of quotation marks, marks and escapes of ours."""
    return plain(_ESCAPE.sub("", text)).strip("\"' ")


def _in_order(pieces: Sequence[str], text: str) -> bool:
    at = 0
    for piece in pieces:
        at = text.find(piece, at) + len(piece)
        if at < len(piece):
            return False
    return True
