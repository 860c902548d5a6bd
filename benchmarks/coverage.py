"""Do the intervals and decisions keep what they promise? By simulation; prints the tables of docs/explanation/statistics.md.

    python benchmarks/coverage.py            # under 3 minutes on 2 cores
    python benchmarks/coverage.py --quick    # under 20 seconds, for CI: fewer simulations, the same checks

Exit code 1 where the default method breaks a promise.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from pytest_persona.infer import betting, classical
from pytest_persona.infer.decide import rejections
from pytest_persona.infer.intervals import interval

Floats = NDArray[np.float64]
Rng = np.random.Generator

COUNTS = (8, 16, 32, 64, 128, 400)
LEVEL = 0.95
ALPHA = 1.0 - LEVEL
GOAL = math.log(2.0 / ALPHA)


@dataclass(frozen=True)
class Population:
    """What values are drawn from: a name, a range, the true mean, and how to draw."""

    name: str
    low: float
    high: float
    mean: float
    draw: Callable[[Rng, tuple[int, ...]], Floats]


def beta(low: float, high: float, a: float, b: float) -> tuple[float, Callable[[Rng, tuple[int, ...]], Floats]]:
    """Mean and draw of a beta distribution stretched over [low, high]."""
    return low + (high - low) * a / (a + b), lambda rng, shape: low + (high - low) * rng.beta(a, b, shape)


def around(mean: float, deviation: float, low: float, high: float) -> Callable[[Rng, tuple[int, ...]], Floats]:
    """Draws with this mean and standard deviation on [low, high]: the beta distribution that has them."""
    share = (mean - low) / (high - low)
    total = share * (1.0 - share) * ((high - low) / deviation) ** 2 - 1.0
    return beta(low, high, share * total, (1.0 - share) * total)[1]


def populations() -> Iterator[Population]:
    """Shapes that are hard for some method or other, on the ranges of a contrast and of an absolute reading."""
    for high in (2.0, 1.0):
        for share in (0.02, 0.05):
            yield Population(
                f"{share:.0%} at 1, else 0", -high, high, share,
                lambda rng, shape, share=share: (rng.random(shape) < share).astype(np.float64),  # type: ignore[misc]
            )  # fmt: skip
        yield Population("skewed", -high, high, *beta(0.0, 1.0, 0.3, 6.0))
        yield Population("symmetric, sd 0.1", -high, high, 0.0, around(0.0, 0.1, -high, high))
        yield Population("symmetric, sd 0.4", -high, high, 0.0, around(0.0, 0.4, -high, high))
        yield Population(
            "two points", -high, high, 0.4 * high,
            lambda rng, shape, high=high: np.where(rng.random(shape) < 0.7, high, -high),  # type: ignore[misc]
        )  # fmt: skip
        yield Population("heavy at the ends", -high, high, *beta(-high, high, 0.2, 0.3))


def wealth_path(values: Floats, mean: Floats | float, low: float, population: int | None = None) -> Floats:
    """Log wealth against "the mean is at most ``mean``" after each of (..., n) values: betting.growth for all stages at once."""
    excess = values - mean
    most: Floats = np.broadcast_to(np.asarray(mean - low), excess.shape)
    if population is not None:
        expected = (excess - np.cumsum(excess, axis=-1)) / (population - np.arange(values.shape[-1]))
        excess, most = excess - expected, most + expected
    returns = np.maximum(excess / np.maximum(most, 1e-9), -1.0)
    wealth = np.full(values.shape, -np.inf)
    for bet, stake in zip(betting.BETS, betting.STAKES, strict=True):
        np.logaddexp(wealth, np.log(stake) + np.cumsum(np.log(1.0 + bet * returns), axis=-1), out=wealth)
    return wealth


def both_paths(
    values: Floats, mean: float, low: float, high: float, population: int | None = None
) -> tuple[Floats, Floats]:
    """Log wealth against "at most" and against "at least" the mean."""
    return wealth_path(values, mean, low, population), wealth_path(-values, -mean, -high, population)


def t_ends(values: Floats, width: float) -> tuple[Floats, Floats]:
    """Means and half-widths of classical.t_interval after each of (s, n) values on a range that wide, from the second on."""
    counts = np.arange(1, values.shape[1] + 1)
    means = np.cumsum(values, axis=1) / counts
    squares = np.maximum(np.cumsum(values**2, axis=1) - counts * means**2, 0.0)
    errors = np.sqrt(squares[:, 1:] / (counts[1:] - 1) / counts[1:])
    halves = np.where(errors > 1e-8, errors * stdtrit(counts[1:] - 1, 1.0 - ALPHA / 2.0), width * GOAL / counts[1:])
    return means[:, 1:], halves


def plug_in_half_width(values: Floats, low: float, high: float) -> float:
    """Mean half-width of the hedged predictable plug-in of Waudby-Smith & Ramdas (their equation 26 and section 4.2), truncated
    at 3/4 and intersected over time: valid when peeked too, but it depends on the order of the values."""
    shares = (values - low) / (high - low)
    counts = np.arange(1, values.shape[1] + 1)
    centres = (0.5 + np.cumsum(shares, axis=1)) / (counts + 1)
    spreads = (0.25 + np.cumsum((shares - centres) ** 2, axis=1)) / (counts + 1)
    before = np.concatenate([np.full((len(values), 1), 0.25), spreads[:, :-1]], axis=1)
    bets = np.sqrt(2.0 * GOAL / (before * counts * np.log(counts + 1)))

    def lower(shares: Floats) -> Floats:
        refuted, open_ = np.zeros(len(shares)), np.ones(len(shares))
        for _ in range(20):
            middle = ((refuted + open_) / 2.0)[:, None]
            wealth = np.cumsum(np.log1p(np.minimum(bets, 0.75 / middle) * (shares - middle)), axis=1).max(axis=1)
            refuted = np.where(wealth >= GOAL, middle[:, 0], refuted)
            open_ = np.where(wealth >= GOAL, open_, middle[:, 0])
        return refuted

    return float((1.0 - lower(1.0 - shares) - lower(shares)).mean()) * (high - low) / 2.0


def table(title: str, head: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a Markdown table."""
    head = list(head)
    print(f"\n**{title}**\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(str(cell) for cell in row)} |")
    sys.stdout.flush()


