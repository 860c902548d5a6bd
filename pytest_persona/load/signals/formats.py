"""The formats of rows: how each is recognised by its fields."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePath

from pytest_persona.errors import SignalError
from pytest_persona.load.signals import episodes as read
from pytest_persona.load.signals.problems import nearest, quote, quote_all
from pytest_persona.load.signals.row import Row
from pytest_persona.model.episodes import Episode, Kind

__all__ = ["FORMATS", "TEXTS", "Format", "check_format", "format_of_row", "format_of_text", "known_fields"]

_DIALOGUE = ("prompt", "messages", "conversations")
_REINFORCED = (*read.REWARDS, "feedback", "chosen", "rejected")


@dataclass(frozen=True, kw_only=True, slots=True)
class Format:
    """One way to write a row."""

    name: str
    kind: Kind
    summary: str
    """What a row looks like, in a line, for help and errors."""
    needs: tuple[tuple[str, ...], ...]
    """The fields that a row has, each with its synonyms; the first are named in errors."""
    fits: Callable[[Row], bool]
    """Whether a row that has what is needed is of this format."""
    read: Callable[[Row], list[Episode]]

    def has_what_it_needs(self, row: Row) -> bool:
        """Whether the row has the fields of the format, which says nothing of what is in them."""
        return all(row.has(*names) for names in self.needs)


def _both_are(row: Row, kind: type) -> bool:
    return isinstance(row.get("chosen"), kind) and isinstance(row.get("rejected"), kind)


def _is_hh(row: Row) -> bool:
    return not row.has(*_DIALOGUE) and _both_are(row, str) and "\n\nAssistant:" in row.get("chosen")


def _is_preference(row: Row) -> bool:
    return row.has(*_DIALOGUE) or _both_are(row, list)


def _has_reply(row: Row) -> bool:
    return row.has(*read.RESPONSES, "messages", "conversations")


def _has_thumb(row: Row) -> bool:
    # A label that is true or false is TRL's KTO; any other label is a note.
    return row.has("feedback") or str(row.get("label")).lower() in ("true", "false")


def _is_thumbs(row: Row) -> bool:
    return _has_thumb(row) and _has_reply(row)


def _is_chat(row: Row) -> bool:
    judged = row.has("reward", "rewards", "chosen", "rejected") or _has_thumb(row)
    return not judged and not row.has(*read.RESPONSES)


def _is_demonstration(row: Row) -> bool:
    return not row.has(*_REINFORCED) and not _has_thumb(row)


def _is_instruction(row: Row) -> bool:
    return not row.has(*_DIALOGUE, "chosen", "criterion", "instruction", "response", "completion")


def _always(row: Row) -> bool:
    return True


FORMATS: Mapping[str, Format] = {
    made.name: made
    for made in (
        Format(
            name="chat", kind="demonstration", summary='{"messages": [{"role", "content"}, …]}',
            needs=(("messages", "conversations"),), fits=_is_chat, read=read.chat,
        ),
        Format(
            name="preference", kind="preference", summary='{"prompt", "chosen", "rejected"}',
            needs=(("chosen",), ("rejected",)), fits=_is_preference, read=read.preference,
        ),
        Format(
            name="hh", kind="preference", summary='{"chosen", "rejected"}: dialogues of "Human:" and "Assistant:"',
            needs=(("chosen",), ("rejected",)), fits=_is_hh, read=read.hh,
        ),
        Format(
            name="rollout", kind="rollout",
            summary='{"prompt", "response", "reward"}, or {"prompt", "responses": […], "rewards": […]}',
            needs=(_DIALOGUE, read.REWARDS), fits=_has_reply, read=read.rollout,
        ),
        Format(
            name="thumbs", kind="rollout", summary='{"prompt", "response", "feedback": "up" or "down"}',
            needs=(_DIALOGUE, read.FEEDBACK), fits=_is_thumbs, read=read.thumbs,
        ),
        Format(
            name="alpaca", kind="demonstration", summary='{"instruction", "input", "output"}',
            needs=(("instruction",), ("output",)), fits=_is_demonstration, read=read.alpaca,
        ),
        Format(
            name="prompt-completion", kind="demonstration", summary='{"prompt", "completion"}',
            needs=(_DIALOGUE, ("completion", "response")), fits=_is_demonstration, read=read.prompt_completion,
        ),
        Format(
            name="rubric", kind="rubric", summary='{"criterion", "weight"}, or a text with one criterion a line',
            needs=(("criterion",),), fits=_always, read=read.rubric,
        ),
        Format(
            name="instruction", kind="instruction", summary='{"system"}, or a text: a system prompt, a constitution',
            needs=(("system", "instructions"),), fits=_is_instruction, read=read.instruction,
        ),
    )
}  # fmt: skip
"""The documented formats by name."""

TEXTS = ("rubric", "instruction")
"""The formats that a plain text can have."""

_FURTHER = ("reference", "weight", "input", "tools", *read.GROUPS, *read.RESPONSES)


def known_fields(format: str = "auto") -> frozenset[str]:
    """Every field that some format reads; for a format that a plain text can have, those that tell a table from it."""
    if format in TEXTS:
        return frozenset(name for names in FORMATS[format].needs for name in names)
    return frozenset(name for made in FORMATS.values() for names in made.needs for name in names) | set(_FURTHER)


def check_format(name: str, path: str) -> None:
    """Raise SignalError, listing the formats, for a name that is none."""
    if name not in FORMATS and name != "auto":
        near = nearest(name, FORMATS)
        hint = f"Did you mean {quote(near)}? " if near else ""
        remedy = f"{hint}Formats: auto, {', '.join(FORMATS)}"
        raise SignalError(f"{quote(name, 40)} is no format", remedy=remedy, path=path, field="format")


def format_of_row(row: Row) -> Format:
    """The one format that the row's fields show; raises SignalError where none or several do."""
    # The rows of a file mostly have the same fields; a mapping of fields may depend on more than their names.
    near = (
        [m for m in FORMATS.values() if m.has_what_it_needs(row)] if row.fields else _with_fields(frozenset(row.data))
    )
    found = [made for made in near if made.fits(row)]
    if len(found) == 1:
        return found[0]
    if found:
        names = " or ".join(made.name for made in found)
        raise row.error("", f"the row can be read as {names}", "Say which with --format NAME")
    raise _unrecognised(row)


