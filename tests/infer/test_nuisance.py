from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_persona.infer.measure import Design, design
from pytest_persona.infer.nuisance import shares, valence_factor
from pytest_persona.model.episodes import Episode


def of_lengths(signal: Any, lengths: list[tuple[int, int]]) -> tuple[list[Episode], Design]:
    episodes = signal(
        "preference",
        [(f"g{i}", [("chosen", "c" * a, None), ("rejected", "r" * b, None)]) for i, (a, b) in enumerate(lengths)],
    )
    return episodes, design(episodes, np.ones(2 * len(lengths), dtype=np.bool_))


def test_a_shift_that_is_nothing_but_length_is_all_lengths_share(signal: Any) -> None:
    episodes, plan = of_lengths(signal, [(20 + 7 * i, 9 + i) for i in range(12)])
    contrast = plan.values(np.array([np.log1p(len(b.reply)) for e in episodes for b in e.behaviours]))
    found = shares(plan, 0.2 * contrast, episodes, None)
    assert found.length == pytest.approx(1.0)
    assert found.valence is None and found.reason == "valence was not measured"
    against = shares(plan, 1.0 - 0.2 * contrast, episodes, None).length
    assert against is not None and against < 0.0


def test_a_shift_that_has_nothing_to_do_with_length_has_no_share(signal: Any) -> None:
    rng = np.random.default_rng(0)
    lengths = [(int(a), int(b)) for a, b in zip(rng.integers(5, 90, 300), 100 + np.arange(300), strict=True)]
    episodes, plan = of_lengths(signal, lengths)
    found = shares(plan, rng.normal(0.4, 0.1, 300), episodes, rng.normal(size=600))
    assert found.length == pytest.approx(0.0, abs=0.1) and found.valence == pytest.approx(0.0, abs=0.1)
    assert found.reason == ""


def test_without_variation_there_is_no_share(signal: Any) -> None:
    episodes, plan = of_lengths(signal, [(10 + i, 10 + i) for i in range(10)])
    found = shares(plan, np.linspace(0.2, 0.4, 10), episodes, np.ones(20))
    assert found.length is None and found.valence is None
    assert found.reason == "replies do not differ in length; replies do not differ in valence"


@pytest.mark.parametrize("count", [1, 7])
def test_few_groups_have_no_shares(planned: Callable[[int], Design], pairs: Any, count: int) -> None:
    assert "fewer than 8" in shares(planned(count), np.ones(count), pairs(count), None).reason


def test_noise_and_absolute_readings_have_no_shares(planned: Callable[[int], Design], pairs: Any, signal: Any) -> None:
    noise = np.tile([-0.3, 0.31], 10)
    assert shares(planned(20), noise, pairs(20), None).reason == "the shift is within noise of 0"
    episodes = signal("instruction", [(str(i), [("sentence", "x" * i, None)]) for i in range(1, 12)])
    plan = design(episodes, np.ones(11, dtype=np.bool_))
    assert "absolute" in shares(plan, np.ones(11), episodes, None).reason


def test_the_valence_factor_is_what_traits_share_and_points_to_the_bad() -> None:
    rng = np.random.default_rng(1)
    bad = rng.normal(size=500)
    columns = [sign * (sign * bad + rng.normal(size=500)) for sign in (1.0, 1.0, 1.0, 1.0)]
    columns[0][:5] = np.nan
    factor = valence_factor(columns)
    assert factor is not None and np.isfinite(factor).all()
    assert np.corrcoef(factor, bad)[0, 1] > 0.85
    turned = valence_factor([-column for column in columns])
    assert turned is not None and turned == pytest.approx(-factor)


def test_too_few_traits_that_vary_make_no_factor() -> None:
    varied = np.linspace(0.0, 1.0, 9)
    assert valence_factor([varied, -varied, np.ones(9), np.full(9, np.nan)]) is None
    assert valence_factor([]) is None
