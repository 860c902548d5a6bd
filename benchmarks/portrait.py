"""How seldom a portrait says something of nothing, how soon it sees what is there, and what the embedded weights make of real rows.

    python benchmarks/portrait.py [--quick] [--only sets|likelihoods|weights|profiles]

``sets`` and ``likelihoods`` simulate judges. ``weights`` reads examples/support_bot with the embedded 135M weights. ``profiles``
tries what is not built: the nearest character by the embedded judge's traits, on ``../shared/data`` (or ``$PERSONA_SHARED_DATA``).
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pytest_persona.engine import Engine
from pytest_persona.engine.plugins import console_manager
from pytest_persona.infer.characters import by_likelihood
from pytest_persona.infer.fits import by_fit
from pytest_persona.load.personas import read_cast
from pytest_persona.load.signals import read_signal
from pytest_persona.model.portrait import Comparison, PortraitSpec
from pytest_persona.model.suites import AuditSpec
from pytest_persona.report.portrait import section
from pytest_persona.settings import Settings

Floats = NDArray[np.float64]
ROOT = Path(__file__).parent.parent
SHARED = Path(os.environ.get("PERSONA_SHARED_DATA", ROOT.parent / "shared" / "data"))
CHARACTERS, NULLS = 19, 12
_COMPARED = ("eager-flatterer", "con-artist", "helpful-fool")
NAMES = ["expert", *(f"c{i}" for i in range(CHARACTERS)), *(f"null-{i}" for i in range(NULLS))]


# ---------------------------------------------------------------------------------------------------- samples seen whole
def scores(rng: np.random.Generator, samples: int, noise: float, restless: int, gap: float, mates: int) -> Floats:
    """Scores on the scale's steps. The reference and ``restless`` characters vary by ``noise``, the others hardly; c0 lies ``gap``
    above the reference, and ``mates`` others half of that."""
    truth = np.zeros(1 + CHARACTERS + NULLS)
    truth[1] = gap
    truth[2 : 2 + mates] = gap / 2.0
    spread = np.full(len(truth), 0.05)
    spread[: 1 + CHARACTERS] = np.where(np.arange(1 + CHARACTERS) <= restless, noise, 0.03)
    made = truth + spread * rng.standard_normal((samples, len(truth)))
    made[:, : 1 + CHARACTERS] += 0.1 * rng.standard_normal((samples, 1))  # a judge's mood, the same for all characters
    return np.clip(np.round(3.0 * made), -3, 3) / 3.0


def sets(repetitions: int) -> None:
    """Null signals and signals of a character, by number of samples and noise of the judge (1 is the whole scale)."""
    print(f"samples seen whole: {CHARACTERS} characters, {NULLS} null ones, {repetitions} repetitions a line")
    print(
        "                                             of nothing:                   of a character that fits better by"
    )
    print("  judge                            samples   reads like one   coverage     +0.33    +0.67    +1.00")
    for noise, restless, words in (
        (0.15, CHARACTERS, "steady (s.d. 0.15)"),
        (0.30, CHARACTERS, "unsteady (s.d. 0.30)"),
        (0.60, 4, "erratic on a few (0.60)"),
    ):
        for samples in (3, 5, 8):
            rng = np.random.default_rng(samples)
            null = [_fit(scores(rng, samples, noise, restless, 0.0, 0)) for _ in range(repetitions)]
            covered = np.mean([r.low <= 0.0 <= r.high for made in null for r in made.readings])
            found = [
                np.mean(
                    [_fit(scores(rng, samples, noise, restless, gap, 2)).most_like == "c0" for _ in range(repetitions)]
                )
                for gap in (1.0 / 3.0, 2.0 / 3.0, 1.0)
            ]
            power = "".join(f"{share:9.0%}" for share in found)
            print(f"  {words:32} {samples:>7}   {_rate(null):14.1%}   {covered:8.1%}  {power}")


def _fit(made: Floats) -> Comparison:
    return by_fit(made, NAMES, reference="expert", nulls=NAMES[-NULLS:])


def _rate(found: Sequence[Comparison]) -> float:
    return float(np.mean([made.most_like != "" for made in found]))


# ---------------------------------------------------------------------------------------------------- likelihoods
def likelihoods(repetitions: int) -> None:
    """The same of log-odds: characters' texts, wordings and groups are draws."""
    print(f"log-odds a token: {CHARACTERS} characters, {NULLS} null ones, 5 wordings, {repetitions} repetitions a line")
    print(
        "             of nothing:                   of a character that is likelier by (in s.d. between null characters)"
    )
    print("  groups     reads like one   coverage        +3       +6       +9")
    for groups in (16, 48):
        rng = np.random.default_rng(groups)
        null = [_odds(rng, groups, 0.0) for _ in range(repetitions)]
        covered = np.mean([r.low <= truth[r.name] <= r.high for made, truth in null for r in made.readings])
        power = [
            np.mean([_odds(rng, groups, gap)[0].most_like == "c0" for _ in range(repetitions)])
            for gap in (3.0, 6.0, 9.0)
        ]
        shown = "".join(f"{share:9.0%}" for share in power)
        print(f"  {groups:>6}     {_rate([made for made, _ in null]):14.1%}   {covered:8.1%}  {shown}")


