"""What the loopback server says in Anthropic's and in OpenAI's words: it checks requests as they do and renders replies."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from loopback_tokens import tokens

__all__ = [
    "CACHE_FLOOR", "Bill", "Refused", "anthropic_reply", "anthropic_request", "checked_custom_ids", "openai_reply", "openai_request",
    "schema_tokens",
]  # fmt: skip

CACHE_FLOOR = 1024
"""Tokens below which a prefix is not cached."""

_ANTHROPIC_KEYS = {
    "max_tokens", "messages", "model", "system", "output_config", "thinking", "metadata", "stop_sequences", "stream",
    "service_tier", "cache_control",
}  # fmt: skip
_OPENAI_KEYS = {"model", "messages", "response_format", "max_tokens", "max_completion_tokens", "temperature", "seed"}
_SCHEMA_KEYS = {
    "type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf", "description", "title",
}  # fmt: skip
_CUSTOM_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class Refused(Exception):
    """A request that the vendor answers with an error."""

    def __init__(self, status: int, kind: str, said: str) -> None:
        super().__init__(said)
        self.status, self.kind = status, kind


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What one reply costs, in tokens."""

    fresh: int
    written: int = 0
    read: int = 0
    output: int = 0

    @property
    def input(self) -> int:
        """All input tokens."""
        return self.fresh + self.written + self.read


def anthropic_request(body: Mapping[str, Any]) -> tuple[str, str, dict[str, Any], bool]:
    """System text, user text, schema and whether the system is marked for caching; raises Refused as the vendor would."""
    _known(body, _ANTHROPIC_KEYS)
    for name in ("model", "messages"):
        if not body.get(name):
            raise Refused(400, "invalid_request_error", f"{name}: Field required")
    if not isinstance(body.get("max_tokens"), int):
        raise Refused(400, "invalid_request_error", "max_tokens: Field required")
    system, marked = body.get("system", ""), False
    if isinstance(system, list):
        marked = any(block.get("cache_control") == {"type": "ephemeral"} for block in system)
        system = "".join(block["text"] for block in system)
    schema = (body.get("output_config") or {}).get("format", {}).get("schema", {})
    _check_schema(json.dumps(schema))
    (message,) = body["messages"]
    return system, message["content"], schema, marked


def openai_request(body: Mapping[str, Any], formats: tuple[str, ...]) -> tuple[str, str, dict[str, Any]]:
    """System text, user text and schema; raises Refused for a response format that is not among ``formats``."""
    _known(body, _OPENAI_KEYS)
    shape = body.get("response_format", {"type": "none"})
    if shape["type"] not in formats:
        raise Refused(400, "invalid_request_error", f"response_format of type {shape['type']} is not supported")
    system, user = (message["content"] for message in body["messages"])
    return system, user, shape.get("json_schema", {}).get("schema", {})


def anthropic_reply(model: str, text: str | None, *, stop: str, bill: Bill) -> dict[str, Any]:
    """A Message; ``text`` None leaves its content empty."""
    return {
        "id": "msg_loopback",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [] if text is None else [{"type": "text", "text": text}],
        "stop_reason": stop or "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": bill.fresh,
            "cache_creation_input_tokens": bill.written,
            "cache_read_input_tokens": bill.read,
            "output_tokens": bill.output,
        },
    }


def openai_reply(model: str, text: str | None, *, stop: str, bill: Bill) -> dict[str, Any]:
    """A chat completion; Anthropic's stop reasons are said in OpenAI's words, ``text`` None leaves its choices empty."""
    reason = {"refusal": "content_filter", "max_tokens": "length"}.get(stop, "stop")
    message = {"role": "assistant", "content": text}
    return {
        "id": "chatcmpl-loopback",
        "object": "chat.completion",
        "model": model,
        "choices": [] if text is None else [{"index": 0, "finish_reason": reason, "message": message}],
        "usage": {
            "prompt_tokens": bill.input,
            "completion_tokens": bill.output,
            "prompt_tokens_details": {"cached_tokens": bill.read},
        },
    }


def checked_custom_ids(requests: list[dict[str, Any]]) -> None:
    """Raises Refused where ids are of the wrong form or not unique."""
    ids = [request["custom_id"] for request in requests]
    if len(set(ids)) != len(ids) or not all(_CUSTOM_ID.fullmatch(name) for name in ids):
        raise Refused(
            400, "invalid_request_error", "requests: custom_id must be unique and match ^[a-zA-Z0-9_-]{1,64}$"
        )


def _known(body: Mapping[str, Any], names: set[str]) -> None:
    for name in body:
        if name not in names:
            raise Refused(400, "invalid_request_error", f"{name}: Extra inputs are not permitted")


@lru_cache(maxsize=64)
def _check_schema(text: str) -> None:
    """Refuse what structured output does not support, so that a prompt that uses it fails here and not at the vendor."""

    def walk(node: Any) -> None:
        if not isinstance(node, dict):
            return
        if unknown := set(node) - _SCHEMA_KEYS:
            raise Refused(400, "invalid_request_error", f"output_config.format.schema: {sorted(unknown)} not supported")
        if node.get("type") == "object" and node.get("additionalProperties") is not False:
            raise Refused(
                400, "invalid_request_error", "output_config.format.schema: additionalProperties must be false"
            )
        for child in (*node.get("properties", {}).values(), node.get("items"), *node.get("anyOf", ())):
            walk(child)

    walk(json.loads(text))


def schema_tokens(schema: Mapping[str, Any]) -> int:
    """Structured output adds the schema to the prompt; it is counted as JSON without spaces."""
    return tokens(json.dumps(schema, separators=(",", ":"))) if schema else 0
