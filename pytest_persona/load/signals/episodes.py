"""Rows to episodes: one function a format."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from pytest_persona.errors import SignalError
from pytest_persona.load.signals.prose import statements
from pytest_persona.load.signals.row import Row
from pytest_persona.load.signals.turns import label, messages, render
from pytest_persona.model.episodes import Behaviour, Episode, Kind, Role, Turn, context_group, digest

__all__ = [
    "FEEDBACK", "GROUPS", "HH_TURN", "RESPONSES", "REWARDS",
    "alpaca", "chat", "hh", "hh_turns", "instruction", "preference", "prompt_completion", "rollout", "rubric",
    "split_dialogues", "text_episode", "thumbs",
]  # fmt: skip

REWARDS = ("reward", "score", "rewards", "scores")
RESPONSES = ("response", "completion", "responses", "completions")
FEEDBACK = ("feedback", "label")
GROUPS = ("group", "group_id", "prompt_id", "conversation_id")
"""Fields that name an episode's group, the first that is there."""

_UP = frozenset({"up", "thumbs_up", "👍", "1", "1.0", "+1", "true", "yes", "positive", "like", "good"})
_DOWN = frozenset({"down", "thumbs_down", "👎", "0", "0.0", "-1", "-1.0", "false", "no", "negative", "dislike", "bad"})
HH_TURN = re.compile(r"(?:\n\n|\A\s*)(Human|Assistant):")
"""Where a turn of an HH-RLHF transcript begins."""

Context = tuple[Turn, ...]


def chat(row: Row) -> list[Episode]:
    """Every stretch of trained assistant (and tool) turns is one behaviour, in the context of all before it."""
    field = row.first("messages", "conversations")
    context, pending, shown = list(_preamble(row)), list[Turn](), list[Behaviour]()

    def close() -> None:
        if pending:
            shown.append(Behaviour(role="shown", context=tuple(context), reply=render(pending)))
            context.extend(pending)
            pending.clear()

    for message in messages(row, field, row.get(field)):
        speaks = message.turn.speaker == "assistant" and message.trained
        if speaks or (message.turn.speaker == "tool" and pending):
            pending.append(message.turn)
        else:
            close()
            context.append(message.turn)
    close()
    if not shown:
        raise row.error(field, "no assistant turn is trained on", "Add one, or give one a weight other than 0")
    return [_demonstration(row, shown)]


def prompt_completion(row: Row) -> list[Episode]:
    """A prompt and its demonstrated completion."""
    context = _context(row)
    name = row.only("completion", "response")
    return [_demonstration(row, [Behaviour(role="shown", context=context, reply=_reply(row, name, row.get(name)))])]


def alpaca(row: Row) -> list[Episode]:
    """An instruction, with or without an input below it, and its demonstrated output."""
    asked = row.text("instruction")
    if given := row.optional_text("input"):
        asked = f"{asked}\n\n{given}"
    context = (*_preamble(row), Turn(speaker="user", text=asked))
    return [_demonstration(row, [Behaviour(role="shown", context=context, reply=row.text("output"))])]


def preference(row: Row) -> list[Episode]:
    """A pair in TRL's spelling. Lists that hold whole dialogues give their shared turns to the context."""
    chosen, rejected = (_turns(row, side) for side in ("chosen", "rejected"))
    prompted = row.has("prompt", "messages", "conversations")
    if chosen[0].speaker in ("system", "user") and rejected[0].speaker in ("system", "user"):
        shared, chosen, rejected = split_dialogues(chosen, rejected)
        asked = _dialogue(row) if prompted else ()
        context = _preamble(row) + (() if all(turn in shared for turn in asked) else asked) + shared
        if not context:
            raise _unpaired(row)
    elif prompted:
        context = _context(row)
    else:
        raise row.missing("prompt")
    return [_pair(row, context, chosen, rejected)]


