"""How wide an interval will be."""

from __future__ import annotations

import math

import numpy as np
import pytest

from pytest_persona.infer.intervals import interval
from pytest_persona.infer.width import half_width


@pytest.mark.parametrize("method", ["betting", "t"])
def test_more_probes_make_it_narrower_and_more_spread_wider(method: str) -> None:
    widths = [half_width(n, level=0.95, method=method) for n in (6, 12, 24, 48, 96)]  # type: ignore[arg-type]
    assert widths == sorted(widths, reverse=True)
    assert half_width(24, level=0.95, method="betting", deviation=0.6) > widths[2]
    assert half_width(24, level=0.99, method="betting") > half_width(24, level=0.95, method="betting")


def test_it_is_what_drawn_values_get_on_average() -> None:
    rng = np.random.default_rng(0)
    drawn = []
    for _ in range(200):
        values = np.clip(rng.normal(0.0, 0.3, 30), -1.0, 1.0)
        low, high = interval(values, low=-1.0, high=1.0, level=0.95, method="betting")
        drawn.append((high - low) / 2.0)
    assert half_width(30, level=0.95, method="betting") == pytest.approx(float(np.mean(drawn)), abs=0.02)


def test_with_t_it_is_the_textbooks() -> None:
    assert half_width(100, level=0.95, method="t") == pytest.approx(1.984 * 0.3 / math.sqrt(99), abs=0.002)


def test_one_probe_says_nothing() -> None:
    assert half_width(0, level=0.95, method="betting") == half_width(1, level=0.95, method="t") == 1.0
