"""Which groups of two profiles belong together, and what each trait's values say on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pytest_persona.infer.bridge import NO_SCALE, Scale
from pytest_persona.model.drift import DataChange, Parts, QuestionChange
from pytest_persona.model.findings import Profile
from pytest_persona.model.units import Units

__all__ = ["Match", "Strata", "match", "strata"]

Floats = NDArray[np.float64]
_SHOWN = 5
"""How many places and names a report is given."""


@dataclass(frozen=True, kw_only=True)
class Match:
    """The groups of two profiles, as places in their columns."""

    base: Units
    now: Units
    both: tuple[tuple[int, int], ...]
    """Groups that are in both, and of probes those that were asked in the same words."""
    added: tuple[int, ...]
    removed: tuple[int, ...]
    reworded: tuple[int, ...]
    """Probes that are in both and were asked in other words."""
    probes: bool

    @cached_property
    def same(self) -> tuple[bool, ...]:
        """For each group in both, whether its texts and their reinforcement are the same."""
        return tuple(self.base.content[b] == self.now.content[n] for b, n in self.both)

    @property
    def nothing_changed(self) -> bool:
        """Whether every group of the one is in the other with the same texts."""
        whole = self.base.complete and self.now.complete
        return whole and all(self.same) and not (self.added or self.removed)

    def data(self, base: Profile, now: Profile) -> DataChange | None:
        """What has happened to the data; None where nothing has."""
        altered = [pair for pair, same in zip(self.both, self.same, strict=True) if not same]
        changed = base.signal.sha256 != now.signal.sha256
        if not (changed or altered or self.added or self.removed):
            return None
        named = (
            ("altered", now, [self.now.lines[n] for _, n in altered]),
            ("added", now, [self.now.lines[n] for n in self.added]),
            ("removed", base, [self.base.lines[b] for b in self.removed]),
        )
        places = [f"{of.signal.path}:{line} {what}" for what, of, lines in named for line in sorted(lines) if line]
        return DataChange(
            changed=changed,
            same=sum(self.same),
            altered=len(altered),
            added=len(self.added),
            removed=len(self.removed),
            complete=self.base.complete and self.now.complete,
            places=tuple(places[:_SHOWN]),
        )

    def questions(self) -> QuestionChange | None:
        """Which probes were not asked as they were; None where all were."""
        if not (self.probes and (self.reworded or self.added or self.removed)):
            return None
        named = ((self.now, self.reworded), (self.now, self.added), (self.base, self.removed))
        reworded, added, removed = (tuple(sorted(units.groups[i] for i in places)) for units, places in named)
        return QuestionChange(reworded=reworded, added=added, removed=removed)


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Strata:
    """What one trait's values say: on groups in both, and on those that speak on one side alone.

    Groups that have the same texts on both sides as another one are one unit with it, as they are in a shift.
    """

    difference: Floats
    """(k,) now minus baseline of each unit in both."""
    base: Floats
    """(k,) the baseline's values there, on the scale of now."""
    now: Floats
    """(k,)"""
    same: NDArray[np.bool_]
    """(k,) whether the unit's texts are the same."""
    added: Floats
    """Values of units that speak only now."""
    removed: Floats
    """Values of units that spoke only then, on the scale of now."""
    share_added: float
    """Of all units of now."""
    share_removed: float
    """Of all units of the baseline."""
    reach_base: float
    reach_now: float
    unread: tuple[int, int, int]
    """Groups that were not read on a side that has them: of those in both, of the added, of the removed."""
    groups: int
    """Groups in both that speak on both sides."""
    classes: tuple[tuple[int, ...], ...]
    """The places of each unit's groups in the baseline's columns."""

    @property
    def value(self) -> float:
        """The change: of the groups in both, and what those that came and went do to the mean."""
        return float(self.difference.mean()) + self._came() + self._went()

    def parts(self) -> Parts:
        """The change by where it comes from."""
        share = self.difference / len(self.difference)
        return Parts(
            unchanged=float(share[self.same].sum()),
            altered=float(share[~self.same].sum()),
            added=self._came(),
            removed=self._went(),
        )

    def _came(self) -> float:
        return self.share_added * float(self.added.mean() - self.now.mean()) if len(self.added) else 0.0

    def _went(self) -> float:
        return -self.share_removed * float(self.removed.mean() - self.base.mean()) if len(self.removed) else 0.0