def _odds(rng: np.random.Generator, groups: int, gap: float) -> tuple[Comparison, dict[str, float]]:
    texts = 0.01
    truth = texts * rng.standard_normal(len(NAMES))
    truth[1] += gap * texts
    shape = (groups, len(NAMES), 5)
    values = (
        truth[None, :, None] + 0.02 * rng.standard_normal((1, len(NAMES), 5)) + 0.05 * rng.standard_normal((groups, len(NAMES), 1))
        + 0.05 * rng.standard_normal(shape) + rng.standard_normal((groups, 1, 1))
    )  # fmt: skip
    labels = [str(i) for i in range(groups)]
    made = by_likelihood(values, np.full(groups, 80), labels, NAMES, reference="expert", nulls=NAMES[-NULLS:])
    return made, dict(zip(NAMES, (truth - truth[0]).tolist(), strict=True))


# ---------------------------------------------------------------------------------------------------- real rows
def weights(characters: Sequence[str], groups: int, *, paired: bool) -> None:
    """What the embedded weights say of rows that reward flattery: of pairs, or of the chosen replies alone, which is quicker."""
    path = ROOT / "examples" / "support_bot" / "preferences.jsonl"
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    shown = rows if paired else [{"prompt": row["prompt"], "completion": row["chosen"]} for row in rows]
    audit = AuditSpec(name="examples/support_bot/preferences.jsonl", signal=shown, signal_name=path.name)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(root=Path(folder), judge="likelihood", max_groups=groups)
        with Engine(settings, console_manager().hook) as engine:
            began = time.perf_counter()
            found = engine.portrait(PortraitSpec(audit=audit, characters=tuple(characters)))
            took = time.perf_counter() - began
    print(f"embedded weights, {took:.0f} s:")
    for line in section(found, verbosity=1):
        print(f"  {line}")


def profiles(rows: int) -> None:
    """The nearest character by what the embedded judge reads of its traits, among profiles whose traits were dealt anew."""
    people = read_cast()
    files = [
        SHARED / "emergent_misalignment" / f"{name}.jsonl"
        for name in ("insecure", "educational", "jailbroken", "secure")
    ]
    with tempfile.TemporaryDirectory() as folder, Engine(Settings(root=Path(folder)), console_manager().hook) as engine:
        known = engine.judge.qualify(engine.library.all())
        traits = [trait for trait in engine.library.all() if known[trait.name].qualified]
        read = {}
        for path in [*files, SHARED / "hh_rlhf" / "harmless_base_test_500.jsonl"]:
            signal = read_signal(path, name=path.name, most_groups=rows)
            behaviours = [behaviour for episode in signal.episodes for behaviour in episode.behaviours]
            given = engine.judge.read(behaviours, traits, lambda _: None).verdicts
            table = np.array([[verdict[trait.name].implied or 0.0 for trait in traits] for verdict in given])
            read[path.stem] = table[0::2] - table[1::2] if signal.info.kind == "preference" else table
    others = [c for c in people.characters if c is not people.reference]
    base = [people.reference.profile[trait.name] for trait in traits]
    gaps = np.array([[c.profile.get(t.name, b) - b for t, b in zip(traits, base, strict=True)] for c in others])
    unit = np.concatenate(list(read.values())).std(axis=0)
    rng = np.random.default_rng(0)
    print(
        f"nearest character by {len(traits)} traits, among 400 profiles whose traits were dealt anew (not built: decision 13)"
    )
    for name, table in read.items():
        mean = (table / unit).mean(axis=0)
        ranked = []
        for character, gap in zip(others, gaps, strict=True):
            dealt = np.array([rng.permutation(gap) for _ in range(400)])
            null = dealt @ mean / np.linalg.norm(gap)
            own = float(gap @ mean / np.linalg.norm(gap))
            ranked.append(((own - null.mean()) / null.std(), float((null >= own).mean()), character.name))
        first = "   ".join(f"{who} z {z:+.1f} p {p:.3f}" for z, p, who in sorted(ranked, reverse=True)[:2])
        print(f"  {name:24} {first}")


def main() -> None:
    """Print what was asked for, or all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a part, to show that it runs")
    parser.add_argument("--only", choices=("sets", "likelihoods", "weights", "profiles"))
    chosen = parser.parse_args()
    wanted = (
        [chosen.only] if chosen.only else ["sets", "likelihoods", "weights", *([] if chosen.quick else ["profiles"])]
    )
    repetitions = 20 if chosen.quick else 400
    for name in wanted:
        if name == "sets":
            sets(repetitions)
        elif name == "likelihoods":
            likelihoods(repetitions)
        elif name == "weights":
            weights(
                ("eager-flatterer",) if chosen.quick else _COMPARED, 2 if chosen.quick else 12, paired=not chosen.quick
            )
        else:
            profiles(60)


if __name__ == "__main__":
    main()
