"""Fit the embedded judge's heads on the library's anchors and write them as plain data.

    python benchmarks/fit_heads.py                    # fit and write pytest_persona/library/heads/
    python benchmarks/fit_heads.py --choose           # print every candidate layer first; nothing is written
    python benchmarks/fit_heads.py --states FILE.npz  # keep the hidden states, so that the next fit takes seconds

The layer is chosen once for the whole library, on anchors alone: by the mean AUROC over traits with whole domains left out.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_persona.judge.embedded.fit import fit_request, fit_space, fit_trait
from pytest_persona.judge.embedded.frame import FRAME_VERSION, frame
from pytest_persona.judge.embedded.heads import Heads, Mode, RequestHead, Space, TraitHead
from pytest_persona.judge.embedded.judge import HEADS, anchor_behaviours
from pytest_persona.judge.lm import LanguageModel, find_weights
from pytest_persona.judge.lm.weights import sha256_of
from pytest_persona.load.traits import TraitLibrary, library_paths, read_neutral, read_requests
from pytest_persona.model.episodes import Behaviour
from pytest_persona.model.traits import Trait

LAYERS = (12, 14, 16, 18, 20, 22)
LAYER = 20
REQUEST_LAYER = 18
SIGN = {"high": 1.0, "none": 1.0, "low": -1.0}
"""Towards the bad."""
MODES: tuple[Mode, ...] = ("reply", "statement")
States = NDArray[np.float16]


def read_states(model: LanguageModel, behaviours: Sequence[Behaviour]) -> States:
    """(n, layers, 3 width) mean states over each reply, its context and what opens the reply; one pass over a context serves all."""
    groups: dict[Any, list[int]] = {}
    for i, behaviour in enumerate(behaviours):
        groups.setdefault((behaviour.is_statement, behaviour.context), []).append(i)
    framed = [frame(model, behaviour) for behaviour in behaviours]
    order = sorted(groups.values(), key=lambda group: -len(framed[group[0]].context))
    items = [(framed[group[0]].context, [framed[i].reply for i in group]) for group in order]
    states = np.empty((len(behaviours), len(LAYERS), 3 * model.width), np.float16)
    for index, context, replies in model.read_many(
        items, context_layers=LAYERS, reply_layers=LAYERS, opening_layers=LAYERS
    ):
        for i, reply in zip(order[index], replies, strict=True):
            states[i] = np.concatenate([reply, context[: len(LAYERS)], context[len(LAYERS) :]], axis=-1)
    return states


def all_states(traits: Sequence[Trait], kept: Path | None) -> dict[str, States]:
    """Every state that fitting needs, by name; read from ``kept`` where its behaviours are still the same ones."""
    sets: dict[str, list[Behaviour]] = {}
    for trait in traits:
        for mode in MODES:
            sets[f"{mode}.{trait.name}"] = anchor_behaviours(trait, mode)[0]
    sets["neutral"] = [Behaviour(role="shown", context=n.context, reply=n.reply) for n in read_neutral()]
    sets["requests"] = [Behaviour(role="shown", context=r.context, reply="Yes") for r in read_requests()]
    keys = {
        name: f"{name}:{hashlib.sha256(''.join(b.key for b in group).encode()).hexdigest()[:16]}"
        for name, group in sets.items()
    }
    known: dict[str, States] = {}
    if kept is not None and kept.exists():
        with np.load(kept) as file:
            known = {key: file[key] for key in file.files}
    model = None
    for name, behaviours in sets.items():
        if keys[name] not in known:
            model = model or LanguageModel.load(find_weights(), layers=max(LAYERS))
            print(f"reading {name} ({len(behaviours)})", flush=True)
            known[keys[name]] = read_states(model, behaviours)
            if kept is not None:
                np.savez(kept, **known)  # type: ignore[arg-type]
    return {name: known[key] for name, key in keys.items()}


def fit_mode(
    traits: Sequence[Trait], states: dict[str, States], mode: Mode, layer: int
) -> tuple[Space, dict[str, TraitHead]]:
    """The space of a mode at a layer, and every trait's head in it."""
    index = LAYERS.index(layer)
    domains = {trait.name: anchor_behaviours(trait, mode)[1] for trait in traits}
    pairs = {name: _first(states[f"{mode}.{name}"][:, index]).reshape(len(domains[name]), 2, -1) for name in domains}
    # There is no neutral way to say how one works: there the zero is midway between the poles of all traits.
    midway = np.concatenate([both.mean(axis=1) for both in pairs.values()])
    neutral = _first(states["neutral"][:, index]) if mode == "reply" else midway
    space = fit_space(list(pairs.values()), neutral)
    placed = {name: space.place(both.reshape(-1, both.shape[-1])).reshape(both.shape) for name, both in pairs.items()}
    towards_bad = {t.name: SIGN[t.unwanted] * (placed[t.name][:, 0] - placed[t.name][:, 1]) for t in traits}
    heads = {}
    for trait in traits:
        blind = fit_space([both for name, both in pairs.items() if name != trait.name], neutral)
        valence = space.valence([towards_bad[other.name] for other in traits if other is not trait])
        heads[trait.name] = fit_trait(
            space, pairs[trait.name], domains[trait.name], trait.sha256, valence=valence, blind=blind
        )
    return space, heads