@lru_cache(maxsize=64)
def _with_fields(fields: frozenset[str]) -> tuple[Format, ...]:
    """The formats that rows with just these fields may be of."""
    return tuple(made for made in FORMATS.values() if all(not fields.isdisjoint(names) for names in made.needs))


def format_of_text(path: PurePath, name: str) -> Format:
    """The format that a text's file name shows; raises SignalError where it shows none or both."""
    words = path.name.lower()
    rubric = "rubric" in words
    instruction = any(word in words for word in ("system", "prompt", "constitution"))
    if rubric == instruction:
        problem = f"a plain text can be read as {' or '.join(TEXTS)}"
        remedy = "Say which with --format NAME. A table has the names of fields in its first row, or --map FIELD=COLUMN"
        raise SignalError(problem, remedy=remedy, path=name)
    return FORMATS["rubric" if rubric else "instruction"]


def _unrecognised(row: Row) -> SignalError:
    """What the row lacks to be of the format that it is nearest to."""

    def lacks(made: Format) -> list[tuple[str, ...]]:
        needs = [*made.needs, *_implied_needs(made.name)]
        return [names for names in needs if not row.has(*names)]

    def had(made: Format) -> int:
        return len(made.needs) + len(_implied_needs(made.name)) - len(lacks(made))

    def hinted(made: Format) -> int:
        return sum(any(nearest(name, row.data) for name in names) for names in lacks(made))

    near = max(
        (made for made in FORMATS.values() if lacks(made)),
        key=lambda made: (had(made) + hinted(made), -len(lacks(made))),
    )
    if had(near) + hinted(near):
        misspelt = [names for names in lacks(near) if any(nearest(name, row.data) for name in names)]
        return row.missing(*(misspelt or lacks(near))[0])
    kinds = "; ".join(f"{made.name} {made.summary}" for made in FORMATS.values())
    return row.error(
        "", f"no format is recognised; fields seen: {quote_all(row.data)}", f"Map fields, or write one of: {kinds}"
    )


def _implied_needs(name: str) -> tuple[tuple[str, ...], ...]:
    """What a format needs in its plain form, though another form does without."""
    return {"preference": (_DIALOGUE,), "rollout": (read.RESPONSES,), "thumbs": (read.RESPONSES,)}.get(name, ())
