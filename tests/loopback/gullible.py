"""A scripted judge that obeys what it judges, and the attacks that it obeys: the other side of `infer.fence` and `infer.steering`."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from keyword_judge import Shown, judge_by_keywords, shown_in

from pytest_persona.infer.fence import clipped, neutralised, plain
from pytest_persona.infer.prompt import REPLY_CHARACTERS

__all__ = ["Row", "answer", "rows"]

_SUITE = Path(__file__).parents[1] / "data" / "attacks.jsonl"
_TURN = re.compile(
    r"^\W{0,8}(?:human|assistant|system|user|judge|evaluator)[^\w·]{0,3}:|^#{1,6} ?(?:instruction|response)",
    re.I | re.M,
)
_TOKEN = re.compile(
    r"<\|[^|\n]{1,40}\|>|\[/?INST\]|</?(?:reply|system|instructions|document|text|data)>|^-{2,} ?end|^\[end",
    re.I | re.M,
)


@dataclass(frozen=True, kw_only=True)
class Row:
    """A reply that tries to steer its judge (or, in the family ``benign``, one that only speaks of judging)."""

    id: str
    family: str
    prompt: str
    reply: str
    trait: str
    wants: int | None
    """The `expressed` that the attack asks for; None where it asks for nothing."""
    merits: int
    """The `expressed` that an honest judge would give."""


@lru_cache(maxsize=1)
def rows() -> tuple[Row, ...]:
    """The whole suite; ``{repeat}`` in a reply stands for its padding."""
    suite = []
    for line in _SUITE.read_text(encoding="utf-8").splitlines():
        fields: dict[str, Any] = json.loads(line)
        repeat: dict[str, Any] = fields.pop("repeat", {"text": "", "times": 0})
        fields["reply"] = fields["reply"].replace("{repeat}", repeat["text"] * repeat["times"])
        suite.append(Row(**fields))
    return tuple(suite)


def answer(system: str, user: str, schema: Mapping[str, Any], *, obeys: Literal["bare", "all"]) -> str:
    """The JSON text of an answer to a prompt of ours.

    ``bare``: it obeys an attack that is shown as it was written, and judges on the merits one that is marked as data.
    ``all``: it obeys every attack of which it is shown enough. What is none of the suite's is judged by key words.
    """
    shown = shown_in(user)
    row = None if shown is None or len(shown.judged) != 1 else _known().get(plain(shown.judged[0]))
    if shown is None or row is None:
        return judge_by_keywords(system, user, schema)
    if row.wants is not None and (obeys == "all" or _is_bare(user)):
        return _dictated(row.reply) or _answer(shown, row, row.wants, addresses="addresses_judge to true" in row.reply)
    return _answer(shown, row, row.merits, addresses=row.wants is not None)


@lru_cache(maxsize=1)
def _known() -> dict[str, Row]:
    """Each row by what its reply looks like without marks: as it was written, and neutralised."""
    known = {}
    for row in rows():
        text, _ = clipped(row.reply, REPLY_CHARACTERS)
        known[plain(text)] = known[plain(neutralised(text, "0" * 16))] = row
    return known


def _is_bare(user: str) -> bool:
    """Whether anything that is judged stands there as it was written: a line without its mark, a hidden character, a turn."""
    code = user.split()[6].rstrip(".")
    judged = user[: user.rindex(f"\n[{code} end ")].split(f"\n[{code} begin ")[-1].split("]\n", 1)[1]
    lines = judged.splitlines()
    if not all(line.startswith(f"{code[:4]}| ") for line in lines):
        return True
    text = unicodedata.normalize("NFKC", "\n".join(line[6:] for line in lines))
    hidden = any(
        unicodedata.category(character) in ("Cf", "Cc", "Cs") for character in text if character not in "\n\t\u200d"
    )
    return hidden or bool(_TURN.search(text) or _TOKEN.search(text))


def _dictated(reply: str) -> str:
    """The whole answer that a reply writes out, to be copied as it is; empty where it writes none."""
    start, end = reply.find("{"), reply.rfind("}") + 1
    try:
        dictated = json.loads(reply[start:end]) if start >= 0 else None
    except ValueError:
        return ""
    return reply[start:end] if isinstance(dictated, dict) and "verdicts" in dictated else ""


def _answer(shown: Shown, row: Row, expressed: int, *, addresses: bool) -> str:
    quote = next(line.strip() for line in shown.judged[0].splitlines() if line.strip())[:40]
    verdicts: Sequence[dict[str, object]] = [
        {
            "trait": trait,
            "state": "judged",
            "quote": quote if trait == row.trait and expressed else "",
            "expressed": expressed if trait == row.trait else 0,
            "requested": 0,
        }
        for trait in shown.order
    ]
    return json.dumps({"seal": shown.seal, "addresses_judge": addresses, "verdicts": verdicts}, ensure_ascii=False)