def percent(share: float) -> str:
    """A share for a table, in per cent."""
    return f"{100.0 * share:.1f}"


class Report:
    """Runs the simulations and remembers which promises of the default method were broken."""

    def __init__(self, quick: bool) -> None:
        self.quick = quick
        self.rng = np.random.default_rng(20261101)
        self.broken: list[str] = []

    def promise(self, kept: bool, what: str) -> None:
        """Remember a promise that was not kept."""
        if not kept:
            self.broken.append(what)

    def coverage(self) -> None:
        """Coverage at each count and at all of them, false decisions at the bound, and half-widths."""
        sims, few = (400, 6) if self.quick else (3000, 60)
        fixed, peeked, false, widths = [], [], [], []
        for p in populations():
            label = f"{p.name}, [{p.low:g}, {p.high:g}]"
            values = p.draw(self.rng, (sims, COUNTS[-1]))
            above, below = both_paths(values, p.mean, p.low, p.high)
            misses = np.maximum(above, below) >= GOAL
            at = np.array(COUNTS) - 1
            means, halves = t_ends(values, p.high - p.low)
            t_misses = np.abs(means - p.mean) > halves
            bca = np.array([[not _covers(row[:n], p) for n in COUNTS] for row in values[:few]])
            ever, t_ever = misses[:, at[0] :].any(axis=1).mean(), t_misses[:, at[0] - 1 :].any(axis=1).mean()
            fixed.append(
                [label, *(_trio(misses[:, n - 1], t_misses[:, n - 2], bca[:, i]) for i, n in enumerate(COUNTS))]
            )
            peeked.append([label, percent(1 - ever), percent(1 - t_ever), percent(1 - bca.any(axis=1).mean())])
            violated, held = (above >= GOAL).any(axis=1).mean(), (below >= GOAL).any(axis=1).mean()
            false.append([label, percent(violated), percent(held)])
            widths.append([label, *(self._widths(values[:few, :n], p) for n in COUNTS)])
            self.promise(1 - misses[:, at].mean(axis=0).max() >= 0.94, f"coverage at a fixed count: {label}")
            self.promise(1 - ever >= 0.94, f"coverage when peeked: {label}")
            self.promise(max(violated, held) <= 0.05, f"false decisions at the bound: {label}")
        columns = [f"n = {n}" for n in COUNTS]
        note = f"nominal 95 %; betting and t {sims} simulations a cell, BCa {few}"
        table(f"Coverage in % at one look: betting / t / BCa ({note})", ["values", *columns], fixed)
        table(
            f"Coverage in % at every look from 8 to {COUNTS[-1]} (BCa: at the six counts above)",
            ["values", "betting", "t", "BCa"],
            peeked,
        )
        table(
            f"False decisions in %, the true mean at the bound, a look after each of {COUNTS[-1]} groups",
            ["values", "false `violated`", "false `held`"],
            false,
        )
        table("Mean half-width: betting / hedged plug-in / t", ["values", *columns], widths)

    def _widths(self, values: Floats, p: Population) -> str:
        ours = [interval(row, low=p.low, high=p.high, level=LEVEL, method="betting") for row in values]
        width = float(np.mean([high - low for low, high in ours])) / 2.0
        plug_in = plug_in_half_width(values, p.low, p.high)
        return f"{width:.3f} / {plug_in:.3f} / {t_ends(values, p.high - p.low)[1][:, -1].mean():.3f}"

    def whole_file(self) -> None:
        """Coverage for scope ``file``: drawing without replacement from a population of 200, looking after each group."""
        sims, size = (200 if self.quick else 2000), 200
        rows = []
        for p in populations():
            if p.high != 2.0:
                continue
            people = p.draw(self.rng, (sims, size))
            mean = people.mean(axis=1, keepdims=True)
            drawn = self.rng.permuted(people, axis=1)[:, :150]
            above = wealth_path(drawn, mean, p.low, size)
            below = wealth_path(-drawn, -mean, -p.high, size)
            ever = (np.maximum(above, below)[:, 7:] >= GOAL).any(axis=1).mean()
            halves = []
            for n, population in ((50, None), (50, size), (100, None), (100, size), (150, None), (150, size)):
                ends = [
                    interval(row[:n], low=p.low, high=p.high, level=LEVEL, method="betting", population=population)
                    for row in drawn[: 5 if self.quick else 20]
                ]
                halves.append(float(np.mean([high - low for low, high in ends])) / 2.0)
            cells = [f"{a:.3f} / {b:.3f}" for a, b in zip(halves[::2], halves[1::2], strict=True)]
            rows.append([p.name, percent(1 - ever), *cells])
            self.promise(1 - ever >= 0.94, f"coverage without replacement: {p.name}")
        head = ["values, [-2, 2]", "coverage in %, every look", *(f"half-width at {n}" for n in (50, 100, 150))]
        table("Scope `file`: a population of 200 groups (half-widths: scope `signals` / scope `file`)", head, rows)

    def families(self) -> None:
        """False discovery rate, directional errors among them, and coverage of the selected intervals."""
        sims, n, deviation, bound = (60 if self.quick else 400), 100, 0.3, 0.10
        rows = []
        for m, nulls, shared in (
            (8, 4, False),
            (8, 4, True),
            (8, 8, False),
            (24, 18, False),
            (24, 18, True),
            (24, 24, True),
        ):
            means = bound + np.array([0.0] * nulls + [0.25 * (-1) ** i for i in range(m - nulls)])
            noise = self.rng.normal(size=(sims, m, n))
            if shared:
                noise = math.sqrt(0.5) * noise + math.sqrt(0.5) * self.rng.normal(size=(sims, 1, n))
            values = np.clip(means[:, None] + deviation * noise, -2.0, 2.0)  # nearly 7 deviations off: the means stay
            wealth = np.stack([wealth_path(values, bound, -2.0)[..., -1], wealth_path(-values, -bound, -2.0)[..., -1]])
            truth = np.stack(
                [
                    wealth_path(values, means[:, None], -2.0)[..., -1],
                    wealth_path(-values, -means[:, None], -2.0)[..., -1],
                ]
            )
            errors = values.std(axis=-1, ddof=1) / math.sqrt(n)
            t_p = 2.0 * stdtr(n - 1, -np.abs(values.mean(axis=-1) - bound) / errors)
            wrong = (means <= bound) & (wealth[0] > wealth[1]) | (means >= bound) & (wealth[0] <= wealth[1])
            ours = _discoveries(np.minimum(1.0, 2.0 * np.exp(-wealth.max(axis=0))), wrong, truth.max(axis=0))
            t_fdr = _discoveries(t_p, np.broadcast_to(means == bound, t_p.shape), truth.max(axis=0))[0]
            kind = "correlated 0.5" if shared else "independent"
            rows.append([f"{m} bounds, {nulls} at the bound, {kind}", *map(percent, ours), percent(t_fdr)])
            self.promise(ours[0] <= 0.05 and ours[1] <= 0.05, f"false discoveries: {rows[-1][0]}")
        head = [
            "family (n = 100, sd 0.3, the others 0.25 off the bound)",
            "FDR betting",
            "FCR betting",
            "power betting",
            "FDR t",
        ]
        table(f"Benjamini-Hochberg at 5 %: rates in % over {sims} families", head, rows)

    def power(self) -> None:
        """How often a shift over or under a bound of 0.10 is decided."""
        sims, bound, counts = (100 if self.quick else 1000), 0.10, (50, 100, 200, 400)
        rows = []
        for high in (2.0, 1.0):
            for deviation in (0.3, 0.6):
                for off in (0.1, 0.2, 0.3, 0.4, 0.5, -0.1, -0.2):
                    values = around(bound + off, deviation, -high, high)(self.rng, (sims, counts[-1]))
                    above, below = both_paths(values, bound, -high, high)
                    decided = (above if off > 0 else below) >= GOAL
                    wanted = "violated" if off > 0 else "held"
                    cells = [percent(decided[:, n - 1].mean()) for n in counts]
                    early = np.where(decided.any(axis=1), decided.argmax(axis=1) + 1.0, np.inf)
                    middle = float(np.median(early))
                    label = f"{bound + off:+.1f}, sd {deviation}, [{-high:g}, {high:g}]"
                    rows.append([label, f"`{wanted}`", *cells, f"{middle:.0f}" if math.isfinite(middle) else "> 400"])
        head = ["true shift", "should be", *(f"n = {n}" for n in counts), "median groups when read until decided"]
        table(
            f"Power: decided against a bound of +0.10, in % of {sims} simulations (one bound, level 95 %)", head, rows
        )


