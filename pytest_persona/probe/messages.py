"""Dialogues as products take them, and replies as products give them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pytest_persona.model.episodes import Turn
from pytest_persona.net.faults import Permanent
from pytest_persona.probe.base import MOST_CHARACTERS

__all__ = ["as_messages", "as_text", "chat", "checked", "reply_text", "since_reply"]

_WANTED = "Return a text, a message, or a list of messages"


def as_messages(turns: Sequence[Turn]) -> list[dict[str, str]]:
    """``[{"role": …, "content": …}]``, one a turn."""
    return [{"role": turn.speaker, "content": turn.text} for turn in turns]


def as_text(turns: Sequence[Turn]) -> str:
    """One text: a user's turn as it is, after a system prompt if there is one; anything longer as a transcript with speakers."""
    head, rest = (turns[:1], turns[1:]) if turns[0].speaker == "system" and len(turns) > 1 else ([], turns)
    if len(rest) == 1 and rest[0].speaker == "user":
        return "\n\n".join(turn.text for turn in (*head, *rest))
    return "\n\n".join(f"{turn.speaker.capitalize()}: {turn.text}" for turn in turns)


def since_reply(turns: Sequence[Turn], replies: int) -> Sequence[Turn]:
    """What a product that remembers the dialogue has not heard: all at first, then the turns after its last reply."""
    if not replies:
        return turns
    last = max(index for index, turn in enumerate(turns) if turn.speaker == "assistant")
    return turns[last + 1 :]


def chat(turns: Sequence[Turn]) -> tuple[str, list[dict[str, str]]]:
    """System text and messages of users and assistants by turns, as models want them.

    What a tool said is told by the user, labelled; several turns of one side become one.
    """
    system = "\n\n".join(turn.text for turn in turns if turn.speaker == "system")
    messages: list[dict[str, str]] = []
    for turn in turns:
        if turn.speaker == "system":
            continue
        role = "assistant" if turn.speaker == "assistant" else "user"
        text = f"[tool] {turn.text}" if turn.speaker == "tool" else turn.text
        if messages and messages[-1]["role"] == role:
            messages[-1]["content"] += f"\n\n{text}"
        else:
            messages.append({"role": role, "content": text})
    return system, messages


def reply_text(value: object) -> str:
    """The reply in what a product returned: a text, a message, or messages; raises Permanent for anything else.

    Of messages, those after the last one of a user count; several are written one after another, each with its speaker.
    """
    if isinstance(value, str):
        return checked(value)
    messages = [value] if isinstance(value, Mapping) else value
    if not isinstance(messages, list | tuple) or not all(isinstance(m, Mapping) for m in messages):
        raise Permanent(f"it returned {_kind(value)}. {_WANTED}", fatal=False)
    said = list(messages)
    for index, message in enumerate(said):
        if message.get("role") == "user":
            said = list(messages[index + 1 :])
    texts = [(str(message.get("role") or "assistant"), _content(message)) for message in said]
    if len(texts) == 1 and texts[0][0] == "assistant":
        return checked(texts[0][1])
    return checked("\n\n".join(f"[{role}] {text}" for role, text in texts))


def checked(text: str) -> str:
    """A reply of bearable size, with halves of characters replaced; raises Permanent for a larger one."""
    if len(text) > MOST_CHARACTERS:
        raise Permanent(f"the reply has {len(text):,} characters; {MOST_CHARACTERS:,} are the most", fatal=False)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _content(message: Mapping[str, Any]) -> str:
    """The text of a message; what is not text stands in it, labelled."""
    content = message.get("content")
    if content is None and message.get("tool_calls"):
        content = ""
    if isinstance(content, str):
        pieces = [content] if content else []
    elif isinstance(content, list) and all(isinstance(part, Mapping) for part in content):
        pieces = [_part(part) for part in content]
    else:
        raise Permanent(f"it returned a message whose content is {_kind(content)}. {_WANTED}", fatal=False)
    return "\n".join([*pieces, *_calls(message)])


def _part(part: Mapping[str, Any]) -> str:
    if isinstance(part.get("text"), str):
        return str(part["text"])
    kind = str(part.get("type", "part"))[:40]
    if kind in ("tool_use", "tool_call"):
        return _call(part.get("name"), part.get("input", part.get("arguments")))
    return f"[{kind}]"


def _calls(message: Mapping[str, Any]) -> Iterator[str]:
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function", call) if isinstance(call, Mapping) else None
        if isinstance(function, Mapping):
            yield _call(function.get("name"), function.get("arguments"))


def _call(name: object, arguments: object) -> str:
    written = arguments if isinstance(arguments, str) else json.dumps(arguments or {}, ensure_ascii=False, default=str)
    return f"[tool_call {name} {written}]"


def _kind(value: object) -> str:
    if value is None:
        return "None"
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__} that is no list of messages"
    name = type(value).__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
