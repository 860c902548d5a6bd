"""A server of completions in vLLM's form, prompt log-probabilities and all, over a language model that repeats what it has read.

    with LogprobServer() as server:
        ...  # server.openai_url, server.requests, server.plan = lambda index, body: named("429")

The form is that of vLLM 0.16 (``/v1/completions`` with ``echo``, ``logprobs`` and ``max_tokens``), its errors too. ``echoes=False``
answers as llama.cpp's server does: with the log-probabilities of what it generated alone, as if nothing had been asked.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from loopback_faults import Fault
from loopback_http import Reply, Request
from loopback_server import LoopbackServer

__all__ = ["LogprobServer", "pieces", "toy_logprobs"]

_PIECE = re.compile(r" ?[^\W\d_]+|\s|\S")
_START = "<s>"


def pieces(text: str) -> list[str]:
    """A text's tokens: words with the space before them, and single other characters."""
    return _PIECE.findall(text)


def toy_logprobs(text: str) -> list[float]:
    """The log-probability of each piece: the likelier, the oftener its word was read before in the text; else by its letters."""
    seen: Counter[str] = Counter()
    found = []
    for piece in pieces(text):
        word = piece.strip().lower()
        rare = 4.0 + 0.5 * (zlib.crc32(word.encode("utf-8", "replace")) % 100) / 100
        found.append(-rare / (1.0 + 0.5 * math.log1p(seen[word])))
        seen[word] += 1
    return found


class LogprobServer(LoopbackServer):
    """The server; what else `LoopbackServer` speaks it speaks too."""

    def __init__(
        self, *, echoes: bool = True, longest: int = 100_000, start: bool = True, key: str | None = None
    ) -> None:
        super().__init__(key=key)
        self.echoes, self.longest, self.start = echoes, longest, start
        self.requests: list[Mapping[str, Any]] = []
        self.headers: list[Mapping[str, str]] = []
        self.plan_completions: Callable[[int, Mapping[str, Any]], Fault | None] = lambda index, body: None

    def _handle(self, request: Request) -> Reply:
        if request.path != "/v1/completions":
            return super()._handle(request)
        body = json.loads(request.body)
        self.requests.append(body)
        self.headers.append(request.headers)
        fault = self.plan_completions(len(self.requests) - 1, body)
        if self.key is not None and request.headers.get("authorization") != f"Bearer {self.key}":
            fault = Fault(name="401", status=401, body=_error(401, "invalid key", "AuthenticationError"))
        if fault is not None and fault.status != 200:
            return self.faulty(fault, b"")
        prompts = body["prompt"] if isinstance(body["prompt"], list) else [body["prompt"]]
        longest = max(len(pieces(prompt)) for prompt in prompts) + body["max_tokens"]
        if longest > self.longest:
            said = f"This model's maximum context length is {self.longest} tokens. However, you requested {longest} tokens."
            return Reply(status=400, body=_error(400, said, "BadRequestError"))
        document = json.dumps(self._completion(body, prompts)).encode()
        return Reply(body=document) if fault is None else self.faulty(fault, document)

    def _completion(self, body: Mapping[str, Any], prompts: list[str]) -> dict[str, Any]:
        choices = [self._choice(index, prompt, body) for index, prompt in enumerate(prompts)]
        read = sum(len(pieces(prompt)) + self.start for prompt in prompts)
        return {
            "id": "cmpl-loopback",
            "object": "text_completion",
            "created": 1_772_367_069,
            "model": body["model"],
            "choices": choices,
            "usage": {"prompt_tokens": read, "total_tokens": read + len(prompts), "completion_tokens": len(prompts)},
        }

    def _choice(self, index: int, prompt: str, body: Mapping[str, Any]) -> dict[str, Any]:
        tokens, logprobs = pieces(prompt), list[float | None](toy_logprobs(prompt))
        if self.start:
            tokens, logprobs = [_START, *tokens], [0.0, *logprobs]
        logprobs[0] = None  # nothing stands before it
        if not (body.get("echo") and self.echoes):
            tokens, logprobs = [], []
        tokens, logprobs = [*tokens, " 1"], [*logprobs, -0.41]
        offsets = [sum(map(len, tokens[:i])) for i in range(len(tokens))]
        top = [None if value is None else {token: value} for token, value in zip(tokens, logprobs, strict=True)]
        return {
            "index": index,
            "text": (prompt if body.get("echo") and self.echoes else "") + " 1",
            "logprobs": {"text_offset": offsets, "token_logprobs": logprobs, "tokens": tokens, "top_logprobs": top}
            if body.get("logprobs") is not None
            else None,
            "finish_reason": "length",
            "stop_reason": None,
            "prompt_logprobs": None,
        }


def _error(status: int, said: str, kind: str) -> bytes:
    return json.dumps({"error": {"message": said, "type": kind, "param": None, "code": status}}).encode()
