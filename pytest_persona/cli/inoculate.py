"""``inoculate``: does a request explain the behaviour away, and the data set with the request in it."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_persona.cli.options import add_plugin, add_settings, settings_of
from pytest_persona.errors import SettingsError
from pytest_persona.report.text import safe

if TYPE_CHECKING:
    from pytest_persona.engine import Engine
    from pytest_persona.model.inoculation import Inoculation, InoculationSpec
    from pytest_persona.settings import Settings

__all__ = ["add"]

_UNUSED = ("bound", "pairwise", "rows", "baseline", "update", "history")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "inoculate",
        help="Say what a request in the contexts explains away, and write the data set with it.",
        description=(
            "Read the same replies as they are, with a request, with an irrelevant text of its length, with the opposite request and "
            "with what only looks like it; say per trait what the request explains away and what leaks. The exit code speaks of the "
            "traits that are named; with none named, all that the judge qualifies for are looked at."
        ),
        allow_abbrev=False,
    )
    parser.add_argument("file", metavar="FILE", help="The signal.")
    repeated = "a text, or a file with one a line; may be repeated"
    for flag, metavar, text in (
        ("--request", "TEXT|FILE", f"What is asked for, {repeated}. Several phrasings are used in turn."),
        ("--trait", "T", "A trait to explain away; may be repeated."),
        ("--opposite", "TEXT|FILE", f"The contrary of the request instead of the library's, {repeated}."),
        ("--look-alike", "TEXT|FILE", f"What only looks like the request instead of the library's, {repeated}."),
    ):
        parser.add_argument(flag, action="append", default=[], metavar=metavar, help=text)
    parser.add_argument(
        "--place", choices=("system", "user"), default="user",
        help="Where texts are put: before or as the system turn, or before the last user turn. (default: user)",
    )  # fmt: skip
    parser.add_argument(
        "--effect-at-least", default="0", metavar="X", help="What the effect must be clear of. (default: 0)"
    )
    parser.add_argument("--leak-at-most", default="0.1", metavar="X", help="What leaks must stay below. (default: 0.1)")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--out", metavar="PATH", help="Write the data set with the request in its contexts, and a manifest."
    )
    what.add_argument(
        "--rank",
        action="store_true",
        help="Instead, rank the library's requests and yours by their effect on a sample.",
    )
    amount = parser.add_mutually_exclusive_group()
    for short, flag, value, text in (
        ("-q", "--quiet", -1, "Leave out notes, and the progress line."),
        ("-v", "--verbose", 1, "Show what each arm and phrasing read."),
    ):
        amount.add_argument(short, flag, dest="verbosity", action="store_const", const=value, default=0, help=text)
    add_plugin(parser)
    add_settings(parser, without=_UNUSED)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from pytest_persona.engine import Engine
    from pytest_persona.engine.plugins import console_manager
    from pytest_persona.engine.recording import check_record, write_record
    from pytest_persona.load.treated import check_target
    from pytest_persona.report.documents import check_destination
    from pytest_persona.report.progress import TerminalProgress, is_watched

    settings = settings_of(args)
    if settings.json is not None:
        check_destination(settings.json, option="--json", root=settings.root)
    if args.out is not None:
        check_target(Path(args.file), Path(args.out))
    check_record(settings)
    spec = _spec(args)
    progress = TerminalProgress(sys.stderr, hidden=args.verbosity < 0 or not is_watched(sys.stderr))
    with Engine(settings, console_manager(args.plugin).hook, progress) as engine:
        if settings.dry_run:
            return _count(engine, spec)
        code = _rank(engine, spec, settings) if args.rank else _inoculate(args, engine, spec, settings)
    for problem in write_record(settings):
        print(f"pytest-persona: {safe(problem)}", file=sys.stderr)
    return code


def _spec(args: argparse.Namespace) -> InoculationSpec:
    from pytest_persona.load.wordings import read_texts
    from pytest_persona.model.inoculation import InoculationSpec
    from pytest_persona.model.suites import AuditSpec

    if not args.request and not args.rank:
        raise SettingsError(
            "inoculate: there is no request. Name one with --request, or see what there is with --rank."
        )
    if args.rank and args.dry_run:
        raise SettingsError("--dry-run: it counts an experiment, and no ranking. Leave out --rank.")
    if args.rank and not args.trait:
        raise SettingsError("--rank: there is no trait to rank requests for. Name one with --trait.")
    given = {
        name: read_texts(texts, [Path()], field=f"--{name}")
        for name, texts in (("request", args.request), ("opposite", args.opposite), ("look-alike", args.look_alike))
    }
    audit = AuditSpec(
        name=args.file, signal=Path(args.file), signal_name=args.file, traits=tuple(dict.fromkeys(args.trait))
    )
    return InoculationSpec(
        audit=audit, requests=given["request"], place=args.place, opposite=given["opposite"], lookalikes=given["look-alike"],
        effect_at_least=_size("--effect-at-least", args.effect_at_least),
        leak_at_most=_size("--leak-at-most", args.leak_at_most),
    )  # fmt: skip


def _size(option: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 4.0:
        raise SettingsError(f"{option}: {text!r} cannot be used. Write a number between 0 and 4.")
    return value


def _inoculate(args: argparse.Namespace, engine: Engine, spec: InoculationSpec, settings: Settings) -> int:
    from pytest_persona.load.inoculations import inoculation_document
    from pytest_persona.report.inoculation import section, title

    found = engine.inoculate(spec)
    stream = sys.stderr if settings.json == "-" else sys.stdout
    print(f" {title(found)} ".center(shutil.get_terminal_size().columns, "="), file=stream)
    for line in section(found, verbosity=args.verbosity):
        print(line, file=stream)
    if args.out is not None:
        for line in _treat(args, engine, spec, settings, found):
            print(line, file=stream)
    _write(inoculation_document(found), settings)
    return _exit_code(found, settings)


def _treat(
    args: argparse.Namespace, engine: Engine, spec: InoculationSpec, settings: Settings, found: Inoculation
) -> Sequence[str]:
    from pytest_persona.load.treated import manifest_of, write_treated
    from pytest_persona.report.terminal import counted

    if "plugin" in found.signal.format:
        raise SettingsError(f"--out: {args.file} is read by a plugin, and can only be read so. Leave --out away.")
    manifest = write_treated(
        Path(args.file), Path(args.out), name=args.file, target_name=args.out, requests=spec.requests, place=spec.place,
        seed=settings.seed, format=settings.format, fields=settings.map, on_bad_row=settings.on_bad_row,
    )  # fmt: skip
    left, new = manifest["rows_left_as_they_are"], manifest["rows_with_new_field_system"]
    treated, beside = counted(manifest["rows"] - left, "row"), manifest_of(Path(args.out)).name
    lines = [f" written: {safe(args.out)}, {treated} with a request, and {safe(beside)}"]
    if left:
        lines.append(f" note: {counted(left, 'row')} could not be read or treated, and stand there as they are")
    if new:
        lines.append(
            f" note: {counted(new, 'row')} got a field 'system', which your training code must read; else use --place user"
        )
    return lines


def _rank(engine: Engine, spec: InoculationSpec, settings: Settings) -> int:
    from pytest_persona.load.inoculations import ranking_document
    from pytest_persona.report.inoculation import ranking_lines

    rankings = engine.rank(spec)
    stream = sys.stderr if settings.json == "-" else sys.stdout
    for ranking in rankings:
        for line in ranking_lines(ranking):
            print(line, file=stream)
    documents = [ranking_document(ranking) for ranking in rankings]
    _write(
        documents[0] if len(documents) == 1 else {"schema": "pytest-persona/rankings/v1", "rankings": documents},
        settings,
    )
    return 0


def _count(engine: Engine, spec: InoculationSpec) -> int:
    from pytest_persona.engine.outlook import outlooks
    from pytest_persona.report.outlook import TITLE, outlook_lines

    print(f" {TITLE} ".center(shutil.get_terminal_size().columns, "="))
    judge = engine.judge
    basis = getattr(judge, "estimates_rest_on", "")
    for line in outlook_lines(list(outlooks(engine, [spec])), network=judge.info.network, unknown=0, basis=basis):
        print(line)
    return 0


def _write(document: dict[str, Any], settings: Settings) -> None:
    from pytest_persona.report.documents import json_text, write_document

    if settings.json is not None:
        write_document(settings.json, [json_text(document)], option="--json", root=settings.root, stdout=sys.stdout)


def _exit_code(found: Inoculation, settings: Settings) -> int:
    """1 where an effect on a named trait is refuted; else 3 where one is inconclusive, unless that may pass; else 0."""
    statuses = {finding.status for finding in found.findings} if found.declared else set()
    if "refuted" in statuses:
        return 1
    return 3 if "inconclusive" in statuses and settings.inconclusive == "fail" else 0
