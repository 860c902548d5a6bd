"""``probe``: put a suite's probes to a product and say which traits its replies show."""

from __future__ import annotations

import argparse
from dataclasses import replace
from typing import TYPE_CHECKING

from pytest_persona.cli.audit import add_verbosity, make
from pytest_persona.cli.options import add_plugin, add_settings
from pytest_persona.errors import SettingsError

if TYPE_CHECKING:
    from pytest_persona.engine import Engine
    from pytest_persona.model.suites import ProbingSpec

__all__ = ["add"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "probe",
        help="Put a suite's probes to a product and say which traits its replies show.",
        description=(
            "Put a suite's probes to a product and say which traits its replies show. The product is what --target names, "
            "else what the suite says. Bounds are the suite's."
        ),
        allow_abbrev=False,
    )
    parser.add_argument("suite", nargs="?", metavar="SUITE", help="A suite file with probes, or package:name of one.")
    text = "Ask the probes about trait T alone; may be repeated."
    parser.add_argument("--trait", action="append", default=[], metavar="T", help=text)
    text = (
        "Ask the items of a questionnaire too (JSON lines with question, answer_matching_behavior and "
        "answer_not_matching_behavior), count the answers and let them decide nothing; may be repeated."
    )
    parser.add_argument("--questionnaire", action="append", default=[], metavar="PATH", help=text)
    add_verbosity(parser)
    add_plugin(parser)
    add_settings(parser, probes=True)
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    return make(args, lambda engine: _specs(args, engine), lambda engine, specs: map(engine.probe, specs))


def _specs(args: argparse.Namespace, engine: Engine) -> list[ProbingSpec]:
    from pytest_persona.engine.probing import check_replies
    from pytest_persona.load.probing import about, probing
    from pytest_persona.load.questionnaires import read_questionnaire
    from pytest_persona.model.suites import AuditSpec, ProbingSpec

    check_replies(engine.settings)
    sets = tuple(read_questionnaire(engine.settings.root / name, named=name) for name in args.questionnaire)
    if args.suite is None:
        if not sets:
            raise SettingsError("probe: there is nothing to ask. Name a SUITE with probes, or a --questionnaire.")
        names = ", ".join(args.questionnaire)
        return [ProbingSpec(audit=AuditSpec(name=names, signal=(), signal_name=names), probes=(), questionnaires=sets)]
    suite = engine.shelf.find(args.suite)
    spec = probing(about(suite, args.trait), engine.settings.bound, engine.library)
    if spec is None:
        raise SettingsError(f"probe: {args.suite} has no probes. Name a suite that has, or use the command audit.")
    return [replace(spec, audit=replace(spec.audit, name=suite.name), questionnaires=sets)]
