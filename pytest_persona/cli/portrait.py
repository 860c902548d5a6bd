"""``portrait``: which character a signal reads most like, and what else such a character would do."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_persona.cli.options import add_plugin, add_settings, settings_of
from pytest_persona.errors import SettingsError
from pytest_persona.report.text import safe

if TYPE_CHECKING:
    from pytest_persona.engine import Engine
    from pytest_persona.model.portrait import PortraitSpec
    from pytest_persona.model.suites import Suite
    from pytest_persona.settings import Settings

__all__ = ["add"]

_UNUSED = (
    "traits", "bound", "isolated", "pairwise", "interval", "scope", "read-all", "rows", "baseline", "update", "history",
)  # fmt: skip


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "portrait",
        help="Say which character a signal reads most like, and predict what else it would do.",
        description=(
            "Compare a signal with whole characters instead of traits: an honest expert, and others that would act otherwise. A chat "
            "judge is shown samples of rows whole, the likelihood judge says under which character the rows are likelier. What such a "
            "character would do elsewhere is predicted, never measured."
        ),
        allow_abbrev=False,
    )
    parser.add_argument("file", metavar="FILE", help="The signal.")
    parser.add_argument(
        "--character", action="append", default=[], metavar="NAME|FILE",
        help="A character of the library, or a file that describes one; may be repeated. (default: the whole library)",
    )  # fmt: skip
    parser.add_argument(
        "--samples", dest="shown", type=int, default=5, metavar="N",
        help="How many samples a chat judge is shown, 3 to 20; more tell more and cost more. (default: 5)",
    )  # fmt: skip
    parser.add_argument(
        "--sample-size", type=int, default=30, metavar="N", help="Groups of a sample, 20 to 50. (default: 30)"
    )
    parser.add_argument(
        "--suite", action="append", default=[], metavar="FILE",
        help="A suite file or package:name whose probes are ranked; may be repeated. (default: the built-in suites)",
    )  # fmt: skip
    parser.add_argument(
        "--profile",
        metavar="FILE",
        help="What audit --json wrote of this signal: what it shows itself is not predicted.",
    )
    amount = parser.add_mutually_exclusive_group()
    for short, flag, value, text in (
        ("-q", "--quiet", -1, "Show what it reads like and no more, and no progress line."),
        ("-v", "--verbose", 1, "Show every character, sample, prediction and probe."),
    ):
        amount.add_argument(short, flag, dest="verbosity", action="store_const", const=value, default=0, help=text)
    add_plugin(parser)
    add_settings(parser, without=_UNUSED)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from pytest_persona.engine import Engine
    from pytest_persona.engine.plugins import console_manager
    from pytest_persona.engine.recording import check_record, write_record
    from pytest_persona.model.portrait import SAMPLE_SIZES, SAMPLES
    from pytest_persona.report.documents import check_destination
    from pytest_persona.report.progress import TerminalProgress, is_watched

    settings = settings_of(args)
    for option, value, (least, most) in (
        ("--samples", args.shown, SAMPLES),
        ("--sample-size", args.sample_size, SAMPLE_SIZES),
    ):
        if not least <= value <= most:
            raise SettingsError(f"{option}: {value} cannot be used. Write a whole number from {least} to {most}.")
    if settings.json is not None:
        check_destination(settings.json, option="--json", root=settings.root)
    check_record(settings)
    progress = TerminalProgress(sys.stderr, hidden=args.verbosity < 0 or not is_watched(sys.stderr))
    with Engine(settings, console_manager(args.plugin).hook, progress) as engine:
        spec = _spec(args, engine)
        code = _count(engine, spec) if settings.dry_run else _portray(engine, spec, settings, args.verbosity)
    for problem in [] if settings.dry_run else write_record(settings):
        print(f"pytest-persona: {safe(problem)}", file=sys.stderr)
    return code


def _spec(args: argparse.Namespace, engine: Engine) -> PortraitSpec:
    from pytest_persona.cli.targets import signal_spec
    from pytest_persona.load.profiles import read_profile
    from pytest_persona.model.portrait import PortraitSpec

    return PortraitSpec(
        audit=signal_spec(args.file),
        characters=tuple(args.character),
        samples=args.shown,
        sample_size=args.sample_size,
        suites=_suites(args, engine),
        profile=None if args.profile is None else read_profile(Path(args.profile)),
    )


def _suites(args: argparse.Namespace, engine: Engine) -> tuple[Suite, ...]:
    return tuple(map(engine.shelf.find, args.suite)) if args.suite else engine.shelf.built_in


def _portray(engine: Engine, spec: PortraitSpec, settings: Settings, verbosity: int) -> int:
    """0 where something could be said; else 3, unless that may pass."""
    from pytest_persona.load.portraits import portrait_document
    from pytest_persona.report.documents import json_text, write_document
    from pytest_persona.report.portrait import section, title

    portrait = engine.portrait(spec)
    stream = sys.stderr if settings.json == "-" else sys.stdout
    print(f" {title(portrait)} ".center(shutil.get_terminal_size().columns, "="), file=stream)
    for line in section(portrait, verbosity=verbosity):
        print(line, file=stream)
    if settings.json is not None:
        text = json_text(portrait_document(portrait))
        write_document(settings.json, [text], option="--json", root=settings.root, stdout=sys.stdout)
    return 3 if portrait.characters is None and settings.inconclusive == "fail" else 0


def _count(engine: Engine, spec: PortraitSpec) -> int:
    from pytest_persona.engine.outlook import outlooks
    from pytest_persona.report.outlook import TITLE, outlook_lines

    print(f" {TITLE} ".center(shutil.get_terminal_size().columns, "="))
    judge = engine.judge
    basis = getattr(judge, "estimates_rest_on", "")
    for line in outlook_lines(list(outlooks(engine, [spec])), network=judge.info.network, unknown=0, basis=basis):
        print(line)
    return 0
