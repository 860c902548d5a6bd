"""A vendor's server on the loopback interface: real HTTP, real errors, a judge made of key words.

It speaks ``POST /v1/messages``, ``POST /v1/messages/count_tokens``, ``/v1/messages/batches`` and ``POST /v1/chat/completions``.

    with LoopbackServer(latency=0.2, plan=faults_at(0.05, ["429", "500"])) as server:
        ...  # server.base_url, server.openai_url, server.log, server.answered_twice()

    python tests/loopback/loopback_server.py --port 0 --latency 0.2 --log FILE    # prints its URL; one JSON line a request
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from keyword_judge import identity_of, judge_by_keywords
from loopback_batches import Batches
from loopback_faults import Fault, Plan, faults_at
from loopback_http import Connection, Reply, Request
from loopback_tokens import tokens
from loopback_vendors import (
    CACHE_FLOOR,
    Bill,
    Refused,
    anthropic_reply,
    anthropic_request,
    openai_reply,
    openai_request,
    schema_tokens,
)

__all__ = ["Asked", "Entry", "Judge", "LoopbackServer"]

Judge = Callable[[str, str, Mapping[str, Any]], str]
"""System text, user text and schema to the JSON text of an answer."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One question as a plan sees it."""

    path: str
    system: str
    user: str
    schema: Mapping[str, Any]
    body: Mapping[str, Any]
    headers: Mapping[str, str]
    identity: str
    """The same for the same question, whatever its fence."""
    attempt: int
    """How often that question had come before."""


@dataclass(kw_only=True)
class Entry:
    """One line of the log."""

    index: int
    path: str
    identity: str
    attempt: int
    outcome: str
    """``answered``, ``gone`` (the client left before it was answered), or the name of the fault."""
    paid: bool
    """Whether the model did its work, fault or not."""
    input_tokens: int = 0
    output_tokens: int = 0
    cached_tokens: int = 0


