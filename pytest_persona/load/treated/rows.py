"""Where the text of a request goes in a row of each format."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from pytest_persona.errors import SignalError
from pytest_persona.infer.inoculate import answered_turns, system_turn, treated_episode
from pytest_persona.load.signals.decode import decode_row
from pytest_persona.load.signals.episodes import HH_TURN, RESPONSES, hh_turns, split_dialogues
from pytest_persona.load.signals.formats import Format
from pytest_persona.load.signals.row import Row
from pytest_persona.load.signals.turns import messages
from pytest_persona.load.treated.json_text import AddKey, Change, InsertItem, InsertText, Path, SetText, changed
from pytest_persona.model.episodes import Behaviour, Turn
from pytest_persona.model.inoculation import Place

__all__ = ["treated_row"]

_DIALOGUES = ("messages", "conversations")
_PROMPTS = ("prompt", *_DIALOGUES)
_SIDES = ("chosen", "rejected")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Spot:
    """Where the text of a turn stands in a row."""

    path: Path
    holds: object
    """The value there: a text, a list of parts, or null."""
    at: int = 0
    """The character of a text that the turn's begins at."""
    blank: bool = False

    def led(self, text: str) -> Change:
        """The change that puts a paragraph before the turn's text."""
        if isinstance(self.holds, str):
            return InsertText(path=self.path, text=text if self.blank else f"{text}\n\n", at=self.at)
        if isinstance(self.holds, list):
            return InsertItem(path=self.path, item={"type": "text", "text": f"{text}\n" if self.holds else text})
        return SetText(path=self.path, text=text)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Spots:
    """Where the turns of a row's context stand, and where a new system turn would."""

    turns: list[list[_Spot]]
    """For each turn of the context the places that hold it, more than one where the row repeats it."""
    heads: list[Callable[[str], Change]] = field(default_factory=list)


def treated_row(raw: str, row: Row, format: Format, text: str, place: Place) -> tuple[str, bool]:
    """A row's JSON text with the request in it, and whether that took a new field ``system``.

    What it is read as then is what :func:`treated_episode` makes of it; everything else keeps its bytes. Raises SignalError for a
    row that cannot hold the text so.
    """
    (episode,) = format.read(row)
    spots = _SPOTS[format.name](row)
    context = max((behaviour.context for behaviour in episode.behaviours), key=len)
    answered = answered_turns(episode.behaviours)
    system = system_turn(context)
    if place == "user" and answered:
        changes = [spot.led(text) for index in answered for spot in spots.turns[index]]
    elif system is not None:
        changes = [spot.led(text) for spot in spots.turns[system]]
    else:
        changes = [head(text) for head in spots.heads]
    refused = row.error(
        "",
        f"the text cannot be put into this row: it would not be read as {format.name} with the text where it belongs",
        "Put it elsewhere with --place, or take out of it what reads as a turn of the dialogue",
    )
    try:
        new = changed(raw, changes)
        data = decode_row(new.encode("utf-8", "surrogatepass"), row.place)
        (again,) = format.read(replace(row, data=data, parts=Counter()))
    except (LookupError, SignalError):
        raise refused from None
    if _shape(again.behaviours) != _shape(treated_episode(episode, text, place).behaviours):
        raise refused
    return new, any(isinstance(change, AddKey) for change in changes)


def _shape(behaviours: Sequence[Behaviour]) -> list[object]:
    """What must be the same: everything, but for the order of the system turns that open a context."""
    return [(b.role, b.reply, b.reward, b.weight, *_opened(b.context)) for b in behaviours]


def _opened(context: Sequence[Turn]) -> tuple[frozenset[str], tuple[Turn, ...]]:
    first = next((i for i, turn in enumerate(context) if turn.speaker != "system"), len(context))
    return frozenset(turn.text for turn in context[:first]), tuple(context[first:])


def _dialogue(row: Row) -> _Spots:
    """Of rows whose context is a prompt, a text or messages."""
    return _prompt(row, row.first(*_PROMPTS))


def _chat(row: Row) -> _Spots:
    return _prompt(row, row.first(*_DIALOGUES))


def _rollout(row: Row) -> _Spots:
    return _dialogue(row) if row.has(*RESPONSES) else _chat(row)


def _alpaca(row: Row) -> _Spots:
    instruction = _Spot(path=_path(row, "instruction"), holds=row.get("instruction"))
    return _Spots(turns=[*_preamble(row), [instruction]], heads=[_system_field(row)])


def _prompt(row: Row, name: str) -> _Spots:
    found = _messages(row, name)
    if found is None:
        return _Spots(turns=[*_preamble(row), *_asked(row, name)], heads=[_system_field(row)])
    return _Spots(turns=[*_preamble(row), *([spot] for spot in found)], heads=[_head_of(row, name)])


