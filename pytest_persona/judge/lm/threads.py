"""How many threads the language model computes with, and how."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]

Job = TypeVar("Job")
Result = TypeVar("Result")


def thread_count(wanted: int | None = None) -> int:
    """The number of threads to use: the wanted one, else 1 in a pytest-xdist worker, else one for each usable core.

    Raises `ValueError` for a number below 1. Workers of xdist already share the cores out among themselves.
    """
    if wanted is not None:
        if wanted < 1:
            raise ValueError(f"threads = {wanted}: must be at least 1")
        return wanted
    if os.environ.get("PYTEST_XDIST_WORKER"):
        return 1
    # Not cpu_count: a container is often given fewer cores than its machine has. (macOS and Windows cannot say.)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Threads:
    """Runs jobs made of numpy's matrix products on a number of threads, ``count``."""

    def __init__(self, count: int) -> None:
        self.count = count
        # Made once: it looks through every library that the process has loaded, which costs milliseconds.
        self._controller = ThreadpoolController()

    def map(self, function: Callable[[Job], Result], jobs: Sequence[Job]) -> list[Result]:
        """The results of the jobs, in their order; an exception of a job is raised here.

        While it runs, each matrix product of the process keeps to one thread; after it, what was set before holds again.
        """
        # Each job has a thread of its own, and never more, not even the last one: a product that is split over threads
        # rounds otherwise, and a profile must not depend on how many there are. So the work between the products, which
        # numpy does on one thread, is shared out too, and busy machines suffer less from threads that wait for each other.
        workers = min(self.count, len(jobs))
        with self._controller.limit(limits=1, user_api="blas"):
            if workers < 2:
                return [function(job) for job in jobs]
            with ThreadPoolExecutor(workers) as pool:
                return list(pool.map(function, jobs))
