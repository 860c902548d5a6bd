"""How often does a character that means nothing stand out, or is it what replies read most like?

    python benchmarks/null_characters.py [--quick] [--only weights|simulated]

``weights`` reads the praised replies of examples/support_bot/thumbs.jsonl under the library's null characters with the embedded weights,
and takes one of them at a time for a character. ``simulated`` draws characters with the components of variance that those readings have.
``--quick`` reads and draws a part, to show that it runs.
"""

from __future__ import annotations

import argparse
import tempfile
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pytest_persona.infer.characters import by_likelihood
from pytest_persona.infer.plan import order_groups
from pytest_persona.judge.likelihood.embedded import EmbeddedSource
from pytest_persona.judge.likelihood.reader import Reader, read_characters
from pytest_persona.judge.store import Store
from pytest_persona.load.personas import read_nulls, read_personas
from pytest_persona.load.signals import read_signal
from pytest_persona.model.portrait import Comparison
from pytest_persona.settings import Settings

Floats = NDArray[np.float64]
SIGNAL = Path(__file__).parent.parent / "examples" / "support_bot" / "thumbs.jsonl"
REPETITIONS = 200
REPLIES, WORDINGS, TRIED = 24, 4, 20
REFERENCE = "the reference"


@dataclass(frozen=True)
class Components:
    """Standard deviations, in nats a token, of how likely replies are under characters that mean nothing."""

    character: float
    """Between characters."""
    wording: float
    """Between wordings of one."""
    group: float
    """Between groups, of one character."""
    rest: float


KNOWN = Components(0.0045, 0.0084, 0.0126, 0.0280)
"""About what ``weights`` prints; the draws are not redone for each change of the library."""


def read(quick: bool) -> tuple[Floats, NDArray[np.intp], list[str], list[str]]:
    """(replies, characters, wordings) nats a token, tokens and group of each reply, and the characters, the reference first."""
    episodes = read_signal(SIGNAL, name=SIGNAL.name).episodes
    praised = {e.group: b for e in episodes for b in e.behaviours if b.reward}
    chosen = order_groups(praised, 0)[: 4 if quick else REPLIES]
    (expert,) = (persona for persona in read_personas() if persona.kind == "reference")
    nulls = read_nulls()[: 5 if quick else None]
    settings = Settings(root=Path(tempfile.gettempdir()) / "pytest-persona-bench")
    store = Store(settings.root / settings.cache / "readings.sqlite")
    reader = Reader(EmbeddedSource.open(settings), store, uuid.uuid4().hex)
    try:
        found = read_characters(
            reader, [praised[group] for group in chosen], [expert, *nulls], paraphrases=2 if quick else WORDINGS
        )
    finally:
        reader.close()
    groups = [chosen[i] for i in found.kept]
    return found.values, found.tokens, groups, [REFERENCE, *found.names[1:]]


def components(values: Floats) -> Components:
    """Of (groups, characters, wordings) likelihoods, by the method of moments; what all characters share of a group is out."""
    g, c, k = values.shape
    own = values - values.mean(axis=(1, 2), keepdims=True)
    means = own.mean(axis=(0, 2))
    own = own - means[None, :, None]
    groups, wordings = own.mean(axis=2), own.mean(axis=0)
    rest = float(((own - groups[:, :, None] - wordings[None]) ** 2).sum() / (c * (g - 1) * (k - 1)))
    group = max(0.0, float((groups**2).sum() / ((c - 1) * (g - 1))) - rest / k)
    wording = max(0.0, float((wordings**2).sum() / (c * (k - 1))) - rest / g)
    character = max(0.0, float(means.var(ddof=1)) - group / g - wording / k - rest / (g * k))
    return Components(*(float(np.sqrt(variance)) for variance in (character, wording, group, rest)))


