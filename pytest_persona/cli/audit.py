"""``audit``: read a signal and say which traits it rewards."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TextIO, TypeVar

from pytest_persona.cli.options import add_plugin, add_settings, settings_of
from pytest_persona.errors import SettingsError
from pytest_persona.report.text import safe

if TYPE_CHECKING:
    from pytest_persona.engine import Audit, Engine
    from pytest_persona.model.findings import Finding
    from pytest_persona.model.suites import AuditSpec, ProbingSpec
    from pytest_persona.model.traits import Expectation
    from pytest_persona.settings import Settings

__all__ = ["add", "add_verbosity", "exit_code", "make"]

S = TypeVar("S", "AuditSpec", "ProbingSpec")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "audit",
        help="Read a signal and say which traits it rewards.",
        description=(
            "Read a training signal and say which traits it rewards. A trait named without a bound gets the default "
            "one for its unwanted pole (--bound); with none named, all that the judge qualifies for are reported."
        ),
        allow_abbrev=False,
    )
    parser.add_argument("file", nargs="?", metavar="FILE", help="The signal; not needed where a suite names signals.")
    parser.add_argument(
        "--suite", metavar="FILE", help="A suite file or package:name[@version]: its traits, bounds and signals."
    )
    for flag, metavar, text in (
        ("--trait", "T", "A trait to audit"),
        ("--at-most", "T=X", "The shift of trait T must be at most X"),
        ("--at-least", "T=X", "The shift of trait T must be at least X"),
        (
            "--drift-at-most",
            "T=X",
            "Since the baseline trait T must not have grown by more than X towards its unwanted pole",
        ),
    ):
        parser.add_argument(flag, action="append", default=[], metavar=metavar, help=f"{text}; may be repeated.")
    add_verbosity(parser)
    add_plugin(parser)
    add_settings(parser)
    parser.set_defaults(run=_run)


def add_verbosity(parser: argparse.ArgumentParser) -> None:
    """Add ``-q`` and ``-v``."""
    amount = parser.add_mutually_exclusive_group()
    for short, flag, value, text in (
        ("-q", "--quiet", -1, "Leave out what is held, and the progress line."),
        ("-v", "--verbose", 1, "Show evidence, AUROC and null vectors of every finding."),
    ):
        amount.add_argument(short, flag, dest="verbosity", action="store_const", const=value, default=0, help=text)


def exit_code(findings: Iterable[Finding], settings: Settings) -> int:
    """1 where something is violated; else 3 where something is inconclusive, unless that may pass; else 0."""
    found = {finding.status for finding in findings}
    if "violated" in found:
        return 1
    return 3 if "inconclusive" in found and settings.inconclusive == "fail" else 0


def _run(args: argparse.Namespace) -> int:
    return make(args, lambda engine: _specs(args, engine), lambda engine, specs: engine.audits(specs))


def make(
    args: argparse.Namespace,
    specs_of: Callable[[Engine], Sequence[S]],
    audits_of: Callable[[Engine, Sequence[S]], Iterable[Audit]],
) -> int:
    """Make the audits that a command's arguments ask for, show and write them, and return the exit code; raises PersonaError."""
    from pytest_persona.engine import Engine
    from pytest_persona.engine.keeping import check_baseline, keep
    from pytest_persona.engine.plugins import console_manager
    from pytest_persona.engine.recording import check_record, write_record
    from pytest_persona.report.documents import check_destination
    from pytest_persona.report.progress import TerminalProgress, is_watched

    settings = settings_of(args)
    if settings.json == settings.rows == "-":
        raise SettingsError("--json and --rows cannot both be standard output. Name a file for one of them.")
    for option, target in (("--json", settings.json), ("--rows", settings.rows)):
        if target is not None:
            check_destination(target, option=option, root=settings.root)
    check_record(settings)
    check_baseline(settings, "--")
    hooks = console_manager(args.plugin).hook
    progress = TerminalProgress(sys.stderr, hidden=args.verbosity < 0 or not is_watched(sys.stderr))
    audits: list[Audit] = []
    with Engine(settings, hooks, progress) as engine:
        specs = specs_of(engine)
        if settings.dry_run:
            return _count(engine, specs)
        for audit in audits_of(engine, specs):
            hooks.pytest_persona_profile(profile=audit.profile)
            _show(audit, args.verbosity, sys.stderr if "-" in (settings.json, settings.rows) else sys.stdout)
            audits.append(audit)
    remarks = list(write_record(settings))
    remarks += keep(settings, [audit.profile for audit in audits], "--")
    sys.stdout.flush()  # so that they come after the report where both go to one pipe
    for remark in remarks:
        print(f"pytest-persona: {safe(remark)}", file=sys.stderr)
    _write(audits, settings)
    return exit_code((finding for audit in audits for finding in audit.profile.findings), settings)