def match(base: Profile, now: Profile) -> Match | None:
    """The groups of two profiles of one kind by what they are called; None where one of them kept none."""
    if base.units is None or now.units is None:
        return None
    before = {group: place for place, group in enumerate(base.units.groups)}
    probes = now.signal.kind == "probe"
    both, reworded, added = [], [], []
    for place, group in enumerate(now.units.groups):
        earlier = before.pop(group, None)
        if earlier is None:
            added.append(place)
        elif probes and base.units.asked[earlier] != now.units.asked[place]:
            reworded.append(place)
        else:
            both.append((earlier, place))
    return Match(
        base=base.units,
        now=now.units,
        both=tuple(both),
        added=tuple(added),
        removed=tuple(before.values()),
        reworded=tuple(reworded),
        probes=probes,
    )


def strata(found: Match, trait: str, *, scale: Scale = NO_SCALE, rejudged: bool = False) -> Strata:
    """The values of one trait, the baseline's brought to the scale of now.

    Where another judge read it (``rejudged``), a text that is the same in both has not changed, however it is read. Groups
    that stand in both and that one side did not read have no part. Probes count where both sides have a verdict.
    """
    before, after = found.base.values[trait], found.now.values[trait]
    moved = [None if v is None else scale.of(v) for v in before]
    read = [(b, n) for b, n in found.both if found.base.read[b] and found.now.read[n]]
    pairs: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for b, n in read:
        if before[b] is not None and after[n] is not None:
            pairs.setdefault((found.base.content[b], found.now.content[n]), []).append((b, n))
    units = list(pairs.values())
    same = np.array([then == now for then, now in pairs], dtype=np.bool_)
    now_values = _means([[after[n] for _, n in unit] for unit in units])
    base_values = _means([[moved[b] for b, _ in unit] for unit in units])
    if rejudged:
        base_values = np.where(same, now_values, base_values)
    whole = len(found.both) / len(read) if read else 1.0
    came = [n for b, n in read if before[b] is None and after[n] is not None]
    went = [b for b, n in read if after[n] is None and before[b] is not None]
    added, share_added = _alone(came, found.added, found.now, trait, len(units), whole)
    removed, share_removed = _alone(went, found.removed, found.base, trait, len(units), whole)
    if found.probes:
        added, removed, share_added, share_removed = [], [], 0.0, 0.0
    return Strata(
        difference=now_values - base_values,
        base=base_values,
        now=now_values,
        same=same,
        added=_means([[after[n] for n in unit] for unit in added]),
        removed=_means([[moved[b] for b in unit] for unit in removed]),
        share_added=share_added,
        share_removed=share_removed,
        reach_base=scale.reach(found.base.reach[trait]),
        reach_now=found.now.reach[trait],
        unread=(
            len(found.both) - len(read),
            sum(not found.now.read[n] for n in found.added),
            sum(not found.base.read[b] for b in found.removed),
        ),
        groups=sum(map(len, units)),
        classes=tuple(tuple(b for b, _ in unit) for unit in units),
    )


def _alone(
    fallen: Sequence[int], others: Sequence[int], units: Units, trait: str, both: int, whole: float
) -> tuple[list[list[int]], float]:
    """Units that speak on one side alone, and their share of all that speak there.

    ``fallen`` are groups of both sides that the other one has nothing from, ``others`` those that it does not have. What was not
    read is taken to be like what was: ``whole`` says how many groups in both stand behind one that both have read.
    """
    read = [place for place in others if units.read[place]]
    classes = _units(fallen, units)
    new = _units([place for place in read if units.values[trait][place] is not None], units)
    count = len(classes) * whole + (len(new) * len(others) / len(read) if read else 0.0)
    return [*classes, *new], count / (count + both * whole) if count else 0.0


def _units(places: Sequence[int], units: Units) -> list[list[int]]:
    """Groups with the same texts are one unit."""
    classes: dict[str, list[int]] = {}
    for place in places:
        classes.setdefault(units.content[place], []).append(place)
    return list(classes.values())


def _means(units: Sequence[Sequence[float | None]]) -> Floats:
    return np.array([sum(v for v in unit if v is not None) / len(unit) for unit in units], dtype=np.float64)
