"""The parts of a suite that ask the product: probes, their contexts, and the target."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_persona.errors import SuiteError
from pytest_persona.infer.json_path import parse_path
from pytest_persona.infer.template import TemplateError, parse_template
from pytest_persona.load.documents import Document, nearest
from pytest_persona.load.documents_text import Part
from pytest_persona.model.episodes import Turn
from pytest_persona.model.probes import HttpTarget, ModelTarget, Probe, PythonTarget, TargetSpec

__all__ = ["contexts_of", "probes_of", "target_of"]

_URL = re.compile(r"https?://[^/\s]|\$\{", re.IGNORECASE)
_BODY = {"prompt": None, "messages": None, "session": None}
"""What the body of a request may be made of."""


def probes_of(document: Document, known: Mapping[str, tuple[Turn, ...]]) -> tuple[Probe, ...]:
    """The probes of a checked suite document in its order; raises SuiteError for a context that is not ``known``."""
    return tuple(_probe(document, name, entry, known) for name, entry in document.data.get("probes", {}).items())


def contexts_of(document: Document) -> Mapping[str, tuple[Turn, ...]]:
    """What comes before each probe, by name; empty where the suite names no context."""
    return {
        name: (Turn(speaker="system", text=value),) if isinstance(value, str) else _turns(value)
        for name, value in document.data.get("contexts", {}).items()
    }


def target_of(document: Document) -> TargetSpec | None:
    """Where the suite says that the product answers; raises SuiteError where it says so twice or in a way that cannot be used."""
    target: dict[str, Any] = document.data.get("target", {})
    if not target:
        return None
    if len(target) > 1:
        problem = f"names {len(target)} targets: {', '.join(target)}"
        raise document.error(SuiteError, ("target",), problem, "Keep one of them")
    ((kind, value),) = target.items()
    if kind == "python":
        return PythonTarget(name=value)
    if kind == "http":
        return _http(document, value)
    return ModelTarget(vendor="claude" if kind == "claude" else "openai", **value)


def _probe(document: Document, name: str, entry: dict[str, Any], known: Mapping[str, tuple[Turn, ...]]) -> Probe:
    for index, context in enumerate(entry.get("contexts", [])):
        if context not in known:
            part = ("probes", name, "contexts", index)
            raise document.error(SuiteError, part, f"there is no context {context!r}", nearest(context, list(known)))
    ask = entry["ask"]
    turns = (ask,) if isinstance(ask, str) else tuple(ask)
    for number, turn in enumerate(turns[1:], 1):
        _check_template(document, ("probes", name, "ask", number), turn, {"reply": None, "replies": number})
    return Probe(
        id=name,
        traits=tuple(dict.fromkeys(entry["traits"])),
        turns=turns,
        before=_turns(entry.get("before", [])),
        paraphrases=tuple(entry.get("paraphrases", [])),
        contexts=tuple(dict.fromkeys(entry.get("contexts", []))),
        tags=tuple(entry.get("tags", [])),
        line=document.line(("probes", name)) or 0,
        source=document.path,
    )


def _http(document: Document, value: Mapping[str, Any]) -> HttpTarget:
    target, at = HttpTarget(**value), ("target", "http")
    if not _URL.match(target.url):
        raise document.error(
            SuiteError, (*at, "url"), "is no URL of http or https", "Write one, such as https://shop.example/chat"
        )
    for name, path in (("reply", target.reply), ("session", target.session or "$")):
        try:
            parse_path(path)
        except ValueError as error:
            remedy = "Write the steps that lead to it, such as $.choices[0].message.content"
            raise document.error(SuiteError, (*at, name), str(error), remedy) from None
    for part, text in _texts((*at, "body"), target.body):
        _check_template(document, part, text, _BODY)
        if "session" in parse_template(text, _BODY).names() and not target.session:
            remedy = "Say where an answer holds it: session: $.session"
            raise document.error(SuiteError, part, "the session is never known", remedy)
    return target


def _texts(part: Part, value: Any) -> Iterator[tuple[Part, str]]:
    """All texts in JSON data, each with its place."""
    if isinstance(value, str):
        yield part, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts((*part, key), item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts((*part, index), item)


def _check_template(document: Document, part: Part, text: str, known: Mapping[str, int | None]) -> None:
    try:
        parse_template(text, known)
    except TemplateError as error:
        raise document.error(SuiteError, part, str(error), error.remedy) from None


def _turns(messages: list[dict[str, Any]]) -> tuple[Turn, ...]:
    return tuple(Turn(speaker=message["role"], text=message["content"]) for message in messages)
