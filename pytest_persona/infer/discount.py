"""What a request discounts: effects, leaks and explained shares, from the values of the same units in matched arms."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pytest_persona.infer.decide import Candidate, Look
from pytest_persona.infer.intervals import groups_needed
from pytest_persona.infer.measure import Design
from pytest_persona.model.findings import NullTest, Shift
from pytest_persona.model.inoculation import Arm, ArmReading, Explained, InoculationFinding, InoculationStatus, Phrasing
from pytest_persona.model.traits import Unwanted

__all__ = ["Case", "between_texts", "decided", "effect", "explained_share", "findings", "sign"]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

FEWEST_UNITS = 3
FEWEST_PLACEBOS = 3
"""With fewer irrelevant texts there is no telling what any text does."""
_NULL_RANK = 0.95
_HALVINGS = 16
_FURTHEST = 2.0**20


@dataclass(frozen=True, kw_only=True, slots=True, eq=False)
class Case:
    """One trait in all arms, measured and ready to be decided."""

    trait: str
    unwanted: Unwanted
    design: Design
    """Of the behaviours that have a verdict in every arm."""
    values: Mapping[Arm, Floats]
    """(units,) values of the design's units in each arm."""
    phrasing: Indices
    """(units,) which phrasing of the request each unit was read with."""
    placebo: Indices
    """(units,) which irrelevant text."""
    texts: tuple[str, ...]
    """The phrasings."""
    effect_at_least: float = 0.0
    leak_at_most: float = 0.10
    qualified: bool = True
    auroc: float | None = None
    why_not: str = ""
    """Why the judge's reading decides nothing, in words; empty where it does."""
    null: NullTest | None = None
    population: int = 0
    """Groups of the whole signal, those not read among them."""
    arms: Mapping[Arm, ArmReading] = field(default_factory=dict)

    def effects(self) -> Floats:
        """(units,) placebo - requested."""
        return self.values["placebo"] - self.values["requested"]


def findings(cases: Sequence[Case], look: Look) -> list[InoculationFinding]:
    """Decide one family, the traits of one experiment, in the order given; ``look.level`` is the family's.

    An effect is shown where every part of the claim is: an intersection-union test (Berger 1982), each part at the trait's level.
    Over the m traits that a qualified judge read, Benjamini-Hochberg steps up: the level is 1 - (1 - level) R / m for the largest R
    at which R traits are shown. All intervals are of that level.
    """
    look = _stepped(cases, look)
    return [replace(found, explained=effect(case, look)[1]) for case, found in _judged(cases, look)]


def decided(cases: Sequence[Case], look: Look) -> bool:
    """Whether every effect is shown or refuted, so that reading on would change nothing."""
    return all(found.status != "inconclusive" for _, found in _judged(cases, _stepped(cases, look)))


def between_texts(values: Floats, texts: Indices) -> float | None:
    """Standard deviation of the mean between texts, sampling noise taken out, from (units,) values and the text of each.

    One-way analysis of variance with random effects (Searle, Casella & McCulloch 1992, chapter 3), cut off at 0. None for fewer
    than two texts; 0 where each unit has a text of its own, as the spread of the units then holds it already.
    """
    _, text, counts = np.unique(texts, return_inverse=True, return_counts=True)
    k, n = len(counts), len(values)
    if k < 2:
        return None
    if n == k:
        return 0.0
    means = np.bincount(text, weights=values) / counts
    between = float(counts @ (means - values.mean()) ** 2) / (k - 1)
    within = float(((values - means[text]) ** 2).sum()) / (n - k)
    return math.sqrt(max(0.0, between - within) * (k - 1) / (n - float(counts @ counts) / n))


def explained_share(
    effects: Floats, shifts: Floats, design: Design, look: Look, *, slack: float = 0.0, population: int = 0
) -> Explained:
    """Mean effect / mean shift as it is, with the interval of Fieller (1954) by the look's own test.

    Its ends are where a share E begins to be refuted: where the mean of (effect - E shift), a score on (2 + E) times the range of a
    unit, is clear of 0 and further from it than ``slack``, what an irrelevant text may do. So it holds for few units and early
    looks wherever the test does. A reason instead where the shift is not clear of 0, or so nearly not that the set has no end.
    """
    if not len(shifts):
        return Explained(value=None, reason="nothing identifies the shift as it is")
    shift = look.shift(design, shifts, population)
    if shift.value is None or shift.low <= 0.0 <= shift.high:
        return Explained(value=None, reason="the shift as it is, which it would be a share of, is not clear of 0")
    value = float(effects.mean() / shifts.mean())

    def refuted(share: float) -> bool:
        scale = 2.0 + abs(share)
        scores = (effects - share * shifts) / scale
        case = Candidate(trait="", unwanted="none", design=design, values=scores, population=population)
        return abs(scores.mean()) > slack / scale and look.two_sided_p(case, 0.0) <= 1.0 - look.level

    ends = [_end(value, way, refuted) for way in (-1.0, 1.0)]
    if None in ends:
        return Explained(value=None, reason="the shift as it is is too near 0 for a share of it to have an interval")
    return Explained(value=value, low=ends[0], high=ends[1])


