"""A desk that sends questions off in batches: at half the price, with answers within a day."""

from __future__ import annotations

from collections.abc import Callable

from pytest_persona.judge.chat.batching import BatchClient, Batching
from pytest_persona.judge.chat.budget import Budget
from pytest_persona.judge.chat.desk import Desk
from pytest_persona.judge.chat.ledger import Ledger

__all__ = ["MOST_BYTES", "MOST_REQUESTS", "BatchDesk"]

MOST_REQUESTS = 100_000
MOST_BYTES = 256_000_000
"""The vendor's limits on one batch (https://platform.claude.com/docs/en/build-with-claude/batch-processing)."""


class BatchDesk(Desk):
    """Gathers the questions of all threads until none has come for ``quiet`` seconds, and sends them off together.

    A batch that a killed or interrupted run has left behind, noted beside the ledger, is read when its questions come up, and not
    paid for again. ``deadline`` is for how long, in seconds, the vendor may be out of reach; a batch may take as long as it takes.
    ``pauses`` are the shortest and the longest time between looks at one, ``limits`` the most requests and bytes of one.
    """

    def __init__(
        self,
        make_client: Callable[[], BatchClient],
        ledger: Ledger,
        *,
        scope: str,
        concurrency: int,
        deadline: float,
        budget: Budget | None = None,
        run: str = "",
        quiet: float = 1.0,
        pauses: tuple[float, float] = (2.0, 60.0),
        limits: tuple[int, int] = (MOST_REQUESTS, MOST_BYTES),
    ) -> None:
        super().__init__(
            make_client, ledger, scope=scope, concurrency=concurrency, deadline=deadline, budget=budget, run=run
        )
        self._asking = self._batching = Batching(
            make_client, ledger, deadline=deadline, budget=budget, run=run, quiet=quiet, pauses=pauses, limits=limits
        )

    @property
    def problem(self) -> str:
        """What went wrong in the run, in one message; empty where nothing did."""
        return "; ".join(filter(None, (super().problem, self._batching.shelf.problem)))
