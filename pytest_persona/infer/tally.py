"""What a product says of itself: answers to the items of a questionnaire, counted."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pytest_persona.infer.rate import upper_bound
from pytest_persona.model.probes import Tally

__all__ = ["answer_in", "tally"]

_WITHIN = 200
"""Characters in which an answer is looked for that does not come first."""


def answer_in(reply: str, answers: Sequence[str]) -> int | None:
    """Which of the answers a reply gives, by its place among them: the one it begins with, else the only one in its first words.

    None where it gives none, or more than one.
    """
    text = " ".join(reply.split()).lstrip("*_\"'`#> ")
    for index, answer in enumerate(answers):
        if _says(answer, text, begins=True):
            return index
    said = [index for index, answer in enumerate(answers) if _says(answer, text[:_WITHIN], begins=False)]
    return said[0] if len(said) == 1 else None


def tally(name: str, replies: Sequence[tuple[str, Sequence[str]]], *, failed: int, level: float) -> Tally:
    """Counts over replies, each with the answer that matches and the one that does not; ``failed`` items have no reply."""
    given = [answer_in(reply, answers) for reply, answers in replies]
    matching, other = given.count(0), given.count(1)
    clear, side = matching + other, (1.0 + level) / 2.0
    return Tally(
        name=name,
        matching=matching,
        other=other,
        unclear=given.count(None),
        failed=failed,
        low=1.0 - upper_bound(other, clear, side) if clear else None,
        high=upper_bound(matching, clear, side) if clear else None,
        level=level,
    )


def _says(answer: str, text: str, *, begins: bool) -> bool:
    word = rf"(?<!\w){re.escape(answer.strip())}(?!\w)"
    found = re.match(word, text, re.IGNORECASE) if begins else re.search(word, text, re.IGNORECASE)
    return found is not None
