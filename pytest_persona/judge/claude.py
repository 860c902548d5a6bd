"""Claude through Anthropic's own SDK (2.x)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pytest_persona.errors import JudgeError
from pytest_persona.infer.prompt import Prompt
from pytest_persona.judge.chat.batching import BatchState
from pytest_persona.judge.chat.client import Reply
from pytest_persona.net.faults import Fault, Permanent, Transient
from pytest_persona.net.lanes import connections
from pytest_persona.net.limits import within
from pytest_persona.net.statuses import JUDGE, Role, Service, checked_key, checked_url, hush, scrubbed, unlogged

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from anthropic.types.messages import MessageBatch

    from pytest_persona.settings import Settings

__all__ = ["DEFAULT_MODEL", "ClaudeClient", "connect", "open_client"]

DEFAULT_MODEL = "claude-sonnet-5-5"
"""Pinned, so that an update of this package does not change the judge unseen."""

_THINKING_TOKENS = 4096
"""Output tokens on top of an answer's for a model that always thinks: thinking counts as output."""
_SMALL, _LARGE = 60.0, 900.0
"""Seconds for a look at a batch, and for what may have to carry 256 MB."""
_STOPS: Mapping[str, Literal["declined", "length"]] = {
    "refusal": "declined",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
}
T = TypeVar("T")
_INSTALL = "pip install 'pytest-persona[claude]'"


def open_client(settings: Settings) -> ClaudeClient:
    """The judge's client; see :func:`connect`."""
    return connect(settings.model or DEFAULT_MODEL, settings.base_url, JUDGE)


def connect(model: str, base_url: str | None, asked: Role) -> ClaudeClient:
    """A client for a model; raises JudgeError without the SDK, a credential or a usable URL.

    The SDK finds the credential, and the base URL where none is given (``ANTHROPIC_BASE_URL``).
    """
    try:
        import anthropic
    except ImportError as error:
        raise JudgeError(
            f"The {asked.name} claude needs Anthropic's SDK, which cannot be imported ({error}). Install it with: {_INSTALL}"
        ) from None
    if int(anthropic.__version__.partition(".")[0]) < 2:
        raise JudgeError(
            f"The {asked.name} claude needs Anthropic's SDK 2 or later; {anthropic.__version__} is installed. Upgrade it with: {_INSTALL}"
        )
    url = checked_url(base_url, asked.base_url) if base_url else None
    try:
        sdk = anthropic.AsyncAnthropic(
            base_url=url,
            max_retries=0,
            open_telemetry=False,
            http_client=anthropic.DefaultAsyncHttpxClient(**connections()),
        )
    except anthropic.AnthropicError as error:
        raise JudgeError(f"Anthropic's SDK cannot use the credential it found: {scrubbed(str(error))}") from None
    checked_url(str(sdk.base_url), "ANTHROPIC_BASE_URL")
    hush()
    return ClaudeClient(sdk, model, credential=_credential(sdk, asked), url=url or "", asked=asked)


def _credential(sdk: AsyncAnthropic, asked: Role) -> str:
    """Where the SDK's credential is from; raises JudgeError where there is none."""
    if sdk.api_key is not None:
        checked_key(sdk.api_key, "ANTHROPIC_API_KEY")
        return "ANTHROPIC_API_KEY"
    if sdk.auth_token is not None:
        checked_key(sdk.auth_token, "ANTHROPIC_AUTH_TOKEN")
        return "ANTHROPIC_AUTH_TOKEN"
    if sdk.credentials is not None:
        return "the profile or the identity token that Anthropic's SDK uses"
    if {"authorization", "x-api-key"} & {name.lower() for name in sdk.default_headers}:
        return "ANTHROPIC_CUSTOM_HEADERS"
    raise JudgeError(
        f"The {asked.name} claude found no credential. Set ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN, or ANTHROPIC_PROFILE, or "
        "ANTHROPIC_IDENTITY_TOKEN with ANTHROPIC_FEDERATION_RULE_ID and ANTHROPIC_ORGANIZATION_ID). "
        f"{asked.without_key}"
    )


