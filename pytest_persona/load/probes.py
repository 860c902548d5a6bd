"""The parts of a suite that ask the product: probes, their contexts, and the target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_persona.errors import SuiteError
from pytest_persona.load.documents import Document, nearest
from pytest_persona.model.episodes import Turn
from pytest_persona.model.probes import HttpTarget, ModelTarget, Probe, PythonTarget, TargetSpec

__all__ = ["contexts_of", "probes_of", "target_of"]


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
    """Where the suite says that the product answers; raises SuiteError where it says so twice."""
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
        return HttpTarget(**value)
    return ModelTarget(vendor="claude" if kind == "claude" else "openai", **value)


def _probe(document: Document, name: str, entry: dict[str, Any], known: Mapping[str, tuple[Turn, ...]]) -> Probe:
    for index, context in enumerate(entry.get("contexts", [])):
        if context not in known:
            part = ("probes", name, "contexts", index)
            raise document.error(SuiteError, part, f"there is no context {context!r}", nearest(context, list(known)))
    ask = entry["ask"]
    return Probe(
        id=name,
        traits=tuple(dict.fromkeys(entry["traits"])),
        turns=(ask,) if isinstance(ask, str) else tuple(ask),
        before=_turns(entry.get("before", [])),
        paraphrases=tuple(entry.get("paraphrases", [])),
        contexts=tuple(dict.fromkeys(entry.get("contexts", []))),
        tags=tuple(entry.get("tags", [])),
        line=document.line(("probes", name)) or 0,
        source=document.path,
    )


def _turns(messages: list[dict[str, Any]]) -> tuple[Turn, ...]:
    return tuple(Turn(speaker=message["role"], text=message["content"]) for message in messages)