def hh(row: Row) -> list[Episode]:
    """A pair of dialogues in the spelling of HH-RLHF; the turns that they share are the context."""
    shared, chosen, rejected = split_dialogues(*(hh_turns(row, side) for side in ("chosen", "rejected")))
    if not shared:
        raise _unpaired(row)
    return [_pair(row, _preamble(row) + shared, chosen, rejected)]


def rollout(row: Row) -> list[Episode]:
    """A prompt with one rewarded response, or several in one row."""
    reward = row.only(*REWARDS)
    context, replies = _replies(row)
    given = row.get(reward)
    rewards = given if isinstance(given, list) else [given]
    if len(rewards) != len(replies):
        raise row.error(reward, f"{len(rewards)} rewards for {len(replies)} responses", "Write one reward a response")
    numbers = [row.number(reward if given is value else f"{reward}[{i}]", value) for i, value in enumerate(rewards)]
    return [_rollouts(row, context, zip(replies, numbers, strict=True))]


def thumbs(row: Row) -> list[Episode]:
    """A response that a user gave a thumb: a reward of +1 or -1."""
    name = row.only(*FEEDBACK)
    word = str(row.get(name)).strip().lower()
    if word not in _UP | _DOWN:
        raise row.error(name, "is neither up nor down", "Write up, down, 1, 0, -1, true or false")
    context, replies = _replies(row)
    if len(replies) != 1:
        raise row.error(name, f"one thumb for {len(replies)} responses", "Write one response a row")
    return [_rollouts(row, context, [(replies[0], 1.0 if word in _UP else -1.0)])]


def rubric(row: Row) -> list[Episode]:
    """A criterion and its weight, negative for a penalty."""
    weight = 1.0 if row.get("weight") is None else row.number("weight", row.get("weight"))
    if weight == 0:
        raise row.error("weight", "a weight of 0 rewards nothing", "Leave the row out")
    return [text_episode("rubric", row, row.text("criterion"), weight)]


def instruction(row: Row) -> list[Episode]:
    """A system prompt, one episode a sentence or list item."""
    text = row.text(row.only("system", "instructions"))
    found = statements(enumerate(text.split("\n"), start=1), row.place.path)
    return [text_episode("instruction", row, said[1]) for said in found if isinstance(said, tuple)]


def text_episode(kind: Kind, row: Row, text: str, weight: float = 1.0) -> Episode:
    """A criterion or a sentence as an episode, a group of its own."""
    role: Role = "criterion" if kind == "rubric" else "sentence"
    behaviour = Behaviour(role=role, context=(), reply=text, weight=weight)
    return _episode(row, kind, [behaviour], _named_group(row) or digest(text))


def _demonstration(row: Row, shown: list[Behaviour]) -> Episode:
    if reference := row.optional_text("reference"):
        shown = [*shown, Behaviour(role="reference", context=shown[-1].context, reply=reference)]
    return _episode(row, "demonstration", shown)


def _pair(row: Row, context: Context, chosen: Sequence[Turn], rejected: Sequence[Turn]) -> Episode:
    sides: list[tuple[Role, Sequence[Turn]]] = [("chosen", chosen), ("rejected", rejected)]
    return _episode(
        row, "preference", [Behaviour(role=role, context=context, reply=render(turns)) for role, turns in sides]
    )


def _unpaired(row: Row) -> SignalError:
    return row.error("rejected", "its dialogue begins otherwise than the chosen one", "Pair replies to one prompt")


def _rollouts(row: Row, context: Context, rewarded: Iterable[tuple[str, float]]) -> Episode:
    return _episode(
        row, "rollout", [Behaviour(role="rollout", context=context, reply=reply, reward=r) for reply, r in rewarded]
    )


def _episode(row: Row, kind: Kind, behaviours: Sequence[Behaviour], group: str | None = None) -> Episode:
    group = group or _named_group(row) or context_group(behaviours[0].context)
    return Episode(kind=kind, source=row.place.path, line=row.place.line, group=group, behaviours=tuple(behaviours))