def effect(case: Case, look: Look) -> tuple[Shift, Explained]:
    """The effect of a case by itself, of whose arms only those as it is, requested and placebo are needed."""
    slack = _slack(case, look)
    least = 0.0 if slack is None else slack * math.sqrt(_shares(case)[0])
    found = _difference(case, "requested", look, least)
    share = explained_share(
        case.effects(), case.values["as-is"], case.design, look, slack=least, population=case.population
    )
    return found, share


def sign(unwanted: Unwanted, shift: Shift) -> float:
    """+1 where less of the high pole is the aim, -1 where less of the low pole is; of a trait unwanted nowhere, by the shift."""
    if unwanted == "none":
        return math.copysign(1.0, shift.value or 0.0)
    return -1.0 if unwanted == "low" else 1.0


def _stepped(cases: Sequence[Case], look: Look) -> Look:
    family = [case for case in cases if not _obstacle(case)]
    alpha, size = 1.0 - look.level, len(family)
    count = size
    while count > 1:
        stricter = replace(look, level=1.0 - alpha * count / size)
        shown = sum(found.status == "shown" for _, found in _judged(family, stricter))
        if shown >= count:
            return stricter
        count = shown
    return replace(look, level=1.0 - alpha / size) if size else look


def _judged(cases: Sequence[Case], look: Look) -> Iterator[tuple[Case, InoculationFinding]]:
    return ((case, _finding(case, look)) for case in cases)


def _finding(case: Case, look: Look) -> InoculationFinding:
    slack = _slack(case, look)
    least = [0.0 if slack is None else slack * math.sqrt(share) for share in _shares(case)]
    shift = look.shift(case.design, case.values["as-is"], case.population)
    found_effect = _difference(case, "requested", look, least[0])
    opposite, lookalike = (_difference(case, arm, look, least[1]) for arm in ("opposite", "look-alike"))
    found = InoculationFinding(
        trait=case.trait, status="inconclusive", estimand=case.design.estimand, qualified=case.qualified, auroc=case.auroc,
        shift=shift, effect=found_effect, explained=Explained(value=None), opposite=opposite, lookalike=lookalike,
        effect_at_least=case.effect_at_least, leak_at_most=case.leak_at_most, arms=case.arms,
        text_spread=None if slack is None else least[0],
        phrasings=tuple(_phrasings(case)), phrasing_spread=_phrasing_spread(case), null=case.null,
    )  # fmt: skip
    status, missing = _status(case, found, look, least)
    return replace(found, status=status, missing=missing)


def _status(
    case: Case, found: InoculationFinding, look: Look, least: Sequence[float]
) -> tuple[InoculationStatus, tuple[str, ...]]:
    if obstacle := _obstacle(case):
        return "inconclusive", (obstacle,)
    way = sign(case.unwanted, found.shift)
    missing = []
    refuted = False
    if _oriented(found.shift, way)[0] <= 0.0:
        missing.append("there is nothing to explain away: the shift as it is, at the unwanted pole, is not clear of 0")
    elif found.null is not None and found.null.rank < _NULL_RANK:
        missing.append(
            f"{1.0 - found.null.rank:.0%} of {found.null.vectors} meaningless directions shift this signal as much as it is"
        )
    else:
        refuted = _oriented(found.effect, way)[1] <= case.effect_at_least
        refuted |= any(_oriented(leak, way)[0] > case.leak_at_most for leak in (found.opposite, found.lookalike))
    if _oriented(found.effect, way)[0] <= case.effect_at_least:
        bound = f"{case.effect_at_least:.2f}" if case.effect_at_least else "0"
        more = "" if refuted else _further(case, "requested", case.effect_at_least * way, look, least[0])
        missing.append(f"the effect is not clear of {bound}{more}")
    leaks: tuple[tuple[str, Arm, Shift], ...] = (
        ("the opposite request", "opposite", found.opposite),
        ("what only looks like the request", "look-alike", found.lookalike),
    )
    for name, arm, leak in leaks:
        low, high = _oriented(leak, way)
        if low > case.leak_at_most:
            missing.append(f"{name} discounts more than {case.leak_at_most:.2f} too")
        elif high > case.leak_at_most:
            more = _further(case, arm, case.leak_at_most * way, look, least[1])
            missing.append(f"{name} may discount more than {case.leak_at_most:.2f} too{more}")
    return ("refuted" if refuted else "inconclusive" if missing else "shown"), tuple(missing)