class ClaudeClient:
    """One connection to Claude; see :class:`pytest_persona.judge.chat.client.Client`."""

    def __init__(self, sdk: AsyncAnthropic, model: str, *, credential: str, url: str = "", asked: Role = JUDGE) -> None:
        self.sdk = sdk
        # Raw: the SDK lets replies of any form pass, so they are checked here, and its own reading of them would come on top.
        self._create = sdk.messages.with_raw_response.create
        self.model = model
        self._thinks = False
        """Whether the model has refused to have its thinking turned off."""
        secrets = [value for name, value in sdk.default_headers.items() if isinstance(value, str) and _is_private(name)]
        self._service = Service(
            model=model,
            credential=credential,
            url=url,
            secrets=[sdk.api_key or "", sdk.auth_token or "", *secrets],
            named_by=asked.model,
        )

    def params(self, prompt: Prompt, most_tokens: int) -> dict[str, Any]:
        """The request in the words of the Messages API, alone or as one of a batch."""
        request: dict[str, Any] = {
            "model": self.model,
            "max_tokens": most_tokens + (_THINKING_TOKENS if self._thinks else 0),
            "system": [{"type": "text", "text": prompt.shared, "cache_control": {"type": "ephemeral"}}],
            "messages": [{"role": "user", "content": prompt.asked}],
            "output_config": {"format": {"type": "json_schema", "schema": prompt.schema}},
        }
        if not self._thinks:
            request["thinking"] = {"type": "disabled"}
        return request

    async def ask(self, prompt: Prompt, *, most_tokens: int, timeout: float) -> Reply:
        """One request; a second one at once where the model refuses to have its thinking turned off."""
        while True:
            request = self.params(prompt, most_tokens)
            # The SDK warns of models by name, and where warnings are errors that would end the run: it is told no name.
            body = {"model": request.pop("model")}
            try:
                sent = self._create(**request, model="", extra_body=body, timeout=timeout)
                document = await (await self._answer(sent, timeout)).json()
            except Permanent as fault:
                if "thinking" in request and self._must_think(fault):
                    continue
                raise
            except ValueError as error:
                raise self._service.unreadable(str(error)) from None
            return self.reply(document)

    async def talk(
        self, system: str, messages: Sequence[Mapping[str, str]], *, most_tokens: int, timeout: float
    ) -> Reply:
        """The model's next message in a dialogue, empty or not, asked once; for a model that is itself what is examined."""
        request: dict[str, Any] = {"max_tokens": most_tokens, "messages": list(messages)}
        if system:
            request["system"] = system
        try:
            sent = self._create(**request, model="", extra_body={"model": self.model}, timeout=timeout)
            document = await (await self._answer(sent, timeout)).json()
        except ValueError as error:
            raise self._service.unreadable(str(error)) from None
        return self._said(document)

    async def close(self) -> None:
        """Close connections."""
        with unlogged():
            await self.sdk.close()

    # ------------------------------------------------------------------------------------------------ batches
    async def create_batch(self, requests: Sequence[Mapping[str, Any]]) -> str:
        """See :class:`pytest_persona.judge.chat.batching.BatchClient`."""
        made = await self._answer(self.sdk.messages.batches.create(requests=requests), _LARGE)  # type: ignore[arg-type]
        return self._state(made).id

    async def batch(self, batch: str) -> BatchState | None:
        """See :class:`pytest_persona.judge.chat.batching.BatchClient`."""
        from anthropic import NotFoundError

        async def state() -> BatchState | None:
            try:
                return self._state(await self.sdk.messages.batches.retrieve(batch))
            except NotFoundError:
                return None

        return await self._answer(state(), _SMALL)

    async def batches(self, since: float) -> list[BatchState]:
        """See :class:`pytest_persona.judge.chat.batching.BatchClient`."""

        async def listed() -> list[BatchState]:
            page = await self.sdk.messages.batches.list(limit=100)  # the newest first
            found: list[BatchState] = []
            while True:
                for batch in page.data:
                    state = self._state(batch)
                    if batch.created_at.timestamp() < since:
                        return found
                    found.append(state)
                if not page.has_next_page():
                    return found
                page = await page.get_next_page()

        return await self._answer(listed(), _LARGE)

    async def results(self, batch: str) -> list[tuple[str, Reply | Fault]]:
        """See :class:`pytest_persona.judge.chat.batching.BatchClient`."""

        async def lines() -> list[bytes]:
            response = await self.sdk.messages.batches.with_raw_response.results(batch)
            return (await response.read()).splitlines()

        results = []
        for line in await self._answer(lines(), _LARGE):
            try:
                document = json.loads(line)
                results.append((str(document["custom_id"]), self._end(document["result"])))
            except (ValueError, TypeError, KeyError) as error:
                raise self._service.unreadable(f"results of a batch ({error!r})") from None
        return results

    def _state(self, batch: MessageBatch) -> BatchState:
        try:
            counts = batch.request_counts
            total = counts.processing + counts.succeeded + counts.errored + counts.canceled + counts.expired
            return BatchState(id=batch.id, ended=batch.processing_status == "ended", requests=total)
        except (AttributeError, TypeError) as error:
            raise self._service.unreadable(f"it is no batch ({error!r})") from None

    def _end(self, result: Mapping[str, Any]) -> Reply | Fault:
        """What became of one request of a batch."""
        if result["type"] == "errored":
            refusal = self._refusal(result["error"]["error"])
            return Transient(str(refusal)) if self._must_think(refusal) else refusal
        if result["type"] != "succeeded":
            return Transient(f"its batch was {result['type']} before it was answered")
        try:
            return self.reply(result["message"])
        except Fault as fault:
            return fault

    # ------------------------------------------------------------------------------------------------ replies
    def reply(self, document: Any) -> Reply:
        """The reply in a message; raises Fault for a document of another form, and for a message that says nothing."""
        reply = self._said(document)
        if reply.stop == "end" and not reply.text.strip():
            raise Transient("an empty reply")
        return reply

    def _said(self, document: Any) -> Reply:
        try:
            if document["type"] == "error":
                raise self._refusal(document["error"])
            usage = document["usage"]
            cached = usage.get("cache_read_input_tokens") or 0
            return Reply(
                text="".join(block["text"] for block in document["content"] if block["type"] == "text"),
                stop=_STOPS.get(document["stop_reason"], "end"),
                model=document["model"],
                input_tokens=usage["input_tokens"] + (usage.get("cache_creation_input_tokens") or 0) + cached,
                output_tokens=usage["output_tokens"],
                cached_tokens=cached,
            )
        except (AttributeError, KeyError, TypeError) as error:
            raise self._service.unreadable(f"it is no message ({error!r})") from None

    # ------------------------------------------------------------------------------------------------ faults
    async def _answer(self, sent: Awaitable[T], timeout: float) -> T:
        """What the SDK brings; raises Fault for all that it raises of the vendor's making."""
        try:
            with unlogged(), within(timeout):
                return await sent
        except Exception as error:
            raise self._fault(error, timeout) from None

    def _fault(self, error: Exception, timeout: float) -> Fault:
        """What an exception of the SDK means; raises it where it is none of the vendor's making."""
        from anthropic import AnthropicError, APIConnectionError, APIStatusError, APITimeoutError
        from httpx2 import HTTPError, TimeoutException

        if isinstance(error, (asyncio.TimeoutError, APITimeoutError, TimeoutException)):
            return self._service.late(timeout)
        if isinstance(error, APIStatusError):
            words = error.api_message if isinstance(error.api_message, str) else error.message
            kind, code = (text if isinstance(text, str) else "" for text in (error.type, error.error_code))
            headers = error.response.headers
            return self._service.refused(error.status_code, words, kind=kind, code=code, headers=headers)
        if isinstance(error, (APIConnectionError, HTTPError)):
            return self._service.unreached(error)
        if isinstance(error, UnicodeEncodeError):
            return Permanent("its text has characters that cannot be sent (lone surrogates)", fatal=False)
        if isinstance(error, ValueError):  # of a body that is not JSON
            return self._service.unreadable(str(error))
        if isinstance(error, AnthropicError):  # a token could not be had, or its file is gone
            return Permanent(f"Anthropic's SDK has no credential: {self._service.said(str(error))}", fatal=True)
        raise error

    def _refusal(self, error: Mapping[str, Any]) -> Fault:
        """The fault that an error without a status (in a good response, in a batch) stands for."""
        return self._service.refused(None, str(error["message"]), kind=str(error["type"]))

    def _must_think(self, fault: Fault) -> bool:
        """Whether a fault says that thinking cannot be turned off; from then on requests leave it to the model."""
        refused = isinstance(fault, Permanent) and not fault.fatal and "thinking" in str(fault).lower()
        self._thinks = self._thinks or refused
        return refused


def _is_private(header: str) -> bool:
    name = header.lower()
    return not name.startswith(("x-stainless", "anthropic-version", "accept", "content-type", "user-agent"))
