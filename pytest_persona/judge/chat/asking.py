"""Asking: as many at once as the server bears, again where that may help, and no more than the budget allows; on the loop's thread."""

from __future__ import annotations

import asyncio
import math
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from pytest_persona.errors import JudgeClosed, JudgeError
from pytest_persona.infer.answers import UnusableAnswer
from pytest_persona.infer.asked import AnyQuestion, prompt_of, read_answer
from pytest_persona.infer.prompt import Prompt
from pytest_persona.judge.chat.budget import Budget, Purse
from pytest_persona.judge.chat.client import Client, Reply
from pytest_persona.judge.chat.intake import Call, Intake, Task
from pytest_persona.judge.chat.ledger import Ledger
from pytest_persona.model.verdicts import Reason, Usage, Verdict
from pytest_persona.net.faults import Permanent, Transient, backoff, patience
from pytest_persona.net.gate import Gate

__all__ = ["Asking"]

_ASKED_AGAIN = 2
"""How often a question is asked again after an unusable answer, and how often the limit on output tokens is doubled."""
_PARTING = 5.0
"""Seconds that a client may take to close its connections."""


class Asking:
    """Workers that take questions from an intake, at most ``concurrency`` of them, and put them to one client.

    ``deadline`` is in seconds for each question, from the first time it is asked, by the loop's clock: it is monotonic, so that no
    change of the machine's clock matters.
    """

    def __init__(
        self,
        make_client: Callable[[], Client],
        ledger: Ledger,
        *,
        concurrency: int,
        deadline: float,
        budget: Budget | None,
        run: str,
    ) -> None:
        self.problem = ""
        """What went wrong in the run, in words; empty where nothing did."""
        self._make_client = make_client
        self._client: Client | None = None
        self._intake = Intake(ledger, at_once=max(1, concurrency // 4), more=self._staff)
        self._most = concurrency
        self._gate = Gate(concurrency)
        self._deadline = deadline
        self._purse = Purse(budget or Budget(), ledger, run)
        self._workers: set[asyncio.Task[None]] = set()
        self._resting: dict[Task, asyncio.TimerHandle] = {}
        """Those that wait to be asked again; while they are many nothing new is asked."""
        self._in_flight = 0
        self._short = False
        """Whether the next question can be paid only if one in flight costs less than was reserved for it."""
        self._answered_at = -math.inf
        """When the last reply came, by the loop's clock."""
        self._troubled: set[Task] = set()
        """Those that met a fault since."""
        self._rest: Verdict | None = None
        """What becomes of all that is left, once nothing more can be had."""

    def add(self, call: Call, start: int, asked: Sequence[tuple[AnyQuestion, dict[str, str]]]) -> None:
        """See :meth:`Intake.add`."""
        self._intake.safely(self._intake.add, call, start, asked)

    async def close(self) -> None:
        """Call off what is in flight, keep what was answered, and close the client."""
        self._end(JudgeClosed())
        workers = list(self._workers)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        self._settle()
        if self._client is not None:
            try:
                await asyncio.wait_for(self._client.close(), _PARTING)
            except Exception as error:
                self.problem = self.problem or f"The connection to the judge could not be closed: {error!r}"

    # ------------------------------------------------------------------------------------------------ workers
    def _staff(self) -> None:
        """As many workers as there is work for."""
        if self._rest is not None:
            for task in self._intake.drain():
                self._finish(task, self._rest)
        for _ in range(min(self._most, self._work()) - len(self._workers)):
            worker = asyncio.get_running_loop().create_task(self._serve())
            self._workers.add(worker)
            worker.add_done_callback(self._left)

    def _work(self) -> int:
        """How many questions may be asked now."""
        if self._short:
            return 0
        return len(self._intake.due) + (self._intake.fresh if self._takes_fresh() else 0)

    def _takes_fresh(self) -> bool:
        return len(self._resting) < self._most

    async def _serve(self) -> None:
        while self._work():
            number = await self._gate.enter()
            end: Reply | Transient | None = None
            try:
                task = self._intake.take(fresh=self._takes_fresh())
                if task is not None:
                    end = await self._attempt(task)
            finally:
                if isinstance(end, Transient):
                    wait = None if end.retry_after is None else min(end.retry_after, self._deadline)
                    self._gate.leave(number, crowded=end.crowded, retry_after=wait)
                else:
                    self._gate.leave(number, answered=end is not None)
            if task is None:
                await asyncio.sleep(0)  # all of them are known or asked elsewhere; others may want the loop

    def _left(self, worker: asyncio.Task[None]) -> None:
        self._workers.discard(worker)
        error = None if worker.cancelled() else worker.exception()
        if error is not None:
            self._end(error if isinstance(error, Exception) else RuntimeError(repr(error)))
        elif not worker.cancelled():
            self._staff()  # what came due after its last look, and before it was known to have left, would wait for ever
        self._intake.safely(self._staff)
        if not self._workers:
            self._intake.safely(self._settle)

    def _settle(self) -> None:
        self._intake.flush()
        self._purse.flush()

    # ------------------------------------------------------------------------------------------------ one question
    async def _attempt(self, task: Task) -> Reply | Transient | None:
        """Ask once: the reply, a fault that may go away, or None where it was not asked or met another one."""
        now = _now()
        began = task.began if task.attempts else now
        left = began + self._deadline - now
        if left <= 0:
            self._expire(task)
            return None
        client = self._connected()
        if client is None:
            self._finish(task, _lost("failed"))
            return None
        prompt = prompt_of(task.question, fence=secrets.token_hex(8))
        most_tokens = prompt.most_tokens << task.doubled
        reserved = self._purse.reserve(prompt, most_tokens)
        if reserved is None:
            self._wait_for_money(task)
            return None
        task.began, task.cut = began, prompt.cut
        task.attempts += 1
        self._in_flight += 1
        reply = None
        try:
            reply = await client.ask(prompt, most_tokens=most_tokens, timeout=patience(left, self._deadline))
        except Transient as fault:
            self._rest_or_lose(task, fault)
            return fault
        except Permanent as fault:
            self._lose(task, fault)
            return None
        except asyncio.CancelledError:
            self._finish(task, _lost("failed", "it was called off"))
            raise
        finally:
            self._in_flight -= 1
            self._purse.settle(reserved, reply, most_tokens)
            if self._short:
                self._short = False
                self._staff()
        self._answered_at = _now()
        self._troubled.clear()
        self._read(task, prompt, reply, most_tokens)
        return reply

    def _connected(self) -> Client | None:
        """The client, made when it is first needed; None where it cannot be made, which ends everything."""
        if self._client is None and self._intake.error is None:
            try:
                self._client = self._make_client()
            except Exception as error:
                self._end(error)
        return self._client

    def _read(self, task: Task, prompt: Prompt, reply: Reply, most_tokens: int) -> None:
        usage = Usage(
            input_tokens=reply.input_tokens,
            output_tokens=reply.output_tokens,
            cached_tokens=reply.cached_tokens,
            cost=self._purse.cost(reply),
        )
        task.usage = usage if task.usage is None else task.usage + usage
        if reply.stop == "declined":
            self._finish(task, _lost("declined"), reply.model)
        elif reply.stop == "length":
            self._again(task, task.doubled, f"the answer was cut off at {most_tokens:,} tokens")
            task.doubled += 1
        else:
            try:
                self._done(task, read_answer(task.question, prompt, reply.text), reply.model)
            except UnusableAnswer as error:
                self._again(task, task.unusable, str(error))
                task.unusable += 1

    def _again(self, task: Task, before: int, trouble: str) -> None:
        """Ask again at once, unless that was done often enough ``before``."""
        task.trouble = trouble
        if before < _ASKED_AGAIN and self._goes_on():
            self._intake.due.appendleft(task)
        else:
            self._finish(task, _lost("unparsable", trouble))

    # ------------------------------------------------------------------------------------------------ faults
    def _rest_or_lose(self, task: Task, fault: Transient) -> None:
        """Ask again after a while, unless it would be too late."""
        task.trouble = str(fault)
        self._troubled.add(task)
        wait = backoff(task.question.key, task.attempts, fault.retry_after)
        if not self._goes_on():
            self._finish(task, _lost("failed", task.trouble))
        elif _now() + wait >= task.began + self._deadline:
            self._expire(task)
        else:
            self._resting[task] = self._intake.later(wait, self._rested, task)

    def _rested(self, task: Task) -> None:
        del self._resting[task]
        self._intake.due.append(task)
        self._staff()

    def _expire(self, task: Task) -> None:
        """Give a question up; where no reply has come for as long as it was tried, all others too."""
        took = f"{max(_now() - task.began, 0.0):.0f} s"
        times = "1 attempt" if task.attempts == 1 else f"{task.attempts} attempts"
        self._finish(task, _lost("failed", f"{task.trouble}, {times} in {took}"))
        # One question alone may be what the server chokes on.
        if self._answered_at < task.began and len(self._troubled) > 1:
            detail = f"the judge has not answered for {took} ({task.trouble})"
            self._stop(_lost("failed", detail), f"{detail[0].upper()}{detail[1:]}; what was left was not asked.")

    def _lose(self, task: Task, fault: Permanent) -> None:
        if fault.fatal:
            self._end(JudgeError(f"{fault} What was answered before is kept and will not be asked again."))
        self._finish(task, _lost("failed", str(fault)))

    def _wait_for_money(self, task: Task) -> None:
        """Put off a question until one in flight has cost less than was reserved; where none is, the budget is spent."""
        self._intake.due.appendleft(task)
        if self._in_flight:
            self._short = True
        else:
            detail = f"the budget of {self._purse.budget} is spent"
            self._stop(_lost("missing", detail), f"{detail[0].upper()}{detail[1:]}; what was left was not asked.")

    # ------------------------------------------------------------------------------------------------ ends
    def _goes_on(self) -> bool:
        return self._rest is None and self._intake.error is None

    def _finish(self, task: Task, verdict: Verdict, model: str = "") -> None:
        self._done(task, dict.fromkeys(task.keys, verdict), model)

    def _done(self, task: Task, verdicts: Mapping[str, Verdict], model: str) -> None:
        if task.attempts:
            task.usage = replace(task.usage or Usage(), calls=task.attempts, cut=int(task.cut))
        self._intake.finish(task, verdicts, model)

    def _stop(self, rest: Verdict, problem: str) -> None:
        """Ask nothing more; what was read counts."""
        self._rest, self.problem = rest, problem
        self._wake()
        self._staff()

    def _end(self, error: Exception) -> None:
        """Ask nothing more; all callers get the error."""
        self._wake()
        self._intake.end(error)

    def _wake(self) -> None:
        """Those that rest are due, to be dealt with like all others."""
        for task, timer in self._resting.items():
            timer.cancel()
            self._intake.due.append(task)
        self._resting.clear()


def _lost(reason: Reason, detail: str = "") -> Verdict:
    return Verdict(expressed=None, reason=reason, detail=detail)


def _now() -> float:
    return asyncio.get_running_loop().time()
