"""Texts with places for what is known later: ``{{ reply }}``, ``{{ replies[0] }}``.

Too small a language to be steered: what is filled in is never read as a template, and there is nothing to call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Template", "TemplateError", "parse_template"]

_PLACE = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_NAME = re.compile(r"([A-Za-z_]+)(?:\[(-?\d{1,4})\])?")
_BRACES = ("'{{'", '"{{"')
_ESCAPE = "write {{ '{{' }} for the braces themselves"


class TemplateError(ValueError):
    """A text that is no template; says what is wrong and, in ``remedy``, what would be right."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.remedy = remedy


@dataclass(frozen=True, kw_only=True, slots=True)
class _Place:
    name: str
    index: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Template:
    """A parsed text; made by :func:`parse_template`."""

    parts: tuple[str | _Place, ...]

    def names(self) -> set[str]:
        """The names that it has places for."""
        return {part.name for part in self.parts if isinstance(part, _Place)}

    def text(self, values: Mapping[str, object]) -> str:
        """The text with its places filled; what is not a text is written as JSON."""
        found = (part if isinstance(part, str) else _value(part, values) for part in self.parts)
        return "".join(one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in found)

    def value(self, values: Mapping[str, object]) -> object:
        """The value itself where the text is one place and nothing else; else as :meth:`text`."""
        if len(self.parts) == 1 and isinstance(self.parts[0], _Place):
            return _value(self.parts[0], values)
        return self.text(values)


def parse_template(text: str, known: Mapping[str, int | None]) -> Template:
    """The template in a text; ``known`` are the names that may be used, each with its length where it is a list.

    A list is used by index, ``replies[0]`` or ``replies[-1]``. Raises TemplateError for anything else in double braces.
    """
    parts: list[str | _Place] = []
    end = 0
    for found in _PLACE.finditer(text):
        parts.append(text[end : found.start()])
        parts.append(_parsed(found[1].strip(), known))
        end = found.end()
    if "{{" in text[end:]:
        raise TemplateError("'{{' is not closed", f"Close it with '}}}}', or {_ESCAPE}")
    parts.append(text[end:])
    return Template(parts=tuple(part for part in parts if part != ""))


def _parsed(inside: str, known: Mapping[str, int | None]) -> str | _Place:
    if inside in _BRACES:
        return "{{"
    found = _NAME.fullmatch(inside)
    names = ", ".join(name if length is None else f"{name}[0]" for name, length in known.items())
    if found is None or found[1] not in known:
        raise TemplateError(f"there is no {{{{ {inside[:40]} }}}} here", f"Use one of {names}, or {_ESCAPE}")
    name, length = found[1], known[found[1]]
    index = None if found[2] is None else int(found[2])
    if length is None and index is not None:
        raise TemplateError(f"{name} has no parts", f"Write {{{{ {name} }}}}")
    if length is not None and index is None:
        raise TemplateError(f"{name} is a list", f"Choose one: {{{{ {name}[0] }}}}, or the last, {{{{ {name}[-1] }}}}")
    if length is not None and index is not None and not -length <= index < length:
        there = f"only {length} of {name} are" if length != 1 else f"only one of {name} is"
        raise TemplateError(f"{{{{ {inside} }}}}: {there} known by then", f"Count from 0, up to {length - 1}")
    return _Place(name=name, index=index)


def _value(place: _Place, values: Mapping[str, object]) -> object:
    value = values[place.name]
    if place.index is None:
        return value
    assert isinstance(value, Sequence)
    return value[place.index]
