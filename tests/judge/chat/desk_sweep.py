"""Questions and a client for the desk's tests; run as a program, one process that asks its share.

    python desk_sweep.py FOLDER FIRST LAST LATENCY

asks the questions FIRST to LAST - 1 with the ledger in FOLDER, writes a line to FOLDER/asked for each request, and prints how many
verdicts it got.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path

from pytest_persona.infer.prompt import Prompt, Question
from pytest_persona.judge.chat.client import Reply
from pytest_persona.judge.chat.desk import Desk
from pytest_persona.judge.chat.ledger import Ledger
from pytest_persona.model.episodes import Behaviour, Turn
from pytest_persona.model.traits import Pole, Trait
from pytest_persona.net.faults import Fault

Says = Callable[[int, int], "Reply | Fault | None"]
"""What becomes of question n asked for the k-th time; None: a good answer."""


@lru_cache
def traits(*names: str) -> tuple[Trait, ...]:
    pole = Pole(summary="does it")
    return tuple(Trait(name=name, definition="d", high=pole, low=pole) for name in names)


def question(number: int, *names: str) -> Question:
    """One about a behaviour of that number and traits of these names (one: ``a``)."""
    context = (Turn(speaker="user", text=f"question {number}"),)
    return Question(
        shown=(Behaviour(role="shown", context=context, reply="a reply"),), traits=traits(*(names or ("a",)))
    )


def questions(count: int, *names: str, first: int = 0) -> list[Question]:
    return [question(number, *names) for number in range(first, first + count)]


def answer(prompt: Prompt, **changed: object) -> str:
    """A right answer: +1 of 3 steps, not requested."""
    names = prompt.schema["properties"]["verdicts"]["items"]["properties"]["trait"]["enum"]
    verdict = {"state": "judged", "quote": "", "expressed": 1, "requested": 0}
    said = [{"trait": name, **verdict, **changed} for name in names]
    return json.dumps({"seal": prompt.seal, "addresses_judge": False, "verdicts": said})


def reply(text: str = "", stop: str = "end") -> Reply:
    return Reply(text=text, stop=stop, model="m-1", input_tokens=900, output_tokens=100, cached_tokens=400)  # type: ignore[arg-type]


class FakeClient:
    """Answers as it is told, after a while, and remembers what it was asked."""

    def __init__(self, says: Says = lambda n, k: None, latency: float = 0.0, log: Path | None = None) -> None:
        self.asked: list[int] = []
        self.times: Counter[int] = Counter()
        self.traits: list[Sequence[str]] = []
        self.most_tokens: list[int] = []
        self.timeouts: list[float] = []
        self.active = self.most_active = self.closed = 0
        self._says, self._latency, self._log = says, latency, log

    async def ask(self, prompt: Prompt, *, most_tokens: int, timeout: float) -> Reply:
        found = re.search(r"question (\d+)", prompt.asked)
        assert found is not None
        number = int(found[1])
        self.asked.append(number)
        self.times[number] += 1
        self.traits.append(prompt.schema["properties"]["verdicts"]["items"]["properties"]["trait"]["enum"])
        self.most_tokens.append(most_tokens)
        self.timeouts.append(timeout)
        if self._log is not None:
            with open(self._log, "a") as log:
                log.write(f"{number}\n")
        self.active += 1
        self.most_active = max(self.active, self.most_active)
        try:
            await asyncio.sleep(self._latency)
        finally:
            self.active -= 1
        outcome = self._says(number, self.times[number])
        if isinstance(outcome, Fault):
            raise outcome
        return outcome if outcome is not None and outcome.text != "" else _good(prompt, outcome)

    async def close(self) -> None:
        self.closed += 1


def _good(prompt: Prompt, outcome: Reply | None) -> Reply:
    return reply(answer(prompt), outcome.stop if outcome is not None else "end")


def main(folder: str, first: str, last: str, latency: str) -> None:
    path = Path(folder)
    ledger = Ledger(path / "verdicts.sqlite")
    desk = Desk(
        lambda: FakeClient(latency=float(latency), log=path / "asked"),
        ledger,
        scope="s",
        concurrency=8,
        deadline=30.0,
    )
    answers = desk.ask(questions(int(last) - int(first), first=int(first)), lambda count: None)
    desk.close()
    ledger.close()
    print(sum(a.verdicts["a"].expressed is not None for a in answers), ledger.problem or "-", os.getpid())


if __name__ == "__main__":
    main(*sys.argv[1:])
