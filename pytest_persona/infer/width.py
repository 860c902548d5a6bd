"""How wide an interval will be, before anything is asked."""

from __future__ import annotations

import numpy as np

from pytest_persona.infer.intervals import interval
from pytest_persona.model.findings import Method

__all__ = ["FEWEST_PROBES", "USUAL_DEVIATION", "half_width"]

FEWEST_PROBES = 24
"""With fewer probes about a trait its interval is too wide for the bounds that people set."""
USUAL_DEVIATION = 0.3
"""A standard deviation between probes that is assumed where none is known."""


def half_width(units: int, *, level: float, method: Method, deviation: float = USUAL_DEVIATION) -> float:
    """Half the width of the interval for a mean of so many values in [-1, 1] around 0 with that standard deviation.

    The values are as if drawn evenly: half of them one deviation above 0, half below. Below two units it is 1.
    """
    if units < 2:
        return 1.0
    signs = np.where(np.arange(units) % 2 == 0, 1.0, -1.0)
    values = signs - signs.mean()
    values *= deviation / values.std()
    low, high = interval(np.clip(values, -1.0, 1.0), low=-1.0, high=1.0, level=level, method=method)
    return (high - low) / 2.0
