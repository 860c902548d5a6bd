"""Messages of the common chat formats to turns; what is not text stands in the text, labelled and counted."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_persona.load.signals.problems import quote
from pytest_persona.load.signals.row import Row
from pytest_persona.model.episodes import Speaker, Turn

__all__ = ["Message", "label", "messages", "render"]

_SPEAKERS: Mapping[str, Speaker] = {
    "system": "system", "developer": "system",
    "user": "user", "human": "user",
    "assistant": "assistant", "gpt": "assistant", "model": "assistant", "function_call": "assistant",
    "tool": "tool", "function": "tool", "observation": "tool", "ipython": "tool",
}  # fmt: skip
_LABELS = {
    "image_url": "image", "input_image": "image", "input_audio": "audio", "video_url": "video",
    "input_file": "file", "document": "file", "tool_use": "tool_call", "function_call": "tool_call",
    "reasoning": "thinking", "reasoning_content": "thinking",
}  # fmt: skip
"""Names of content parts that mean the same."""
_TEXTS = ("text", "input_text", "output_text")
_THOUGHTS = ("reasoning_content", "reasoning", "thinking")


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """A turn, and whether training reinforces it (OpenAI's ``weight``: 0 is context only)."""

    turn: Turn
    trained: bool = True


def messages(row: Row, where: str, value: object) -> list[Message]:
    """The messages of a list in OpenAI's, TRL's, Anthropic's or ShareGPT's spelling; raises SignalError."""
    if not isinstance(value, list) or not value:
        raise row.error(where, "is not a list of messages", 'Write [{"role": "user", "content": "…"}, …]')
    return [_message(row, f"{where}[{i}]", message) for i, message in enumerate(value)]


def render(turns: Sequence[Turn]) -> str:
    """One reply's text: that of its only turn, or all turns in order, each labelled with its speaker."""
    if len(turns) == 1 and turns[0].speaker == "assistant":
        return turns[0].text
    return "\n\n".join(f"[{turn.speaker}] {turn.text}" for turn in turns)


def label(row: Row, kind: str, body: object = None) -> str:
    """``[kind]`` or ``[kind body]``, counted in the row; a body that is no text is written as JSON."""
    kind = re.sub(r"[^\w.-]+", "_", _LABELS.get(kind, kind))[:40] or "part"
    row.parts[kind] += 1
    if body is None or body == "":
        return f"[{kind}]"
    return f"[{kind} {body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)}]"


def _message(row: Row, where: str, message: object) -> Message:
    if not isinstance(message, Mapping):
        raise row.error(where, "is not a message", 'Write {"role": "user", "content": "…"}')
    role = message.get("role", message.get("from"))
    speaker = _SPEAKERS.get(role) if isinstance(role, str) else None
    if speaker is None:
        shown = quote(role, 40) if isinstance(role, str) else "this"
        raise row.error(f"{where}.role", f"{shown} is not a role", "Roles are system, user, assistant and tool")
    content = message.get("content", message.get("value"))
    if speaker == "user" and _only_tool_results(content):
        speaker = "tool"  # Anthropic's spelling: results of tools come in a user's message
    called = role == "function_call"  # ShareGPT's spelling
    texts = [label(row, role, content)] if called else _pieces(row, f"{where}.content", content)
    text = "\n".join([*_thoughts(row, message), *texts, *_calls(row, f"{where}.tool_calls", message)])
    if not text.strip() and speaker in ("user", "assistant"):
        raise row.error(f"{where}.content", "the text is empty", "Write it, or leave the message out")
    return Message(turn=Turn(speaker=speaker, text=text), trained=_weight(row, f"{where}.weight", message))


def _weight(row: Row, where: str, message: Mapping[str, Any]) -> bool:
    weight = message.get("weight")
    if weight is not None and weight not in (0, 1):
        raise row.error(where, "a message's weight is 0 (context only) or 1", "Write one of them")
    return weight != 0


def _only_tool_results(content: object) -> bool:
    return (
        isinstance(content, list)
        and bool(content)
        and all(isinstance(block, Mapping) and block.get("type") == "tool_result" for block in content)
    )


def _pieces(row: Row, where: str, content: object) -> Iterator[str]:
    """The texts and labels of a message's content: a text, null, or a list of blocks."""
    if content is None:
        return
    if isinstance(content, str):
        yield content
        return
    if not isinstance(content, list):
        raise row.error(where, "is neither a text nor a list of parts", "Write a string")
    for i, block in enumerate(content):
        if isinstance(block, str):
            yield block
        elif isinstance(block, Mapping):
            yield from _block(row, f"{where}[{i}]", block)
        else:
            raise row.error(f"{where}[{i}]", "is not a part of a message", 'Write {"type": "text", "text": "…"}')


def _block(row: Row, where: str, block: Mapping[str, Any]) -> Iterator[str]:
    kind = block.get("type", "text")
    if not isinstance(kind, str):
        raise row.error(f"{where}.type", "is not a text", 'Write {"type": "text", "text": "…"}')
    if kind in _TEXTS:
        text = block.get("text")
        if not isinstance(text, str):
            raise row.error(f"{where}.text", "is not a text", 'Write {"type": "text", "text": "…"}')
        yield text
    elif kind == "tool_result":
        yield label(row, kind)
        yield from _pieces(row, f"{where}.content", block.get("content"))
    elif kind in ("tool_use", "function_call", "tool_call"):
        yield label(row, kind, _call(block.get("name"), block.get("input", block.get("arguments"))))
    else:
        body = next((block[key] for key in (kind, "text", "name", "filename") if isinstance(block.get(key), str)), None)
        yield label(row, kind, body if kind not in ("image_url", "input_audio") else None)


def _thoughts(row: Row, message: Mapping[str, Any]) -> Iterator[str]:
    for key in _THOUGHTS:
        if isinstance(message.get(key), str) and message[key]:
            yield label(row, key, message[key])
            return  # some exports write the same thought under two names


def _calls(row: Row, where: str, message: Mapping[str, Any]) -> Iterator[str]:
    calls = message.get("tool_calls") or []
    if not isinstance(calls, list):
        raise row.error(where, "is not a list", 'Write [{"function": {"name": "…", "arguments": "…"}}]')
    if isinstance(message.get("function_call"), Mapping):
        calls = [*calls, message["function_call"]]
    for i, call in enumerate(calls):
        function = call.get("function", call) if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping):
            raise row.error(f"{where}[{i}]", "is not a call of a tool", 'Write {"function": {"name": "…", …}}')
        yield label(row, "tool_call", _call(function.get("name"), function.get("arguments")))
    for key in ("refusal", "audio"):
        if message.get(key):
            yield label(row, key, message[key] if isinstance(message[key], str) else None)


def _call(name: object, arguments: object) -> str:
    written = arguments if isinstance(arguments, str) else json.dumps(arguments or {}, ensure_ascii=False)
    return f"{name} {written}" if isinstance(name, str) else written
