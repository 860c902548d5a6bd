"""The arms of an inoculation experiment: the same replies, with a text put into the context before them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from pytest_persona.infer.plan import order_groups
from pytest_persona.model.episodes import Behaviour, Episode, Turn
from pytest_persona.model.inoculation import Place

__all__ = [
    "answered_turns",
    "in_turn",
    "made_lookalike",
    "made_opposite",
    "placebo_pools",
    "system_turn",
    "treated",
    "treated_episode",
]

_MOST_PLACEBOS = 8
"""More than these tell little more about how irrelevant texts differ."""
_FEWEST_PLACEBOS = 5
"""With fewer there is no telling how they differ."""
_LIKE = 1.2
"""Requests are of like length where the longer has at most this many times the words of the shorter."""

_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_NEAR = 0.2
"""A text is of the length of another where it has at most this share of words more or fewer."""
_TOOLS = "[tools"
"""How the label of a row's tools begins, which stands in a system turn of its own and is no text of anybody's."""


def treated(behaviour: Behaviour, text: str, place: Place) -> Behaviour:
    """The behaviour with a text in its context and everything else as it is; nothing in it tells which arm it is of.

    ``system`` puts it before the text of the system turn, or as one; ``user`` as a paragraph before the last user turn's,
    or, where no user speaks, as ``system`` does.
    """
    answered = answered_turns([behaviour])
    return replace(behaviour, context=_with(behaviour.context, text, place, answered))


def treated_episode(episode: Episode, text: str, place: Place) -> Episode:
    """The episode with a text in the context of each of its behaviours, as one row can hold it.

    Where the behaviours answer one another in one dialogue, every user turn that one of them answers carries the text, in the
    contexts of the later ones too. With one context it is :func:`treated` for each behaviour.
    """
    answered = answered_turns(episode.behaviours)
    return replace(
        episode,
        behaviours=tuple(replace(b, context=_with(b.context, text, place, answered)) for b in episode.behaviours),
    )


def answered_turns(behaviours: Iterable[Behaviour]) -> frozenset[int]:
    """Indices of the last user turn before each behaviour; none where a behaviour has no user turn before it."""
    last = [max((i for i, turn in enumerate(b.context) if turn.speaker == "user"), default=-1) for b in behaviours]
    return frozenset() if -1 in last else frozenset(last)


def system_turn(context: Sequence[Turn]) -> int | None:
    """The index of the system turn that opens a dialogue; None where there is none but the label of its tools."""
    for index, turn in enumerate(context):
        if turn.speaker != "system":
            return None
        if not turn.text.startswith(_TOOLS):
            return index
    return None


def _with(context: tuple[Turn, ...], text: str, place: Place, answered: frozenset[int]) -> tuple[Turn, ...]:
    turns = list(context)
    if place == "user" and answered:
        for index in answered:
            if index < len(turns):
                turns[index] = _led(turns[index], text)
        return tuple(turns)
    system = system_turn(context)
    if system is None:
        labels = next((i for i, turn in enumerate(context) if turn.speaker != "system"), len(context))
        turns.insert(labels, Turn(speaker="system", text=text))
    else:
        turns[system] = _led(turns[system], text)
    return tuple(turns)


def _led(turn: Turn, text: str) -> Turn:
    return replace(turn, text=f"{text}\n\n{turn.text}" if turn.text.strip() else text)


def in_turn(groups: Iterable[str], seed: int) -> Mapping[str, int]:
    """A number for each group, counting in the seed's order: texts are used in turn by it, whatever the file's order.

    The first so many groups of that order, which a sample is made of, have the numbers that they have in the whole file.
    """
    return {group: number for number, group in enumerate(order_groups(groups, seed))}


def placebo_pools(requests: Sequence[str], placebos: Sequence[str]) -> list[tuple[str, ...]]:
    """For each request, distinct irrelevant texts of its length; phrasings of like length share theirs.

    Few texts that are read often tell more about what an irrelevant text does than many that are read once.
    """
    lengths = sorted(len(request.split()) for request in requests)
    classes: list[list[int]] = []
    for length in lengths:
        if classes and length <= _LIKE * classes[-1][0]:
            classes[-1].append(length)
        else:
            classes.append([length])
    pools = {length: _texts_of(members[len(members) // 2], placebos) for members in classes for length in members}
    return [pools[len(request.split())] for request in requests]


def _texts_of(wanted: int, placebos: Sequence[str]) -> tuple[str, ...]:
    """At most 8 texts of so many words, those nearest in length first.

    One within a fifth of that length is taken as it is. Others are put together of the sentences of the remaining ones, as long as
    there are some that no other text has used, and cut after a word. For a request longer than a fifth of all their words they stay
    shorter than it.
    """
    wanted = max(1, min(wanted, sum(len(one.split()) for one in placebos) // _FEWEST_PLACEBOS))
    ranked = sorted(dict.fromkeys(placebos), key=lambda one: (abs(len(one.split()) - wanted), one))
    near = [one for one in ranked if abs(len(one.split()) - wanted) <= max(1.0, _NEAR * wanted)][:_MOST_PLACEBOS]
    rest = [sentence for one in ranked if one not in near for sentence in _SENTENCE.split(one.strip())]
    made = list(near)
    spent = [sentence for one in near for sentence in _SENTENCE.split(one.strip())]
    while rest and len(made) < _MOST_PLACEBOS:
        words: list[str] = []
        own: list[str] = []
        while rest and len(words) < wanted:
            own.append(rest.pop(0))
            words += own[-1].split()
        for sentence in spent:
            if len(words) >= wanted:
                break
            words += sentence.split()
        spent += own
        made.append(_ended(words[:wanted]))
    return tuple(dict.fromkeys(made))


def made_opposite(request: str) -> str:
    """The contrary of a request, where nobody wrote one."""
    return f"Do not do what the following sentence asks for, and do the contrary of it: {request}"


def made_lookalike(request: str) -> str:
    """What looks like a request and asks for nothing, where nobody wrote one."""
    return f"For the record only, a line from an earlier and unrelated conversation: {request}"


def _ended(words: Sequence[str]) -> str:
    text = " ".join(words)
    return text if text.endswith((".", "!", "?")) else text.rstrip(",;:") + "."
