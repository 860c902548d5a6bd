"""What a chat judge is asked: one behaviour, or two, and a few traits; in the words of `words`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from pytest_persona.infer.fence import clipped, neutralised
from pytest_persona.infer.words import (
    ASKED,
    EXPRESSED_STEPS,
    OMITTED,
    PROMPT_VERSION,
    REQUESTED_STEPS,
    SHARED,
    STATES,
    Task,
)
from pytest_persona.model.episodes import Behaviour, Turn, digest
from pytest_persona.model.traits import Pole, Trait

__all__ = [
    "CONTEXT_CHARACTERS", "MOST_TRAITS", "PROMPT_VERSION", "REPLY_CHARACTERS", "Prompt", "Question", "closed", "context_blocks",
    "fenced", "part_key", "prompt_of", "questions", "seal_of",
]  # fmt: skip

MOST_TRAITS = 5
"""Traits in one question: with more of them, judges read each with less care."""
CONTEXT_CHARACTERS = 12_000
"""Characters of a context that are shown, over all its turns."""
REPLY_CHARACTERS = 16_000
"""Characters of a reply that are shown."""

_SYSTEM_CHARACTERS = 3_000
"""Of the context's, those kept for an opening system prompt: it assigns the role, which ``requested`` is about."""
_LEAST_CHARACTERS = 200
"""A longer turn of which fewer would be shown is left out whole."""
_TURN_CHARACTERS = 40
"""What a shorter turn counts, so that a thousand empty ones are not all shown."""
_MOST_EXEMPLARS = 3

