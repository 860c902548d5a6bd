"""How many threads are used, and that the process gets its own setting back."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from pytest_persona.judge.lm.threads import Threads, thread_count


def blas() -> list[int]:
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.fixture
def two_threads() -> Iterator[None]:
    """Two threads for matrix products, whatever the environment says."""
    with threadpool_limits(2, user_api="blas"):
        assert set(blas()) <= {2}
        yield


def test_a_number_wins_then_xdist_then_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    assert thread_count(3) == 3
    assert thread_count() == 1
    monkeypatch.delenv("PYTEST_XDIST_WORKER")
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 5, 7}, raising=False)
    assert thread_count() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert thread_count() == 1


def test_no_threads_are_refused() -> None:
    with pytest.raises(ValueError, match="threads = 0"):
        thread_count(0)


def test_a_single_job_rounds_as_one_of_many_does() -> None:
    assert Threads(2).map(lambda _: blas(), ["alone"]) == [[1] * len(blas())]


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize("count", [1, 2])
def test_results_keep_their_order_and_the_setting_comes_back(count: int) -> None:
    before = blas()
    seen = []
    assert Threads(count).map(lambda job: (seen.extend(blas()), job * 2)[1], [1, 2, 3]) == [2, 4, 6]
    assert set(seen) <= {1}
    assert Threads(count).map(lambda job: job, []) == []
    assert blas() == before


@pytest.mark.usefixtures("two_threads")
def test_an_error_of_a_job_is_raised_and_the_setting_comes_back() -> None:
    before = blas()
    with pytest.raises(ZeroDivisionError):
        Threads(2).map(lambda job: 1 / job, [1.0, 0.0])
    assert blas() == before