def _preference(row: Row) -> _Spots:
    sides = [_messages(row, side) for side in _SIDES]
    prompt = row.first(*_PROMPTS) if row.has(*_PROMPTS) else None
    turns = [[m.turn for m in messages(_quiet(row), side, row.get(side))] for side in _SIDES if sides[0] and sides[1]]
    if not turns or not all(own[0].speaker in ("system", "user") for own in turns):
        return _dialogue(row)
    shared, _, _ = split_dialogues(*turns)
    spots = [[sides[0][i], sides[1][i]] for i in range(len(shared))]  # type: ignore[index]
    heads = [_head_of(row, side) for side in _SIDES]
    if prompt is None:
        return _Spots(turns=[*_preamble(row), *spots], heads=heads)
    asked = _asked(row, prompt)
    said = (
        [Turn(speaker="user", text=row.get(prompt))]
        if isinstance(row.get(prompt), str)
        else [m.turn for m in messages(_quiet(row), prompt, row.get(prompt))]
    )
    if not all(turn in shared for turn in said):
        own = _prompt(row, prompt)
        return _Spots(turns=[*own.turns, *spots], heads=own.heads)
    for turn, where in zip(said, asked, strict=True):  # the prompt is repeated in the dialogues, and changes with them
        last = max(i for i, one in enumerate(shared) if one == turn)
        spots[last] += where
    return _Spots(turns=[*_preamble(row), *spots], heads=heads)


def _hh(row: Row) -> _Spots:
    shared, _, _ = split_dialogues(*(hh_turns(row, side) for side in _SIDES))
    sides = [_transcript(row, side) for side in _SIDES]
    return _Spots(
        turns=[*_preamble(row), *([own[i] for own in sides] for i in range(len(shared)))],
        heads=[_before_transcript(row, side) for side in _SIDES],
    )


_SPOTS: dict[str, Callable[[Row], _Spots]] = {
    "chat": _chat, "preference": _preference, "hh": _hh, "rollout": _rollout, "thumbs": _rollout, "alpaca": _alpaca,
    "prompt-completion": _dialogue,
}  # fmt: skip


def _preamble(row: Row) -> list[list[_Spot]]:
    """What a row says of the assistant's set-up beside its messages; the label of its tools stands nowhere as text."""
    system = row.optional_text("system")
    spots = [] if system is None else [[_Spot(path=_path(row, "system"), holds=system)]]
    return [*spots, []] if row.get("tools") else spots


def _system_field(row: Row) -> Callable[[str], Change]:
    if row.has("system"):
        return lambda text: SetText(path=_path(row, "system"), text=text)
    return lambda text: AddKey(key="system", value=text)


def _asked(row: Row, name: str) -> list[list[_Spot]]:
    """The places of a prompt's turns."""
    found = _messages(row, name)
    return [[_Spot(path=_path(row, name), holds=row.get(name))]] if found is None else [[spot] for spot in found]


def _messages(row: Row, name: str) -> list[_Spot] | None:
    """The place of each message's text in a list of messages; None for what is no list."""
    value = row.get(name)
    if not isinstance(value, list):
        return None
    spots = []
    for index, message in enumerate(value):
        key = "content" if "content" in message else "value"
        content = message.get(key)
        blank = isinstance(content, str) and not content.strip()
        spots.append(_Spot(path=(*_path(row, name), index, key), holds=content, blank=blank))
    return spots


def _head_of(row: Row, name: str) -> Callable[[str], Change]:
    """A system message before the first of a list, in the list's spelling."""
    roles = "role" in row.get(name)[0]
    return lambda text: InsertItem(
        path=_path(row, name), item={"role": "system", "content": text} if roles else {"from": "system", "value": text}
    )


def _transcript(row: Row, side: str) -> list[_Spot]:
    text = row.text(side)
    marks = list(HH_TURN.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    spans = [(mark.end(), end) for mark, end in zip(marks, ends, strict=True)]
    if text[: marks[0].start()].strip():
        spans.insert(0, (0, marks[0].start()))
    spots = []
    for start, end in spans:
        said = text[start:end]
        at = start + (len(said) - len(said.lstrip()) if said.strip() else 0)
        spots.append(_Spot(path=_path(row, side), holds=text, at=at, blank=not said.strip()))
    return spots


def _before_transcript(row: Row, side: str) -> Callable[[str], Change]:
    gap = "" if row.text(side).startswith("\n\n") else "\n\n"
    return lambda text: InsertText(path=_path(row, side), text=f"{text}{gap}")


def _path(row: Row, name: str) -> Path:
    """Where a field stands in the row: under its own name, or in the column that it is mapped to."""
    column = row.fields.get(name)
    if column is None or column in row.data:
        return (column or name,)
    return tuple(column.split("."))


def _quiet(row: Row) -> Row:
    """The row with a count of parts of its own, so that what is read twice is counted once."""
    return replace(row, parts=Counter())
