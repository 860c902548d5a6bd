"""The shapes of a training signal's rows, for the generator alone; the readers of ``load/signals`` say what each means.

Rows carry whatever else their owner keeps in them, so these shapes are open, unlike those of our own files.
"""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict
from typing_extensions import NotRequired, TypedDict

__all__ = ["SignalRow"]


def _open(*needs: tuple[str, ...]) -> ConfigDict:
    """A row with other columns; of each tuple of synonyms one is needed."""
    synonyms: list[Any] = [{"anyOf": [{"required": [name]} for name in names]} for names in needs]
    extra: dict[str, Any] = {"allOf": synonyms} if synonyms else {}
    return ConfigDict(extra="allow", use_attribute_docstrings=True, json_schema_extra=extra)


_DIALOGUE = ("prompt", "messages", "conversations")
_REPLIES = ("response", "completion", "responses", "completions", "messages", "conversations")


class ChatMessage(TypedDict):
    """One message in OpenAI's, TRL's or Anthropic's spelling (role, content) or in ShareGPT's (from, value)."""

    __pydantic_config__ = _open()  # type: ignore[misc]
    role: NotRequired[str]
    """Who speaks: system, user, assistant or tool."""
    content: NotRequired[str | list[Any] | None]
    """What is said: text, a list of parts, or null beside tool calls."""
    weight: NotRequired[int | None]
    """0 where the message is context only."""


class ChatRow(TypedDict):
    """A demonstration as chat fine-tuning has it."""

    __pydantic_config__ = _open(("messages", "conversations"))  # type: ignore[misc]
    messages: NotRequired[list[ChatMessage]]
    """The dialogue; the assistant's messages are what is shown."""
    conversations: NotRequired[list[ChatMessage]]
    """The same in ShareGPT's spelling."""
    reference: NotRequired[str | None]
    """The answer that the assistant would have given without training; the shift is against it."""


class PromptCompletionRow(TypedDict):
    """A demonstration: a prompt and its completion."""

    __pydantic_config__ = _open(_DIALOGUE, ("completion", "response"))  # type: ignore[misc]
    prompt: NotRequired[str | list[ChatMessage]]
    """What comes before the reply."""
    completion: NotRequired[str | list[ChatMessage]]
    """The reply that is shown."""
    response: NotRequired[str | list[ChatMessage]]
    """The same by another name."""
    reference: NotRequired[str | None]
    """The answer that the assistant would have given without training; the shift is against it."""


class AlpacaRow(TypedDict):
    """A demonstration as instruction fine-tuning has it."""

    __pydantic_config__ = _open()  # type: ignore[misc]
    instruction: str
    """What is asked."""
    input: NotRequired[str | None]
    """What it is asked about."""
    output: str
    """The reply that is shown."""
    reference: NotRequired[str | None]
    """The answer that the assistant would have given without training; the shift is against it."""


class PreferenceRow(TypedDict):
    """A preference pair. Without a prompt, what both dialogues begin with is the context."""

    __pydantic_config__ = _open()  # type: ignore[misc]
    prompt: NotRequired[str | list[ChatMessage]]
    """What comes before the replies."""
    chosen: str | list[ChatMessage]
    """The reply, or the dialogue, that is reinforced."""
    rejected: str | list[ChatMessage]
    """The one that is not."""


class RolloutRow(TypedDict):
    """A prompt and one rewarded reply, or several in one row."""

    __pydantic_config__ = _open(_DIALOGUE, _REPLIES, ("reward", "score", "rewards", "scores"))  # type: ignore[misc]
    prompt: NotRequired[str | list[ChatMessage]]
    """What comes before the reply."""
    response: NotRequired[str | list[ChatMessage | str]]
    """The reply; also named completion. Left out where messages end with it."""
    responses: NotRequired[list[str | list[ChatMessage]]]
    """Several replies; also named completions."""
    reward: NotRequired[float | list[float]]
    """The reward; also named score."""
    rewards: NotRequired[float | list[float]]
    """One reward for each reply; also named scores."""


class ThumbsRow(TypedDict):
    """A reply and what its user thought of it."""

    __pydantic_config__ = _open(_DIALOGUE, _REPLIES, ("feedback", "label"))  # type: ignore[misc]
    prompt: NotRequired[str | list[ChatMessage]]
    """What comes before the reply."""
    response: NotRequired[str | list[ChatMessage | str]]
    """The reply; also named completion. Left out where messages end with it."""
    feedback: NotRequired[str | bool | float]
    """up or down, 1 or 0, true or false; also named label."""
    conversation_id: NotRequired[str | int]
    """Rows of one conversation are one group; also named group, group_id or prompt_id, in every format."""


class RubricRow(TypedDict):
    """A line of a rubric: a criterion that is rewarded."""

    __pydantic_config__ = _open()  # type: ignore[misc]
    criterion: str
    """What is rewarded."""
    weight: NotRequired[float | None]
    """How much it counts; negative for a penalty."""


class InstructionRow(TypedDict):
    """A system prompt or a constitution; each sentence or list item is read by itself."""

    __pydantic_config__ = _open(("system", "instructions"))  # type: ignore[misc]
    system: NotRequired[str]
    """The text."""
    instructions: NotRequired[str]
    """The same by another name."""


SignalRow = (
    ChatRow | PreferenceRow | RolloutRow | ThumbsRow | AlpacaRow | PromptCompletionRow | RubricRow | InstructionRow
)
"""One row, in any of the formats."""