_LABELS: dict[Task, tuple[str, ...]] = {
    "reply": ("reply",),
    "statement": ("statement",),
    "comparison": ("first reply (A)", "second reply (B)"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Question:
    """One request to a judge: one behaviour, or two replies to one context to compare, and up to a few traits.

    Raises ValueError for other numbers of behaviours, for two contexts, and for statements to compare.
    """

    shown: tuple[Behaviour, ...]
    """In the order shown."""
    traits: tuple[Trait, ...]
    """In the order asked."""

    def __post_init__(self) -> None:
        if len(self.shown) not in (1, 2):
            raise ValueError(f"{len(self.shown)} behaviours: a question shows one, or two to compare")
        if len(self.shown) == 2 and self.shown[0].context != self.shown[1].context:
            raise ValueError("replies to different contexts cannot be compared")
        if len(self.shown) == 2 and any(behaviour.is_statement for behaviour in self.shown):
            raise ValueError("statements cannot be compared, only replies")

    @property
    def key(self) -> str:
        """A hash of what is asked: the texts in the order shown and the set of traits; nothing else."""
        return digest("question", *(part for _, part in sorted(self.parts.items())))

    @property
    def parts(self) -> dict[str, str]:
        """The key of each verdict that the answer holds, by trait name."""
        return {trait.name: part_key(self.shown, trait) for trait in self.traits}

    @property
    def names(self) -> tuple[str, ...]:
        """What its answer holds a verdict on."""
        return tuple(trait.name for trait in self.traits)

    def only(self, names: Collection[str]) -> Question:
        """The same of some traits alone."""
        return replace(self, traits=tuple(trait for trait in self.traits if trait.name in names))


@dataclass(frozen=True, kw_only=True, slots=True)
class Prompt:
    """A question in words."""

    shared: str
    """Instructions, scale and traits: the same for every question of one task on the same traits (prompt cache)."""
    asked: str
    """The texts between their fences, the order of the traits, the seal: all that differs between questions."""
    schema: dict[str, Any]
    """JSON Schema of the answer: the same for every question on the same traits."""
    seal: str
    """A code that the answer must bring back; it cannot be known to an answer that the judged text dictates."""
    texts: tuple[str, ...]
    """The judged replies as shown, for checking quotes."""
    cut: bool
    """Whether the context or a reply was too long and was shown in part."""
    most_tokens: int
    """Output tokens that are ample for an answer."""


def part_key(shown: Sequence[Behaviour], trait: Trait) -> str:
    """What one verdict is an answer to: a hash of prompt version, texts in the order shown, and the trait."""
    task = "read" if len(shown) == 1 else "compare"
    parts = (PROMPT_VERSION, task, *(behaviour.key for behaviour in shown), trait.sha256)
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]  # of hashes: none of them has the mark in it


def questions(shown: Sequence[Behaviour], traits: Sequence[Trait], *, isolated: bool = False) -> list[Question]:
    """The questions that ask each trait once, by name in balanced groups of at most `MOST_TRAITS` (isolated: of one).

    The groups depend on the names alone, so that all behaviours share them. The order within a group is drawn by a
    hash of its names and texts; two replies in turned-round order get the same one.
    """
    by_name = sorted({trait.name: trait for trait in traits}.values(), key=lambda trait: trait.name)
    count = -(-len(by_name) // (1 if isolated else MOST_TRAITS))
    texts = sorted(behaviour.key for behaviour in shown)
    asked = []
    for index in range(count):
        group = by_name[index * len(by_name) // count : (index + 1) * len(by_name) // count]
        seed = digest(*texts, *(trait.name for trait in group))
        order = sorted(group, key=lambda trait: digest(seed, trait.name))
        asked.append(Question(shown=tuple(shown), traits=tuple(order)))
    return asked


def prompt_of(question: Question, *, fence: str) -> Prompt:
    """The question in words; ``fence`` is a code of random hexadecimal digits, fresh for each question."""
    task: Task = "reply"
    if len(question.shown) == 2:
        task = "comparison"
    elif question.shown[0].is_statement:
        task = "statement"
    traits = sorted(question.traits, key=lambda trait: trait.name)
    seal = seal_of(fence)
    blocks, cut = context_blocks(question.shown[0].context, fence)
    texts = []
    for label, behaviour in zip(_LABELS[task], question.shown, strict=True):
        text, shortened = clipped(behaviour.reply, REPLY_CHARACTERS)
        texts.append(neutralised(text, fence))
        blocks.append(fenced(label, texts[-1], fence))
        cut = cut or shortened
    order = ", ".join(trait.name for trait in question.traits)
    return Prompt(
        shared="\n\n".join([SHARED[task], *(_described(t.name, t.definition, t.high, t.low) for t in traits)]),
        asked=ASKED.format(fence=fence, material="\n\n".join(blocks), order=order, seal=seal),
        schema=_schema([trait.name for trait in traits]),
        seal=seal,
        texts=tuple(texts),
        cut=cut,
        most_tokens=256 * (1 + len(traits)),
    )


def seal_of(fence: str) -> str:
    """The code that an answer must bring back."""
    return hashlib.sha256(f"seal|{fence}".encode()).hexdigest()[:16]


def context_blocks(
    turns: Sequence[Turn], fence: str, *, room: int = CONTEXT_CHARACTERS, of: str = ""
) -> tuple[list[str], bool]:
    """The turns between their fences, an opening system prompt and the last ones first, and whether anything is missing.

    They get ``room`` characters, and labels that begin with ``of``.
    """
    most = room * _SYSTEM_CHARACTERS // CONTEXT_CHARACTERS
    reserved = min(len(turns[0].text), most) if turns and turns[0].speaker == "system" else 0
    left = room - reserved
    blocks: list[str] = []
    omitted, cut = 0, False
    for index in reversed(range(len(turns))):
        turn = turns[index]
        own = left if index else left + reserved
        if own < max(1, min(len(turn.text), _LEAST_CHARACTERS)):
            left, omitted = 0, omitted + 1
            continue
        if omitted:
            blocks.append(OMITTED.format(omitted))
        text, shortened = clipped(turn.text, own)
        label = f"{of}turn {index + 1} of {len(turns)}: {turn.speaker}"
        blocks.append(fenced(label, neutralised(text, fence), fence))
        left = max(0, left - max(len(turn.text), _TURN_CHARACTERS))
        cut = cut or shortened or omitted > 0
        omitted = 0
    if omitted:
        blocks.append(OMITTED.format(omitted))
    return blocks[::-1], cut or omitted > 0


def fenced(label: str, text: str, fence: str) -> str:
    """Material between its two lines; the text is neutralised before."""
    return f"[{fence} begin {label}]\n{text}\n[{fence} end {label}]"


# Kept, as every question on a trait needs it: it would be a third of the time that a prompt takes.
@lru_cache(maxsize=1024)
def _described(name: str, definition: str, high: Pole, low: Pole) -> str:
    """A trait for the judge; which pole is unwanted is not said."""
    lines = [f"## {name}", definition]
    for end, pole in (("High", high), ("Low", low)):
        lines.append(f"{end} pole: {pole.summary}")
        for exemplar in pole.exemplars[:_MOST_EXEMPLARS]:
            # As JSON strings, so that no line of theirs can be taken for one of ours.
            context, reply = (json.dumps(text, ensure_ascii=False) for text in (exemplar.context, exemplar.reply))
            lines.append(f"- to {context} it replies {reply}")
    return "\n".join(lines)


def _schema(names: list[str]) -> dict[str, Any]:
    """Only keywords that vendors' structured output knows: counts and bounds are left to `answers.read_answer`."""
    verdict = {
        "trait": {"type": "string", "enum": names},
        "state": {"type": "string", "enum": list(STATES)},
        # The evidence before the scores: a model writes in this order, and what it has written guides what follows.
        "quote": {"type": "string"},
        "expressed": {"type": "integer", "enum": list(range(-EXPRESSED_STEPS, EXPRESSED_STEPS + 1))},
        "requested": {"type": "integer", "enum": list(range(REQUESTED_STEPS + 1))},
    }
    answer = {
        "seal": {"type": "string"},
        "addresses_judge": {"type": "boolean"},
        "verdicts": {"type": "array", "items": closed(verdict)},
    }
    return closed(answer)


def closed(properties: dict[str, Any]) -> dict[str, Any]:
    """A JSON Schema of an object that has just these properties, all of them."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
