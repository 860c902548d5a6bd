from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from pytest_persona.infer.plan import batches, order_groups, order_key

GROUPS = st.lists(st.text("ab1|é ", max_size=5), max_size=30)


def test_the_key_is_the_sha256_of_seed_and_group() -> None:
    assert order_key("g1", 7) == hashlib.sha256(b"7|g1").hexdigest()


def test_a_lone_surrogate_has_a_place_too() -> None:
    assert len(order_key("\ud800", 0)) == 64


@given(GROUPS, st.randoms(use_true_random=False), st.integers(0, 5))
def test_the_order_is_that_of_the_seed_not_of_the_file(groups: list[str], shuffler: object, seed: int) -> None:
    mixed = list(groups)
    shuffler.shuffle(mixed)  # type: ignore[attr-defined]
    assert order_groups(mixed, seed) == order_groups(groups, seed)
    assert sorted(order_groups(groups, seed)) == sorted(set(groups))


@given(GROUPS, GROUPS)
def test_added_groups_leave_the_order_of_the_others(groups: list[str], more: list[str]) -> None:
    together = [group for group in order_groups([*groups, *more], 0) if group in set(groups)]
    assert together == order_groups(groups, 0)


def test_another_seed_gives_another_order() -> None:
    groups = [str(i) for i in range(50)]
    assert order_groups(groups, 1) != order_groups(groups, 2)


def test_batches_grow_to_a_limit_and_leave_nothing_out() -> None:
    groups = [str(i) for i in range(1000)]
    sliced = list(batches(groups))
    assert [len(batch) for batch in sliced] == [32, 64, 128, 256, 256, 256, 8]
    assert [group for batch in sliced for group in batch] == groups
    assert list(batches([])) == []
