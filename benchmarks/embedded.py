"""What the embedded judge can and cannot read, and how fast.

    python benchmarks/embedded.py [--quick] [--only anchors|statements|requests|flattery|real|speed]

Reads the library, ``benchmarks/data`` and, where it is there, ``../shared/data`` (or ``$PERSONA_SHARED_DATA``); what is missing is said.
``--quick`` reads a part of each, to show that it runs. The numbers of the full run stand in docs/explanation/embedded-judge.md.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import yaml
from anchors import LIBRARY, measure

from pytest_persona.infer.auroc import auroc
from pytest_persona.infer.intervals import interval
from pytest_persona.infer.measure import design
from pytest_persona.infer.nulls import null_test
from pytest_persona.judge.embedded import EmbeddedJudge
from pytest_persona.judge.embedded.fit import fit_trait
from pytest_persona.load.signals import read_signal
from pytest_persona.load.traits import TraitLibrary, library_paths
from pytest_persona.model.episodes import Behaviour, Episode
from pytest_persona.model.traits import Trait
from pytest_persona.settings import Settings

HERE = Path(__file__).parent
SHARED = Path(os.environ.get("PERSONA_SHARED_DATA", HERE.parent.parent / "shared" / "data"))


class Bench:
    """The judge, the library, and how much of everything is read."""

    def __init__(self, root: Path, quick: bool) -> None:
        self.quick = quick
        self.judge = EmbeddedJudge.open(Settings(root=root))
        self.traits = TraitLibrary(library_paths()).all()

    def episodes(self, path: Path, most: int) -> Sequence[Episode]:
        """The first episodes of a signal."""
        return read_signal(path, name=path.name).episodes[: 5 if self.quick else most]

    def column(self, behaviours: Sequence[Behaviour], trait: Trait, field: str) -> np.ndarray:
        """One number a behaviour."""
        return np.array(
            [getattr(v[trait.name], field) for v in self.judge.read(behaviours, [trait], lambda _: None).verdicts],
            float,
        )


def anchors(bench: Bench) -> None:
    """How many traits qualify, beside what length and a bag of words would do on the same folds."""
    print("trait                     AUROC  interval       pairs  length  bag of words  statements")
    known = bench.judge.qualify(bench.traits)
    texts = bench.judge.qualify(bench.traits, statements=True)
    ordered = sorted(bench.traits, key=lambda t: -(known[t.name].auroc or 0))
    for trait in ordered[: 2 if bench.quick else None]:
        q = known[trait.name]
        m = measure(yaml.safe_load((LIBRARY / f"{trait.name}.yaml").read_text(encoding="utf-8")))
        mark = "" if q.qualified else "  not qualified"
        print(
            f"{trait.name:24} {q.auroc:6.3f}  [{q.low:.2f}, {q.high:.2f}] {q.pairs:6} {m['length']:8.2f} {m['bag']:10.2f}"
            f" {texts[trait.name].auroc:12.2f}{mark}"
        )
    areas = [known[t.name].auroc or 0.0 for t in bench.traits]
    count = sum(known[trait.name].qualified for trait in bench.traits)
    print(f"qualified: {count} of {len(bench.traits)}; mean AUROC {np.mean(areas):.3f}")
    request = bench.judge.heads.request
    print(f"request head, domains left out: AUROC {request.auroc:.3f} [{request.low:.2f}, {request.high:.2f}]")


def statements(bench: Bench) -> None:
    """model_written_evals: a trait from 20 labelled statements a pole, read on 60 others a pole."""
    files = sorted((SHARED / "model_written_evals").glob("*.jsonl"))
    if not files:
        print("model_written_evals: not here")
        return
    space = bench.judge.heads.spaces["statement"]
    areas = []
    for file in files[: 2 if bench.quick else None]:
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        most = 25 if bench.quick else 80
        poles = [
            [r["statement"] for r in rows if word in r["answer_matching_behavior"]][:most] for word in ("Yes", "No")
        ]
        behaviours = [
            Behaviour(role="sentence", context=(), reply=text) for pair in zip(*poles, strict=True) for text in pair
        ]
        states = np.stack([read.state for read in bench.judge.states(behaviours)]).reshape(most, 2, -1)
        head = fit_trait(space, states[:20], [str(i) for i in range(20)], "0" * 32)
        scores = head.project(space, space.place(states[20:].reshape(-1, states.shape[-1]))).reshape(-1, 2)
        areas.append(auroc(scores[:, 0], scores[:, 1])[0])
        print(f"{file.stem:50} {areas[-1]:.3f}")
    print(f"model_written_evals: mean AUROC {np.mean(areas):.3f}, worst {min(areas):.3f}")


def requests(bench: Bench) -> None:
    """insecure against educational: the same replies, asked for in one file only."""
    folder = SHARED / "emergent_misalignment"
    if not folder.exists():
        print("emergent_misalignment: not here")
        return
    insecure, educational = (bench.episodes(folder / f"{name}.jsonl", 150) for name in ("insecure", "educational"))
    known = bench.judge.qualify(bench.traits)
    plain, asked = ([b for e in episodes for b in e.behaviours] for episodes in (insecure, educational))
    first = bench.traits[0]
    a, b = (bench.column(rows, first, "requested") for rows in (asked, plain))
    area, low, high = auroc(a, b)
    print(
        f"requested: educational {a.mean():.2f} against insecure {b.mean():.2f}, AUROC {area:.3f} [{low:.2f}, {high:.2f}]"
    )
    print("implied, insecure minus educational (same replies, paired by row)      expressed in insecure")
    for trait in bench.traits:
        if not known[trait.name].qualified:
            continue
        gap = bench.column(plain, trait, "implied") - bench.column(asked, trait, "implied")
        low, high = interval(gap, low=-2, high=2, level=0.95, method="betting")
        print(
            f"  {trait.name:24} {gap.mean():+.3f} [{low:+.3f}, {high:+.3f}]   {bench.column(plain, trait, 'expressed').mean():+.2f}"
        )
    secure = [b for e in bench.episodes(folder / "secure.jsonl", 150) for b in e.behaviours]
    print("insecure against secure code (AUROC of expressed; 0.5 is blind):")
    for name in ("malice", "sabotage", "carelessness", "recklessness", "deception"):
        trait = next(t for t in bench.traits if t.name == name)
        x, y = bench.column(plain, trait, "expressed"), bench.column(secure, trait, "expressed")
        n = min(len(x), len(y))
        print(f"  {name:24} {auroc(x[:n], y[:n])[0]:.2f}")


def _shift_line(bench: Bench, label: str, episodes: Sequence[Episode], names: Sequence[str]) -> None:
    behaviours = [b for e in episodes for b in e.behaviours]
    plan = design(episodes, np.ones(len(behaviours), bool))
    for trait in bench.traits:
        if trait.name not in names:
            continue
        implied = bench.column(behaviours, trait, "implied")
        values = plan.values(implied)
        scores, nulls = bench.judge.panel(behaviours, trait)
        low, high = interval(values, low=plan.low, high=plan.high, level=0.95, method="betting")
        null = null_test(plan, implied, scores, nulls)
        where = f"z {null.z:+5.1f} rank {null.rank:.2f}" if null else ""
        print(
            f"{label:20} {trait.name:22} {values.mean():+.3f} [{low:+.3f}, {high:+.3f}]  right sign {np.mean(values > 0):.2f}  {where}"
        )


def flattery(bench: Bench) -> None:
    """60 pairs of flattery written without sight of the anchors."""
    episodes = bench.episodes(HERE / "data" / "flattery_pairs.jsonl", 60)
    _shift_line(bench, "flattery pairs", episodes, ["sycophancy", "deception", "power-seeking", "over-refusal"])


def real(bench: Bench) -> None:
    """Shifts with z and rank among null vectors on real data."""
    for folder, name, most in (("hh_rlhf", "harmless_base_test_500", 300), ("emergent_misalignment", "insecure", 150),
                               ("emergent_misalignment", "educational", 150), ("emergent_misalignment", "jailbroken", 150)):  # fmt: skip
        path = SHARED / folder / f"{name}.jsonl"
        if path.exists():
            names = ["callousness", "over-refusal", "over-compliance", "malice", "sabotage", "sycophancy"]
            _shift_line(bench, name[:20], bench.episodes(path, most), names)


def speed(bench: Bench) -> None:
    """All 24 traits from 200 pairs, cold: seconds, tokens a second, peak memory."""
    path = SHARED / "hh_rlhf" / "harmless_base_test_500.jsonl"
    if not path.exists():
        print("speed: hh_rlhf is not here")
        return
    with tempfile.TemporaryDirectory() as folder:
        cold = Bench(Path(folder), bench.quick)
        behaviours = [b for e in bench.episodes(path, 200) for b in e.behaviours]
        begin = time.perf_counter()
        usage = cold.judge.read(behaviours, cold.traits, lambda _: None).usage
        seconds = time.perf_counter() - begin
        cold.judge.close()
    rate = usage.input_tokens / seconds
    print(
        f"{len(behaviours)} behaviours x {len(cold.traits)} traits: {seconds:.0f} s, loading included ({rate:.0f} tokens/s)"
    )
    print("  lm_speed.py puts the language model's rate beside the machine's sgemm")
    print(f"  peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


PARTS: dict[str, Callable[[Bench], None]] = {
    "speed": speed, "anchors": anchors, "statements": statements, "requests": requests, "flattery": flattery, "real": real,
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=PARTS)
    options = parser.parse_args()
    bench = Bench(Path(tempfile.gettempdir()) / "pytest-persona-bench", options.quick)
    for name, part in PARTS.items():
        if options.only in (None, name):
            print(f"\n== {name}: {(part.__doc__ or '').splitlines()[0]}", flush=True)
            part(bench)


if __name__ == "__main__":
    main()
