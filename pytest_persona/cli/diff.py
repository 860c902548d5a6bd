"""``diff``: what has changed between two saved profiles."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_persona.errors import ProfileError

if TYPE_CHECKING:
    from pytest_persona.model.drift import Comparison
    from pytest_persona.model.findings import Profile

__all__ = ["add"]

_SEVERAL = "pytest-persona/drifts/v1"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "diff",
        help="Compare two saved profiles.",
        description=(
            "Say what has changed from one saved profile to another: how each trait's shift has moved, group by group, and "
            "whether the data, the judge, the product or the questions are behind it. Bounds are those of NOW. Of files with "
            "several profiles, those of the same name or signal are compared."
        ),
        allow_abbrev=False,
    )
    parser.add_argument("base", metavar="BASE", help="The earlier profile, as written by audit --json.")
    parser.add_argument("now", metavar="NOW", help="The later profile.")
    parser.add_argument(
        "--history",
        metavar="DIR",
        help="Where runs against BASE are remembered: a drift is decided on all of them. Nothing is written.",
    )
    parser.add_argument("--json", metavar="PATH", help="Write the comparison as JSON; - is standard output.")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from pytest_persona.report.drift import comparison

    compared = list(_compared(args))
    if args.json is not None:
        _write(args.json, compared)
    for _, now, found in compared:
        if not found.comparable:
            raise ProfileError(
                f"{now.name!r} cannot be compared with {args.base}: {'; '.join(found.why)}",
                remedy="Make both profiles with one judge from signals of one kind",
                path=args.now,
            )
    if args.json != "-":
        for base, now, found in compared:
            for line in comparison(base, now, found):
                print(line)
    drifts = {drift.status for _, _, found in compared for drift in found.findings}
    statuses = drifts | {finding.status for _, now, _ in compared for finding in now.findings}
    return 1 if "violated" in statuses else 3 if "inconclusive" in statuses else 0


def _compared(args: argparse.Namespace) -> Sequence[tuple[Profile, Profile, Comparison]]:
    """Each pair of profiles with what has changed; raises ProfileError where none of NOW is in BASE."""
    from pytest_persona.infer.drift import compare
    from pytest_persona.load.baselines import baseline_id, counterpart, read_baseline
    from pytest_persona.load.history import history_path, read_history

    base, now = read_baseline(Path(args.base)), read_baseline(Path(args.now))
    if len(base) == len(now) == 1:
        pairs = [(base[0], now[0])]
    else:
        pairs = [(one, profile) for profile in now if (one := counterpart(base, profile)) is not None]
    if not pairs:
        raise ProfileError(
            f"holds no profile of a name or a signal that is in {args.base}",
            remedy=f"Those are: {', '.join(one.name for one in base)}",
            path=args.now,
        )
    found = []
    for one, profile in pairs:
        history = None
        if args.history is not None:
            history = read_history(history_path(Path(args.history), profile), baseline_id(one))
        found.append((one, profile, compare(one, profile, since=args.base, history=history)))
    return found


def _write(target: str, compared: Sequence[tuple[Profile, Profile, Comparison]]) -> None:
    from pytest_persona.load.comparisons import drift_document
    from pytest_persona.report.documents import json_text, write_document

    documents = [drift_document(found, now.name) for _, now, found in compared]
    document = documents[0] if len(documents) == 1 else {"schema": _SEVERAL, "drifts": documents}
    write_document(target, [json_text(document)], option="--json", root=Path.cwd(), stdout=sys.stdout)
