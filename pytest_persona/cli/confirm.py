"""``confirm``: does what a signal implies predict how the product changed?"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

__all__ = ["add"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "confirm",
        help="Say whether what a signal implies is what a product then did.",
        description=(
            "Hold the implied shifts of a signal against the change of a product from before to after it was used: the share "
            "of right signs, the rank correlation, and the traits that moved unpredicted. Ends with 3 where there are too few "
            "traits for either number."
        ),
        allow_abbrev=False,
    )
    parser.add_argument("signal", metavar="SIGNAL", help="The profile of the signal, as written by audit --json.")
    parser.add_argument("before", metavar="BEFORE", help="The profile of the product's answers before.")
    parser.add_argument("after", metavar="AFTER", help="Those after.")
    parser.add_argument("--json", metavar="PATH", help="Write what was found as JSON; - is standard output.")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from pytest_persona.infer.confirm import confirm
    from pytest_persona.load.confirmations import confirmation_document
    from pytest_persona.load.profiles import read_profile
    from pytest_persona.report.confirmation import confirmation
    from pytest_persona.report.documents import json_text, write_document

    found = confirm(*(read_profile(Path(path)) for path in (args.signal, args.before, args.after)))
    if args.json is not None:
        text = json_text(confirmation_document(found))
        write_document(args.json, [text], option="--json", root=Path.cwd(), stdout=sys.stdout)
    if args.json != "-":
        for line in confirmation(found):
            print(line)
    return 3 if found.signs.value is None and found.ranks.value is None else 0
