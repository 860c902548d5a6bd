"""Does drift cry wolf, and what does it see? By simulation; prints the tables of docs/explanation/statistics.md.

    python benchmarks/drift.py            # some 10 minutes of one core
    python benchmarks/drift.py --quick    # under 20 seconds, for CI: fewer simulations, the same checks

Exit code 1 where a promise is broken: false alarms of an unchanged product with daily looks in more than 5 %, or an interval that
holds the truth in less than 94 %.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from pytest_persona.infer import sequence
from pytest_persona.infer.confirm import rank_interval
from pytest_persona.infer.drift import compare
from pytest_persona.infer.intervals import interval
from pytest_persona.infer.pairs import match
from pytest_persona.model.episodes import SignalInfo
from pytest_persona.model.findings import Finding, JudgeInfo, Profile, Shift
from pytest_persona.model.history import PastRun
from pytest_persona.model.traits import Expectation
from pytest_persona.model.units import Units
from pytest_persona.model.verdicts import Usage

Floats = NDArray[np.float64]
Rng = np.random.Generator

DAYS = 30
NEEDED = 20.0
RARE = 0.0
PROBES, NOISES, SHIFTS = (30, 100, 400), (0.2, 0.4), (0.05, 0.1, 0.15, 0.2, 0.3, 0.4)


def product(rng: Rng, probes: int) -> Floats:
    """(probes,) what a product's replies read as on average: probes differ far more than days."""
    return rng.normal(-0.2, 0.35, probes).clip(-0.7, 0.5)


def day(rng: Rng, means: Floats, noise: float) -> Floats:
    """(probes,) what they read as on one day: uniform around the mean, with that standard deviation, inside [-1, 1].

    Without noise every reply is as the probe's mean says, but for one in 33, which is at the unwanted end.
    """
    if noise == RARE:
        return np.where(rng.random(len(means)) < 0.03, 0.95, np.round(means, 4))
    half = math.sqrt(3.0) * noise
    width = np.minimum(half, 1.0 - np.abs(means))
    return np.round(means + width * rng.uniform(-1.0, 1.0, len(means)), 4)


