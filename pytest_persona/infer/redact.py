"""Taking out what must not leave the machine, before a behaviour is shown to a judge elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from types import MappingProxyType

from pytest_persona.model.episodes import Behaviour

__all__ = ["REDACTIONS", "redacted", "redactor"]

_HEX = "[0-9A-Fa-f]{1,4}"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"

REDACTIONS: Mapping[str, str] = MappingProxyType(
    {
        "email": r"(?<![\w.+-])[\w.+-]+[@\uff20][\w-]+(?:\.[\w-]+)+",
        "url": r"\b(?:https?|ftp)://[^\s<>\"'`)\]}]*[^\s<>\"'`)\]}.,;:!?]",
        "iban": r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b",
        "card": r"(?<![\w.])[2-6](?:[ -]?\d){12,18}(?![\w-])",
        "ip": rf"(?<![\w.]){_OCTET}(?:\.{_OCTET}){{3}}(?!\.?\w)"
        rf"|(?<![\w:])(?=[0-9A-Fa-f:]*\d)(?:(?:{_HEX}:){{7}}{_HEX}|(?:{_HEX}:){{1,6}}(?::{_HEX}){{1,6}}|(?:{_HEX}:){{1,7}}:)(?![\w:])",
        # Two separators, a country code or a leading 0 make a number a telephone number; a date is none.
        "phone": r"(?<![\w.+-])(?!\d{4}[-./]\d\d[-./]\d\d(?!\d)|\d\d[-./]\d\d[-./]\d{4}(?!\d))(?=(?:[ ()./-]{0,2}\+?\d){7})"
        r"(?:(?:\+|00)\d(?:[ ()./-]{0,2}\d){6,14}|\(?\d{2,4}\)?(?:[ ./-]\d{2,4}){2,4}|0\d{8,11})(?!\w)",
        "key": r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----(?s:.)*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)"
        r"|(?<![\w-])(?:sk|pk|rk|gh[oprsu]|github_pat|glpat|xox[abeprs]|npm|hf|pypi)[-_](?=[\w-]*\d)[\w-]{16,}"
        r"|\bA(?:KIA|SIA)[0-9A-Z]{16}\b|\bAIza[\w-]{35}|(?<![\w-])eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|\b[Bb]earer [\w.~+/-]{16,}=*",
    }
)
"""Named patterns. They find the usual forms, not all: what must never leave the machine needs a pattern of its own, or no network."""


def redactor(patterns: Sequence[str]) -> Callable[[str], str]:
    """A function that puts ``[name]`` in the place of what a named pattern finds, ``[redacted]`` of what another one does.

    Each pattern is a name of `REDACTIONS` or a regular expression; they are applied in their order. Raises ValueError, in words,
    for a regular expression that is broken, that finds the empty text, or that is most likely a misspelt name.
    """
    compiled = [(_compiled(pattern), f"[{pattern}]" if pattern in REDACTIONS else "[redacted]") for pattern in patterns]

    def redact(text: str) -> str:
        for expression, label in compiled:
            text = expression.sub(label, text)
        return text

    return redact


def redacted(behaviour: Behaviour, redact: Callable[[str], str]) -> Behaviour:
    """The behaviour with its reply and the turns of its context redacted; all else stays."""
    context = tuple(replace(turn, text=redact(turn.text)) for turn in behaviour.context)
    return replace(behaviour, context=context, reply=redact(behaviour.reply))


def _compiled(pattern: str) -> re.Pattern[str]:
    if pattern in REDACTIONS:
        return re.compile(REDACTIONS[pattern])
    if pattern.isalpha() and (near := get_close_matches(pattern, REDACTIONS, n=1, cutoff=0.75)):
        raise ValueError(
            f"{pattern!r} is no name of a pattern; did you mean {near[0]!r}? As a regular expression write ({pattern})"
        )
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise ValueError(
            f"{pattern!r} is neither a name ({', '.join(REDACTIONS)}) nor a regular expression: {error}"
        ) from None
    if expression.search("") is not None:
        raise ValueError(f"{pattern!r} also finds the empty text, which stands everywhere")
    return expression
