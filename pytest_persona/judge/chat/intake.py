"""What is to be asked, who waits for it, and who else is asking it; on the loop's thread alone."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_persona.infer.asked import AnyQuestion
from pytest_persona.judge.chat.ledger import Ledger, payload_of, verdict_of
from pytest_persona.model.verdicts import Usage, Verdict

__all__ = ["Call", "Intake", "Task"]

_GROUPING = 0.01
"""Seconds that an answer may wait for others to be kept with it."""
_POLLING = 0.2
"""Seconds between looks at what other processes ask."""
_LOOKED_AT = 500
"""Tasks looked at in one go."""
_NOT_KEPT = ("failed", "missing", "unparsable")
"""Reasons that another asking may do away with."""


class Call:
    """One caller's questions: filled on the loop's thread, read by the caller's own."""

    def __init__(self, questions: Sequence[AnyQuestion]) -> None:
        self.verdicts: list[dict[str, Verdict]] = [{} for _ in questions]
        self.usage = [Usage()] * len(questions)
        self.done = threading.Event()
        self.error: Exception | None = None
        self.given_up = False
        """Whether the caller has gone; nothing is asked for its sake any more."""
        self._names = [len(question.names) for question in questions]
        self.left = sum(map(bool, self._names))
        """Questions without all of their verdicts."""
        if not self.left:
            self.done.set()

    def receive(self, index: int, name: str, verdict: Verdict) -> None:
        """Take one verdict; the last one ends the call."""
        self.verdicts[index][name] = verdict
        if len(self.verdicts[index]) == self._names[index]:
            self.left -= 1
            if not self.left:
                self.done.set()

    def fail(self, error: Exception) -> None:
        """End the call for want of answers."""
        self.error = error
        self.done.set()


@dataclass(slots=True, eq=False)
class Task:
    """The parts of a question that are asked at once, and how that has gone so far."""

    question: AnyQuestion
    keys: dict[str, str]
    """Of the ledger, by name; one for each of the question's verdicts."""
    began: float = 0.0
    """When it was first asked, by the loop's clock."""
    attempts: int = 0
    unusable: int = 0
    doubled: int = 0
    """How often the limit on output tokens was doubled."""
    cut: bool = False
    """Whether it is shown in part only."""
    trouble: str = ""
    """What went wrong last, in words."""
    usage: Usage | None = None
    """What it has cost; None where it was never asked."""

    def part(self, names: Sequence[str]) -> Task:
        """The same with some verdicts only; itself where they are all."""
        if len(names) == len(self.keys):
            return self
        return Task(self.question.only(names), {name: self.keys[name] for name in names})


