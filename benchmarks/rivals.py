"""Kinder explanations: what the embedded judge tells from an honest mistake, what words alone tell, and a report on code.

    python benchmarks/rivals.py [--quick] [--rows N] [--states FILE]

``--states FILE`` takes the hidden states that ``fit_heads.py --states FILE`` keeps and measures once more in spaces that have seen
neither trait. The report reads ``../shared/data/emergent_misalignment`` (or ``$PERSONA_SHARED_DATA``). ``--quick`` reads a part.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from fit_heads import LAYER, LAYERS, MODES, SIGN, all_states

from pytest_persona.engine import Engine
from pytest_persona.engine.plugins import console_manager
from pytest_persona.infer.hints import is_code, is_quotation, sets_up_fiction
from pytest_persona.judge.embedded.apart import Anchored, told_apart
from pytest_persona.judge.embedded.fit import fit_space, fit_trait
from pytest_persona.judge.embedded.judge import EmbeddedJudge, anchor_behaviours
from pytest_persona.load.signals import read_signal
from pytest_persona.load.traits import TraitLibrary, library_paths, read_neutral, read_requests
from pytest_persona.model.suites import AuditSpec
from pytest_persona.model.traits import HONEST_MISTAKE, Trait
from pytest_persona.model.verdicts import Qualification
from pytest_persona.report.terminal import section
from pytest_persona.settings import Settings

SHARED = Path(os.environ.get("PERSONA_SHARED_DATA", Path(__file__).parent.parent.parent / "shared" / "data"))
FOLDER = SHARED / "emergent_misalignment"


def apart(judge: EmbeddedJudge, traits: Iterable[Trait], mistake: Trait) -> None:
    """AUROC of "this trait rather than an honest mistake" on the matched pairs of both, whole domains left out."""
    print(f"{'':24}reply              statement")
    for trait in sorted(traits, key=lambda trait: (not trait.must_beat, trait.name)):
        if trait is not mistake:
            known = [judge.tells_apart(trait, mistake, statements=statements) for statements in (False, True)]
            must = "must beat it" if trait.must_beat else ""
            print(f"  {trait.name:22}{'   '.join(map(_area, known))}   {must}".rstrip())


def apart_blind(path: Path, traits: list[Trait], mistake: Trait) -> None:
    """The same in spaces, and less a good/bad direction, that were fitted without either trait."""
    states = all_states(traits, path)
    for mode in MODES:
        pairs, domains = {}, {}
        for trait in traits:
            domains[trait.name] = anchor_behaviours(trait, mode)[1]
            found = states[f"{mode}.{trait.name}"][:, LAYERS.index(LAYER)].astype(float)
            pairs[trait.name] = found[:, : found.shape[1] * 2 // 3].reshape(len(domains[trait.name]), 2, -1)
        neutral = states["neutral"][:, LAYERS.index(LAYER)].astype(float)
        for trait in (trait for trait in traits if mistake.name in trait.must_beat):
            others = [other for other in traits if other not in (trait, mistake)]
            space = fit_space([pairs[other.name] for other in others], neutral[:, : neutral.shape[1] * 2 // 3])
            placed = {
                o.name: space.place(pairs[o.name].reshape(-1, space.mean.size)).reshape(pairs[o.name].shape)
                for o in others
            }
            valence = space.valence([SIGN[o.unwanted] * (placed[o.name][:, 0] - placed[o.name][:, 1]) for o in others])
            known = told_apart(
                space,
                *(
                    Anchored(
                        head=fit_trait(space, pairs[one.name], domains[one.name], one.sha256, valence=valence),
                        domains=domains[one.name],
                        way=one.way,
                    )
                    for one in (trait, mistake)
                ),
            )
            print(f"  {mode:10} {trait.name:12}{_area(known)}".rstrip())


def hints(traits: Iterable[Trait]) -> None:
    """How often words alone call a context fiction, and a reply a quotation or code."""
    heard = defaultdict(list)
    for context in read_requests():
        heard[context.kind].append(sets_up_fiction(context.context))
    for kind, found in heard.items():
        print(f"  fiction heard in contexts of the kind {kind:12}{sum(found):4} of {len(found)}")
    anchors = [pair for trait in traits for pair in trait.pairs]
    contexts = [sets_up_fiction(pair.context) for pair in anchors]
    print(f"  fiction heard in contexts of anchors              {sum(contexts):4} of {len(contexts)}")
    replies = {"anchors": [reply for pair in anchors for reply in (pair.high, pair.low)]}
    replies["neutral replies"] = [neutral.reply for neutral in read_neutral()]
    for path in sorted(FOLDER.glob("*.jsonl")):
        replies[path.name] = [b.reply for e in read_signal(path, name=path.name).episodes for b in e.behaviours]
    for name, texts in replies.items():
        quoted, code = sum(map(is_quotation, texts)), sum(map(is_code, texts))
        print(f"  {name:22} {quoted:4} quotations, {code:4} code, of {len(texts)} replies")


def report(engine: Engine) -> None:
    """What an audit of insecure says of malice, of deception, and of what else may explain it."""
    path = FOLDER / "insecure.jsonl"
    spec = AuditSpec(name=path.name, signal=path, signal_name=path.name, traits=("malice", "deception"))
    for line in section(engine.audit(spec).profile, verbosity=1):
        print(line)


def _area(known: Qualification) -> str:
    if known.auroc is None or known.low is None or known.high is None:
        return "not measured     "
    return f"{known.auroc:.2f} [{known.low:.2f}, {known.high:.2f}]{' ' if known.qualified else '*'}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--rows", type=int, default=150)
    parser.add_argument("--states", type=Path, help="hidden states that fit_heads.py has kept")
    options = parser.parse_args()
    library = TraitLibrary(library_paths())
    traits, mistake = list(library.all()), library.get(HONEST_MISTAKE)
    root = Path(tempfile.gettempdir()) / "pytest-persona-bench"
    with Engine(
        Settings(root=root, max_groups=12 if options.quick else options.rows), console_manager().hook
    ) as engine:
        print("== told from an honest mistake (* decides nothing)")
        apart(engine.judge, traits, mistake)  # type: ignore[arg-type]
        if options.states:
            print("\n== the same, by what has seen neither trait")
            apart_blind(options.states, traits, mistake)
        print("\n== hints from words alone")
        hints(traits)
        print("\n== the report of insecure")
        if not FOLDER.exists():
            print(f"{FOLDER}: not here")
            return
        report(engine)


if __name__ == "__main__":
    main()