def _count(engine: Engine, specs: Sequence[AuditSpec | ProbingSpec]) -> int:
    from pytest_persona.engine.outlook import outlooks
    from pytest_persona.report.outlook import TITLE, outlook_lines

    print(f" {TITLE} ".center(shutil.get_terminal_size().columns, "="))
    judge, found = engine.judge, list(outlooks(engine, specs))
    basis = getattr(judge, "estimates_rest_on", "")
    for line in outlook_lines(found, network=judge.info.network, unknown=0, basis=basis):
        print(line)
    return 0


def _specs(args: argparse.Namespace, engine: Engine) -> list[AuditSpec]:
    from pytest_persona.cli.targets import signal_spec, suite_specs
    from pytest_persona.model.traits import Expectation, bounded

    if args.suite:
        suite = engine.shelf.find(args.suite)
        if not suite.signals and args.file is None:
            raise SettingsError(
                f"audit: {args.suite} names no signal. Name a FILE, or use the command probe for its probes."
            )
        specs = suite_specs(suite, args.file, engine)
    elif args.file:
        specs = [signal_spec(args.file)]
    else:
        if engine.settings.update:
            taken = engine.settings.update[-1]
            raise SettingsError(f"audit: there is no signal; --update takes {taken!r} for a name. Write --update last.")
        raise SettingsError("audit: there is no signal. Name a FILE, or a --suite that names signals.")
    library = engine.library.extended(specs[0].definitions)
    expectations = {e.trait: e for e in specs[0].expectations} | _declared(
        args.at_most, args.at_least, args.drift_at_most
    )
    for trait in map(library.get, args.trait):
        if trait.unwanted != "none" and trait.name not in expectations:
            expectations[trait.name] = bounded(Expectation(trait=trait.name), trait, engine.settings.bound)
    traits = (*specs[0].traits, *args.trait)
    return [replace(spec, traits=traits, expectations=tuple(expectations.values())) for spec in specs]


def _declared(at_most: Sequence[str], at_least: Sequence[str], drift_at_most: Sequence[str]) -> dict[str, Expectation]:
    """The expectations of ``T=X`` arguments by trait; raises SettingsError."""
    from pytest_persona.model.traits import Expectation

    above, below = _values("--at-most", at_most), _values("--at-least", at_least)
    drift = _values("--drift-at-most", drift_at_most)
    for trait in above.keys() & below.keys():
        if below[trait] >= above[trait]:
            raise SettingsError(f"--at-least: {trait}={below[trait]:g} leaves no room below --at-most. Lower it.")
    return {
        name: Expectation(trait=name, at_most=above.get(name), at_least=below.get(name), drift_at_most=drift.get(name))
        for name in dict.fromkeys([*above, *below, *drift])
    }


def _values(option: str, texts: Sequence[str]) -> dict[str, float]:
    values: dict[str, float] = {}
    for text in texts:
        trait, _, number = text.rpartition("=")
        try:
            value = float(number)
        except ValueError:
            value = float("nan")
        if not trait or not -2.0 <= value <= 2.0:
            raise SettingsError(f"{option}: {text!r} cannot be used. Write TRAIT=X with X between -2 and 2.")
        if trait in values:
            raise SettingsError(f"{option}: {trait} is bounded twice. Keep one of them.")
        values[trait] = value
    return values


def _show(audit: Audit, verbosity: int, stream: TextIO) -> None:
    from pytest_persona.report.terminal import section, title

    print(f" {title(audit.profile)} ".center(shutil.get_terminal_size().columns, "="), file=stream)
    for line in section(audit.profile, verbosity=verbosity):
        print(line, file=stream)


def _write(audits: Sequence[Audit], settings: Settings) -> None:
    from pytest_persona.load.profiles import profile_document, row_document
    from pytest_persona.report.documents import json_lines, json_text, one_or_several, write_document

    if settings.json is not None:
        text = json_text(one_or_several([profile_document(audit.profile) for audit in audits]))
        write_document(settings.json, [text], option="--json", root=settings.root, stdout=sys.stdout)
    if settings.rows is not None:
        rows = json_lines(row_document(reading) for audit in audits for reading in audit.readings)
        write_document(settings.rows, rows, option="--rows", root=settings.root, stdout=sys.stdout)
