"""The interval of one trait's change, from what its values say on the groups of two profiles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_persona.infer.bridge import Crossing
from pytest_persona.infer.intervals import interval
from pytest_persona.infer.pairs import Strata
from pytest_persona.model.drift import Way
from pytest_persona.model.findings import Method, Scope

__all__ = ["Change"]

Floats = NDArray[np.float64]

_MOST_ALONE = 0.5
"""Where more of either side stands alone, pairs say little of the whole."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Change:
    """What has changed of one trait, and how sure that is.

    * same: nothing has changed, so that neither has the shift.
    * paired: every unit that counts is in both. The interval is that of the mean difference.
    * partly paired: D + p (A - N) - q (R - B), with D the mean difference of the units in both and N, B their means; A the
      mean of those that came, a share p of now; R of those that went, a share q of then. Half of the error goes to D, the
      rest to the four means. The shares are taken as they are.
    * separate: now less baseline, half of the error for each.

    All of it is Bonferroni's inequality, so that it holds whatever the parts have in common.
    """

    strata: Strata
    method: Method
    scope: Scope
    seed: int
    unchanged: bool
    """Whether the texts of all groups are the same."""
    fixed: bool
    """Whether "exactly these groups" has a meaning: all of both sides are known, and no product would answer otherwise tomorrow."""
    crossing: Crossing | None = None
    """How the baseline's values came to the scale of now; None where one judge read both, or nothing had to cross."""

    @property
    def way(self) -> Way:
        """How it is estimated."""
        found = self.strata
        if self.unchanged and not found.difference.any():
            return "same"
        if not len(found.difference) or max(found.share_added, found.share_removed) > _MOST_ALONE:
            return "separate"
        return "partly-paired" if len(found.added) or len(found.removed) else "paired"

    @property
    def value(self) -> float | None:
        """Now minus baseline; None where one of them says nothing."""
        found = self.strata
        if self.way == "same":
            return 0.0
        if self.way != "separate":
            return found.value
        now, base = np.append(found.now, found.added), np.append(found.base, found.removed)
        return float(now.mean() - base.mean()) if len(now) and len(base) else None

    def ends(self, level: float) -> tuple[float, float]:
        """The interval at ``level``, around the value."""
        if self.way == "same":
            return 0.0, 0.0
        error, margin = 1.0 - level, 0.0
        if self.crossing is not None:
            error /= 2.0
            margin = self._margin(self.crossing, 1.0 - error)
        found = self.strata
        if self.way == "paired":
            low, high = self._spread(found.difference, found.reach_base + found.reach_now, error, found.unread[0])
        elif self.way == "partly-paired":
            low, high = self._partly(error)
        else:
            low, high = self._separate(error)
        value = self.value
        if value is None:
            return low - margin, high + margin
        return min(low, value) - margin, max(high, value) + margin

    def _partly(self, error: float) -> tuple[float, float]:
        found = self.strata
        low, high = self._spread(found.difference, found.reach_base + found.reach_now, error / 2.0, found.unread[0])
        sides = (len(found.added) > 0) + (len(found.removed) > 0)
        part = error / (4.0 * sides)
        for alone, both, reach, unread, share in (
            (found.added, found.now, found.reach_now, found.unread[1], found.share_added),
            (found.removed, found.base, found.reach_base, found.unread[2], -found.share_removed),
        ):
            if len(alone):
                least, most = self._spread(alone, reach, part, unread)
                lowest, highest = self._spread(both, reach, part, found.unread[0])
                ends = share * (least - highest), share * (most - lowest)
                low, high = low + min(ends), high + max(ends)
        return low, high

    def _separate(self, error: float) -> tuple[float, float]:
        found = self.strata
        lowest, highest = self._spread(
            np.append(found.base, found.removed), found.reach_base, error / 2.0, found.unread[0] + found.unread[2]
        )
        least, most = self._spread(
            np.append(found.now, found.added), found.reach_now, error / 2.0, found.unread[0] + found.unread[1]
        )
        return least - highest, most - lowest

    def _spread(self, values: Floats, reach: float, error: float, unread: int) -> tuple[float, float]:
        finite = self.scope == "file" and self.fixed
        return interval(
            values, low=-reach, high=reach, level=1.0 - error, method=self.method, seed=self.seed,
            population=len(values) + unread if finite else None,
        )  # fmt: skip

    def _margin(self, crossing: Crossing, level: float) -> float:
        """How far off the crossing may put the change: as much of it as had to cross."""
        found, scale = self.strata, crossing.scale
        crossed = found.base if self.way == "separate" else found.base[~found.same]
        share = 1.0 if self.way == "separate" else len(crossed) / len(found.difference)
        margin = 0.0
        for values, weight in ((crossed, share), (found.removed, found.share_removed)):
            if len(values):
                margin += weight * crossing.margin((float(values.mean()) - scale.offset) / scale.scale, level)
        return margin
