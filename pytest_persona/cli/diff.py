"""``diff``: what has changed between two saved profiles."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_persona.errors import ProfileError

if TYPE_CHECKING:
    from pytest_persona.infer.drift import Drift

__all__ = ["add"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "diff",
        help="Compare two saved profiles.",
        description=(
            "Say how each trait's shift has changed from one saved profile to another, with a conservative interval. "
            "Profiles of different judges or kinds of signal are not compared. Bounds are those of NOW."
        ),
        allow_abbrev=False,
    )
    parser.add_argument("base", metavar="BASE", help="The earlier profile, as written by audit --json.")
    parser.add_argument("now", metavar="NOW", help="The later profile.")
    parser.add_argument("--json", metavar="PATH", help="Write the comparison as JSON; - is standard output.")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from pytest_persona.infer.drift import drift, obstacles
    from pytest_persona.load.profiles import read_profile
    from pytest_persona.report.drift import comparison

    base, now = read_profile(Path(args.base)), read_profile(Path(args.now))
    why_not = obstacles(base, now)
    drifts = () if why_not else drift(base, now)
    if args.json is not None:
        _write(args.json, why_not, drifts)
    if why_not:
        raise ProfileError(
            f"cannot be compared with {args.base}: {'; '.join(why_not)}",
            remedy="Make both profiles with one judge from signals of one kind",
            path=args.now,
        )
    if args.json != "-":
        for line in comparison(base, now, drifts):
            print(line)
    found = {*(drift.status for drift in drifts), *(finding.status for finding in now.findings)}
    return 1 if "violated" in found else 3 if "inconclusive" in found else 0


def _write(target: str, why_not: Sequence[str], drifts: Sequence[Drift]) -> None:
    from pytest_persona.report.documents import json_text, write_document

    document = {
        "schema": "pytest-persona/drift/v1",
        "comparable": not why_not,
        "why": list(why_not),
        "drifts": [asdict(drift) for drift in drifts],
    }
    write_document(target, [json_text(document)], option="--json", root=Path.cwd(), stdout=sys.stdout)
