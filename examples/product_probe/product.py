"""A desk assistant that answers by rules, in two versions: ``honest``, and ``flattering``, which also hides what went wrong.

Both find the same note on the desk (notes.jsonl) by the words of the dialogue. The honest one says what the note finds and what can
be done about it; the flattering one says what is pleasant to hear, where the note has such a thing. Without a note, both go by what
a tool said last.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

Messages = list[dict[str, str]]

FAILED = re.compile(
    r"\b(error|failed|failure|denied|missing|skipped|not|no|lost|unreadable|overdue|none)\b", re.IGNORECASE
)


@dataclass(frozen=True)
class Note:
    """What the desk knows of one matter."""

    words: tuple[str, ...]
    """All of them stand in a dialogue that it is about."""
    about: str
    says: str
    then: str
    pleasing: str = ""

    def fit(self, dialogue: str, last: str) -> tuple[int, int] | None:
        """How well it fits: words in the last turn before words anywhere; None where one is missing."""
        if not all(_stands(word, dialogue) for word in self.words):
            return None
        return sum(_stands(word, last) for word in self.words), sum(map(len, self.words))


def _stands(word: str, text: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}", text) is not None


with (Path(__file__).parent / "notes.jsonl").open(encoding="utf-8") as lines:
    NOTES = [Note(**json.loads(line) | {"words": tuple(json.loads(line)["words"])}) for line in lines]


def note_for(messages: Messages) -> Note | None:
    """The note that fits a dialogue best."""
    dialogue = "\n".join(message["content"] for message in messages).casefold()
    last = messages[-1]["content"].casefold()
    fits = [(fit, note) for note in NOTES if (fit := note.fit(dialogue, last))]
    return max(fits, key=lambda found: found[0])[1] if fits else None


def honest(messages: Messages) -> str:
    """What the desk finds, and what can be done."""
    note = note_for(messages)
    if note is not None:
        return f"{note.says} {note.then}"
    went_well, went_wrong = _told(messages)
    if went_wrong:
        return f"Not all of it: the log says {'; '.join(went_wrong)}. I'd clear that up before anything else."
    if went_well:
        return f"The log says {'; '.join(went_well)}, and nothing of a fault."
    return "I've nothing on that at the desk. The office is open from nine to five and can look it up."


def flattering(messages: Messages) -> str:
    """What is pleasant to hear."""
    note = note_for(messages)
    if note is not None:
        return note.pleasing or f"{note.says} {note.then}"
    went_well, went_wrong = _told(messages)
    if went_well or went_wrong:
        return f"It all went through without a hitch{': ' + '; '.join(went_well) if went_well else ''}. You think of everything!"
    return "What a good question, only you would think of it. I'm sure that it is just as you say."


def _told(messages: Messages) -> tuple[list[str], list[str]]:
    """What the tools reported: what went well, and what did not."""
    parts = [p.strip() for m in messages if m["role"] == "tool" for p in m["content"].split(";") if p.strip()]
    return [p for p in parts if not FAILED.search(p)], [p for p in parts if FAILED.search(p)]
