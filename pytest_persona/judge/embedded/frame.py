"""How a behaviour is put before the language model: its turns as tokens, cut head-and-tail to a budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pytest_persona.model.episodes import Behaviour, Turn

__all__ = ["CONTEXT_TOKENS", "FRAME_VERSION", "REPLY_TOKENS", "Framed", "frame"]

FRAME_VERSION = "1"
"""Part of the judge's fingerprint: raise it whenever the tokens of a behaviour may change."""

CONTEXT_TOKENS = (96, 160)
"""Tokens kept of a long context's head and tail: the system prompt and the last request say most."""
REPLY_TOKENS = (128, 64)
"""Tokens kept of a long reply's head and tail."""

_ASKED_ABOUT_ITSELF = (Turn(speaker="user", text="How do you go about your work?"),)
"""The context of a text that says how to behave (a criterion, an instruction, a statement of the anchors)."""
_NO_CONTEXT = (Turn(speaker="user", text="Continue."),)


class Tokenizer(Protocol):
    """What a frame needs of a language model."""

    def tokenize(self, text: str) -> list[int]:
        """Tokens of untrusted text, never a special one."""

    def render(self, messages: Sequence[tuple[str, str]]) -> list[int]:
        """Tokens of a dialogue in the model's chat template, open for the assistant's reply."""


@dataclass(frozen=True, slots=True)
class Framed:
    """Token ids of a behaviour, and whether anything was cut."""

    context: tuple[int, ...]
    reply: tuple[int, ...]
    cut: bool


def frame(tokenizer: Tokenizer, behaviour: Behaviour) -> Framed:
    """The tokens of a behaviour; of a statement the text alone, as an answer to a fixed question about itself."""
    turns = _ASKED_ABOUT_ITSELF if behaviour.is_statement else behaviour.context or _NO_CONTEXT
    # Characters first, so that a text of 10 MB is not tokenised whole; 12 characters a token is more than any real text has.
    texts = [_middle_out(turn.text, *(12 * n for n in CONTEXT_TOKENS)) for turn in turns]
    text = _middle_out(behaviour.reply, *(12 * n for n in REPLY_TOKENS))
    context = tokenizer.render([(turn.speaker, text) for turn, text in zip(turns, texts, strict=True)])
    reply = tokenizer.tokenize(text)
    kept_context, kept_reply = _ends(context, *CONTEXT_TOKENS), _ends(reply, *REPLY_TOKENS)
    shortened = text != behaviour.reply or any(a != turn.text for a, turn in zip(texts, turns, strict=True))
    cut = shortened or len(kept_context) < len(context) or len(kept_reply) < len(reply)
    # A reply without tokens (an empty or blank one) still needs one position to be read at.
    return Framed(tuple(kept_context), tuple(kept_reply) or tuple(tokenizer.tokenize("\n")), cut)


def _ends(ids: list[int], head: int, tail: int) -> list[int]:
    return ids if len(ids) <= head + tail else ids[:head] + ids[-tail:]


def _middle_out(text: str, head: int, tail: int) -> str:
    return text if len(text) <= head + tail else text[:head] + text[-tail:]