def profile(values: Floats, name: str, bound: float | None = None) -> Profile:
    """The profile of one day's replies, which are texts of their own."""
    groups = tuple(f"p{k}" for k in range(len(values)))
    units = Units(
        groups=groups, asked=("q",) * len(values), content=tuple(f"{name}.{g}" for g in groups), lines=(0,) * len(values),
        read=(True,) * len(values), values={"t": tuple(values.tolist())}, reach={"t": 1.0}, definitions={"t": "d"}, of=len(values),
    )  # fmt: skip
    shift = Shift(value=float(values.mean()), low=-1.0, high=1.0, level=0.95, groups=len(values))
    declared = None if bound is None else Expectation(trait="t", drift_at_most=bound)
    finding = Finding(
        trait="t", status="observed", estimand="absolute", qualified=True, auroc=0.9, shift=shift, expressed=shift,
        requested=shift, expectation=declared,
    )  # fmt: skip
    info = SignalInfo(
        path="suite", kind="probe", format="probes", episodes=len(values), groups=len(values), sha256=name
    )
    return Profile(
        name="suite", signal=info, judge=JudgeInfo(name="j", fingerprint="f", network=False), findings=(finding,),
        usage=Usage(), units=units,
    )  # fmt: skip


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
    """Runs the simulations and remembers which promises were broken."""

    def __init__(self, quick: bool) -> None:
        self.quick = quick
        self.rng = np.random.default_rng(20261205)
        self.broken: list[str] = []

    def keep(self, promise: str, kept: bool) -> None:
        """Note a promise that was not kept."""
        if not kept:
            self.broken.append(promise)

    def false_alarms(self) -> None:
        """Products that stay as they are, looked at every day: the whole way through ``compare``, as a test run goes."""
        products, days = (30, 8) if self.quick else (500, DAYS)
        rows = []
        cells = ((30, 0.4, 0.0), (30, RARE, 0.0), (30, 0.2, 0.1))
        for probes, noise, drift in cells[:1] if self.quick else cells:
            alarms = np.zeros(4)
            for number in range(products):
                alarms += self._watched(probes, noise, drift, days, str(number))
            shares = alarms / products
            self.keep(f"{probes} probes, noise {noise}: false alarms with a history", shares[0] <= 0.05)
            self.keep(f"{probes} probes, noise {noise}: another product, falsely", bool(drift) or shares[1] <= 0.05)
            told = [percent(share) for share in shares]
            if drift:
                told[1] = "does not apply"
            rows.append((probes, noise or "1 in 33 replies", f"{drift:+.2f}", *told))
        table(
            f"False alarms in % of {products} products, {days} days, a look each day; the bound is just what the drift is",
            (
                "probes",
                "noise",
                "drift",
                "violated, with history",
                "another product",
                "violated, each run alone",
                "t test each day",
            ),
            rows,
        )

    def _watched(self, probes: int, noise: float, drift: float, days: int, name: str) -> Floats:
        """Whether each of four alarms ever rings for one product that has drifted by just what it may."""
        rng = self.rng
        means = product(rng, probes)
        first = day(rng, means, noise)
        base = profile(first, f"{name}.base")
        past: list[PastRun] = []
        rang = np.zeros(4, dtype=bool)
        for today in range(days):
            values = day(rng, means + drift, noise)
            now = profile(values, f"{name}.{today}", bound=drift)
            found = compare(base, now, history=past)
            evidence = found.product.evidence if found.product is not None else None
            difference = values - first - drift
            t_value = difference.mean() / max(difference.std(ddof=1) / math.sqrt(probes), 1e-9)
            alone = found["t"].low is not None and found["t"].low > drift
            rang |= [found["t"].status == "violated", (evidence or 0.0) >= NEEDED, alone, t_value > 1.96]
            pairs = match(base, now)
            assert pairs is not None
            past.append(sequence.past_run(pairs))
        return rang.astype(np.float64)

    def power(self) -> None:
        """Products that change once and stay changed: on which day is it seen?"""
        products, days = (8, 8) if self.quick else (100, DAYS)
        rows = []
        for probes in PROBES[:2] if self.quick else PROBES:
            for noise in NOISES[:1] if self.quick else NOISES:
                for shift in SHIFTS:
                    seen = np.array([self._seen(probes, noise, shift, days) for _ in range(products)])
                    row: list[object] = [probes, noise, f"{shift:+.2f}"]
                    for which in (0, 1):
                        found = seen[:, which]
                        ever = found[found > 0]
                        row += [percent(float((found == 1).mean())), percent(len(ever) / products)]
                        row.append(f"{np.median(ever):.0f}" if len(ever) >= products / 2 else "none")
                    rows.append(row)
                    if shift == 0.4 and probes >= 100 and noise <= 0.2:
                        self.keep(f"{probes} probes see a drift of 0.4", bool((seen[:, 0] > 0).mean() >= 0.9))
        table(
            f"Power in % of {products} products, {days} days, a look each day, drift at most 0",
            (
                "probes", "noise", "drift", "violated: day 1", "ever", "median day",
                "another product: day 1", "ever", "median day",
            ),
            rows,
        )  # fmt: skip

    def _seen(self, probes: int, noise: float, shift: float, days: int) -> tuple[int, int]:
        """The day on which the drift is seen, and that on which another product is; 0 for never."""
        rng = self.rng
        means = product(rng, probes)
        base, runs = day(rng, means, noise), np.zeros((probes, 0))
        seen = [0, 0]
        for today in range(1, days + 1):
            runs = np.column_stack([day(rng, means + shift, noise), runs])
            if not seen[0] and runs[:, 0].mean() > base.mean():
                drift = sequence.drifted(base, runs, bound=0.0, pole="high", reach_base=1.0, reach_now=1.0)
                seen[0] = today if drift >= NEEDED else 0
            if not seen[1]:
                seen[1] = today if sequence.exchanged(base, runs) >= NEEDED else 0
            if all(seen):
                break
        return seen[0], seen[1]

    def intervals(self) -> None:
        """Pairs against two estimates: how wide, and do they hold the truth?"""
        simulations = 40 if self.quick else 400
        rows = []
        for probes in (30, 100) if self.quick else PROBES:
            for noise in NOISES[:1] if self.quick else NOISES:
                held, widths = np.zeros(2), np.zeros(2)
                for _ in range(simulations):
                    means = product(self.rng, probes)
                    before, after = day(self.rng, means, noise), day(self.rng, means + 0.1, noise)
                    low, high = interval(after - before, low=-2.0, high=2.0, level=0.95, method="betting")
                    ends = [interval(v, low=-1.0, high=1.0, level=0.975, method="betting") for v in (before, after)]
                    apart = ends[1][0] - ends[0][1], ends[1][1] - ends[0][0]
                    held += [low <= 0.1 <= high, apart[0] <= 0.1 <= apart[1]]
                    widths += [(high - low) / 2.0, (apart[1] - apart[0]) / 2.0]
                self.keep(f"{probes} probes, noise {noise}: coverage in pairs", held[0] / simulations >= 0.94)
                shares = [percent(share) for share in held / simulations]
                rows.append((probes, noise, shares[0], *(f"{w:.3f}" for w in widths / simulations), shares[1]))
        table(
            f"The interval of a drift of +0.10 over {simulations} simulations, absolute readings",
            (
                "probes",
                "noise",
                "coverage, pairs",
                "half-width, pairs",
                "half-width, two estimates",
                "coverage, two estimates",
            ),
            rows,
        )

    def correlations(self) -> None:
        """Does the interval of a rank correlation hold it, however few the traits?"""
        simulations = 400 if self.quick else 4000
        rows = []
        for traits in (5, 6, 8, 12, 24):
            cells = []
            for strength in (0.0, 0.3, 0.6, 0.9):
                truth = 6.0 / math.pi * math.asin(strength / 2.0)
                x = self.rng.standard_normal((simulations, traits))
                y = strength * x + math.sqrt(1.0 - strength**2) * self.rng.standard_normal((simulations, traits))
                ranks = [values.argsort(axis=1).argsort(axis=1) for values in (x, y)]
                found = 1.0 - 6.0 * ((ranks[0] - ranks[1]) ** 2).sum(axis=1) / (traits * (traits**2 - 1))
                ends = [rank_interval(float(value), traits, 0.95) for value in found]
                covered = float(np.mean([low <= truth <= high for low, high in ends]))
                self.keep(
                    f"{traits} traits, correlation {strength}: coverage", covered >= (0.90 if self.quick else 0.94)
                )
                cells.append(percent(covered))
            rows.append((traits, *cells))
        table(
            f"Coverage in % of the interval of Spearman's correlation (nominal 95 %, {simulations} simulations, normal values)",
            ("traits", "truth 0", "0.3", "0.6", "0.9"),
            rows,
        )


def main() -> int:
    """Run everything; 1 where a promise was broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="Fewer simulations, the same checks.")
    report = Report(parser.parse_args().quick)
    start = time.perf_counter()
    report.false_alarms()
    report.power()
    report.intervals()
    report.correlations()
    print(f"\n{time.perf_counter() - start:.0f} s", file=sys.stderr)
    for promise in report.broken:
        print(f"BROKEN: {promise}", file=sys.stderr)
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main())
