"""Held, violated or inconclusive: expectations against intervals, several at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pytest_persona.infer.intervals import Side, groups_needed, interval, p_value
from pytest_persona.infer.measure import Design
from pytest_persona.infer.plan import order_key
from pytest_persona.model.findings import Margin, Method, NullTest, Scope, Shift, Status
from pytest_persona.model.traits import Expectation, Unwanted

__all__ = ["Candidate", "Decision", "Look", "decide", "doubled", "margin", "plain_shift", "rejections"]

Floats = NDArray[np.float64]

_SIDES: tuple[Side, Side] = ("above", "below")
_POLES: dict[Side, Unwanted] = {"above": "high", "below": "low"}
_WORST_FIRST: tuple[Status, ...] = ("violated", "inconclusive", "held")
_NULL_RANK = 0.95
_FEWEST_UNITS = 3
"""A whole file of one or two texts has an exact mean, but that is a judge's word on a text, not a measurement."""


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Candidate:
    """One trait of an audit, measured and ready to be decided."""

    trait: str
    unwanted: Unwanted
    design: Design
    values: Floats
    """(units,) values of the design's units."""
    expectation: Expectation | None = None
    qualified: bool = True
    why_not: str = ""
    """Why the judge is not qualified, in words; empty where it is."""
    auroc: float | None = None
    lost: str = ""
    """Why too few of its verdicts came, in words; empty where they are enough."""
    null: NullTest | None = None
    population: int = 0
    """Groups of the whole signal, those not read among them."""
    both: bool = False
    """Whether the other scope's interval is wanted however it decides."""
    must_beat: tuple[Candidate, ...] = ()
    """One for each trait that it must go beyond, named after that one, qualified as the judge is to tell the two apart; its
    values are half of this trait's less the other's, both towards their unwanted poles, on the groups that both were read in."""

    @property
    def counts(self) -> bool:
        """Whether what the judge said of it may decide anything."""
        return self.qualified and not self.lost

    @property
    def bounds(self) -> tuple[tuple[Side, float], ...]:
        """The declared bounds of the shift; a bound is broken where the shift is on its side."""
        if self.expectation is None:
            return ()
        sides: tuple[tuple[Side, float | None], ...] = (
            ("above", self.expectation.at_most),
            ("below", self.expectation.at_least),
        )
        return tuple((side, bound) for side, bound in sides if bound is not None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What is decided of one candidate."""

    status: Status
    shift: Shift
    reason: str = ""
    """Why it is inconclusive, in words; empty otherwise."""
    groups_needed: int | None = None
    """Further groups that would likely settle it, where it is the interval that leaves it open."""
    other_scope: Shift | None = None
    """The other scope's interval at the same level, where that decides differently or both are wanted."""
    unwanted: bool = False
    """A violation at the unwanted pole, or, where nothing was declared, a shift that is clearly at it."""
    margins: tuple[Margin, ...] = ()
    """Against each trait that it must beat."""
    unbeaten: tuple[str, ...] = ()
    """Those that it did not, where nothing else stands in the way of a violation."""


def decide(candidates: Sequence[Candidate], *, level: float, method: Method, scope: Scope, seed: int) -> list[Decision]:
    """Decide one family, the declared bounds of one audit, in the order given; ``level`` is the family's, in (0, 1).

    Benjamini-Hochberg (1995) over the m bounds that a qualified judge read, each with p = 2 min(p above, p below),
    rejects R of them. Where a trait must beat others to be violated, the p of that side is the largest of its own and
    theirs, an intersection-union test (Berger 1982). Every declared trait is shown with the interval of level
    1 - (1 - level) max(R, 1) / m: a bound lies outside it just where it was rejected (of a rival: 0 outside its margin's too),
    and the selected intervals cover at ``level`` on average (Benjamini & Yekutieli 2005). With betting p is 1 / e-value, and
    this holds under any dependence and at any common stopping time (Wang & Ramdas 2022).
    """
    look = Look(level=level, method=method, scope=scope, seed=seed)
    p_values = [look.two_sided_p(c, bound, breaks=side) for c in candidates if c.counts for side, bound in c.bounds]
    if p_values:
        look = replace(look, level=1.0 - (1.0 - level) * max(rejections(p_values, 1.0 - level), 1) / len(p_values))
    observed = replace(look, level=level)
    return [_decision(c, look) if c.bounds else _observation(c, observed) for c in candidates]


def margin(rival: Candidate, look: Look, *, required: bool) -> Margin:
    """How far a shift goes beyond another trait's; ``rival`` as in :attr:`Candidate.must_beat`, ``required`` where it is of those."""
    half = look.shift(rival.design, rival.values, rival.population)
    reason = _unbeaten(rival, half)
    return Margin(
        trait=rival.trait, beyond=doubled(half), beaten=not reason, auroc=rival.auroc, required=required, reason=reason
    )


def doubled(half: Shift) -> Shift:
    """The shift of a difference from that of half of it, which is a score and keeps to the design's range."""
    value = None if half.value is None else 2.0 * half.value
    return replace(half, value=value, low=2.0 * half.low, high=2.0 * half.high)


def plain_shift(design: Design, values: Floats, *, level: float, method: Method, seed: int) -> Shift:
    """The shift of a column with its interval, for signals like this one; decides nothing."""
    return Look(level=level, method=method, scope="signals", seed=seed).shift(design, values, 0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """How values are looked at."""

    level: float
    method: Method
    scope: Scope
    seed: int

    def drawn(self, design: Design, values: Floats, population: int) -> tuple[Floats, Floats | None, int | None]:
        """Values and weights in the order of reading, and the population's size; None is an endless one.

        How many of the groups not yet read will speak is not known. That all will is the cautious guess: it widens.
        """
        if self.scope == "signals":
            return values, design.weights, None
        order = sorted(range(len(values)), key=lambda i: order_key(design.units[i], self.seed))
        weights = None if design.weights is None else design.weights[order]
        return values[order], weights, len(values) + max(population - design.groups, 0)

    def one_sided_p(self, c: Candidate, bound: float, side: Side) -> float:
        """Of "the shift is at most ``bound``" (side above) or "at least ``bound``" (side below)."""
        values, weights, population = self.drawn(c.design, c.values, c.population)
        return p_value(
            values, bound, side=side, low=c.design.low, high=c.design.high,
            method=self.method, seed=self.seed, population=population, weights=weights,
        )  # fmt: skip

    def two_sided_p(self, c: Candidate, bound: float, breaks: Side | None = None) -> float:
        """Of "the shift is ``bound``"; where a shift on the side ``breaks`` would be unwanted, it must also beat its rivals."""
        found = {side: self.one_sided_p(c, bound, side) for side in _SIDES}
        if breaks is not None and _POLES[breaks] == c.unwanted:
            found[breaks] = max(found[breaks], *(_unbeaten_p(rival, self) for rival in c.must_beat), 0.0)
        return min(1.0, 2.0 * min(found.values()))

    def shift(self, design: Design, values: Floats, population: int) -> Shift:
        """The shift of (units,) values with its interval; ``population`` as in :class:`Candidate`."""
        drawn, weights, size = self.drawn(design, values, population)
        low, high = interval(
            drawn, low=design.low, high=design.high,
            level=self.level, method=self.method, seed=self.seed, population=size, weights=weights,
        )  # fmt: skip
        if design.estimand == "selection":  # one group may lie beyond a correlation's range, their mean cannot
            low, high = max(low, -1.0), min(high, 1.0)
        return Shift(
            value=design.shift(values),
            low=low + 0.0,
            high=high + 0.0,
            level=self.level,
            groups=len(values),
            silent=design.silent,
            unscored=design.unscored,
            method=self.method,
            scope=self.scope,
        )

    def other(self, c: Candidate) -> Shift:
        """The shift for the other scope."""
        return self.turned().shift(c.design, c.values, c.population)

    def turned(self) -> Look:
        """The same look for the other scope."""
        return replace(self, scope="file" if self.scope == "signals" else "signals")

    def further(self, c: Candidate, bound: float) -> int | None:
        """Further groups that would likely settle a bound that the interval contains."""
        values, weights, population = self.drawn(c.design, c.values, c.population)
        needed = groups_needed(
            values, bound, low=c.design.low, high=c.design.high, level=self.level, method=self.method, weights=weights
        )
        if population is None:
            return needed
        left = population - len(values)
        return min(left, needed or left) or None


def rejections(p_values: Sequence[float], alpha: float) -> int:
    """How many hypotheses Benjamini-Hochberg rejects at ``alpha``, given one p-value each."""
    ordered = sorted(p_values)
    return max((k for k, p in enumerate(ordered, 1) if p <= alpha * k / len(ordered)), default=0)


def _observation(c: Candidate, look: Look) -> Decision:
    shift = look.shift(c.design, c.values, c.population)
    clear = shift.low > 0.0 if c.unwanted == "high" else shift.high < 0.0 if c.unwanted == "low" else False
    unwanted = clear and c.counts and shift.groups >= _FEWEST_UNITS and _outside_nulls(c)
    other_scope = look.other(c) if c.both else None
    return Decision(
        status="observed", shift=shift, unwanted=unwanted, other_scope=other_scope, margins=_margins(c, look)
    )


def _decision(c: Candidate, look: Look) -> Decision:
    shift = look.shift(c.design, c.values, c.population)
    margins = _margins(c, look)
    if reason := _obstacle(c, shift):
        other_scope = look.other(c) if c.both else None
        return Decision(status="inconclusive", shift=shift, reason=reason, other_scope=other_scope, margins=margins)
    status, reason = _judged(c, shift, margins)
    other = look.other(c)
    further = _further(c, shift, margins, look) if status == "inconclusive" else []
    standing = _standing(c, margins)
    return Decision(
        status=status,
        shift=shift,
        reason=reason,
        groups_needed=max((n for n in further if n is not None), default=None) if None not in further else None,
        other_scope=other if c.both or _judged(c, other, _margins(c, look.turned()))[0] != status else None,
        unwanted=status == "violated" and any(_breaks(s, b, shift) and _POLES[s] == c.unwanted for s, b in c.bounds),
        margins=margins,
        unbeaten=tuple(found.trait for found in margins if not found.beaten) if reason and reason == standing else (),
    )


def _further(c: Candidate, shift: Shift, margins: Sequence[Margin], look: Look) -> list[int | None]:
    """Further groups that would likely settle each thing that an interval leaves open."""
    open_ = [look.further(c, bound) for _, bound in c.bounds if shift.low <= bound <= shift.high]
    if open_ or not any(_breaks(side, bound, shift) and _POLES[side] == c.unwanted for side, bound in c.bounds):
        return open_
    pairs = zip(c.must_beat, margins, strict=True)
    return [
        look.further(rival, 0.0) if rival.counts and (found.beyond.value or 0.0) > 0.0 else None
        for rival, found in pairs
        if not found.beaten
    ]


def _margins(c: Candidate, look: Look) -> tuple[Margin, ...]:
    return tuple(margin(rival, look, required=True) for rival in c.must_beat)


def _unbeaten(rival: Candidate, half: Shift) -> str:
    """Why it is not shown that a shift goes beyond this rival, in words; empty where it is."""
    if not rival.qualified:
        return "this judge is not known to tell the two apart" + (f": {rival.why_not}" if rival.why_not else "")
    if rival.lost:
        return f"of {rival.trait}, {rival.lost}"
    if half.groups < _FEWEST_UNITS:
        return f"only {half.groups} groups were read for both"
    return "" if half.low > 0.0 else "its interval is not above 0"


def _standing(c: Candidate, margins: Sequence[Margin]) -> str:
    """What the rivals that are not beaten leave open, in words; empty where all are."""
    return "; ".join(
        _left_open(rival, found) for rival, found in zip(c.must_beat, margins, strict=True) if not found.beaten
    )


def _left_open(rival: Candidate, found: Margin) -> str:
    if not rival.counts or found.beyond.groups < _FEWEST_UNITS:
        remedy = "" if rival.qualified else "; a chat judge may, or name in must_beat what this one knows"
        return f"{found.called} is not ruled out: {found.reason}{remedy}"
    ends = (found.beyond.value, found.beyond.low, found.beyond.high)
    value, low, high = (f"{round(end or 0.0, 2) + 0.0:+.2f}" for end in ends)
    return f"{found.called} explains it as well: the shift goes beyond that by {value} [{low}, {high}]"


def _unbeaten_p(rival: Candidate, look: Look) -> float:
    """Of "the shift does not go beyond this rival"; agrees with :func:`_unbeaten`."""
    if not rival.counts or len(rival.values) < _FEWEST_UNITS:
        return 1.0
    return look.one_sided_p(rival, 0.0, "above")


def _obstacle(c: Candidate, shift: Shift) -> str:
    """Why nothing can be decided whatever the interval says; empty where nothing stands in the way."""
    if not c.qualified:
        return f"the judge is not qualified for this trait: {c.why_not}" if c.why_not else "the judge is not qualified"
    if c.lost:
        return c.lost
    if not shift.groups:
        return f"not identifiable: none of {c.design.groups} groups says anything about it"
    if shift.groups < _FEWEST_UNITS:
        return (
            f"only {shift.groups} of {c.design.groups} groups say something, and different things; {_FEWEST_UNITS} must"
        )
    return ""


def _judged(c: Candidate, shift: Shift, margins: Sequence[Margin]) -> tuple[Status, str]:
    """One broken bound is a violation; held is held only where every bound is."""
    judged = [_one_bound(c, side, bound, shift, margins) for side, bound in c.bounds]
    return min(judged, key=lambda found: _WORST_FIRST.index(found[0]))


def _one_bound(c: Candidate, side: Side, bound: float, shift: Shift, margins: Sequence[Margin]) -> tuple[Status, str]:
    if _breaks(side, bound, shift):
        if c.null is not None and not _outside_nulls(c):
            return "inconclusive", (
                f"{1.0 - c.null.rank:.0%} of {c.null.vectors} meaningless directions shift this signal as much"
            )
        standing = _standing(c, margins) if _POLES[side] == c.unwanted else ""
        return ("inconclusive", standing) if standing else ("violated", "")
    if not (shift.high < bound if side == "above" else shift.low > bound):
        return "inconclusive", f"the interval contains the bound {bound:+.2f}"
    if c.null is not None and abs(bound - (shift.value or 0.0)) <= c.null.spread:
        return "inconclusive", (
            f"the bound {bound:+.2f} is no further away than meaningless directions shift this signal "
            f"({c.null.spread:.2f}, 95 % of {c.null.vectors})"
        )
    return "held", ""


def _breaks(side: Side, bound: float, shift: Shift) -> bool:
    return shift.low > bound if side == "above" else shift.high < bound


def _outside_nulls(c: Candidate) -> bool:
    return c.null is None or c.null.rank >= _NULL_RANK
