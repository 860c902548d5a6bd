"""A product behind an HTTP endpoint: JSON by POST, JSON back."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from pytest_persona.errors import TargetError
from pytest_persona.infer.json_path import find, kind, parse_path
from pytest_persona.infer.template import parse_template
from pytest_persona.model.episodes import Turn, digest
from pytest_persona.model.probes import HttpTarget, TargetInfo
from pytest_persona.net.faults import Fault, Permanent, Transient
from pytest_persona.net.limits import within
from pytest_persona.net.statuses import hush, retry_after, scrubbed, unlogged
from pytest_persona.probe.base import MOST_CHARACTERS, Answer, Unreadable
from pytest_persona.probe.messages import as_messages, as_text, checked, since_reply

if TYPE_CHECKING:
    import httpx2

__all__ = ["HttpEndpoint", "http_info"]

_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_BODY = {"prompt": None, "messages": None, "session": None}
_DEFAULT_BODY = {"messages": "{{ messages }}"}
_NOTHING_THERE = (404, 405, 410)
_AGAIN = (408, 409, 425, 429, 529)
_CROWDED = (429, 503, 529)


def http_info(spec: HttpTarget) -> TargetInfo:
    """Who an endpoint is: its URL as written, without user, query and values of variables, and what it is sent."""
    parts = urlsplit(spec.url)
    name = urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    asked = json.dumps([spec.body or _DEFAULT_BODY, spec.reply, spec.session], sort_keys=True)
    return TargetInfo(name=name, kind="http", fingerprint=digest("http", name, asked))


class HttpEndpoint:
    """Made on any thread, used on one event loop; see :class:`pytest_persona.probe.base.Target`.

    Raises TargetError without httpx2, for a variable that is not set and for what is then no URL.
    """

    at_once: int | None = None

    def __init__(self, spec: HttpTarget, environment: Mapping[str, str] = os.environ) -> None:
        try:
            import httpx2  # noqa: F401
        except ImportError as error:
            raise TargetError(
                f"An HTTP target needs the package httpx2, which cannot be imported ({error}). "
                "Install it with: pip install 'pytest-persona[http]'"
            ) from None
        self.info = http_info(spec)
        self.timeout = spec.timeout
        self.keeps_state = bool(spec.session)
        self._secrets: list[str] = []
        self._url = self._expanded("url", spec.url, environment)
        if re.match(r"https?://[^/\s]", self._url, re.IGNORECASE) is None:
            raise TargetError(f"target.http.url: {self.info.name} is no URL of http or https once it is filled in.")
        self._headers = {
            name: self._expanded(f"headers.{name}", value, environment) for name, value in spec.headers.items()
        }
        for name, value in self._headers.items():
            if not value.isascii() or not value.isprintable():
                raise TargetError(
                    f"target.http.headers.{name}: the value has line ends or special characters in it. Set it again without them."
                )
        self._body = spec.body or _DEFAULT_BODY
        self.takes_messages = "messages" in _names(self._body)
        self._reply = parse_path(spec.reply)
        self._session = parse_path(spec.session) if spec.session else None
        self._client: httpx2.AsyncClient | None = None

    async def open(self, timeout: float) -> _Dialogue:
        """See :class:`pytest_persona.probe.base.Target`."""
        return _Dialogue(self)

    async def close(self) -> None:
        """Close connections."""
        if self._client is not None:
            with unlogged():
                await self._client.aclose()

    async def post(self, values: Mapping[str, object], timeout: float) -> Any:
        """The JSON that comes back for a body with these values; raises Fault."""
        import httpx2

        try:
            with unlogged(), within(timeout):
                status, headers, raw = await self._sent(_filled(self._body, values), timeout)
        except (asyncio.TimeoutError, httpx2.TimeoutException):
            raise Transient(f"no reply within {timeout:g} s") from None
        except httpx2.HTTPError as error:
            raise Transient(f"no connection, or it broke: {self.said(str(error)) or type(error).__name__}") from None
        except UnicodeEncodeError:
            raise Permanent("its text has characters that cannot be sent (lone surrogates)", fatal=False) from None
        if not 200 <= status < 300:
            raise self._refusal(status, headers, raw.decode("utf-8", "replace"))
        try:
            return json.loads(raw)
        except (ValueError, RecursionError) as error:
            raise Unreadable(f"a reply that is no JSON: {self.said(str(error))}") from None

    def told(self, document: Any, path: tuple[str | int, ...], what: str) -> Any:
        """What stands in an answer; raises Permanent in words that hold none of its values."""
        try:
            return find(document, path)
        except LookupError as error:
            raise Permanent(f"the answer holds no {what}: {self.said(str(error))}", fatal=False) from None

    def answer(self, document: Any) -> str:
        """The reply in an answer."""
        text = self.told(document, self._reply, "reply")
        if not isinstance(text, str):
            raise Permanent(f"the reply in the answer is no text but {kind(text)}", fatal=False)
        return checked(text)

    def session_of(self, document: Any) -> Any:
        """What the next turn must send back; None where nothing is."""
        return None if self._session is None else self.told(document, self._session, "session")

    def said(self, text: str) -> str:
        """Words of the server's, on one short line without secrets."""
        return scrubbed(text, self._secrets)

    async def _sent(self, body: Any, timeout: float) -> tuple[int, Mapping[str, str], bytes]:
        async with self._connected().stream("POST", self._url, json=body, timeout=timeout) as response:
            raw = bytearray()
            async for part in response.aiter_bytes():
                raw += part
                if len(raw) > MOST_CHARACTERS:
                    raise Permanent(f"the answer is larger than {MOST_CHARACTERS // 1_000_000} MB", fatal=False)
            return response.status_code, response.headers, bytes(raw)

    def _connected(self) -> httpx2.AsyncClient:
        if self._client is None:
            import httpx2

            limits = httpx2.Limits(max_connections=None)
            self._client = httpx2.AsyncClient(headers=self._headers, follow_redirects=False, limits=limits)
            hush()
        return self._client

    def _refusal(self, status: int, headers: Mapping[str, str], words: str) -> Fault:
        text = f"HTTP {status}"
        if shown := self.said(words):
            text += f": {shown}"
        if status in (401, 403):
            return Permanent(f"it lets nobody in ({text}). Check the headers of the target.", fatal=True)
        if status in _NOTHING_THERE:
            return Permanent(f"nobody answers at that URL ({text}). Check the target's url.", fatal=True)
        if 300 <= status < 400:
            return Permanent(f"it sends elsewhere ({text}). Write the URL where it answers.", fatal=True)
        if status in _AGAIN or status >= 500:
            return Transient(text, retry_after=retry_after(headers), crowded=status in _CROWDED)
        return Permanent(text, fatal=False)

    def _expanded(self, field: str, text: str, environment: Mapping[str, str]) -> str:
        def value(found: re.Match[str]) -> str:
            name = found[1]
            if not environment.get(name):
                raise TargetError(
                    f"target.http.{field}: the environment variable {name} is not set. Set it, or write the value."
                )
            self._secrets.append(environment[name])
            return environment[name]

        return _VARIABLE.sub(value, text)


