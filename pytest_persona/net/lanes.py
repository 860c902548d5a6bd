"""Connections without a pool.

The pool of httpcore2 looks at every idle connection, with a system call for each, whenever a request begins or ends: with 64
in flight that was a quarter of what a request cost this process.
"""

from __future__ import annotations

import ssl
from typing import Any
from urllib.request import getproxies

__all__ = ["connections"]


def connections() -> dict[str, Any]:
    """Arguments for ``httpx2.AsyncClient`` that give each request in flight a connection, however many they are.

    Whoever asks bounds what is in flight: to wait here for a connection would use up the time that a question has.
    """
    import httpx2

    if getproxies():  # httpx2 finds the one for an address only where it is given no transport
        return {"limits": httpx2.Limits(max_connections=None, max_keepalive_connections=None)}

    class Lanes(httpx2.AsyncBaseTransport):
        def __init__(self) -> None:
            self._free: dict[str, list[httpx2.AsyncHTTPTransport]] = {"http": [], "https": []}
            self._tls: ssl.SSLContext | None = None

        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            free = self._free[request.url.scheme]
            lane = free.pop() if free else self._open(request.url.scheme)
            try:
                response = await lane.handle_async_request(request)
                await response.aread()  # whole, so that the lane is free for the next request
            finally:
                free.append(lane)
            return response

        async def aclose(self) -> None:
            for lane in self._free["http"] + self._free["https"]:
                await lane.aclose()

        def _open(self, scheme: str) -> httpx2.AsyncHTTPTransport:
            if scheme == "http":  # a context that trusts nobody: to read the certificates takes 0.1 s
                return httpx2.AsyncHTTPTransport(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
            self._tls = self._tls or httpx2.create_ssl_context()
            return httpx2.AsyncHTTPTransport(verify=self._tls)

    return {"transport": Lanes()}
