"""HTTP/1.1 with keep-alive on an asyncio protocol: enough of it for a vendor's client, and little work for each request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

__all__ = ["Connection", "Handle", "Reply", "Request"]


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request as it came; names of headers are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(kw_only=True)
class Reply:
    """One response and how it is sent."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    delay: float = 0.0
    sent: float | None = None
    """What share is sent before the connection is dropped."""
    done: Callable[[bool], None] | None = None
    """Told once whether the client was still there to be sent all of it."""

    def rendered(self) -> bytes:
        """Head and body."""
        reason = HTTPStatus(self.status).phrase if self.status in HTTPStatus._value2member_map_ else "Unknown"
        head = [f"HTTP/1.1 {self.status} {reason}", f"content-type: {self.content_type}"]
        head.append(f"content-length: {len(self.body)}")
        head += [f"{name}: {value}" for name, value in self.headers.items()]
        return "\r\n".join(head).encode() + b"\r\n\r\n" + self.body


Handle = Callable[[Request], Reply]


class Connection(asyncio.Protocol):
    """One connection of a client; requests on it are answered one after another."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._replying: Reply | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The client has connected."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone; a reply that it was waiting for is told so."""
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
        if self._replying is not None and self._replying.done is not None:
            self._replying.done(False)
        self._replying = None

    def drop(self) -> None:
        """Leave the client without a word."""
        if self._transport is not None:
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        """Bytes have come."""
        if data.startswith(b"\x16"):  # somebody wants TLS
            self.drop()
            return
        self._buffer += data
        if self._replying is None:
            self._next()

    def _next(self) -> None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        lines = self._buffer[:end].decode("latin-1").split("\r\n")
        headers = {
            name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])
        }
        length = int(headers.get("content-length", "0"))
        if len(self._buffer) < end + 4 + length:
            return
        body = bytes(self._buffer[end + 4 : end + 4 + length])
        del self._buffer[: end + 4 + length]
        method, target, _ = lines[0].split(" ", 2)
        path, _, query = target.partition("?")
        request = Request(method=method, path=path, query=query, headers=headers, body=body)
        try:
            self._replying = self._handle(request)
        except Exception as error:  # a mistake of the server's own must show in the test that made it
            said = {"type": "error", "error": {"type": "loopback_bug", "message": repr(error)}}
            self._replying = Reply(status=400, body=json.dumps(said).encode())
        if self._replying.delay > 0:
            self._timer = asyncio.get_running_loop().call_later(self._replying.delay, self._send)
        else:
            self._send()

    def _send(self) -> None:
        reply, transport = self._replying, self._transport
        assert reply is not None and transport is not None
        self._replying = self._timer = None
        if reply.done is not None:  # first, so that whoever has got the reply finds it in the log
            reply.done(reply.sent is None)
        if reply.sent is None:
            transport.write(reply.rendered())
            if self._buffer:
                self._next()
        else:
            whole = reply.rendered()
            transport.write(whole[: int(len(whole) * reply.sent)])
            transport.close()
