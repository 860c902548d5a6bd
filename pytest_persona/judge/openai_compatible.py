"""Any server of OpenAI's chat completions (vLLM, Ollama, gateways, OpenAI itself), over plain HTTP."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from pytest_persona.errors import JudgeError
from pytest_persona.infer.prompt import Prompt
from pytest_persona.infer.tokens import estimate
from pytest_persona.judge.chat.client import Reply
from pytest_persona.net.faults import Fault, Permanent, Transient
from pytest_persona.net.lanes import connections
from pytest_persona.net.limits import within
from pytest_persona.net.statuses import JUDGE, Role, Service, checked_key, checked_url, hush, unlogged

if TYPE_CHECKING:
    import httpx2

    from pytest_persona.settings import Settings

__all__ = ["OpenAIClient", "connect", "open_client"]

_SHAPES = ("json_schema", "json_object", "none")
"""How the form of an answer is asked for, the strictest first; the prompt describes it in any case."""
_STOPS: Mapping[object, Literal["declined", "length"]] = {"content_filter": "declined", "length": "length"}
_TOO_LONG = re.compile(r"too long|too large|context|maximum", re.IGNORECASE)


def open_client(settings: Settings) -> OpenAIClient:
    """The judge's client; see :func:`connect`."""
    return connect(settings.model or "", settings.base_url, JUDGE)


def connect(model: str, base_url: str | None, asked: Role) -> OpenAIClient:
    """A client for a model; raises JudgeError without httpx2, a model, or a usable URL or key.

    Where there is no base URL ``OPENAI_BASE_URL`` is taken; ``OPENAI_API_KEY`` is sent where it is set.
    """
    try:
        import httpx2
    except ImportError as error:
        raise JudgeError(
            f"The {asked.name} openai needs the package httpx2, which cannot be imported ({error}). "
            "Install it with: pip install 'pytest-persona[openai]'"
        ) from None
    url, where = base_url, asked.base_url
    if not url:
        url, where = os.environ.get("OPENAI_BASE_URL", ""), "OPENAI_BASE_URL"
    if not url:
        raise JudgeError(
            f"The {asked.name} openai does not know whom to ask. Name a server with {asked.base_url} or OPENAI_BASE_URL, such as "
            "http://localhost:8000/v1 (vLLM) or http://localhost:11434/v1 (Ollama)."
        )
    if not model:
        raise JudgeError(
            f"The {asked.name} openai has no model of its own. Name one that the server offers with {asked.model}."
        )
    key = checked_key(os.environ.get("OPENAI_API_KEY", ""), "OPENAI_API_KEY")
    headers = {"authorization": f"Bearer {key}"} if key else {}
    http = httpx2.AsyncClient(base_url=checked_url(url, where), headers=headers, follow_redirects=True, **connections())
    hush()
    service = Service(
        model=model,
        credential="OPENAI_API_KEY" if key else "OPENAI_API_KEY, which is not set",
        url=url,
        secrets=[key],
        named_by=asked.model,
    )
    return OpenAIClient(http, model, service)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Dialect:
    """What a server understands of the format: at first all that is good for a judge."""

    shape: int = 0
    """Which of `_SHAPES`."""
    limit: str = "max_tokens"
    """What the limit on output tokens is called."""
    temperature: bool = True
    """Whether it may be set, to 0."""

    def after(self, refusal: str) -> _Dialect | None:
        """What to try in its place when it was refused in those words; None where nothing is left to try."""
        if "max_completion_tokens" in refusal and self.limit == "max_tokens":
            return replace(self, limit="max_completion_tokens")
        if "temperature" in refusal and self.temperature:
            return replace(self, temperature=False)
        if self.shape + 1 < len(_SHAPES) and not _TOO_LONG.search(refusal):
            return replace(self, shape=self.shape + 1)
        return None


