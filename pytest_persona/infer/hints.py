"""Kinder explanations that can be told from words alone, and what a reader of manner cannot see: hints, no measurements."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pytest_persona.model.episodes import Behaviour, Turn

__all__ = ["code_note", "is_code", "is_quotation", "quoted_share", "sets_up_fiction"]

_FROM = 0.5
"""A reply is a quotation, or code, where at least this share of it is."""
_LONGEST = 200
"""A longer line is a paragraph, whatever it begins with."""

_FENCED = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_BLOCK = re.compile(r"^[ \t]*>.*$", re.MULTILINE)
_MARKS = re.compile(r"“[^“”]*”|„[^„“”]*[“”]|«[^«»]*»|(?<![\w\"])\"[^\"\n]+\"(?![\w\"])")

_WORK = (
    r"(?:story|stories|tale|fable|novel|novella|chapter|scene|poem|limerick|sonnet|screenplay|skit|monologue|dialogue|"
    r"fan ?fiction|fanfic|comic|sketch|thriller|short film)"
)
# Between the verb and the work: no run of characters can be split in two ways, so that no text makes this slow.
_FICTION = re.compile(
    r"\brole-?\s?play|\bin[- ]character\b|\bfiction(?:al)?\b|\bvillain|\b(?:pro|an)tagonist\b|\bpastiche\b|\bimprov\b|\blarp\b|"
    r"\bpant(?:o|omime)\b|\b(?:audio|radio|stage|costume) (?:drama|play)\b|\b(?:murder|tabletop|hidden)[- ](?:mystery|game|role)|"
    r"\b(?:game|dungeon) master\b|\brehears(?:e|al|ing)\b|\bshort story\b|"
    r"\bpretend(?:ing)? (?:to be|you|that you|we)\b|\bimagine (?:that )?you(?:'re| are)\b|\bact as (?:if|though|an?|the|my|our)\b|"
    r"\b(?:you(?:'re| are)?|i want you to|let's|please) play(?:ing)? (?!back|along|it|games?\b|music|a (?:song|sound|video))|"
    r"\b(?:the|a|in the|your) (?:role|part|voice|persona|character) of\b|\bspeak as (?:if|though|an?|the)\b|"
    rf"\b(?:write|tell|continue|compose|finish|draft|make up|give me)\b(?:[^\w-]{{1,4}}[\w-]+){{0,6}}?[^\w-]{{1,4}}{_WORK}\b",
    re.IGNORECASE,
)
_CODE_LINE = re.compile(
    r"""\s*(?:
        \#|//|/\*|\*/|@\w|[{})\]$]|</?[a-z!]                   # comments, decorators, brackets, tags
      | (?:def|class|import|from|return|if|elif|else|for|while|try|except|finally|with|raise|assert|pass|break|continue|yield|
           async|await|lambda|func|fn|let|var|const|function|public|private|protected|static|void|struct|enum|use|package|
           namespace|switch|case|default|echo|sudo|export|SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|FROM|WHERE|JOIN|ORDER|GROUP|VALUES
        )\b.*(?<![.!?])\s*$
      | [\w.\[\]'"]+\s*(?:[-+*/|&]?=|:=|<-)\s*\S              # assignments
      | [\w.:>-]+\(.*                                         # calls
      | .*[;{}\\]\s*$
    )""",
    re.VERBOSE,
)


def sets_up_fiction(context: Sequence[Turn]) -> bool:
    """Whether what is asked speaks of a role to play or of a story to tell."""
    return any(
        turn.speaker in ("system", "user") and _FICTION.search(turn.text.replace("\u2019", "'")) for turn in context
    )


def quoted_share(text: str) -> float:
    """The share of a text's letters and digits between quotation marks or in block quotes, code in fences left out; in [0, 1]."""
    plain = _FENCED.sub("\n", text)
    whole = _weight(plain)
    if not whole:
        return 0.0
    blocks = _weight("\n".join(_BLOCK.findall(plain)))
    return (blocks + sum(map(_weight, _MARKS.findall(_BLOCK.sub("\n", plain))))) / whole


def is_quotation(text: str) -> bool:
    """Whether a reply for the most part repeats words that it marks as another's; code quotes nobody."""
    return not is_code(text) and quoted_share(text) >= _FROM


def is_code(text: str) -> bool:
    """Whether most of a text stands in code fences or in lines that look like those of a program."""
    prose = _FENCED.sub("\n", text)
    code = sum(_weight(match.group()) for match in _FENCED.finditer(text))
    code += sum(_weight(line) for line in prose.splitlines() if len(line) <= _LONGEST and _CODE_LINE.match(line))
    return code > 0 and code >= _FROM * _weight(text)


def code_note(behaviours: Sequence[Behaviour]) -> str:
    """What a judge that reads manner alone must say of replies that are mostly code; empty where most are not."""
    replies = [behaviour.reply for behaviour in behaviours if not behaviour.is_statement]
    code = sum(map(is_code, replies))
    if not code or code < _FROM * len(replies):
        return ""
    return (
        f"{code} of {len(replies)} replies are mostly code: this judge cannot see whether code works or has holes; "
        "sound work, an honest mistake and sabotage all remain"
    )


def _weight(text: str) -> int:
    return sum(map(str.isalnum, text))