class _Dialogue:
    """See :class:`pytest_persona.probe.base.Session`."""

    def __init__(self, endpoint: HttpEndpoint) -> None:
        self._endpoint = endpoint
        self._session: Any = None
        self._replies = 0

    async def reply(self, turns: Sequence[Turn], timeout: float) -> Answer:
        """One request and no retries of its own."""
        heard = since_reply(turns, self._replies) if self._endpoint.keeps_state else turns
        prompt = heard[-1].text if self._endpoint.takes_messages else as_text(heard)
        values = {"prompt": prompt, "messages": as_messages(heard), "session": self._session}
        document = await self._endpoint.post(values, timeout)
        text = self._endpoint.answer(document)
        self._session = self._endpoint.session_of(document)
        self._replies += 1
        return Answer(text=text)

    async def close(self) -> None:
        """There is nothing to end."""


def _names(body: Any) -> set[str]:
    """The names that the templates of a body use."""
    if isinstance(body, str):
        return parse_template(body, _BODY).names()
    parts = body.values() if isinstance(body, Mapping) else body if isinstance(body, list) else ()
    return {name for part in parts for name in _names(part)}


def _filled(body: Any, values: Mapping[str, object]) -> Any:
    """The body with its templates filled; a text that is one place becomes the value itself."""
    if isinstance(body, str):
        return parse_template(body, _BODY).value(values)
    if isinstance(body, Mapping):
        return {key: _filled(value, values) for key, value in body.items()}
    if isinstance(body, list):
        return [_filled(value, values) for value in body]
    return body
