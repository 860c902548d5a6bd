"""The lines of a record: a header, and one line a verdict that says what it is about and carries a checksum."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import PureWindowsPath
from typing import Any, Literal, NamedTuple, get_args

from pytest_persona.errors import JudgeError
from pytest_persona.infer.prompt import PROMPT_VERSION, part_key
from pytest_persona.infer.set_prompt import SetQuestion
from pytest_persona.infer.set_words import SET_PROMPT_VERSION
from pytest_persona.model.episodes import Behaviour, digest
from pytest_persona.model.traits import Trait
from pytest_persona.model.verdicts import Verdict

__all__ = [
    "FORMAT",
    "Entry",
    "Header",
    "Kind",
    "content_of",
    "content_of_set",
    "entry_from",
    "entry_of",
    "entry_of_fit",
    "header_from",
    "header_line",
    "is_header",
    "line_of",
    "plain_name",
    "short",
]

FORMAT = "pytest-persona/record/v1"
"""The first value of the header; what is written with another is not read."""

Kind = Literal["read", "compare", "statement", "set"]
"""One text, two that are compared, a text that says how to behave, or samples that are seen whole."""

_REASONS = frozenset((None, "refusal", "empty", "off-topic", "unreliable", "inconsistent", "suspected-injection"))
"""Reasons that come of the content and would come out the same. Where the asking failed, it is asked again instead."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """Who judged, as of the last run that wrote the file. Each line names its own model and prompt version beside."""

    judge: str
    model: str
    prompt: str
    fingerprint: str


class Entry(NamedTuple):  # a dataclass takes eight times as long to make, and a record has ten thousand
    """A recorded verdict. It has no field for a time, a path, a header, a secret or a price."""

    trait: str
    """Its name; of a set, that of a character."""
    trait_sha256: str
    """First 12 hexadecimal digits of the trait's own hash; of a set, of how its character is told."""
    context: str
    """First 12 digits of a hash of the turns before the reply; of a set, of all characters that were asked about beside it."""
    reply: str
    """The same of the reply, or of the set; of two that are compared both, in the order shown."""
    kind: Kind
    excerpt: str
    """How the reply begins, so that a reviewer knows what the line is about."""
    verdict: Verdict
    prompt: str
    """The version of the question's words."""
    model: str
    key: str
    """What the verdict is an answer to, as :func:`pytest_persona.infer.prompt.part_key` says."""


