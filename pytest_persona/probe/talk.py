"""How far one dialogue has got."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pytest_persona.model.episodes import Turn
from pytest_persona.probe.base import Answer, Session
from pytest_persona.probe.replies import reply_key
from pytest_persona.probe.scripts import Outcome, Script

__all__ = ["Known", "Talk", "dialogue", "known_replies"]

Known = Callable[[str, Script, int], "str | None"]
"""The reply of a key, to that turn of a script, where it need not be asked for."""


def dialogue(script: Script, replies: Sequence[str]) -> list[Turn]:
    """The turns after so many replies, up to the user's next one if there is one."""
    turns = list(script.opening)
    for number in range(len(replies) + 1):
        if number < len(script.turns):
            turns.append(Turn(speaker="user", text=script.said(replies[:number])))
        if number < len(replies):
            turns.append(Turn(speaker="assistant", text=replies[number]))
    return turns


def known_replies(script: Script, fingerprint: str, known: Known) -> list[str]:
    """The replies that need not be asked for, from the first on."""
    replies: list[str] = []
    while len(replies) < len(script.turns):
        key = reply_key(fingerprint, script.sample, dialogue(script, replies))
        found = known(key, script, len(replies))
        if found is None:
            break
        replies.append(found)
    return replies


class Talk:
    """A dialogue that is being held."""

    def __init__(self, script: Script, known: Sequence[str] = ()) -> None:
        self.script = script
        self.session: Session | None = None
        self.replies = list(known)
        self.questions = 0
        self._input_tokens = self._output_tokens = 0
        self._known = len(self.replies)

    @property
    def over(self) -> bool:
        """Whether the last reply has come."""
        return len(self.replies) == len(self.script.turns)

    @property
    def turns(self) -> list[Turn]:
        """What is to be answered."""
        return dialogue(self.script, self.replies)

    @property
    def place(self) -> str:
        """Where it is, for people."""
        return f"{self.script.place}, turn {len(self.replies) + 1}"

    def heard(self, answer: Answer) -> None:
        """A reply has come."""
        self.replies.append(answer.text)
        self._input_tokens += answer.input_tokens
        self._output_tokens += answer.output_tokens

    def begin_again(self) -> None:
        """What was replied is forgotten."""
        self.replies = []
        self.session = None
        self._known = 0

    def outcome(self, failure: str = "") -> Outcome:
        """What came of it."""
        replies = self.replies[:-1] if self.over else self.replies
        return Outcome(
            turns=tuple(dialogue(self.script, replies)),
            reply=self.replies[-1] if self.over else "",
            failure=failure,
            kept=self.over and self._known == len(self.replies),
            questions=self.questions,
            input_tokens=self._input_tokens,
            output_tokens=self._output_tokens,
        )