def _trio(*misses: NDArray[np.bool_]) -> str:
    return " / ".join(percent(1.0 - miss.mean()) for miss in misses)


def _covers(values: Floats, p: Population) -> bool:
    low, high = interval(values, low=p.low, high=p.high, level=LEVEL, method="bca")
    return low <= p.mean <= high


def _discoveries(p_values: Floats, wrong: NDArray[np.bool_], wealth_at_truth: Floats) -> tuple[float, float, float]:
    """False discovery rate, false coverage rate of the selected, and share of the true ones that were found."""
    false, uncovered, found, true = 0.0, 0.0, 0, 0
    for p, wrong_, wealth in zip(p_values, wrong, wealth_at_truth, strict=True):
        count = rejections(list(p), ALPHA)
        alpha = ALPHA * max(count, 1) / len(p)
        chosen = p <= alpha
        false += (chosen & wrong_).sum() / max(count, 1)
        uncovered += (chosen & (wealth >= math.log(2.0 / alpha))).sum() / max(count, 1)
        found += int((chosen & ~wrong_).sum())
        true += int((~wrong_).sum())
    return false / len(p_values), uncovered / len(p_values), found / true if true else 0.0


def same_as_the_package() -> None:
    """The vectorised wealth of this file is the package's, at one stage and with and without replacement."""
    values = np.random.default_rng(0).uniform(-1.0, 2.0, 60)
    for population in (None, 90):
        ours = wealth_path(values, 0.4, -2.0, population)[-1]
        theirs = -betting.log_p(values, 0.4, -2.0, population=population)
        assert math.isclose(max(ours, 0.0), theirs, abs_tol=1e-9), (ours, theirs)
    low, high = classical.t_interval(values, -2.0, 2.0, level=LEVEL)
    assert math.isclose(t_ends(values[None], 4.0)[1][0, -1], (high - low) / 2.0, abs_tol=1e-9)


def main() -> int:
    """Run everything; 1 where a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer simulations")
    report = Report(parser.parse_args().quick)
    same_as_the_package()
    start = time.perf_counter()
    for part in (report.coverage, report.whole_file, report.families, report.power):
        begun = time.perf_counter()
        part()
        print(f"{part.__name__}: {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr)
    for what in report.broken:
        print(f"BROKEN: {what}", file=sys.stderr)
    return 1 if report.broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
