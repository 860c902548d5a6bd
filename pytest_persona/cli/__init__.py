"""``pytest-persona``: the console over the same engine, without pytest."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence

from pytest_persona import __version__
from pytest_persona.cli import (
    audit,
    check,
    confirm,
    diff,
    inoculate,
    installed,
    model,
    new,
    portrait,
    probe,
    schema,
    suites,
)  # fmt: skip
from pytest_persona.errors import PersonaError
from pytest_persona.report.text import safe

__all__ = ["main", "parser"]

_EXIT_CODES = """\
exit codes:
  0  nothing violated
  1  something violated
  2  unusable input or set-up
  3  nothing violated, something inconclusive
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code (docs/reference/exit-codes.md); usage errors raise SystemExit(2)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # an ASCII console shows what it cannot print, and goes on
    args = parser().parse_args(argv)
    try:
        code: int = args.run(args)
        sys.stdout.flush()
    except PersonaError as error:
        print(f"pytest-persona: error: {safe(str(error))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\npytest-persona: interrupted. What was read is kept, and is not read again.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more at its end
        return 141
    return code


def parser() -> argparse.ArgumentParser:
    """The whole command line; quick to make, for ``--help`` and completion."""
    top = argparse.ArgumentParser(
        prog="pytest-persona",
        description="What kind of character does a training signal reward?",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"pytest-persona {__version__}", help="Print the version.")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    families = (audit, probe, inoculate, portrait, check, diff, confirm, installed, suites, new, schema, model)
    for family in families:
        family.add(commands)
    return top
