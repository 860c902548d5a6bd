"""Behaviours without a verdict: how many are too many, and what to say of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from pytest_persona.model.episodes import Behaviour, Episode
from pytest_persona.model.verdicts import Reason, Verdict

__all__ = ["consistency", "notes", "too_many_lost"]

_LOST: frozenset[Reason | None] = frozenset(
    ("declined", "unparsable", "unreliable", "suspected-injection", "failed", "missing")
)
"""Verdicts that a better judge would have given: which rows lack them may have to do with what they say."""
_MOST_LOST = 0.10
_WORDS: dict[Reason | None, str] = {
    "declined": "the judge declined",
    "unparsable": "the judge's answer was of the wrong form",
    "unreliable": "the judge quoted what is not there",
    "inconsistent": "the judge contradicted itself when the order was turned round",
    "suspected-injection": "the text may steer the judge",
    "failed": "asking failed",
    "missing": "not asked",
}
_PLACES = 10


def too_many_lost(verdicts: Sequence[Verdict]) -> str:
    """Why so many lost verdicts leave a trait undecided, in words; empty where at most one in ten is lost.

    A verdict that a plugin's choice left out is not lost, nor one on a reply that says nothing (a refusal, an empty one).
    """
    asked = [verdict for verdict in verdicts if verdict.reason != "missing" or verdict.detail]
    lost = sum(verdict.reason in _LOST for verdict in asked)
    if lost <= _MOST_LOST * len(asked):
        return ""
    return f"{lost} of {len(asked)} verdicts are lost, which is more than {_MOST_LOST:.0%}"


def consistency(verdicts: Sequence[Verdict]) -> float | None:
    """Share of compared pairs on which both orders agreed, in [0, 1]; None where none was answered twice.

    Both replies of a pair carry its verdict, so that shares over verdicts are shares over pairs.
    """
    answered = [v for v in verdicts if v.expressed is not None or v.reason == "inconsistent"]
    if not answered:
        return None
    return sum(verdict.expressed is not None for verdict in answered) / len(answered)


def notes(places: Sequence[tuple[Episode, Behaviour]], verdicts: Sequence[Sequence[Verdict]]) -> Iterator[str]:
    """One line a reason with the rows that it befell; ``verdicts`` are those of the wanted traits for each place."""
    rows: dict[tuple[Reason, str], list[str]] = defaultdict(list)
    examples: dict[tuple[Reason, str], str] = {}
    for (episode, _), row in zip(places, verdicts, strict=True):
        for verdict in row:
            reason, detail = verdict.reason, verdict.detail
            if reason is None or reason not in _WORDS or (reason == "missing" and not detail):
                continue
            # What goes wrong is put in other words each time (after so many seconds, quoting so and so); why nobody asked is not.
            kind = (reason, detail if reason == "missing" else "")
            rows[kind].append(f"{episode.source}:{episode.line}")
            examples.setdefault(kind, detail)
    for kind, places_of_kind in rows.items():
        found = list(dict.fromkeys(places_of_kind))
        shown = ", ".join(found[:_PLACES]) + (f" and {len(found) - _PLACES} more" if len(found) > _PLACES else "")
        words = ": ".join(filter(None, (_WORDS[kind[0]], examples[kind])))
        yield f"{len(found)} {'row' if len(found) == 1 else 'rows'} without a verdict ({words}): {shown}"
