"""``schema``: the JSON Schemas of our files, for editors and other tools."""

from __future__ import annotations

import argparse
import sys

from pytest_persona.errors import SettingsError

__all__ = ["add"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    text = "Print the JSON Schema of a kind of file."
    parser = commands.add_parser("schema", help=text, description=text, allow_abbrev=False)
    parser.add_argument("name", metavar="NAME", help="The kind of file: suite, trait, signal, profile, …")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from pytest_persona.load.schemas import NAMES, schema_text

    if args.name not in NAMES:
        raise SettingsError(f"schema: there is none named {args.name!r}. Schemas: {', '.join(NAMES)}.")
    sys.stdout.write(schema_text(args.name))
    return 0
