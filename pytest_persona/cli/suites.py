"""``suites``: what is shared, what is in it, what the project's lock has of it, and how to get it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from pytest_persona.cli.options import add_plugin, settings_of
from pytest_persona.errors import PersonaError
from pytest_persona.report.text import safe

if TYPE_CHECKING:
    from pytest_persona.engine import Engine
    from pytest_persona.load.suites import Shelf
    from pytest_persona.model.locks import Locked
    from pytest_persona.model.suites import Suite

__all__ = ["add"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command with its four actions; without one it lists."""
    parser = commands.add_parser(
        "suites",
        help="List, show, lock or install the suites that packages share.",
        description="The suites that are built in or that installed packages share. Without an action they are listed.",
        allow_abbrev=False,
    )
    add_plugin(parser)
    parser.set_defaults(run=_list, more=[])
    actions = parser.add_subparsers(title="actions", metavar="ACTION")
    listing = _action(actions, "list", _list, "List them: name, version, package, file.")
    show = _action(actions, "show", _show, "Show what is in one.")
    show.add_argument("name", metavar="NAME", help="package:name[@version], or a suite file.")
    lock = _action(actions, "lock", _lock, "Write persona.lock: those that the project refers to, as they are.")
    lock.add_argument("names", nargs="*", metavar="NAME", help="Lock these alone, and leave the others as they are.")
    getting = _action(actions, "install", _install, "Run pip install, then list and lock the suites that came with it.")
    getting.add_argument("specs", nargs="+", metavar="SPEC", help="What pip is to install: a name, a wheel, a folder.")
    for action in (listing, show, lock):
        add_plugin(action, dest="more")


def _action(
    actions: argparse._SubParsersAction[argparse.ArgumentParser], name: str, run: object, text: str
) -> argparse.ArgumentParser:
    parser = actions.add_parser(name, help=text, description=text, allow_abbrev=False)
    parser.set_defaults(run=run)
    return parser


def _engine(args: argparse.Namespace) -> Engine:
    from pytest_persona.engine import Engine
    from pytest_persona.engine.plugins import console_manager

    return Engine(settings_of(args), console_manager([*args.plugin, *args.more]).hook)


def _shelf(engine: Engine) -> Shelf:
    """The suites that are offered now, whatever the lock has."""
    from functools import partial

    from pytest_persona.engine.plugins import shared_suites
    from pytest_persona.load.suites import Shelf

    return Shelf(engine.settings.root, partial(shared_suites, engine.hooks), pinned=False)


def _list(args: argparse.Namespace) -> int:
    from pytest_persona.cli.tables import print_table

    shelf = _shelf(_engine(args))
    print_table(_row(shelf, name) for name in sorted(shelf.offers))
    return 0


def _row(shelf: Shelf, name: str) -> Sequence[str]:
    offer = shelf.offers[name]
    try:
        version = shelf.find(name).version
    except PersonaError:
        version = "unreadable"
    return name, version, f"{offer.package} {offer.package_version}".rstrip(), str(offer.path)


def _show(args: argparse.Namespace) -> int:
    shelf = _shelf(_engine(args))
    suite = shelf.find(args.name)
    for line in (*_heading(suite, shelf), *_contents(suite)):
        text = line.lstrip(" ")
        print(" " * (len(line) - len(text)) + safe(text))
    return 0


def _heading(suite: Suite, shelf: Shelf) -> Iterator[str]:
    from pytest_persona.load.locks import LOCK, difference, locked

    offer = suite.offer
    yield f"{offer.name if offer else suite.name} {suite.version}"
    yield f"  from: {f'{offer.package} {offer.package_version}'.rstrip() if offer else 'this project'}"
    yield f"  file: {offer.path if offer else suite.path}"
    yield f"  sha256: {suite.sha256}"
    if offer is not None:
        then = shelf.lock.suites.get(offer.name) if shelf.lock is not None else None
        state = f"as in {LOCK}" if shelf.lock is not None else f"there is no {LOCK} here"
        if then is not None:
            state = difference(then, locked(suite)) or state
        elif shelf.lock is not None:
            state = f"not in {LOCK}"
        yield f"  lock: {state}"
    yield f"  canary: {suite.canary or 'none'}"
    if suite.parents:
        yield f"  extends: {', '.join(f'{p.offer.name if p.offer else p.path} {p.version}' for p in suite.parents)}"


def _contents(suite: Suite) -> Iterator[str]:
    from pytest_persona.report.terminal import bounds, counted

    yield f"  signals: {', '.join(suite.signals) or 'none'}"
    yield f"  probes: {len(suite.probes)}, in contexts: {', '.join(suite.contexts) or 'none'}"
    expected = {expectation.trait: expectation for expectation in suite.expectations}
    defined = {trait.name for trait in suite.definitions}
    probed = [trait for probe in suite.probes for trait in probe.traits]
    for trait in dict.fromkeys([*suite.traits, *probed]):
        parts = [counted(probed.count(trait), "probe")] if suite.probes else []
        if trait in expected:
            parts.append(bounds(expected[trait]) or "the default bound")
        if trait in defined:
            parts.append("defined here")
        yield f"  trait {trait}: {', '.join(parts) or 'reported'}"


def _lock(args: argparse.Namespace) -> int:
    from pytest_persona.engine.suites import relock
    from pytest_persona.load.locks import LOCK

    engine = _engine(args)
    found = relock(_shelf(engine), args.names)
    if not found.said and not found.entries:
        print(f"No suite of this project refers to a shared one; {LOCK} is not written.")
        return 0
    _write_lock(engine, found.entries.values())
    for name, fate in found.said:
        print(safe(f"{name} {fate}"))
    return 0


def _install(args: argparse.Namespace) -> int:
    from pytest_persona.engine.installing import install

    offers = install(args.specs, lambda command: print(safe(command), flush=True))
    if not offers:
        print("Nothing that was installed shares suites.")
        return 0
    args.names = [offer.name for offer in offers]
    return _lock(args)


def _write_lock(engine: Engine, entries: Iterable[Locked]) -> None:
    from pytest_persona.load.locks import LOCK, lock_document
    from pytest_persona.report.documents import json_text, write_document

    text = json_text(lock_document(entries))
    write_document(LOCK, [text], option="suites lock", root=engine.settings.root, stdout=sys.stdout)
