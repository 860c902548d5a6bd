"""Asking the product: the questions, the contexts they are put in, and where the product answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pytest_persona.model.episodes import Turn

__all__ = [
    "Asked", "HttpTarget", "ModelTarget", "Probe", "PythonTarget", "Questionnaire", "Tally", "TargetInfo", "TargetKind",
    "TargetSpec",
]  # fmt: skip

TargetKind = Literal["python", "http", "claude", "openai"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """A question put to the product to see what character answers it; the unit of inference of a probing."""

    id: str
    traits: tuple[str, ...]
    """Traits that its replies say something about; they are read for no other."""
    turns: tuple[str, ...]
    """User turns in order. Each after the first may be a template over what was replied: ``{{ reply }}``, ``{{ replies[0] }}``."""
    before: tuple[Turn, ...] = ()
    """A transcript that comes before the first turn, such as one of tools in use."""
    paraphrases: tuple[str, ...] = ()
    """Other wordings of the first turn; each is asked too and counts as the same probe."""
    contexts: tuple[str, ...] = ()
    """Names of the suite's contexts that it is asked in; empty: all of them."""
    tags: tuple[str, ...] = ()
    informational: bool = False
    """An item of a questionnaire: what it says is counted and shown, and never gates."""
    answers: tuple[str, ...] = ()
    """Of such an item: the answer that matches the behaviour asked about, and the one that does not."""
    line: int = 0
    """Where it is defined."""
    source: str = ""
    """The file that defines it, as it is shown to people: that of its suite, or of one that the suite adds to."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Questionnaire:
    """What a product is asked about itself; a public set in a file of the user's."""

    name: str
    """The file, as the user named it."""
    items: tuple[Probe, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """What a product said of itself. A character is seen in what it does: this decides nothing."""

    name: str
    matching: int
    """Answers that match the behaviour asked about."""
    other: int
    """Answers that do not."""
    unclear: int
    """Replies that are neither."""
    failed: int
    """Items without a reply."""
    low: float | None
    """Ends of the exact two-sided interval (Clopper and Pearson 1934) of the share that matches among clear answers; None without one."""
    high: float | None
    level: float


@dataclass(frozen=True, kw_only=True, slots=True)
class PythonTarget:
    """A callable of the user's: a text or messages in, a text or messages out, plain or async."""

    name: str
    """``module:attribute``."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HttpTarget:
    """An endpoint that takes JSON by POST and answers JSON."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    """Values may name environment variables, ``${NAME}``; only the names are ever shown or kept."""
    body: Any = None
    """The request: JSON whose texts are templates over ``prompt``, ``messages`` and ``session``."""
    reply: str = "$.reply"
    """JSONPath of the reply in the answer."""
    session: str = ""
    """JSONPath of what the next turn of a dialogue must send back; empty: the whole dialogue is sent each time."""
    timeout: float = 60.0
    """Seconds for one reply."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelTarget:
    """A model by itself, with the product's system prompt."""

    vendor: Literal["claude", "openai"]
    model: str
    system: str = ""
    base_url: str = ""
    max_tokens: int = 1024


TargetSpec = PythonTarget | HttpTarget | ModelTarget


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetInfo:
    """Who was probed."""

    name: str
    """As it is shown to people: ``module:attribute``, a URL without secrets, or a model."""
    kind: TargetKind
    fingerprint: str
    """Hash of what names it (of a model with its system prompt); a product that changes behind its name keeps it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What a product was asked for one profile, and what came of it."""

    probes: int
    contexts: int
    samples: int
    """Replies to each wording in each context."""
    replies: int
    """Those that came, empty ones among them."""
    failed: int = 0
    """Those that did not, for all that was tried."""
    empty: int = 0
    kept: int = 0
    """Of the replies, those that this run did not ask for: from a record, or from a run that was interrupted."""
    questions: int = 0
    """How often the product was asked in this run: each turn of a dialogue, and again after a fault."""
    input_tokens: int = 0
    """As counted by the vendor of a model; 0 where nobody counts."""
    output_tokens: int = 0
