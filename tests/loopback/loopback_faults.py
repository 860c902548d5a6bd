"""What can go wrong at a vendor's server, as values: a plan answers each request with one of them, or with None."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loopback_server import Asked

__all__ = ["Fault", "Plan", "faults_at", "named"]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """How one request is answered instead of well; ``name`` is what the log says."""

    name: str
    status: int = 200
    kind: str = ""
    """Error type of the body (``rate_limit_error``); with ``status`` 200 an error body in a good response."""
    said: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    """Seconds on top of the server's latency."""
    sent: float | None = None
    """What share of the response is sent before the connection is dropped; 0 drops it without a word."""
    kept: float | None = None
    """What share of the body is sent as if it were the whole."""
    body: bytes | None = None
    content_type: str = "application/json"
    text: str | None = None
    """What the model says instead of its judgement."""
    empty: bool = False
    """An empty list of content."""
    stop: str = ""
    """The stop reason of an answer that is otherwise well formed (``refusal``, ``max_tokens``)."""
    result: str = ""
    """Of a question in a batch: ``expired`` or ``canceled``."""

    @property
    def pays(self) -> bool:
        """Whether the model has answered, so that tokens are billed."""
        return self.status == 200 and not self.kind and self.body is None and not self.result

    def error_body(self) -> bytes:
        """The vendor's error document."""
        error = {"type": self.kind, "message": self.said or self.name}
        return json.dumps({"type": "error", "error": error, "request_id": "req_loopback"}).encode()


Plan = Callable[[int, "Asked"], "Fault | None"]
"""Called with the number of the request, from 0, and the request."""

_FAULTS = (
    Fault(name="429", status=429, kind="rate_limit_error", headers={"retry-after": "1"}),
    Fault(name="529", status=529, kind="overloaded_error", said="Overloaded"),
    Fault(name="500", status=500, kind="api_error", said="Internal server error"),
    Fault(name="503", status=503, kind="api_error"),
    Fault(name="408", status=408, kind="timeout_error"),
    Fault(name="409", status=409, kind="conflict_error"),
    Fault(name="401", status=401, kind="authentication_error", said="invalid x-api-key"),
    Fault(name="402", status=402, kind="billing_error", said="Your credit balance is too low"),
    Fault(name="403", status=403, kind="permission_error", said="no access to this model"),
    Fault(name="404", status=404, kind="not_found_error", said="model: claude-retired-1"),
    Fault(
        name="400", status=400, kind="invalid_request_error", said="prompt is too long: 300000 tokens > 200000 maximum"
    ),
    Fault(name="413", status=413, kind="invalid_request_error", said="Request exceeds the maximum size"),
    Fault(name="422", status=422, kind="invalid_request_error"),
    Fault(name="dropped", sent=0.0),
    Fault(name="cut", sent=0.6),
    Fault(name="truncated", kept=0.6),
    Fault(name="slow", delay=30.0),
    Fault(name="schema", text='{"seal": 1, "verdicts": "none"}'),
    Fault(name="json", text='{"seal": "abc", "verdicts": ['),
    Fault(name="empty", empty=True),
    Fault(name="refusal", stop="refusal", text=""),
    Fault(name="max_tokens", stop="max_tokens", text='{"seal": "abc", "verd'),
    Fault(name="html", status=200, body=b"<html><body>Gateway</body></html>", content_type="text/html"),
    Fault(name="html 502", status=502, body=b"<html>Bad gateway</html>", content_type="text/html"),
    Fault(name="error 200", kind="api_error", said="went wrong after the head was sent"),
    Fault(name="errored", status=500, kind="api_error"),
    Fault(name="expired", result="expired"),
    Fault(name="canceled", result="canceled"),
)


def named(name: str, **changes: Any) -> Fault:
    """The fault of that name, with other values where given (``named("429", headers={"retry-after": "0.1"})``)."""
    values = {key: getattr(_BY_NAME[name], key) for key in Fault.__dataclass_fields__}
    return Fault(**{**values, **changes})


def faults_at(rate: float, names: Sequence[str], *, seed: int = 0) -> Plan:
    """A plan that answers that share of the requests with one of the faults, drawn by seed, question and attempt."""

    def plan(index: int, asked: Asked) -> Fault | None:
        draw = random.Random(f"{seed} {asked.identity} {asked.attempt}")
        return named(draw.choice(list(names))) if draw.random() < rate else None

    return plan


_BY_NAME = {fault.name: fault for fault in _FAULTS}
