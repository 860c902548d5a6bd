"""What a chat judge is asked about many texts at once: how well they fit each of some characters; in the words of `set_words`."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pytest_persona.infer.fence import clipped, neutralised
from pytest_persona.infer.plan import order_key
from pytest_persona.infer.prompt import Prompt, closed, context_blocks, fenced, seal_of
from pytest_persona.infer.samples import Pick
from pytest_persona.infer.set_words import FIT_STEPS, SET_ASKED, SET_PROMPT_VERSION, SET_SHARED, SetTask
from pytest_persona.model.episodes import Behaviour, digest
from pytest_persona.model.personas import Cast

__all__ = ["SET_CHARACTERS", "SetQuestion", "Sketch", "set_prompt", "set_question", "usual_answer"]

SET_CHARACTERS = 64_000
"""Characters that all texts of a question are shown in, some 16,000 tokens."""
_MOST_OF_ONE = 4_000
_CONTEXT_SHARE = 3
"""A text's context gets one part in so many of what the text gets."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Sketch:
    """A character as a judge is told of it: its name is not said."""

    name: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class SetQuestion:
    """One request to a judge: one set of texts, or two to compare, and some characters.

    Raises ValueError for another number of sets, an empty one, and statements to compare.
    """

    sets: tuple[tuple[Behaviour, ...], ...]
    """In the order shown."""
    sketches: tuple[Sketch, ...]
    """In the order asked; all of them are shown, whichever are answered for."""
    names: tuple[str, ...]
    """The characters that its answer holds a verdict on."""

    def __post_init__(self) -> None:
        if len(self.sets) not in (1, 2) or not all(self.sets):
            raise ValueError("a question shows one set of texts, or two to compare, and none is empty")
        if len(self.sets) == 2 and self.is_of_statements:
            raise ValueError("statements cannot be compared, only replies")

    @property
    def is_of_statements(self) -> bool:
        """Whether the texts say how to behave instead of being behaviours."""
        return self.sets[0][0].is_statement

    @property
    def key(self) -> str:
        """A hash of what is asked."""
        return digest("set question", *(part for _, part in sorted(self.parts.items())))

    @property
    def parts(self) -> dict[str, str]:
        """The key of each verdict that the answer holds, by character.

        It is a hash of prompt version, texts in the order shown, all characters in the order asked, and the character's number.
        """
        shown = [part for texts in self.sets for part in ("set", *(text.key for text in texts))]
        shared = digest(SET_PROMPT_VERSION, *shown, "characters", *(sketch.text for sketch in self.sketches))
        return {
            one.name: digest(shared, str(i)) for i, one in enumerate(self.sketches, start=1) if one.name in self.names
        }

    def only(self, names: Collection[str]) -> SetQuestion:
        """The same with verdicts on some characters alone; it is asked as it was, as each is judged beside the others."""
        return replace(self, names=tuple(name for name in self.names if name in names))


def set_question(picks: Sequence[Pick], cast: Cast, *, number: int, seed: int) -> tuple[SetQuestion, int]:
    """The question that shows a sample, and the sign by which its scores speak of what is reinforced.

    Sample ``number``, from 0, is told of wording ``number`` of every character. Whether what is reinforced comes first is drawn for
    the first sample and turned round with each further one. Texts and characters come in orders of the seed.
    """
    ordered = sorted(picks, key=lambda one: order_key(f"{number}|text|{one.group}", seed))
    sketches = (
        Sketch(name=one.name, text=one.paraphrases[number % len(one.paraphrases)].strip()) for one in cast.everyone
    )
    asked = tuple(sorted(sketches, key=lambda sketch: order_key(f"{number}|character|{sketch.name}", seed)))
    plus = tuple(one.plus for one in ordered)
    minus = tuple(one.minus for one in ordered if one.minus is not None)
    sets, sign = (plus, minus) if minus else (plus,), 1
    if minus and (int(order_key("place", seed), 16) + number) % 2:
        sets, sign = (minus, plus), -1
    return SetQuestion(sets=sets, sketches=asked, names=tuple(sketch.name for sketch in asked)), sign


def set_prompt(question: SetQuestion, *, fence: str) -> Prompt:
    """The question in words; see :func:`pytest_persona.infer.prompt.prompt_of`."""
    task: SetTask = "statements" if question.is_of_statements else "replies"
    if len(question.sets) == 2:
        task = "two sets"
    seal, count = seal_of(fence), len(question.sketches)
    room = min(_MOST_OF_ONE, SET_CHARACTERS // sum(map(len, question.sets)))
    blocks: list[str] = []
    texts: list[str] = []
    cut = False
    for name, shown in zip("AB", question.sets, strict=False):
        for number, behaviour in enumerate(shown, start=1):
            label = f"{name if len(question.sets) == 2 else 'text '}{number}"
            before, shortened = context_blocks(behaviour.context, fence, room=room // _CONTEXT_SHARE, of=f"{label}, ")
            text, clipped_too = clipped(behaviour.reply, room - room // _CONTEXT_SHARE)
            texts.append(neutralised(text, fence))
            noun = "statement" if behaviour.is_statement else "reply"
            blocks += [*before, fenced(f"{label}: {noun}", texts[-1], fence)]
            cut = cut or shortened or clipped_too
    described = "\n".join(
        f"{i}. {' '.join(sketch.text.split())}" for i, sketch in enumerate(question.sketches, start=1)
    )
    material = "\n\n".join(blocks)
    return Prompt(
        shared=SET_SHARED[task],
        asked=SET_ASKED.format(fence=fence, material=material, characters=described, count=count, seal=seal),
        schema=_schema(count),
        seal=seal,
        texts=tuple(texts),
        cut=cut,
        most_tokens=512 + 128 * count,
    )


def usual_answer(question: SetQuestion, prompt: Prompt, quote: str) -> str:
    """An answer of the length that is to be expected: every third character has a quote."""
    verdicts = [
        {"character": i, "quote": "" if i % 3 else quote, "fit": 0} for i in range(1, len(question.sketches) + 1)
    ]
    return json.dumps({"seal": prompt.seal, "addresses_judge": False, "verdicts": verdicts})


def _schema(count: int) -> dict[str, Any]:
    """Only keywords that vendors' structured output knows."""
    verdict = {
        "character": {"type": "integer", "enum": list(range(1, count + 1))},
        # The evidence before the score: a model writes in this order.
        "quote": {"type": "string"},
        "fit": {"type": "integer", "enum": list(range(-FIT_STEPS, FIT_STEPS + 1))},
    }
    answer = {
        "seal": {"type": "string"},
        "addresses_judge": {"type": "boolean"},
        "verdicts": {"type": "array", "items": closed(verdict)},
    }
    return closed(answer)
