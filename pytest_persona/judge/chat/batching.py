"""Asking by batches: what is gathered, sent off, followed and read; on the loop's thread."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Protocol, TypeVar, cast

from pytest_persona.infer.asked import AnyQuestion, prompt_of
from pytest_persona.infer.prompt import Prompt
from pytest_persona.judge.chat.asking import Asking
from pytest_persona.judge.chat.budget import Budget
from pytest_persona.judge.chat.client import Client, Reply
from pytest_persona.judge.chat.intake import Call, Task
from pytest_persona.judge.chat.ledger import Ledger
from pytest_persona.judge.chat.shelf import Batch, Item, Shelf
from pytest_persona.model.verdicts import Verdict
from pytest_persona.net.faults import Fault, Permanent, Transient, backoff

__all__ = ["BatchClient", "BatchState", "Batching"]

_ADMITTED = 2000
"""The concurrency that the intake is told of; it claims a quarter of that in one go."""
_TIMES_SENT = 2
"""In how many batches a question may meet a fault."""
_CLOCKS_APART = 600.0
"""Seconds by which the vendor's clock may be behind ours."""
_AT_ONCE = 50
"""Questions worked on before others may have the loop."""
A = TypeVar("A")
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class BatchState:
    """How far a batch is."""

    id: str
    ended: bool
    requests: int
    """How many it holds."""


class BatchClient(Client, Protocol):
    """A client whose vendor takes batches; each call raises Fault as :meth:`Client.ask` does."""

    def params(self, prompt: Prompt, most_tokens: int) -> dict[str, Any]:
        """One request in the vendor's words."""

    async def create_batch(self, requests: Sequence[Mapping[str, Any]]) -> str:
        """Send requests (each with ``custom_id`` and ``params``) off; the batch's id."""

    async def batch(self, batch: str) -> BatchState | None:
        """How far a batch is; None where the vendor has it no more."""

    async def batches(self, since: float) -> list[BatchState]:
        """All batches made since then, in the vendor's seconds since 1970."""

    async def results(self, batch: str) -> list[tuple[str, Reply | Fault]]:
        """What became of the requests of a batch that has ended, by custom id."""


class _Waiting(NamedTuple):
    task: Task
    reserved: float
    """Of the budget."""


@dataclass(kw_only=True, slots=True, eq=False)
class _Sent:
    """A batch, and who waits for which of its questions."""

    batch: Batch
    waiting: dict[str, list[_Waiting]] = field(default_factory=dict)