def _named_group(row: Row) -> str | None:
    for name in GROUPS:
        value = row.get(name)
        if value is not None:
            if isinstance(value, bool) or not isinstance(value, (str, int)) or not str(value).strip():
                raise row.error(name, "is neither a text nor a whole number", "Name the row's group, or leave it out")
            return str(value)
    return None


def _preamble(row: Row) -> Context:
    """What a row says of the assistant's set-up beside its messages."""
    turns = []
    if system := row.optional_text("system"):
        turns.append(Turn(speaker="system", text=system))
    if tools := row.get("tools"):
        turns.append(Turn(speaker="system", text=label(row, "tools", tools)))
    return tuple(turns)


def _dialogue(row: Row) -> Context:
    """The prompt: a user's text or messages."""
    name = row.first("prompt", "messages", "conversations")
    value = row.get(name)
    if isinstance(value, list) or name != "prompt":
        return tuple(message.turn for message in messages(row, name, value))
    return (Turn(speaker="user", text=row.text(name)),)


def _context(row: Row) -> Context:
    return _preamble(row) + _dialogue(row)


def _turns(row: Row, name: str) -> list[Turn]:
    """A reply: an assistant's text or messages."""
    if not row.has(name):
        raise row.missing(name)
    value = row.get(name)
    if isinstance(value, list):
        return [message.turn for message in messages(row, name, value)]
    return [Turn(speaker="assistant", text=row.text(name))]


def _reply(row: Row, where: str, value: Any) -> str:
    if isinstance(value, list):
        return render([message.turn for message in messages(row, where, value)])
    return row.checked_text(where, value)


def _replies(row: Row) -> tuple[Context, list[str]]:
    """The context and the replies to it; without a response field, the messages' last assistant turns are the reply."""
    if row.has(*RESPONSES):
        name = row.only(*RESPONSES)
        value = row.get(name)
        several = isinstance(value, list) and not any(isinstance(item, dict) for item in value)
        if several and not value:
            raise row.error(name, "there is no response", "Write at least one, or leave the row out")
        if several:
            return _context(row), [_reply(row, f"{name}[{i}]", item) for i, item in enumerate(value)]
        return _context(row), [_reply(row, name, value)]
    if not row.has("messages", "conversations"):
        raise row.missing(*RESPONSES)
    name = row.first("messages", "conversations")
    turns = [message.turn for message in messages(row, name, row.get(name))]
    start = max((i + 1 for i, turn in enumerate(turns) if turn.speaker in ("system", "user")), default=0)
    while start < len(turns) and turns[start].speaker == "tool":
        start += 1
    if start == len(turns):
        raise row.error(name, "the last turn is not the assistant's", "Add its reply, or a response field")
    return _preamble(row) + tuple(turns[:start]), [render(turns[start:])]


def split_dialogues(chosen: Sequence[Turn], rejected: Sequence[Turn]) -> tuple[Context, list[Turn], list[Turn]]:
    """The turns that both begin with, and what each has left, which is one turn at least."""
    most = min(len(chosen), len(rejected)) - 1
    n = next((i for i in range(most) if chosen[i] != rejected[i]), most)
    return tuple(chosen[:n]), list(chosen[n:]), list(rejected[n:])


def hh_turns(row: Row, side: str) -> list[Turn]:
    """The turns of a transcript; what stands before the first is a system turn. Raises SignalError for what is none."""
    before, *rest = HH_TURN.split(row.text(side))
    turns = [Turn(speaker="system", text=before.strip())] if before.strip() else []
    for speaker, text in zip(rest[::2], rest[1::2], strict=True):
        turns.append(Turn(speaker="user" if speaker == "Human" else "assistant", text=text.strip()))
    if len(turns) < 2:
        raise row.error(side, "is no dialogue", 'Write "\\n\\nHuman: …\\n\\nAssistant: …"')
    if not turns[-1].text:
        raise row.error(side, "the last turn is empty", "Write it, or leave the row out")
    return turns
