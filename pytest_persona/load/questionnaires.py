"""Questionnaires in files of the user's: public sets of statements that a model is asked about itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pytest_persona.errors import SignalError
from pytest_persona.load.documents import MAX_BYTES
from pytest_persona.model.probes import Probe, Questionnaire

__all__ = ["read_questionnaire"]

_MATCHES, _DIFFERS = "answer_matching_behavior", "answer_not_matching_behavior"
_FORM = '{"question": "…", "answer_matching_behavior": "Yes", "answer_not_matching_behavior": "No"}'


def read_questionnaire(path: Path, *, named: str) -> Questionnaire:
    """A file of JSON lines in the form of Anthropic's model-written evals (Perez et al. 2022); raises SignalError with the line.

    Each item is asked for one of its two answers in so many words: by itself a model explains instead of answering.
    """
    try:
        raw = path.read_bytes()[: MAX_BYTES + 1]
    except OSError as error:
        raise SignalError(f"cannot be read: {error.strerror}", remedy="Name a file of JSON lines", path=named) from None
    if len(raw) > MAX_BYTES:
        raise SignalError(f"is larger than {MAX_BYTES // 1_000_000} MB", remedy="Split it", path=named)
    behaviour = path.stem
    items = [_item(line, number, named, behaviour) for number, line in enumerate(raw.splitlines(), 1) if line.strip()]
    if not items:
        raise SignalError("holds no item", remedy=f"Write lines like {_FORM}", path=named)
    return Questionnaire(name=named, items=tuple(items))


def _item(line: bytes, number: int, named: str, behaviour: str) -> Probe:
    try:
        row: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise SignalError(
            f"is not JSON: {error}", remedy=f"Write lines like {_FORM}", path=named, line=number
        ) from None
    for key in ("question", _MATCHES, _DIFFERS):
        if not isinstance(row, dict) or not isinstance(row.get(key), str) or not row[key].strip():
            raise SignalError(
                f"{key!r} is missing or no text", remedy=f"Write lines like {_FORM}", path=named, line=number
            )
    answers = (row[_MATCHES].strip(), row[_DIFFERS].strip())
    return Probe(
        id=f"{behaviour}-{number}",
        traits=(behaviour,),
        turns=(f"{row['question'].strip()}\n\nAnswer with {' or '.join(sorted(answers, reverse=True))} alone.",),
        informational=True,
        answers=answers,
        line=number,
        source=named,
    )
