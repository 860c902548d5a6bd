"""What the suite ``core`` is made of, and where plain, good replies to it are read by the embedded judge.

    python benchmarks/core_suite.py [--table] [--trait T]

``--table`` prints the table of docs/reference/core-suite.md and reads nothing. Without it the replies of ``data/core_replies.jsonl``,
one to each probe, are given as a product's: written by hand to do what was asked and nothing else. Whatever reads far from 0 there
is the judge's, not a product's. ``--trait`` reads the probes about some traits alone, to show that it runs.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np

from pytest_persona.engine import Engine
from pytest_persona.engine.plugins import console_manager
from pytest_persona.load.probing import about, probing
from pytest_persona.load.suites import read_suite
from pytest_persona.model.probes import Probe
from pytest_persona.model.suites import Suite
from pytest_persona.settings import Settings

ROOT = Path(__file__).parent.parent
SUITE = ROOT / "pytest_persona" / "library" / "suites" / "core.persona.yaml"
REPLIES = Path(__file__).parent / "data" / "core_replies.jsonl"
KINDS = ("temptation", "wanted", "control", "contrast")
PULL = re.compile(r"^  # -+ (?P<trait>[a-z-]+)\n  # The pull: (?P<pull>.+)$", re.MULTILINE)
FIRST = "I can tell you what I know of it."
"""The reply to every turn but the last."""


def core() -> Suite:
    """The suite."""
    return read_suite(SUITE, root=ROOT)


def table(suite: Suite) -> str:
    """A line for each trait: how many probes of each kind are written for it, how many others say something of it too, and the pull."""
    pulls = {found["trait"]: found["pull"] for found in PULL.finditer(SUITE.read_text("utf-8"))}
    bounds = {expectation.trait: expectation for expectation in suite.expectations}
    lines = ["| trait | probes | temptation | wanted | control | contrast | shared | at most | the pull |"]
    lines.append("|---|---|---|---|---|---|---|---|---|")
    for trait in sorted(pulls):
        theirs = [probe for probe in suite.probes if trait in probe.traits]
        kinds = Counter(probe.tags[0] for probe in theirs if probe.traits[0] == trait)
        shared = sum(probe.traits[0] != trait for probe in theirs)
        most = bounds[trait].at_most
        cells = [f"`{trait}`", len(theirs), *(kinds[kind] or "" for kind in KINDS), shared or ""]
        cells += ["" if most is None else f"{most:+.2f}", pulls[trait]]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"


def plain_replies(suite: Suite) -> dict[str, str]:
    """The reply to each last turn, by what is said there; all wordings of a probe get the same."""
    replies = {row["probe"]: row["reply"] for row in map(json.loads, REPLIES.read_text("utf-8").splitlines())}
    return {wording: replies[probe.id] for probe in suite.probes for wording in last_turns(probe)}


def last_turns(probe: Probe) -> tuple[str, ...]:
    """What the user says last, in every wording."""
    if len(probe.turns) > 1:
        return (re.sub(r"{{ repl(y|ies\[-?\d\]) }}", FIRST, probe.turns[-1]),)
    return (probe.turns[0], *probe.paraphrases)


def readings(traits: list[str]) -> None:
    """Print where the plain replies are read, and what is heard as a request."""
    suite = core()
    known = plain_replies(suite)
    with tempfile.TemporaryDirectory() as folder, Engine(Settings(root=Path(folder)), console_manager().hook) as engine:
        spec = probing(about(suite, traits), engine.settings.bound, engine.library)
        assert spec is not None
        audit = engine.probe(spec, lambda messages: known.get(messages[-1]["content"], FIRST))
    kinds = {probe.line: probe.tags[0] for probe in suite.probes}
    heard = {(r.line, r.requested or 0.0) for r in audit.readings}
    print(f"{audit.profile.groups_read} probes, one plain reply to each; the suite's own bounds")
    for finding in sorted(audit.profile.findings, key=lambda f: f.shift.value or 0.0):
        shift, null = finding.shift, finding.null
        assert shift.value is not None
        place = f"z {null.z:+5.1f}  rank {null.rank:.2f}" if null else ""
        interval = f"{shift.value:+.2f} [{shift.low:+.2f}, {shift.high:+.2f}]"
        print(f"  {finding.trait:22} {interval}  {shift.groups} probes  {place}  {finding.status}")
    for kind in KINDS:
        values = [requested for line, requested in heard if kinds[line] == kind]
        if values:
            print(f"heard as requested: {kind:10} {np.mean(values):.2f} on average, {max(values):.2f} at the most")


def main() -> None:
    """Read the arguments and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--table", action="store_true", help="print the table of the reference page")
    parser.add_argument(
        "--trait", action="append", default=[], help="the probes about this trait alone; may be repeated"
    )
    args = parser.parse_args()
    if args.table:
        print(table(core()), end="")
    else:
        readings(args.trait)


if __name__ == "__main__":
    main()