def weights(quick: bool) -> None:
    """Null characters of the library, on real replies with the embedded weights: each in turn for a character."""
    values, tokens, groups, names = read(quick)
    nulls = names[1:]
    found = components(values[:, 1:])
    print(f"{len(groups)} replies to different prompts, {len(nulls)} null characters in {values.shape[2]} wordings")
    print(
        f"standard deviations in nats a token: characters {found.character:.4f}, wordings {found.wording:.4f},"
        f" groups {found.group:.4f}, rest {found.rest:.4f}"
    )
    standing = {}
    for name in nulls:
        others = [one for one in nulls if one != name]
        made = by_likelihood(values, tokens, groups, names, reference=REFERENCE, nulls=others)
        (reading,) = made.readings
        standing[name] = reading.z
    print(
        "all replies, each left out of the null characters in turn; z among the others, one-sided 2.5 % is beyond 2.2:"
    )
    for name, z in sorted(standing.items(), key=lambda one: -one[1]):
        print(f"  {name:26} {z:+.2f}")
    for tried in (1, min(4, len(nulls) - 3)):
        out, like = repeated(values, tokens, groups, names, tried)
        print(
            f"{REPETITIONS} repetitions, {tried} of {len(nulls)} tried: stands out {out:.1%}, reads most like it {like:.1%}"
        )


def repeated(
    values: Floats, tokens: NDArray[np.intp], groups: Sequence[str], names: Sequence[str], tried: int
) -> tuple[float, float]:
    """How often one of so many null characters stands out, and is what the replies read most like.

    Each repetition draws the characters that are tried, three of four replies' groups, and which wordings are compared.
    """
    out = like = 0
    labels = sorted(set(groups))
    for seed in range(REPETITIONS):
        rng = np.random.default_rng(seed)
        chosen = set(rng.permutation(labels)[: max(2, round(0.75 * len(labels)))])
        rows = [i for i, group in enumerate(groups) if group in chosen]
        wording = np.argsort(rng.random(values.shape[1:]), axis=1)[:, : max(2, values.shape[2] - 1)]
        sampled = np.take_along_axis(values[rows], wording[None], axis=2)
        nulls = rng.permutation(names[1:])[: len(names) - 1 - tried].tolist()
        made = by_likelihood(sampled, tokens[rows], [groups[i] for i in rows], names, reference=REFERENCE, nulls=nulls)
        out += any(reading.stands_out for reading in made.readings)
        like += bool(made.most_like)
    return out / REPETITIONS, like / REPETITIONS


def simulated(quick: bool) -> None:
    """Characters drawn with those components: 20 are tried, and all mean nothing, or one lies further from the reference."""
    size = KNOWN
    print(
        f"drawn with the standard deviations {size.character:.4f}, {size.wording:.4f}, {size.group:.4f}, {size.rest:.4f};"
        f" {TRIED} characters, 12 null characters"
    )
    count = 20 if quick else REPETITIONS
    for groups in (24, 96):
        for real in (0.0, 0.02, 0.04):
            of_all = anything = like = right = 0
            for seed in range(count):
                made = drawn(seed, groups, real)
                out = [reading.name for reading in made.readings if reading.stands_out]
                of_all += len(out)
                anything += bool(out)
                like += bool(made.most_like)
                right += made.most_like == "character 0"
            what = f"one lies {real:+.2f} higher:" if real else "all mean nothing:"
            print(
                f"  {groups:2} groups, {what:22} of the characters {of_all / count / TRIED:.2%} stand out, in {anything / count:.1%} of"
                f" the repetitions; reads most like one of them {like / count:.1%}{f', the right one {right / count:.1%}' if real else ''}"
            )


def drawn(seed: int, groups: int, real: float) -> Comparison:
    """The portrait of one draw; character 0 lies ``real`` nats a token above where it would."""
    rng = np.random.default_rng(seed)
    names = [REFERENCE, *(f"character {i}" for i in range(TRIED)), *(f"null {i}" for i in range(12))]
    shape = (groups, len(names), WORDINGS)
    values = (
        KNOWN.character * rng.standard_normal((1, len(names), 1))
        + KNOWN.wording * rng.standard_normal((1, *shape[1:]))
        + KNOWN.group * rng.standard_normal((*shape[:2], 1))
        + KNOWN.rest * rng.standard_normal(shape)
    )
    values[:, 1] += real
    tokens = np.full(groups, 60)
    return by_likelihood(
        values, tokens, [str(i) for i in range(groups)], names, reference=REFERENCE, nulls=names[1 + TRIED :]
    )


PARTS: dict[str, Callable[[bool], None]] = {"weights": weights, "simulated": simulated}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", choices=PARTS)
    options = parser.parse_args()
    for name, part in PARTS.items():
        if options.only in (None, name):
            print(f"\n== {name}: {(part.__doc__ or '').splitlines()[0]}", flush=True)
            part(options.quick)


if __name__ == "__main__":
    main()
