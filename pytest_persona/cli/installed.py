"""``traits`` and ``judges``: what is installed, built in or by plugins."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pytest_persona.cli.options import add_plugin, add_settings, settings_of
from pytest_persona.cli.tables import print_table
from pytest_persona.report.text import safe

if TYPE_CHECKING:
    from pytest_persona.model.episodes import Turn
    from pytest_persona.model.traits import Pole, Trait

__all__ = ["add"]

_DEFINITION_COLUMNS = 90


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the two commands."""
    traits = commands.add_parser(
        "traits",
        help="List the traits, or show all of one.",
        description="List name, unwanted pole, anchor pairs and definition of each trait; with a name, show all of it.",
        allow_abbrev=False,
    )
    traits.add_argument("name", nargs="?", metavar="NAME", help="The trait to show.")
    add_settings(traits, ("traits",))
    traits.set_defaults(run=_traits)
    judges = commands.add_parser(
        "judges", help="List the judges.", description="List the judges that --judge can name.", allow_abbrev=False
    )
    judges.set_defaults(run=_judges)
    for parser in (traits, judges):
        add_plugin(parser)


def _traits(args: argparse.Namespace) -> int:
    from pytest_persona.engine import Engine
    from pytest_persona.engine.plugins import console_manager

    library = Engine(settings_of(args), console_manager(args.plugin).hook).library
    if args.name:
        for line in _all_of(library.get(args.name)):
            text = line.lstrip(" ")
            print(" " * (len(line) - len(text)) + safe(text))
        return 0
    traits = library.all()
    print_table((t.name, t.unwanted, f"{len(t.pairs)} pairs", safe(t.definition, _DEFINITION_COLUMNS)) for t in traits)
    return 0


def _judges(args: argparse.Namespace) -> int:
    from pytest_persona.engine import judges
    from pytest_persona.engine.plugins import console_manager

    offered = judges(console_manager(args.plugin).hook)
    print_table((name, offered[name].__doc__ or "") for name in sorted(offered))
    return 0


def _all_of(trait: Trait) -> Iterator[str]:
    yield f"{trait.name} {trait.version} ({trait.origin})"
    yield f"  definition: {trait.definition}"
    yield f"  unwanted: {trait.unwanted}"
    yield f"  source: {trait.source or 'none given'}"
    yield f"  rivals: {', '.join(trait.rivals) or 'none'}"
    yield f"  must beat: {', '.join(trait.must_beat) or 'none'}"
    yield f"  sha256: {trait.sha256}"
    yield from _pole("high", trait.high, trait.statements_high)
    yield from _pole("low", trait.low, trait.statements_low)
    for number, pair in enumerate(trait.pairs, start=1):
        yield f"  pair {number}, {pair.domain}"
        yield from (f"    {_turn(turn)}" for turn in pair.context)
        yield f"    high: {pair.high}"
        yield f"    low: {pair.low}"


def _pole(side: str, pole: Pole, statements: tuple[str, ...]) -> Iterator[str]:
    yield f"  {side} pole: {pole.summary}"
    yield from (f"    paraphrase: {text}" for text in pole.paraphrases)
    for exemplar in pole.exemplars:
        yield f"    exemplar: {exemplar.context}"
        yield f"      reply: {exemplar.reply}"
    yield from (f"    says of itself: {text}" for text in statements)


def _turn(turn: Turn) -> str:
    return f"{turn.speaker}: {turn.text}"
