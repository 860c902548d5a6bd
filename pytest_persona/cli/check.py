"""``check``: validate a suite, a trait or a signal and count what would be read or asked; ask nothing."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_persona.cli.options import add_plugin, add_settings, settings_of

if TYPE_CHECKING:
    from pytest_persona.load.signals import Signal
    from pytest_persona.load.suites import Shelf
    from pytest_persona.model.suites import AuditSpec, ProbingSpec, Suite
    from pytest_persona.settings import Settings

__all__ = ["add"]

_CHARACTERS_PER_TOKEN = 4
"""A rule of thumb for English; good enough to tell a minute from an hour."""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "check",
        help="Validate a suite, a trait or a signal and count what would be read or asked.",
        description="Validate a suite, a trait or a signal and count what would be read, or asked of a product. Nobody is asked.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "file", metavar="SUITE|FILE", help="A suite file, package:name[@version], a trait, or a signal."
    )
    add_plugin(parser)
    names = ("traits", "max-groups", "seed", "format", "map", "on-bad-row", "samples", "level", "interval")
    add_settings(parser, names)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from pytest_persona.cli.targets import is_suite, is_trait, signal_spec, suite_specs
    from pytest_persona.engine import Engine
    from pytest_persona.engine.plugins import console_manager
    from pytest_persona.load.probing import probing

    if is_trait(args.file):
        print(_trait_line(Path(args.file)))
        return 0
    engine = Engine(settings_of(args), console_manager(args.plugin).hook)
    specs: Sequence[AuditSpec] = [signal_spec(args.file)]
    if is_suite(args.file, engine):
        suite = engine.shelf.find(args.file)
        library = engine.library.extended(suite.definitions)
        for name in suite.traits:
            library.get(name)
        specs = suite_specs(suite, None, engine)
        asked = probing(suite, engine.settings.bound, engine.library)
        print(_suite_line(suite))
        for line in _pins(suite, engine.shelf):
            print(line)
        for line in _probes(asked, engine.settings) if asked is not None else ():
            print(line)
    for spec in specs:
        for line in _counts(spec, engine.read_signal(spec)):
            print(line)
    return 0


def _trait_line(path: Path) -> str:
    from pytest_persona.load.traits import read_trait
    from pytest_persona.report.terminal import counted
    from pytest_persona.report.text import safe

    trait = read_trait(path)
    domains = len({pair.domain for pair in trait.pairs})
    return (
        f"{safe(trait.name)} {safe(trait.version)}: a trait, {len(trait.pairs)} pairs over {counted(domains, 'domain')}"
    )


def _pins(suite: Suite, shelf: Shelf) -> Iterator[str]:
    """Which shared suites it is made of, and whether the project's lock pins them."""
    from pytest_persona.load.locks import LOCK
    from pytest_persona.report.text import safe

    for shared in suite.shared():
        offer = shared.offer
        name = f"{offer.name if offer else shared.name} {shared.version}"
        if shelf.lock is not None:
            yield f"  {safe(name)}, as in {LOCK}"
        else:
            yield f"  note: {safe(name)} is not pinned: there is no {LOCK} here. `pytest-persona suites lock` writes one"


def _suite_line(suite: Suite) -> str:
    from pytest_persona.report.terminal import counted
    from pytest_persona.report.text import safe

    parts = [
        counted(len(suite.traits), "trait"),
        counted(len(suite.expectations), "expectation"),
        *([counted(len(suite.signals), "signal")] if suite.signals or not suite.probes else []),
        *([counted(len(suite.probes), "probe")] if suite.probes else []),
    ]
    return f"{safe(suite.name)} {safe(suite.version)}: {', '.join(parts)}"


def _probes(spec: ProbingSpec, settings: Settings) -> Iterator[str]:
    """What a product would be asked, and of each gated trait how wide its interval will be."""
    from pytest_persona.infer.width import FEWEST_PROBES, USUAL_DEVIATION, half_width
    from pytest_persona.probe.scripts import scripts_of
    from pytest_persona.report.terminal import counted
    from pytest_persona.report.text import safe

    scripts = scripts_of(spec, settings.samples)
    contexts = {script.context for script in scripts}
    yield f"{safe(spec.audit.signal_name)}: {counted(len(spec.probes), 'probe')} in {counted(len(contexts), 'context')}"
    turns = sum(len(script.turns) for script in scripts)
    yield f"  {counted(len(scripts), 'reply', 'replies')} to judge; the product is asked {counted(turns, 'time')}"
    gated = {e.trait for e in spec.audit.expectations if e.bounds_shift}
    for trait in spec.audit.traits:
        count = sum(trait in probe.traits and not probe.informational for probe in spec.probes)
        width = half_width(count, level=settings.level, method=settings.interval)
        spread = f", its interval about ±{width:.2f} where probes differ by a standard deviation of {USUAL_DEVIATION:g}"
        yield f"  {safe(trait)}: {counted(count, 'probe')}{spread if trait in gated else ''}"
        if trait in gated and count < FEWEST_PROBES:
            better = half_width(FEWEST_PROBES, level=settings.level, method=settings.interval)
            yield f"  warning: {safe(trait)} is gated on fewer than {FEWEST_PROBES} probes, which would make it ±{better:.2f}"


def _counts(spec: AuditSpec, signal: Signal) -> Iterator[str]:
    from pytest_persona.report.terminal import counted
    from pytest_persona.report.text import safe

    behaviours = [behaviour for episode in signal.episodes for behaviour in episode.behaviours]
    info = signal.info
    yield f"{safe(spec.signal_name)}: {info.kind}, read as {safe(info.format)}"
    yield f"  {counted(info.episodes, 'episode')} in {counted(info.groups, 'group')}"
    read = {episode.group for episode in signal.episodes}
    if len(read) < info.groups:
        yield f"  {counted(len(read), 'group')} drawn by the seed"
    distinct = {behaviour.key: behaviour for behaviour in behaviours}
    contexts = {behaviour.context for behaviour in distinct.values()}
    texts = [turn.text for context in contexts for turn in context] + [b.reply for b in distinct.values()]
    tokens = sum(map(len, texts)) // _CHARACTERS_PER_TOKEN
    yield f"  {counted(len(behaviours), 'behaviour')}, {len(distinct)} distinct; roughly {tokens} tokens"
    if info.skipped:
        yield f"  {counted(info.skipped, 'unreadable row')} skipped"
