"""What training reinforces: a signal is made of episodes, an episode of behaviours in their contexts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

__all__ = ["KINDS", "Behaviour", "Episode", "Kind", "Role", "SignalInfo", "Speaker", "Turn", "context_group", "digest"]

Kind = Literal["demonstration", "preference", "rollout", "rubric", "instruction", "probe"]
KINDS: tuple[Kind, ...] = ("demonstration", "preference", "rollout", "rubric", "instruction")
"""What a file can be; episodes of the kind ``probe`` are a product's answers to a suite's probes."""
Role = Literal["shown", "reference", "chosen", "rejected", "rollout", "criterion", "sentence", "answer"]
Speaker = Literal["system", "user", "assistant", "tool"]


_encode = json.JSONEncoder(ensure_ascii=True, separators=(",", ":")).encode  # made once: there are many digests


def digest(*parts: str) -> str:
    """The first 32 hexadecimal digits of a SHA-256 over the parts; parts cannot run into one another."""
    return hashlib.sha256(_encode(parts).encode("ascii")).hexdigest()[:32]


@dataclass(frozen=True, kw_only=True, slots=True)
class Turn:
    """One message of a dialogue; what is not text (a tool call, an image) stands in the text, labelled."""

    speaker: Speaker
    text: str


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """One reply in its context: the unit that a judge reads. Blind: how it is reinforced is not part of its key."""

    role: Role
    context: tuple[Turn, ...]
    reply: str
    reward: float | None = None
    weight: float = 1.0
    failure: str = ""
    """Why there is no reply (a product's answer to a probe), in words; no judge reads it then."""

    @cached_property
    def key(self) -> str:
        """A hash of context, reply and whether it is a text about behaviour (criterion, sentence); nothing else."""
        turns = [part for turn in self.context for part in (turn.speaker, turn.text)]
        return digest("statement" if self.is_statement else "reply", self.reply, *turns)

    @property
    def is_statement(self) -> bool:
        """Whether the text says how to behave (a criterion, an instruction) instead of being a behaviour."""
        return self.role in ("criterion", "sentence")


@dataclass(frozen=True, kw_only=True, slots=True)
class Episode:
    """One row of a signal: its behaviours, its place in the file, and the group that is the unit of inference."""

    kind: Kind
    source: str
    line: int
    group: str
    behaviours: tuple[Behaviour, ...]
    traits: tuple[str, ...] = ()
    """The traits that it says something about, where it was asked for their sake (a probe); empty: all."""
    question: str = ""
    """A hash of what was asked, whatever was answered (a probe); empty: the behaviours' contexts are what was asked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignalInfo:
    """What is known of a whole signal after one pass over it."""

    path: str
    """As the user named it; never an absolute path of the machine unless the user wrote one."""
    kind: Kind
    format: str
    episodes: int
    groups: int
    sha256: str
    skipped: int = 0
    """Rows that could not be read, where ``on_bad_row`` is ``skip``."""
    parts: Mapping[str, int] = field(default_factory=dict)
    """How many content parts other than text were kept as labels, by kind (``image``, ``tool_call``, …)."""


def context_group(context: tuple[Turn, ...]) -> str:
    """The group of an episode that names none: a hash of its context with white space and case folded."""
    return digest(*(part for turn in context for part in (turn.speaker, " ".join(turn.text.split()).casefold())))