class Batching(Asking):
    """Gathers questions and sends them off; replies, faults of one question and money are dealt with as `Asking` does.

    A question of ours that stands in a batch of an earlier run is answered from there. No two processes read the same answer, as a
    question is ours only by the ledger's claim on it, which the earlier run must have let go.
    """

    def __init__(
        self,
        make_client: Callable[[], BatchClient],
        ledger: Ledger,
        *,
        deadline: float,
        budget: Budget | None,
        run: str,
        quiet: float,
        pauses: tuple[float, float],
        limits: tuple[int, int],
    ) -> None:
        super().__init__(make_client, ledger, concurrency=_ADMITTED, deadline=deadline, budget=budget, run=run)
        self._quiet, self._pauses = quiet, pauses
        self._most_requests, self._most_bytes = limits
        self.shelf = Shelf(ledger.folder / "batches")
        """Where batches are noted."""
        self._sent: dict[str, _Sent] = {}
        """By token, those of which something is wanted."""
        self._read_already: set[str] = set()
        """Names of questions whose results hold nothing more."""
        self._timer: asyncio.TimerHandle | None = None
        self._sending = False

    def add(self, call: Call, start: int, asked: Sequence[tuple[AnyQuestion, dict[str, str]]]) -> None:
        """Take questions, and wait once more for others."""
        self._unset()
        super().add(call, start, asked)

    async def close(self) -> None:
        """Leave what is under way to be answered, for the next run to read."""
        self._unset()
        left = [sent.batch.id for sent in self._sent.values() if sent.batch.id]
        await super().close()
        for sent in self._sent.values():
            for task in self._released(sent):
                self._finish(task, _failed(""))
        self._settle()
        if left and not self.shelf.problem:
            self.problem = self.problem or (
                f"The judge still answers {len(left)} {'batch' if len(left) == 1 else 'batches'} ({', '.join(left[:3])}); "
                "the next run with --persona-batch and this cache reads the answers and does not pay for them again."
            )

    # ------------------------------------------------------------------------------------------------ sending
    def _staff(self) -> None:
        if self._rest is not None:
            super()._staff()
        elif self._timer is None and not self._sending and self._work():
            self._timer = self._intake.later(self._quiet, self._begin)

    def _unset(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _begin(self) -> None:
        self._timer = None
        client = self._connected()
        if client is not None:
            self._sending = True
            self._spawn(self._send(cast("BatchClient", client)))  # it is what make_client made

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        worker = asyncio.get_running_loop().create_task(work)
        self._workers.add(worker)
        worker.add_done_callback(self._left)

    async def _send(self, client: BatchClient) -> None:
        """Send all that is to be asked, in as many batches as it takes."""
        places = self._places()
        while self._work():
            sent = _Sent(batch=Batch(token=secrets.token_hex(8), began=time.time()))
            self._sent[sent.batch.token] = sent
            requests = await self._filled(client, sent, places)
            if requests:
                await self._submit(client, sent, requests)
            else:
                del self._sent[sent.batch.token]
        self._sending = False
        self._staff()

    def _places(self) -> dict[str, tuple[_Sent, str]]:
        """Where questions of ours may stand already: batch and name in it, by the key of a part."""
        places = {}
        for batch in self.shelf.batches():
            sent = self._sent.get(batch.token) or _Sent(batch=batch)
            for name, item in batch.items.items():
                if name not in self._read_already:
                    places.update(dict.fromkeys(item.parts.values(), (sent, name)))
        return places

    async def _filled(
        self, client: BatchClient, sent: _Sent, places: Mapping[str, tuple[_Sent, str]]
    ) -> list[dict[str, Any]]:
        """As many requests as one batch and the budget can take."""
        requests: list[dict[str, Any]] = []
        size = 0
        while self._work() and len(requests) < self._most_requests:
            if len(requests) % _AT_ONCE == 0:
                await asyncio.sleep(0)
            task = self._intake.take(fresh=True)
            if task is not None:
                task = self._attached(client, task, places)
            if task is None:  # known, or being asked elsewhere
                await asyncio.sleep(0)
                continue
            prompt = prompt_of(task.question, fence=(fence := secrets.token_hex(8)))
            item = Item(fence=fence, most_tokens=prompt.most_tokens << task.doubled, parts=task.keys)
            name = f"{sent.batch.token}-{len(requests)}"
            request = {"custom_id": name, "params": client.params(prompt, item.most_tokens)}
            size += len(json.dumps(request))
            if requests and size > self._most_bytes:
                self._intake.due.appendleft(task)
                break
            reserved = self._purse.reserve(prompt, item.most_tokens)
            if reserved is None:
                self._wait_for_money(task)
                continue
            task.attempts += 1
            task.cut = prompt.cut
            sent.batch.items[name] = item
            self._wait(sent, name, task, reserved)
            requests.append(request)
        return requests

    def _attached(self, client: BatchClient, task: Task, places: Mapping[str, tuple[_Sent, str]]) -> Task | None:
        """What is left of a task when those of its parts wait for their batch that stand in one."""
        found: dict[str, tuple[_Sent, list[str]]] = {}
        left = []
        for trait, key in task.keys.items():
            sent, name = places.get(key, (None, ""))
            if sent is None or name in self._read_already:
                left.append(trait)
            else:
                found.setdefault(name, (sent, []))[1].append(trait)
        for name, (sent, traits) in found.items():
            self._wait(sent, name, task.part(traits), 0.0)
            if sent.batch.token not in self._sent:
                self._sent[sent.batch.token] = sent
                self._spawn(self._follow(client, sent))
        return task.part(left) if left else None

    def _wait(self, sent: _Sent, name: str, task: Task, reserved: float) -> None:
        task.attempts = max(1, task.attempts)
        sent.waiting.setdefault(name, []).append(_Waiting(task, reserved))
        self._in_flight += 1

    async def _submit(self, client: BatchClient, sent: _Sent, requests: Sequence[Mapping[str, Any]]) -> None:
        self.shelf.keep(sent.batch)  # first, so that a run that is killed in between leaves a trace
        try:
            sent.batch.id = await self._created(client, sent.batch, requests)
        except Fault as fault:
            if isinstance(fault, Permanent):
                self.shelf.forget(sent.batch.token)
            self._give_up(sent, fault)
            del self._sent[sent.batch.token]
        else:
            self.shelf.keep(sent.batch)
            self._spawn(self._follow(client, sent))

    async def _created(self, client: BatchClient, batch: Batch, requests: Sequence[Mapping[str, Any]]) -> str:
        """The id of a batch made of requests; looks for it before sending again what may have arrived."""
        began, attempt = time.monotonic(), 0
        while True:
            attempt += 1
            try:
                return await client.create_batch(requests)
            except Transient as fault:
                if not fault.crowded and (found := await self._found(client, batch)):
                    return found
                wait = backoff(batch.token, attempt, fault.retry_after)
                if time.monotonic() + wait >= began + self._deadline:
                    raise
            await asyncio.sleep(wait)

    async def _found(self, client: BatchClient, batch: Batch) -> str:
        """The id of a batch that was sent without its id being learnt; empty where it has not arrived.

        The vendor keeps no notes of ours on a batch, so it is told by its size, its time, and the names in its results.
        """
        known = {sent.batch.id for sent in self._sent.values()} | {other.id for other in self.shelf.batches()}
        for _ in range(2):  # a list may be a little behind
            since = batch.began - _CLOCKS_APART
            for state in await self._patiently(client.batches, since):
                if state.id in known or state.requests != len(batch.items) or not await self._ended(client, state.id):
                    continue
                results = await self._patiently(client.results, state.id)
                if any(name in batch.items for name, _ in results):
                    return state.id
            await asyncio.sleep(self._pauses[0])
        return ""

    # ------------------------------------------------------------------------------------------------ following
    async def _follow(self, client: BatchClient, sent: _Sent) -> None:
        """Wait until a batch has ended, and read what is wanted of it."""
        batch = sent.batch
        try:
            if not batch.id:
                batch.id = await self._found(client, batch)
                self.shelf.keep(batch)
            if batch.id and await self._ended(client, batch.id):
                while sent.waiting:  # more may come while they are read
                    await self._collect(client, sent)
            else:
                self.shelf.forget(batch.token)
                self._read_already.update(batch.items)
                self._intake.due.extend(self._released(sent))
        except Fault as fault:
            self._give_up(sent, fault)
        del self._sent[batch.token]
        self._short = False
        self._staff()

    async def _ended(self, client: BatchClient, batch: str) -> bool:
        """Wait until a batch has ended; False where the vendor has it no more."""
        pause, longest = self._pauses
        while (state := await self._patiently(client.batch, batch)) is not None:
            if state.ended:
                return True
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, longest)
        return False

    async def _collect(self, client: BatchClient, sent: _Sent) -> None:
        results = await self._patiently(client.results, sent.batch.id)
        wanted = [(name, end) for name, end in results if name in sent.waiting]
        missing: list[tuple[str, Reply | Fault]] = [
            (name, Transient("its batch holds no answer to it")) for name in sent.waiting.keys() - dict(wanted).keys()
        ]
        for number, (name, end) in enumerate(wanted + missing):
            self._read_already.add(name)
            item = sent.batch.items.pop(name)
            for waiting in sent.waiting.pop(name):
                self._take(waiting, item, end)
                if isinstance(end, Reply):  # paid for once
                    end = replace(end, input_tokens=0, output_tokens=0, cached_tokens=0)
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)
        self._intake.flush()  # before it is forgotten where they came from
        self.shelf.keep(sent.batch)

    def _take(self, waiting: _Waiting, item: Item, end: Reply | Fault) -> None:
        """Deal with what became of one question."""
        task = waiting.task
        self._in_flight -= 1
        self._purse.settle(waiting.reserved, end if isinstance(end, Reply) else None, item.most_tokens)
        if isinstance(end, Reply):
            if len(task.keys) < len(item.parts):
                end = replace(end, text=_only(end.text, task.keys))
            self._read(task, prompt_of(task.question, fence=item.fence), end, item.most_tokens)
        elif isinstance(end, Permanent):
            self._lose(task, end)
        elif task.attempts < _TIMES_SENT and self._goes_on():
            self._intake.due.append(task)
        else:
            self._finish(task, _failed(f"{end}, in {task.attempts} batches"))

    # ------------------------------------------------------------------------------------------------ faults
    async def _patiently(self, call: Callable[[A], Awaitable[T]], about: A) -> T:
        """Call until it succeeds; raises Permanent, and Transient when it has not for as long as the deadline."""
        began, attempt = time.monotonic(), 0
        while True:
            attempt += 1
            try:
                return await call(about)
            except Transient as fault:
                wait = backoff("batches", attempt, fault.retry_after)
                if time.monotonic() + wait >= began + self._deadline:
                    raise
            await asyncio.sleep(wait)

    def _give_up(self, sent: _Sent, fault: Fault) -> None:
        """All that waits for a batch fails; where the vendor is out of reach, all the rest too."""
        if isinstance(fault, Permanent):
            for task in self._released(sent):
                self._lose(task, fault)
        else:
            detail = f"the judge has not answered for {self._deadline:g} s ({fault})"
            for task in self._released(sent):
                self._finish(task, _failed(detail))
            self._stop(_failed(detail), f"{detail[0].upper()}{detail[1:]}; what was left was not asked.")

    def _released(self, sent: _Sent) -> list[Task]:
        """All that wait for a batch, which wait no longer and get their money back."""
        waiting = [each for name in list(sent.waiting) for each in sent.waiting.pop(name)]
        for each in waiting:
            self._in_flight -= 1
            self._purse.settle(each.reserved, None, 0)
        return [each.task for each in waiting]


def _failed(detail: str) -> Verdict:
    return Verdict(expressed=None, reason="failed", detail=detail)


def _only(text: str, traits: Collection[str]) -> str:
    """An answer's verdicts on those traits alone; the text itself where it is no such answer."""
    try:
        answer = json.loads(text)
        verdicts = [verdict for verdict in answer["verdicts"] if verdict["trait"] in traits]
        return json.dumps({**answer, "verdicts": verdicts})
    except (ValueError, TypeError, KeyError):
        return text
