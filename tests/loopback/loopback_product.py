"""A product behind HTTP on the loopback interface: JSON in, JSON out, and faults as planned.

with ProductServer(lambda body: {"reply": "Yes."}, plan=lambda index, body: None) as server:
    ...  # server.base_url + "/chat", server.bodies, server.headers
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from loopback_faults import Fault
from loopback_http import Reply, Request
from loopback_server import LoopbackServer

__all__ = ["ProductServer", "echo"]

Plan = Callable[[int, Any], "Fault | None"]


def echo(body: Any) -> Any:
    """Says what it was asked last."""
    return {"reply": f"You asked: {body['messages'][-1]['content']}"}


class ProductServer(LoopbackServer):
    """Answers ``POST /chat`` with the JSON of what ``product`` returns for the request's body."""

    def __init__(
        self,
        product: Callable[[Any], Any] = echo,
        *,
        plan: Plan = lambda index, body: None,
        latency: float = 0.0,
        token: str | None = None,
    ) -> None:
        super().__init__(latency=latency)
        self.product, self.faults, self.token = product, plan, token
        self.bodies: list[Any] = []
        self.headers: list[Mapping[str, str]] = []

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"{self.base_url}/chat"

    def _handle(self, request: Request) -> Reply:
        body = json.loads(request.body)
        index = len(self.bodies)
        self.bodies.append(body)
        self.headers.append(request.headers)
        if self.token is not None and request.headers.get("authorization") != f"Bearer {self.token}":
            return self.faulty(Fault(name="401", status=401, kind="auth", said=f"bad token {self.token}"), b"")
        if request.path != "/chat":
            return self.faulty(Fault(name="404", status=404, kind="not_found", said="no such path"), b"")
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

        def done(whole: bool) -> None:
            self.in_flight -= 1

        fault = self.faults(index, body)
        good = json.dumps(self.product(body)).encode()
        reply = Reply(body=good) if fault is None else self.faulty(fault, good)
        reply.delay += self.latency
        reply.done = done
        return reply
