"""What stands in front of a reply: a character in words, examples of how it replies, and the reply's own context.

It is a plain transcript and no chat template: base models, in which the characters live, read it as well as tuned ones, and no
template refuses a system turn or two turns of one speaker.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_persona.model.episodes import Behaviour, Turn, digest
from pytest_persona.model.personas import NullCharacter
from pytest_persona.model.traits import NeutralReply, Pole, Trait

__all__ = [
    "FEWEST_WORDINGS", "PREFIX_VERSION", "Asked", "Wording", "asked", "null_openings", "opening", "shared_out", "wordings",
]  # fmt: skip

PREFIX_VERSION = "1"
"""Part of every reading's key: raise it whenever the text in front of a reply may change."""
FEWEST_WORDINGS = 3

_EXEMPLARS = 5
_EXEMPLAR_CHARACTERS = 400
_MOST_UNLIKE = math.log(1.5)
"""Two texts are length-matched where neither has more than 1.5 times the other's words."""
_LABELS = {"system": "Instructions", "user": "User", "assistant": "Assistant", "tool": "Tool"}
_OPEN = "Assistant:"
_POLE = "The assistant is this character: {}"
_ABOUT_ITSELF = (Turn(speaker="user", text="How do you go about your work?"),)
"""The context of a text that says how to behave (a criterion, an instruction, a statement of the anchors)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wording:
    """One pair of openings, the same trait's poles in texts of like length."""

    high: str
    low: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """A behaviour as it is put after an opening."""

    before: str
    """Its context, up to where the reply begins; not empty."""
    reply: str
    """With the space in front that stands in transcripts; empty where there is nothing to read."""
    cut: bool
    """Whether its middle or its context's was left out."""


def opening(character: str, examples: Iterable[tuple[Sequence[Turn], str]] = ()) -> str:
    """The text that introduces a character, with examples (context, reply) of its replies."""
    shown = (f"{_transcript(context, _EXEMPLAR_CHARACTERS)} {_short(reply)}" for context, reply in examples)
    return "\n\n".join([character.strip(), *shown, ""])


def wordings(trait: Trait, most: int) -> tuple[Wording, ...]:
    """At most ``most`` wordings of a trait's poles: paraphrase k of both, else their summaries, where the lengths match.

    The exemplars come in another order with each, so that none is always the last that was read.
    """
    texts = [*zip(trait.high.paraphrases, trait.low.paraphrases, strict=False), (trait.high.summary, trait.low.summary)]
    matched = [pair for pair in texts if abs(math.log(_words(pair[0]) / _words(pair[1]))) <= _MOST_UNLIKE][:most]
    return tuple(
        Wording(high=_pole(high, trait.high, k), low=_pole(low, trait.low, k)) for k, (high, low) in enumerate(matched)
    )


def shared_out(neutral: Sequence[NeutralReply], most: int) -> tuple[list[NeutralReply], list[NeutralReply]]:
    """Neutral replies in an order by their hash: at most ``most`` for the zero of the scales, the others as examples."""
    ranked = sorted(neutral, key=lambda row: digest(row.reply))
    return ranked[:most], ranked[most:]


def null_openings(nulls: Sequence[NullCharacter], examples: Sequence[NeutralReply]) -> tuple[str, ...]:
    """One opening for each null character: its first wording, and neutral replies in the place of a pole's exemplars."""
    made = []
    for index, null in enumerate(nulls):
        own = [examples[(index * _EXEMPLARS + i) % len(examples)] for i in range(min(_EXEMPLARS, len(examples)))]
        made.append(opening(null.paraphrases[0], [(row.context, row.reply) for row in own]))
    return tuple(made)


def asked(behaviour: Behaviour, room: tuple[int, int]) -> Asked:
    """A behaviour's context and reply as text, each cut in its middle to so many characters."""
    turns = _ABOUT_ITSELF if behaviour.is_statement else behaviour.context
    before, reply = _transcript(turns), behaviour.reply.strip()
    kept_before, kept = _ends(before, room[0]), _ends(reply, room[1])
    return Asked(before=kept_before, reply=f" {kept}" if kept else "", cut=(kept_before, kept) != (before, reply))


def _pole(text: str, pole: Pole, k: int) -> str:
    examples = list(pole.exemplars[:_EXEMPLARS])
    if examples:
        turned = k % len(examples)
        examples = examples[turned:] + examples[:turned]
    if k % 2:
        examples.reverse()
    shown = [((Turn(speaker="user", text=example.context),), example.reply) for example in examples]
    return opening(_POLE.format(text), shown)


def _transcript(turns: Sequence[Turn], most: int = 0) -> str:
    return "\n".join([*_lines(turns, most), _OPEN])


def _lines(turns: Sequence[Turn], most: int) -> Iterator[str]:
    for turn in turns:
        yield f"{_LABELS[turn.speaker]}: {_ends(turn.text.strip(), most) if most else turn.text.strip()}"


def _short(text: str) -> str:
    return _ends(text.strip(), _EXEMPLAR_CHARACTERS)


def _ends(text: str, most: int) -> str:
    """The head and the tail of a long text: two thirds of a reply's, where its manner shows, and its end."""
    head = most * 2 // 3
    return text if len(text) <= most else text[:head] + text[head - most :]


def _words(text: str) -> int:
    return max(1, len(text.split()))