def _first(states: States) -> NDArray[np.float64]:
    """The part over the reply and its context."""
    return states[:, : states.shape[1] * 2 // 3].astype(np.float64)


def fit_requests(states: dict[str, States], layer: int) -> RequestHead:
    """The request head at a layer."""
    contexts = read_requests()
    chosen = states["requests"][:, LAYERS.index(layer)]
    labels = np.array([context.requested for context in contexts])
    domains = [context.domain for context in contexts]
    return fit_request(chosen[:, chosen.shape[1] // 3 :], labels, domains, layer)


def choose(traits: Sequence[Trait], states: dict[str, States]) -> None:
    """Print mean AUROC by layer for replies, statements and requests."""
    for layer in LAYERS:
        for mode in MODES:
            _, heads = fit_mode(traits, states, mode, layer)
            areas = [head.auroc for head in heads.values()]
            qualified = sum(head.qualification.qualified for head in heads.values())
            print(f"layer {layer:2} {mode:10} mean {np.mean(areas):.3f} worst {min(areas):.2f} qualified {qualified}")
        print(f"layer {layer:2} requests   {fit_requests(states, layer).auroc:.3f}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--choose", action="store_true", help="print every candidate layer, write nothing")
    parser.add_argument("--states", type=Path, help="keep hidden states here between fits")
    options = parser.parse_args()
    traits = TraitLibrary(library_paths()).all()
    states = all_states(traits, options.states)
    if options.choose:
        choose(traits, states)
        return
    spaces: dict[Mode, Space] = {}
    heads: dict[Mode, dict[str, TraitHead]] = {}
    for mode in MODES:
        spaces[mode], heads[mode] = fit_mode(traits, states, mode, LAYER)
    fitted = Heads(
        weights_sha256=sha256_of(find_weights()),
        frame_version=FRAME_VERSION,
        layer=LAYER,
        spaces=spaces,
        traits=heads,
        signs={trait.name: SIGN[trait.unwanted] for trait in traits},
        request=fit_requests(states, REQUEST_LAYER),
    )
    HEADS.parent.mkdir(exist_ok=True)
    fitted.save(HEADS)
    for name in fitted.traits["reply"]:
        reply, statement = fitted.traits["reply"][name], fitted.traits["statement"][name]
        print(f"{name:24} reply {reply.auroc:.3f} [{reply.low:.2f}, {reply.high:.2f}]  statement {statement.auroc:.3f}")
    print(f"{'request':24} {fitted.request.auroc:.3f} [{fitted.request.low:.2f}, {fitted.request.high:.2f}]")
    print(f"{HEADS}: {HEADS.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