class OpenAIClient:
    """One connection to such a server; see :class:`pytest_persona.judge.chat.client.Client`."""

    def __init__(self, http: httpx2.AsyncClient, model: str, service: Service) -> None:
        self._http = http
        self._model = model
        self._service = service
        self._dialect = _Dialect()

    async def ask(self, prompt: Prompt, *, most_tokens: int, timeout: float) -> Reply:
        """One request; further ones at once where the server does not know a part of the format, until it has been learnt."""
        dialect, first = self._dialect, None
        while True:
            try:
                reply = await self._ask(dialect, prompt, most_tokens, timeout)
            except Permanent as fault:
                weaker = None if fault.fatal else dialect.after(str(fault))
                first = first or fault
                if weaker is None:
                    raise first from None
                dialect = weaker
                continue
            if first is not None:
                self._dialect = dialect
            return reply

    async def talk(
        self, system: str, messages: Sequence[Mapping[str, str]], *, most_tokens: int, timeout: float
    ) -> Reply:
        """The model's next message in a dialogue, empty or not, asked once; for a model that is itself what is examined."""
        dialogue = [*([{"role": "system", "content": system}] if system else []), *messages]
        while True:
            request = {"model": self._model, "messages": dialogue, self._dialect.limit: most_tokens}
            try:
                document = await self._posted(request, timeout)
            except Permanent as fault:
                weaker = None if fault.fatal else self._dialect.after(str(fault))
                if weaker is None or weaker.limit == self._dialect.limit:
                    raise
                self._dialect = weaker
                continue
            return self._said(document, sum(estimate(message["content"]) for message in dialogue))

    async def close(self) -> None:
        """Close connections."""
        with unlogged():
            await self._http.aclose()

    async def _ask(self, dialect: _Dialect, prompt: Prompt, most_tokens: int, timeout: float) -> Reply:
        document = await self._posted(self._request(dialect, prompt, most_tokens), timeout)
        reply = self._said(document, estimate(prompt.shared) + estimate(prompt.asked))
        if reply.stop == "end" and not reply.text.strip():
            raise Transient("an empty reply")
        return reply

    async def _posted(self, request: Mapping[str, Any], timeout: float) -> Any:
        """The document that comes back; raises Fault."""
        import httpx2

        try:
            with unlogged(), within(timeout):
                response = await self._http.post("chat/completions", json=request, timeout=timeout)
        except (asyncio.TimeoutError, httpx2.TimeoutException):
            raise self._service.late(timeout) from None
        except httpx2.HTTPError as error:
            raise self._service.unreached(error) from None
        except UnicodeEncodeError:
            raise Permanent("its text has characters that cannot be sent (lone surrogates)", fatal=False) from None
        try:
            document = response.json()
        except ValueError as error:
            if response.is_success:
                raise self._service.unreadable(str(error)) from None
            document = response.text
        refusal = document.get("error") if isinstance(document, dict) else None
        if refusal or not response.is_success:
            raise self._refusal(response, refusal or document)
        return document

    def _request(self, dialect: _Dialect, prompt: Prompt, most_tokens: int) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": self._model,
            "messages": [
                {"role": "system", "content": prompt.shared},
                {"role": "user", "content": prompt.asked},
            ],
            dialect.limit: most_tokens,
        }
        if dialect.temperature:
            request["temperature"] = 0
        shape = _SHAPES[dialect.shape]
        if shape == "json_schema":
            answer = {"name": "verdicts", "strict": True, "schema": prompt.schema}
            request["response_format"] = {"type": shape, shape: answer}
        elif shape == "json_object":
            request["response_format"] = {"type": shape}
        return request

    def _refusal(self, response: httpx2.Response, error: object) -> Fault:
        """The fault that a response stands for; gateways also put the status of whom they asked into a good one."""
        status: int | None = response.status_code
        words, kind, code = str(error), "", ""
        if isinstance(error, dict):
            words = str(error.get("message") or error.get("detail") or error)
            kind, code = str(error.get("type") or ""), str(error.get("code") or "")
        if response.is_success:
            status = int(code) if re.fullmatch(r"[45]\d\d", code) else None
        return self._service.refused(status, words, kind=kind, code=code, headers=response.headers)

    def _said(self, document: Any, asked: int) -> Reply:
        """The reply in a document; ``asked`` is how many tokens were sent by our own estimate: not every server counts."""
        try:
            choice = document["choices"][0]
            message = choice["message"]
            text = message.get("content") or ""
            usage = document.get("usage") or {}
            return Reply(
                text=text,
                stop="declined" if message.get("refusal") else _STOPS.get(choice.get("finish_reason"), "end"),
                model=str(document.get("model") or self._model),
                input_tokens=int(usage.get("prompt_tokens") or asked),
                output_tokens=int(usage.get("completion_tokens") or estimate(text)),
                cached_tokens=int((usage.get("prompt_tokens_details") or {}).get("cached_tokens") or 0),
            )
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise self._service.unreadable(f"it is no chat completion ({error!r})") from None
