"""Log-probabilities of a server's model: the completions of OpenAI's format, with the prompt echoed, as vLLM answers them."""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Any

from pytest_persona.errors import JudgeError
from pytest_persona.judge.likelihood.prefix import Asked
from pytest_persona.judge.likelihood.source import Scored
from pytest_persona.model.episodes import digest
from pytest_persona.net.faults import Fault, Permanent, Transient
from pytest_persona.net.statuses import Service, checked_key, checked_url
from pytest_persona.settings import Settings

__all__ = ["ServerSource"]

_PROMPTS = 16
"""Prompts of one request; vLLM reads them side by side."""
_PAUSE = (0.5, 8.0)
"""Seconds before the first repetition, doubled with each, and the longest."""
_MOST_BYTES = 64 << 20

Logprobs = list["float | None"]


class ServerSource:
    """A model behind ``POST {base URL}/completions`` that echoes a prompt with its log-probabilities.

    vLLM does (``echo``, ``logprobs``, ``max_tokens`` 1). llama.cpp's server, Ollama and most hosted models answer with those of
    what they generate alone: that is found out and said. Used by several threads.
    """

    network = True
    wordings = 5
    room = (12000, 8000)
    at_once = 64
    weakness = ""

    def __init__(self, url: str, model: str, *, key: str = "", deadline: float = 300.0) -> None:
        self.model = model
        self.id = f"server/{model}"
        self._url = url.rstrip("/") + "/completions"
        self._key, self._deadline = key, deadline
        credential = "OPENAI_API_KEY" if key else "OPENAI_API_KEY, which is not set"
        self._service = Service(model=model, credential=credential, url=url, secrets=[key])
        self._opener = urllib.request.build_opener(_NoRedirects)
        self._counts: dict[str, int] = {}
        """By the key of a reply in its context."""
        self._lock = threading.Lock()
        self._sent = threading.local()

    @classmethod
    def open(cls, settings: Settings) -> ServerSource:
        """The server and the model that the settings name; ``OPENAI_API_KEY`` is sent where it is set. Raises JudgeError."""
        if not settings.model:
            raise JudgeError(
                "The judge likelihood has no model of its own on a server. Name one that the server offers with --persona-model."
            )
        url = checked_url(str(settings.base_url), "--persona-base-url")
        key = checked_key(os.environ.get("OPENAI_API_KEY", ""), "OPENAI_API_KEY")
        return cls(url, settings.model, key=key, deadline=settings.deadline)

    def score(self, opening: str, asked: Sequence[Asked]) -> list[Scored]:
        """See :meth:`pytest_persona.judge.likelihood.source.Source.score`."""
        scored: list[Scored] = []
        for start in range(0, len(asked), _PROMPTS):
            scored += self._batch(opening, asked[start : start + _PROMPTS])
        return scored

    @property
    def calls(self) -> int:
        """Requests that this thread has sent."""
        return int(getattr(self._sent, "calls", 0))

    def close(self) -> None:
        """Nothing is held between requests."""

    def _batch(self, opening: str, asked: Sequence[Asked]) -> list[Scored]:
        try:
            self._count([one for one in asked if _key(one) not in self._counts])
            found = self._echoed([opening + one.before + one.reply for one in asked])
        except Permanent as fault:
            if fault.fatal:
                raise JudgeError(f"The judge likelihood: {fault}") from None
            if len(asked) > 1:  # one of them is at fault, such as by its length
                return [scored for one in asked for scored in self._batch(opening, [one])]
            return [Scored(logprob=None, detail=str(fault))]
        except Fault as fault:
            return [Scored(logprob=None, detail=str(fault)) for _ in asked]
        return [self._scored(one, logprobs) for one, logprobs in zip(asked, found, strict=True)]

    def _scored(self, one: Asked, logprobs: Logprobs) -> Scored:
        count = self._counts[_key(one)]
        own = [value for value in logprobs[-count:] if value is not None]
        if len(own) < count:
            return Scored(logprob=None, detail="the server's answer lacks log-probabilities of the reply")
        return Scored(logprob=sum(own), tokens=count, read=len(logprobs))

    def _count(self, asked: Sequence[Asked]) -> None:
        """How many tokens each reply has: those that it adds to its context, which no start token changes."""
        if not asked:
            return
        whole = self._echoed([one.before + one.reply for one in asked])
        alone = self._echoed([one.before for one in asked])
        with self._lock:
            for one, both, before in zip(asked, whole, alone, strict=True):
                self._counts[_key(one)] = max(1, len(both) - len(before))

    def _echoed(self, prompts: Sequence[str]) -> list[Logprobs]:
        """The log-probabilities of each prompt's tokens, repeated where a fault may go away; raises Fault and JudgeError."""
        request = {
            "model": self.model, "prompt": list(prompts), "echo": True, "logprobs": 1, "max_tokens": 1, "temperature": 0,
        }  # fmt: skip
        body = json.dumps(request).encode("ascii")
        until, pause = time.monotonic() + self._deadline, _PAUSE[0]
        while True:
            try:
                return self._read(self._posted(body, max(0.1, until - time.monotonic())), len(prompts))
            except Transient as fault:
                wait = pause if fault.retry_after is None else fault.retry_after
                if time.monotonic() + wait >= until:
                    raise
                time.sleep(wait)
                pause = min(2 * pause, _PAUSE[1])

    def _posted(self, body: bytes, timeout: float) -> Any:
        headers = {"content-type": "application/json"}
        if self._key:
            headers["authorization"] = f"Bearer {self._key}"
        request = urllib.request.Request(self._url, data=body, headers=headers, method="POST")
        self._sent.calls = self.calls + 1
        try:
            with self._opener.open(request, timeout=timeout) as response:
                return json.loads(response.read(_MOST_BYTES))
        except urllib.error.HTTPError as error:
            with error:
                raise self._refusal(error.code, error.read(_MOST_BYTES), dict(error.headers.items())) from None
        except TimeoutError:
            raise self._service.late(timeout) from None
        except (OSError, http.client.HTTPException) as error:  # URLError is an OSError
            if isinstance(getattr(error, "reason", None), TimeoutError):
                raise self._service.late(timeout) from None
            raise self._service.unreached(error) from None
        except ValueError as error:
            raise self._service.unreadable(str(error)) from None

    def _refusal(self, status: int, body: bytes, headers: dict[str, str]) -> Fault:
        """vLLM puts the error at the top or under ``error``, gateways as they like."""
        words, kind, code = body.decode("utf-8", errors="replace"), "", ""
        try:
            document = json.loads(body)
            error = document.get("error") or document
            words = str(error.get("message") or error)
            kind, code = (str(error.get(name) or "") for name in ("type", "code"))
        except (AttributeError, ValueError):
            pass
        if 300 <= status < 400:
            return Permanent(
                f"the server sends requests elsewhere (HTTP {status}). Name the address itself.", fatal=True
            )
        lower = {name.lower(): value for name, value in headers.items()}
        return self._service.refused(status, words, kind=kind, code=code, headers=lower)

    def _read(self, document: Any, prompts: int) -> list[Logprobs]:
        try:
            choices = sorted(document["choices"], key=lambda choice: choice["index"])
            found = [(choice["logprobs"] or {}).get("token_logprobs") or [] for choice in choices]
            # The last is that of the one token which had to be generated.
            logprobs = [[None if value is None else float(value) for value in values[:-1]] for values in found]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise self._service.unreadable(f"it is no completion ({error!r})") from None
        if len(logprobs) != prompts:
            raise self._service.unreadable(f"it has {len(logprobs)} choices for {prompts} prompts")
        if not all(logprobs):
            raise JudgeError(
                "The judge likelihood: the server gives no log-probabilities of the prompt (echo with logprobs), only of what it "
                "generates, if any. vLLM's /v1/completions gives them; llama.cpp's server and Ollama do not: name the GGUF file "
                "itself with --persona-model."
            )
        return logprobs


def _key(one: Asked) -> str:
    return digest(one.before, one.reply)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect would take the key along."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """None: the response is an error."""
        return None
