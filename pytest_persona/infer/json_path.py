"""Where in a JSON document something stands: the plain steps of JSONPath (RFC 9535), ``$.choices[0].message['content']``.

Filters, wildcards and slices are left out: what is looked for is one value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["Path", "find", "kind", "parse_path"]

Path = tuple[str | int, ...]

_STEP = re.compile(r"""\.([A-Za-z_][\w-]*)|\[(-?\d{1,9})\]|\['([^']*)'\]|\["([^"]*)"\]""")
_SHOWN = 60


def parse_path(text: str) -> Path:
    """The steps of a path; raises ValueError, in words, for one that is not of this form."""
    if not text.startswith("$"):
        raise ValueError("a path begins with $")
    steps: list[str | int] = []
    at = 1
    while at < len(text):
        found = _STEP.match(text, at)
        if found is None:
            raise ValueError(f"{text[at : at + _SHOWN]!r} is no step of a path")
        name, index, single, double = found.groups()
        steps.append(int(index) if index is not None else next(s for s in (name, single, double) if s is not None))
        at = found.end()
    return tuple(steps)


def find(document: Any, path: Path) -> Any:
    """What stands there; raises LookupError that says how far the path leads and what is there instead."""
    value, gone = document, "$"
    for step in path:
        if not _leads_on(value, step):
            raise LookupError(f"{gone} has no {_step(step)}; it is {kind(value)}")
        value = value[step]
        gone += _step(step)
    return value


def _leads_on(value: Any, step: str | int) -> bool:
    if isinstance(step, str):
        return isinstance(value, Mapping) and step in value
    return isinstance(value, list) and -len(value) <= step < len(value)


def _step(step: str | int) -> str:
    return f"[{step}]" if isinstance(step, int) else f"[{step!r}]"


def kind(value: Any) -> str:
    """What a value of JSON is, in words."""
    if isinstance(value, Mapping):
        keys = ", ".join(sorted(map(str, value)))
        return f"an object with {keys[:_SHOWN]}{'…' if len(keys) > _SHOWN else ''}" if value else "an empty object"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return {str: "a text", bool: "true or false", type(None): "null"}.get(type(value), "a number")
