"""The Message Batches of the loopback server: created, polled, cancelled, listed and read as JSON lines."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from loopback_faults import Fault
from loopback_http import Reply, Request
from loopback_vendors import Refused, checked_custom_ids

if TYPE_CHECKING:
    from loopback_server import LoopbackServer

__all__ = ["Batch", "Batches"]


@dataclass(kw_only=True)
class Batch:
    """One batch; its requests are answered, and paid for, when it ends."""

    id: str
    created: datetime
    requests: list[dict[str, Any]]
    headers: Mapping[str, str]
    status: str = "in_progress"
    results: dict[str, dict[str, Any]] = field(default_factory=dict)
    polls: int = 0
    """How often its state was asked for."""


class Batches:
    """All batches of one server."""

    def __init__(self, server: LoopbackServer, *, latency: float, limit: int) -> None:
        self._server, self.latency, self.limit = server, latency, limit
        self.all: dict[str, Batch] = {}
        self.plan: dict[int, str] = {}
        """What goes wrong with the creation of batch number n: ``lost`` (made, but nobody is told) or ``refused`` (529)."""
        self.hiccups: list[Fault] = []
        """Faults of the next looks at a batch or its results, one each."""
        self._creations = 0

    def handle(self, request: Request) -> Reply:
        """Answer one request below ``/v1/messages/batches``; raises Refused."""
        parts = request.path.removeprefix("/v1/messages/batches").strip("/").split("/")
        if request.method == "GET" and self.hiccups:
            return self._server.faulty(self.hiccups.pop(0), b"{}")
        if parts == [""]:
            return self._create(request) if request.method == "POST" else self._list(request)
        batch = self.all.get(parts[0])
        if batch is None:
            raise Refused(404, "not_found_error", "no such batch")
        if parts[1:] == ["results"]:
            if batch.status != "ended":
                raise Refused(404, "not_found_error", "the batch has not ended")
            lines = (json.dumps({"custom_id": name, "result": result}) for name, result in batch.results.items())
            return Reply(body="".join(f"{line}\n" for line in lines).encode(), content_type="application/x-jsonl")
        if parts[1:] == ["cancel"]:
            self._end(batch, canceled=True)
        batch.polls += 1
        return Reply(body=json.dumps(self._document(batch)).encode())

    def _create(self, request: Request) -> Reply:
        requests = json.loads(request.body)["requests"]
        trouble = self.plan.get(self._creations, "")
        self._creations += 1
        if trouble == "refused":
            raise Refused(529, "overloaded_error", "Overloaded")
        if not 0 < len(requests) <= self.limit:
            raise Refused(400, "invalid_request_error", f"requests: List should have at most {self.limit} items")
        checked_custom_ids(requests)
        batch = Batch(
            id=f"msgbatch_{self._creations - 1:04}",
            created=datetime.now(timezone.utc),
            requests=requests,
            headers=request.headers,
        )
        self.all[batch.id] = batch
        self._server.later(self.latency, lambda: self._end(batch))
        return Reply(body=json.dumps(self._document(batch)).encode(), sent=0.0 if trouble == "lost" else None)

    def _list(self, request: Request) -> Reply:
        query = parse_qs(request.query)
        newest_first = list(reversed(self.all.values()))
        after = query.get("after_id", [""])[0]
        start = next((n + 1 for n, batch in enumerate(newest_first) if batch.id == after), 0)
        page = newest_first[start : start + int(query.get("limit", ["20"])[0])]
        document = {
            "data": [self._document(batch) for batch in page],
            "has_more": start + len(page) < len(newest_first),
            "first_id": page[0].id if page else None,
            "last_id": page[-1].id if page else None,
        }
        return Reply(body=json.dumps(document).encode())

    def finish(self) -> None:
        """End all batches now; called from any thread, and done when it returns."""
        done = threading.Event()

        def end_all() -> None:
            for batch in self.all.values():
                self._end(batch)
            done.set()

        self._server.soon(end_all)
        done.wait(10)

    def _end(self, batch: Batch, *, canceled: bool = False) -> None:
        if batch.status == "ended":
            return
        batch.status = "ended"
        for request in batch.requests:
            batch.results[request["custom_id"]] = (
                {"type": "canceled"} if canceled else self._result(request["params"], batch.headers)
            )

    def _result(self, params: Mapping[str, Any], headers: Mapping[str, str]) -> dict[str, Any]:
        try:
            document, entry, fault = self._server.answer("/v1/messages/batches", params, headers)
        except Refused as error:
            return _errored(error.kind, str(error))
        self._server.note(entry)
        if fault is None or fault.pays:
            return {"type": "succeeded", "message": document}
        return {"type": fault.result} if fault.result else _errored(fault.kind or "api_error", fault.said)

    def _document(self, batch: Batch) -> dict[str, Any]:
        kinds = [result["type"] for result in batch.results.values()]
        counts = {kind: kinds.count(kind) for kind in ("succeeded", "errored", "canceled", "expired")}
        url = f"{self._server.base_url}/v1/messages/batches/{batch.id}/results"
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": batch.status,
            "request_counts": {**counts, "processing": len(batch.requests) - len(kinds)},
            "created_at": batch.created.isoformat(),
            "expires_at": (batch.created + timedelta(days=1)).isoformat(),
            "ended_at": datetime.now(timezone.utc).isoformat() if batch.status == "ended" else None,
            "results_url": url if batch.status == "ended" else None,
        }


def _errored(kind: str, said: str) -> dict[str, Any]:
    error = {"type": kind, "message": said or kind}
    return {"type": "errored", "error": {"type": "error", "error": error, "request_id": None}}