class LoopbackServer:
    """Answers until its ``with`` block ends; all arguments may be left out.

    ``latency`` and ``batch_latency`` are in seconds. ``formats``: the response formats that the OpenAI side accepts (``none``: no
    format at all). ``always_thinks``: the model refuses to have thinking disabled. ``key``: the only key that is let in.
    """

    def __init__(
        self,
        *,
        latency: float = 0.0,
        judge: Judge = judge_by_keywords,
        plan: Plan = lambda index, asked: None,
        identity: Callable[[str, str], str] = identity_of,
        log: Path | None = None,
        key: str | None = None,
        formats: tuple[str, ...] = ("json_schema", "json_object", "none"),
        always_thinks: bool = False,
        batch_latency: float = 0.05,
        batch_limit: int = 100_000,
        port: int = 0,
    ) -> None:
        self.latency, self.judge, self.plan, self.identity, self.key = latency, judge, plan, identity, key
        self.formats, self.always_thinks, self.port = formats, always_thinks, port
        self.log: list[Entry] = []
        self.in_flight = self.most_in_flight = self.connections = 0
        self.batches = Batches(self, latency=batch_latency, limit=batch_limit)
        self._questions = 0
        self._seen: Counter[str] = Counter()
        self._prefixes: set[tuple[str, str]] = set()
        self._path = log
        self._file: TextIO | None = None
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None

    # ------------------------------------------------------------------------------------------------ what it knows
    @property
    def base_url(self) -> str:
        """Where Anthropic's SDK is to be pointed at."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def openai_url(self) -> str:
        """Where a client of OpenAI's format is to be pointed at."""
        return f"{self.base_url}/v1"

    @property
    def asked(self) -> Counter[str]:
        """How often each question came, by identity."""
        return Counter(entry.identity for entry in list(self.log) if entry.identity)

    @property
    def paid(self) -> Counter[str]:
        """How often each question was answered by the model, by identity."""
        return Counter(entry.identity for entry in list(self.log) if entry.paid)

    def answered_twice(self) -> list[str]:
        """Identities of questions that were answered in full more than once."""
        whole = Counter(entry.identity for entry in list(self.log) if entry.outcome == "answered")
        return [name for name, times in whole.items() if times > 1]

    # ------------------------------------------------------------------------------------------------ running
    def __enter__(self) -> LoopbackServer:
        started = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(started.set,), name="loopback-server", daemon=True)
        self._thread.start()
        if not started.wait(10):
            raise RuntimeError("the loopback server did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        if self._thread is not None:
            self._thread.join(10)

    def _run(self, started: Callable[[], object]) -> None:
        transports: list[Connection] = []

        def connect() -> Connection:
            self.connections += 1
            transports.append(Connection(self._handle))
            return transports[-1]

        loop = self._loop
        asyncio.set_event_loop(loop)
        if self._path is not None:
            self._file = self._path.open("a", encoding="utf-8", buffering=1)
        server = loop.run_until_complete(loop.create_server(connect, "127.0.0.1", self.port, backlog=1024))
        self.port = server.sockets[0].getsockname()[1]
        started()
        try:
            loop.run_forever()
        finally:
            server.close()
            for connection in transports:
                connection.drop()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()
            if self._file is not None:
                self._file.close()

    def serve(self, started: Callable[[], object]) -> None:
        """Run in this thread until interrupted."""
        with contextlib.suppress(KeyboardInterrupt):
            self._run(started)

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call something on the server's own loop."""
        self._loop.call_later(seconds, call)

    def soon(self, call: Callable[[], None]) -> None:
        """Call something on the server's own loop, from any thread."""
        self._loop.call_soon_threadsafe(call)

    # ------------------------------------------------------------------------------------------------ answering
    def _handle(self, request: Request) -> Reply:
        if self.key is not None and self.key not in request.headers.get("authorization", "").split():
            return self.faulty(Fault(name="401", status=401, kind="authentication_error", said="invalid key"), b"")
        try:
            if request.path.startswith("/v1/messages/batches"):
                return self.batches.handle(request)
            body = json.loads(request.body)
            if request.path == "/v1/messages":
                return self._ask(request.path, body, request.headers)
            if request.path == "/v1/messages/count_tokens":
                system, user, schema, _ = anthropic_request({"max_tokens": 1, **body})
                return Reply(body=_json({"input_tokens": tokens(system) + tokens(user) + schema_tokens(schema)}))
            if request.path == "/v1/chat/completions":
                return self._ask(request.path, body, request.headers)
        except Refused as error:
            return self.faulty(Fault(name="refused", status=error.status, kind=error.kind, said=str(error)), b"")
        return self.faulty(Fault(name="404", status=404, kind="not_found_error", said="no such path"), b"")

    def _ask(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Reply:
        document, entry, fault = self.answer(path, body, headers)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)

        def done(whole: bool) -> None:
            self.in_flight -= 1
            if not whole and fault is None:
                entry.outcome, entry.paid = "gone", False
            self.note(entry)

        reply = Reply(body=_json(document)) if fault is None else self.faulty(fault, _json(document))
        reply.delay += self.latency
        reply.done = done
        return reply

    def answer(
        self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]
    ) -> tuple[dict[str, Any], Entry, Fault | None]:
        """The answer to one question, its entry for the log, and the fault that was planned for it."""
        if path == "/v1/chat/completions":
            marked = True
            system, user, schema = openai_request(body, self.formats)
        else:
            system, user, schema, marked = anthropic_request(body)
            if self.always_thinks and body.get("thinking", {}).get("type") == "disabled":
                raise Refused(400, "invalid_request_error", "thinking.type: 'disabled' is not supported by this model")
        name = self.identity(system, user)
        asked = Asked(
            path=path, system=system, user=user, schema=schema, body=body, headers=headers,
            identity=name, attempt=self._seen[name],
        )  # fmt: skip
        self._seen[name] += 1
        self._seen[name] += 1
        index, self._questions = self._questions, self._questions + 1
        fault = self.plan(index, asked)
        text: str | None = self.judge(system, user, schema) if fault is None or fault.text is None else fault.text
        stop = fault.stop if fault is not None else ""
        most = body.get("max_tokens") or body.get("max_completion_tokens") or sys.maxsize
        assert text is not None
        if tokens.__wrapped__(text) > most:
            text, stop = text[: most * 3], "max_tokens"
        bill = self._bill(body["model"], system, user, schema, text, marked)
        if fault is not None and fault.empty:
            text = None
        render = openai_reply if path == "/v1/chat/completions" else anthropic_reply
        entry = Entry(
            index=index, path=path, identity=name, attempt=asked.attempt, outcome=fault.name if fault else "answered",
            paid=fault is None or fault.pays, input_tokens=bill.input, output_tokens=bill.output, cached_tokens=bill.read,
        )  # fmt: skip
        return render(body["model"], text, stop=stop, bill=bill), entry, fault

    def note(self, entry: Entry) -> None:
        """Write one line of the log."""
        self.log.append(entry)
        if self._file is not None:
            self._file.write(json.dumps(asdict(entry)) + "\n")

    def _bill(self, model: str, system: str, user: str, schema: Mapping[str, Any], text: str, marked: bool) -> Bill:
        prefix = tokens(system) + schema_tokens(schema)
        fresh, output = tokens.__wrapped__(user), tokens.__wrapped__(text)
        if not marked or prefix < CACHE_FLOOR:
            return Bill(fresh=prefix + fresh, output=output)
        known = (model, system) in self._prefixes
        self._prefixes.add((model, system))
        return Bill(fresh=fresh, read=prefix if known else 0, written=0 if known else prefix, output=output)

    def faulty(self, fault: Fault, good: bytes) -> Reply:
        """A response with that fault, made of the body of a good one."""
        body = fault.body if fault.body is not None else fault.error_body() if fault.kind else good
        if fault.kept is not None:
            body = body[: int(len(body) * fault.kept)]
        return Reply(
            body=body,
            status=fault.status,
            headers=fault.headers,
            content_type=fault.content_type,
            delay=fault.delay,
            sent=fault.sent,
        )


def _json(document: Any) -> bytes:
    return json.dumps(document).encode()


def main() -> None:
    """Serve in this process until killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--batch-latency", type=float, default=0.05, help="seconds until a batch has ended")
    parser.add_argument("--log", type=Path, help="a file that gets one JSON line a request")
    parser.add_argument("--faults", type=float, default=0.0, help="share of requests that are answered with a fault")
    parser.add_argument("--kinds", default="429,529,500,503,dropped,cut,truncated,json,empty", help="names of faults")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    server = LoopbackServer(
        port=chosen.port,
        latency=chosen.latency,
        batch_latency=chosen.batch_latency,
        log=chosen.log,
        plan=faults_at(chosen.faults, chosen.kinds.split(","), seed=chosen.seed),
    )
    server.serve(lambda: print(server.base_url, flush=True))


if __name__ == "__main__":
    main()