def entry_of(shown: Sequence[Behaviour], trait: Trait, verdict: Verdict, *, model: str) -> Entry | None:
    """The entry of a verdict on ``shown`` (1 behaviour; 2 that are compared); None for one that failed and is to be asked again."""
    if verdict.reason not in _REASONS:
        return None
    kind, context, reply = content_of(shown)
    return Entry(
        trait=trait.name,
        trait_sha256=short(trait.sha256),
        context=context,
        reply=reply,
        kind=kind,
        excerpt=" / ".join(_beginning(behaviour.reply, 80 // len(shown)) for behaviour in shown),
        verdict=verdict,
        prompt=PROMPT_VERSION,
        model=plain_name(model),
        key=part_key(shown, trait),
    )


def entry_of_fit(question: SetQuestion, name: str, verdict: Verdict, *, model: str) -> Entry | None:
    """The entry of a verdict on samples and the character ``name``; None for one that failed and is to be asked again."""
    if verdict.reason not in _REASONS:
        return None
    context, reply = content_of_set(question)
    told = next(sketch.text for sketch in question.sketches if sketch.name == name)
    beginnings = (_beginning(shown[0].reply, 80 // len(question.sets)) for shown in question.sets)
    return Entry(
        trait=name,
        trait_sha256=short(digest(told)),
        context=context,
        reply=reply,
        kind="set",
        excerpt=" / ".join(beginnings),
        verdict=verdict,
        prompt=SET_PROMPT_VERSION,
        model=plain_name(model),
        key=question.parts[name],
    )


def content_of_set(question: SetQuestion) -> tuple[str, str]:
    """Short hashes of the characters asked about and of the set or sets, each in the order shown."""
    told = short(digest(*(sketch.text for sketch in question.sketches)))
    return told, " ".join(short(digest(*(text.key for text in shown))) for shown in question.sets)


def content_of(shown: Sequence[Behaviour]) -> tuple[Kind, str, str]:
    """What was asked, and short hashes of the context and of the reply or replies."""
    first = shown[0]
    kind: Kind = "statement" if first.is_statement else "compare" if len(shown) > 1 else "read"
    turns = [part for turn in first.context for part in (turn.speaker, turn.text)]
    return kind, short(digest(*turns)), " ".join(short(digest(behaviour.reply)) for behaviour in shown)


def short(sha256: str) -> str:
    """As much of a hash as a record needs to tell its contents apart."""
    return sha256[:12]


@lru_cache(maxsize=64)
def plain_name(name: str) -> str:
    """A model's or judge's name in printable ASCII, <= 120 characters; of a path on this machine the last part alone."""
    path = PureWindowsPath(name.removeprefix("file://"))  # it knows both kinds of slashes
    if path.anchor or name.startswith("~"):
        name = path.name
    return "".join(char if " " <= char <= "~" else "?" for char in name[:_LONGEST_NAME])


def line_of(entry: Entry) -> str:
    """The entry as one line of JSON (UTF-8, without the line end), the same for equal entries."""
    verdict = entry.verdict
    body = _json(
        {
            "trait": entry.trait,
            "trait_sha256": entry.trait_sha256,
            "context": entry.context,
            "reply": entry.reply,
            "kind": entry.kind,
            "excerpt": entry.excerpt,
            "expressed": _number(verdict.expressed),
            "requested": _number(verdict.requested),
            "quote": verdict.quote,
            "reason": verdict.reason,
            "detail": verdict.detail,
            "prompt": entry.prompt,
            "model": entry.model,
            "key": entry.key,
        }
    )[:-1]
    return body + _ending(body.encode()).decode()


def header_line(header: Header) -> str:
    """The header as the first line of a record, without the line end."""
    names = {name: plain_name(getattr(header, name)) for name in ("judge", "model", "prompt", "fingerprint")}
    return _json({"record": FORMAT, **names})


def entry_from(line: bytes) -> Entry:
    """The entry that a line stands for; raises ValueError that says in words why it counts for nothing."""
    try:
        data = json.loads(line.decode())
    except (ValueError, RecursionError):
        raise ValueError("it is damaged or cut off") from None
    if line[-_ENDING:] != _ending(line[:-_ENDING]):
        raise ValueError("its checksum does not fit: it was changed by hand or damaged")
    if type(data) is not dict or tuple(data) != _FIELDS or tuple(map(type, data.values())) not in _TYPES:
        raise ValueError(f"its fields are not those of {FORMAT}")
    verdict = Verdict(
        expressed=data["expressed"],
        requested=data["requested"],
        quote=data["quote"],
        reason=data["reason"],
        detail=data["detail"],
    )
    entry = Entry(
        trait=data["trait"],
        trait_sha256=data["trait_sha256"],
        context=data["context"],
        reply=data["reply"],
        kind=data["kind"],
        excerpt=data["excerpt"],
        verdict=verdict,
        prompt=data["prompt"],
        model=data["model"],
        key=data["key"],
    )
    if entry.kind not in _KINDS or verdict.reason not in _REASONS or not _is_name(entry.prompt + entry.model):
        raise ValueError(f"it has a value that {FORMAT} does not know")
    return entry


def is_header(line: bytes) -> bool:
    """Whether the line is, or was before it was damaged, a header."""
    return line.startswith(b'{"record"')


def header_from(line: bytes, where: str) -> Header:
    """The header that a line stands for; raises ValueError for a damaged one, JudgeError for one of another version."""
    try:
        data = json.loads(line.decode())
        record = data.pop("record")
        header = Header(**data) if record == FORMAT else None
    except (ValueError, RecursionError, TypeError):
        raise ValueError("its header is damaged") from None
    if isinstance(record, str) and record != FORMAT and record.startswith(FORMAT[:-1]):
        raise JudgeError(
            f"{where}: the record is of another version ({record[:60]!a}; this pytest-persona reads {FORMAT!r})."
            " Upgrade pytest-persona, or name another file."
        )
    if header is None or not all(map(_is_name, data.values())):
        raise ValueError("its header is damaged")
    return header


def _is_name(value: object) -> bool:
    """Whether it may be shown to people as it is."""
    return isinstance(value, str) and len(value) <= 2 * _LONGEST_NAME and value.isascii() and value.isprintable()


_LONGEST_NAME = 120
_KINDS = frozenset(get_args(Kind))
_FIELDS = (
    "trait", "trait_sha256", "context", "reply", "kind", "excerpt", "expressed", "requested", "quote", "reason", "detail",
    "prompt", "model", "key", "sum",
)  # fmt: skip
_NUMBER, _TEXT, _NONE = (float, int), (str,), type(None)
_TYPES = frozenset(
    product(*6 * [_TEXT], (*_NUMBER, _NONE), (*_NUMBER, _NONE), (*_TEXT, _NONE), (*_TEXT, _NONE), *5 * [_TEXT])
)
"""Every sequence of types that the values of a line may have."""
_ENDING = len(', "sum": "01234567"}')


def _ending(body: bytes) -> bytes:
    """How a line goes on after all else: with the first 8 digits of a SHA-256 over it."""
    return b', "sum": "%s"}' % hashlib.sha256(body).hexdigest()[:8].encode()


def _number(value: float | None) -> float | None:
    return None if value is None else float(value) + 0.0  # -0.0 becomes 0.0


def _beginning(text: str, characters: int) -> str:
    """The first ``characters`` of a text on one line."""
    words = " ".join(text.split(maxsplit=characters)[:characters])
    return words if len(words) <= characters else words[: characters - 1] + "…"


# Readable in a review, but with nothing in it that hides or turns text round, and the same bytes on every Python:
# the tables of unicodedata differ between its versions, these ranges do not.
_HIDDEN = re.compile(
    "[\ud800-\udbff][\udc00-\udfff]|[\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ud800-\uf8ff\ufdd0-\ufdef\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U0010ffff]"
)


def _json(data: dict[str, Any]) -> str:
    """JSON in UTF-8 with hidden characters as escapes, from which they come back as they were."""
    return _HIDDEN.sub(_escaped, json.dumps(data, ensure_ascii=False, allow_nan=False))


def _escaped(match: re.Match[str]) -> str:
    units = match.group().encode("utf-16-be", "surrogatepass")
    if len(match.group()) == 2:  # two surrogates that JSON would join
        char = units.decode("utf-16-be")
        if not _HIDDEN.match(char):
            return char
    return "".join(f"\\u{units[i] << 8 | units[i + 1]:04x}" for i in range(0, len(units), 2))