class Intake:
    """Questions of all callers, each part of them once.

    A part in flight for one caller is waited for by the others. A question is claimed in the ledger shortly before it is asked, so
    that processes with the same questions share them out; what another process has claimed is looked for now and then, and taken
    over when that process is gone. Answers are kept in groups, and count once they are kept.
    """

    def __init__(self, ledger: Ledger, *, at_once: int, more: Callable[[], None]) -> None:
        self.error: Exception | None = None
        """Why nothing is asked any more."""
        self.due: deque[Task] = deque()
        """Claimed, and to be asked before any other: once more, or what could not be paid before."""
        self._ledger = ledger
        self._at_once = at_once
        self._more = more
        self._wanted: dict[str, list[tuple[Call, int]]] = {}
        """Who waits for a part, by its key in the ledger; a part that somebody waits for is in one task."""
        self._fresh: deque[Task] = deque()
        self._elsewhere: deque[Task] = deque()
        self._finished: list[tuple[Task, Mapping[str, Verdict], str]] = []
        self._flushing: asyncio.TimerHandle | None = None
        self._polling: asyncio.TimerHandle | None = None

    def add(self, call: Call, start: int, asked: Sequence[tuple[AnyQuestion, dict[str, str]]]) -> None:
        """Take questions of a call, from its number ``start`` on, with their keys in the ledger by name."""
        if self.error is not None:
            call.fail(self.error)
            return
        for index, (question, keys) in enumerate(asked, start):
            waiter = (call, index)
            ours = []
            for name, key in keys.items():
                if key in self._wanted:
                    self._wanted[key].append(waiter)
                else:
                    self._wanted[key] = [waiter]
                    ours.append(name)
            if ours:
                self._fresh.append(Task(question, keys).part(ours))
        self._more()

    @property
    def fresh(self) -> int:
        """How many tasks were never asked, besides those that are due."""
        return len(self._fresh)

    def take(self, *, fresh: bool) -> Task | None:
        """The next task to ask; None where there is none or others ask it. ``fresh``: it may be one that was never asked."""
        if not self.due and fresh:
            self._admit([self._fresh.popleft() for _ in range(min(self._at_once, len(self._fresh)))])
        while self.due:
            task = self.due.popleft()
            if self._is_wanted(task):
                return task
            self._drop(task)
            self._ledger.release(task.keys.values())
        return None

    def finish(self, task: Task, verdicts: Mapping[str, Verdict], model: str = "") -> None:
        """What has become of a task; its callers learn it within 10 ms, once it is kept."""
        self._finished.append((task, verdicts, model))
        if self._flushing is None:
            self._flushing = self.later(_GROUPING, self.flush)

    def drain(self) -> Iterator[Task]:
        """All tasks that are not being asked, here or elsewhere."""
        for queue in (self.due, self._fresh):
            while queue:
                yield queue.popleft()

    def flush(self) -> None:
        """Keep what has come in, and let those who wait know."""
        if self._flushing is not None:
            self._flushing.cancel()
            self._flushing = None
        finished, self._finished = self._finished, []
        kept: dict[str, Mapping[str, Any]] = {}
        free: list[str] = []
        for task, verdicts, model in finished:
            for name, key in task.keys.items():
                if verdicts[name].reason in _NOT_KEPT:
                    free.append(key)
                else:
                    kept[key] = payload_of(verdicts[name], model)
        if finished:
            self._ledger.keep(kept, free)
        for task, verdicts, _ in finished:
            self._charge(task)
            for name in task.keys:
                self._deliver(task, name, verdicts[name])

    def end(self, error: Exception) -> None:
        """Ask nothing more: all who wait get the error, now and later. What is in flight may still be finished."""
        if self.error is not None:
            return
        self.error = error
        try:
            self.flush()
        finally:
            for call in {call for waiters in self._wanted.values() for call, _ in waiters}:
                call.fail(error)
        claimed = [key for task in self.due for key in task.keys.values()]
        for forgotten in (self._wanted, self.due, self._fresh, self._elsewhere):
            forgotten.clear()
        self._ledger.release(claimed)

    def later(self, delay: float, work: Callable[..., None], *args: Any) -> asyncio.TimerHandle:
        """Do something after so many seconds; should it fail, all callers get its error instead of waiting for ever."""
        return asyncio.get_running_loop().call_later(delay, self.safely, work, *args)

    def safely(self, work: Callable[..., None], *args: Any) -> None:
        """Do something now, on the same terms."""
        try:
            work(*args)
        except Exception as error:
            self.end(error)

    def _admit(self, tasks: Sequence[Task]) -> None:
        """Let in those that somebody waits for, and see to what is asked elsewhere."""
        wanted = []
        for task in tasks:
            if self._is_wanted(task):
                wanted.append(task)
            else:
                self._drop(task)
        if wanted:
            self._sort(wanted)
        if self._elsewhere and self._polling is None:
            self._polling = self.later(_POLLING, self._poll)

    def _sort(self, tasks: Sequence[Task]) -> None:
        """What is known is delivered, what nobody else asks is due, the rest is looked at again later."""
        payloads = self._ledger.known(key for task in tasks for key in task.keys.values())
        known = {key: verdict for key, payload in payloads.items() if (verdict := verdict_of(payload)) is not None}
        granted = self._ledger.claim(key for task in tasks for key in task.keys.values() if key not in known)
        for task in tasks:
            ours: list[str] = []
            others: list[str] = []
            for name, key in task.keys.items():
                if key in known:
                    self._deliver(task, name, known[key])
                else:
                    (ours if key in granted else others).append(name)
            if ours:
                self.due.append(task.part(ours))
            if others:
                self._elsewhere.append(task.part(others))

    def _poll(self) -> None:
        self._polling = None
        self._admit([self._elsewhere.popleft() for _ in range(min(_LOOKED_AT, len(self._elsewhere)))])
        self._more()

    def _is_wanted(self, task: Task) -> bool:
        return any(not call.given_up for key in task.keys.values() for call, _ in self._wanted.get(key, ()))

    def _drop(self, task: Task) -> None:
        for key in task.keys.values():
            self._wanted.pop(key, None)

    def _charge(self, task: Task) -> None:
        """What a task has cost is told to the first who waits for it."""
        waiters = [waiter for key in task.keys.values() for waiter in self._wanted.get(key, ())]
        if waiters and task.usage is not None:
            call, index = waiters[0]
            call.usage[index] += task.usage

    def _deliver(self, task: Task, name: str, verdict: Verdict) -> None:
        for call, index in self._wanted.pop(task.keys[name], ()):
            call.receive(index, name, verdict)