def _obstacle(case: Case) -> str:
    """Why nothing can be decided whatever the intervals say; empty where nothing stands in the way."""
    if case.why_not or not case.qualified:
        return f"the judge is not qualified for this trait: {case.why_not}" if not case.qualified else case.why_not
    units = len(case.design.units)
    if units < FEWEST_UNITS:
        return f"only {units} of {case.design.groups} groups say something, and different things; {FEWEST_UNITS} must"
    if len(np.unique(case.placebo)) < FEWEST_PLACEBOS:
        return f"fewer than {FEWEST_PLACEBOS} irrelevant texts were read, too few to tell what any text does"
    return ""


def _oriented(shift: Shift, way: float) -> tuple[float, float]:
    return (shift.low, shift.high) if way > 0.0 else (-shift.high, -shift.low)


def _difference(case: Case, arm: Arm, look: Look, least: float) -> Shift:
    """placebo - arm, with an interval of at least ``least`` to both sides.

    Half a difference of scores is a score, so that the design's range holds for it; value and interval are doubled.
    """
    half = look.shift(case.design, (case.values["placebo"] - case.values[arm]) / 2.0, case.population)
    most = 2.0 * (1.0 if case.design.estimand == "selection" else case.design.high)
    if half.value is None:
        return replace(half, low=2.0 * half.low, high=2.0 * half.high)
    value = 2.0 * half.value
    low, high = min(2.0 * half.low, value - least), max(2.0 * half.high, value + least)
    return replace(half, value=value, low=max(low, -most), high=min(high, most))


def _further(case: Case, arm: Arm, bound: float, look: Look, least: float) -> str:
    """How many further groups would likely bring a bound outside the interval, in words; empty where none would."""
    halves = (case.values["placebo"] - case.values[arm]) / 2.0
    if abs(2.0 * float(halves.mean()) - bound) <= least:
        return ""  # it is irrelevant texts that leave it open
    design = case.design
    needed = groups_needed(halves, bound / 2.0, low=design.low, high=design.high, level=look.level, method=look.method)
    return f"; about {needed} more groups would likely settle it" if needed else ""


def _slack(case: Case, look: Look) -> float | None:
    """Student's quantile times the standard deviation of the means over irrelevant texts: what any one text may do by itself.

    The sampling noise of those means is left in. Taken out, 8 texts would too often seem to do nothing at all, and the interval
    would cover 90 % of the time (tests/infer/test_discount.py).
    """
    _, text, counts = np.unique(case.placebo, return_inverse=True, return_counts=True)
    if len(counts) < FEWEST_PLACEBOS:
        return None
    from scipy.special import stdtrit

    means = np.bincount(text, weights=case.values["as-is"] - case.values["placebo"]) / counts
    return float(stdtrit(len(counts) - 1, 0.5 + look.level / 2.0)) * float(means.std(ddof=1))


def _shares(case: Case) -> tuple[float, float]:
    """By how much the variance between texts enters the effect, and a leak.

    A request must do more than an irrelevant text would, so that its own text counts as drawn like theirs. A leak is that of just
    these texts; only what they are compared with is a sample.
    """
    placebos, phrasings = (max(1, len(np.unique(texts))) for texts in (case.placebo, case.phrasing))
    return 1.0 / phrasings + 1.0 / placebos, 1.0 / placebos


def _end(inside: float, way: float, refuted: Callable[[float], bool]) -> float | None:
    """Where a set that holds ``inside`` ends on one side; None where it goes on."""
    step = 1.0
    while not refuted(inside + way * step):
        step *= 2.0
        if step > _FURTHEST:
            return None
    near, far = 0.0, step
    for _ in range(_HALVINGS):
        middle = (near + far) / 2.0
        if refuted(inside + way * middle):
            far = middle
        else:
            near = middle
    return inside + way * far


def _phrasings(case: Case) -> Iterator[Phrasing]:
    effects = case.effects()
    for index, text in enumerate(case.texts):
        own = effects[case.phrasing == index]
        yield Phrasing(text=text, groups=len(own), effect=math.fsum(own) / len(own) if len(own) else None)


def _phrasing_spread(case: Case) -> float | None:
    return between_texts(case.effects(), case.phrasing) if len(case.texts) > 1 and len(case.phrasing) else None
