"""From the item that used an audit, on its report, to the process that shows it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from pytest_persona.errors import SettingsError
from pytest_persona.plugin.options import PREFIX
from pytest_persona.plugin.session import Run, run_of, state_of

if TYPE_CHECKING:
    from pytest_persona.model.findings import Profile

__all__ = ["Receiver", "attach", "check_destinations", "print_documents", "print_sections", "publish"]
_ATTRIBUTE = "persona_audits"
_SEVERAL = "pytest-persona/profiles/v1"


def attach(item: pytest.Item, report: pytest.TestReport) -> None:
    """Put the audits that ``item`` used on its report, as ASCII JSON texts; each once in a process, as they can be large."""
    state = state_of(item)
    if not state.audits:
        return
    run = run_of(item.config)
    unsent = [key for key in state.audits if key not in run.sent]
    run.sent.update(unsent)
    setattr(report, _ATTRIBUTE, [json.dumps({"key": key, **run.records[key]}) for key in unsent])


class Receiver:
    """Registered as a plugin where the run is shown: takes the audits off the reports."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the first record of each audit."""
        for text in getattr(report, _ATTRIBUTE, ()):
            record = json.loads(text)
            self._run.received.setdefault(record["key"], record)


def publish(session: pytest.Session, run: Run) -> None:
    """Show each profile to the hooks once and write the files; one that cannot be written ends the run as a usage error."""
    if not run.received and not _targets(run):
        return
    from pytest_persona.report.documents import write_document

    for profile in _profiles(run):
        run.config.hook.pytest_persona_profile(profile=profile)
    for option, target in _targets(run):
        if target == "-":
            continue
        try:
            write_document(
                target,
                _text(run, option),
                option=PREFIX + option,
                root=run.config.invocation_params.dir,
                stdout=sys.stdout,
            )
        except SettingsError as error:
            run.problems.append(str(error))
            session.exitstatus = pytest.ExitCode.USAGE_ERROR


def print_sections(reporter: pytest.TerminalReporter, run: Run) -> None:
    """One section for each profile, then what could not be written."""
    if not run.received and not run.problems:
        return
    from pytest_persona.report.terminal import STYLES, section, status_of, title

    for profile in _profiles(run):
        reporter.section(title(profile))
        for line in section(profile, verbosity=run.config.get_verbosity()):
            status = status_of(line)
            if status is not None:
                reporter.write(line[:1])
                reporter.write(status, **STYLES[status])
                line = line[1 + len(status) :]
            reporter.write_line(line)
    for problem in run.problems:
        reporter.write_line(f"ERROR: {problem}", red=True)


def print_documents(run: Run) -> None:
    """Write what was asked for on standard output, after all that pytest prints."""
    for option, target in _targets(run):
        if target == "-":
            sys.stdout.writelines(_text(run, option))


def check_destinations(run: Run) -> None:
    """Raise UsageError, before anything is read, where a document could not be written."""
    targets = _targets(run)
    if not targets:
        return
    from pytest_persona.report.documents import check_destination

    try:
        for option, target in targets:
            check_destination(target, option=PREFIX + option, root=run.config.invocation_params.dir)
    except SettingsError as error:
        raise pytest.UsageError(str(error)) from None
    if [target for _, target in targets] == ["-", "-"]:
        raise pytest.UsageError(
            f"{PREFIX}json and {PREFIX}rows cannot both be standard output. Name a file for one of them."
        )


def _targets(run: Run) -> list[tuple[str, str]]:
    given = run.config.getoption("persona_json"), run.config.getoption("persona_rows")
    wanted = zip(("json", "rows"), given, strict=True)
    return [(option, target) for option, target in wanted if target is not None]


def _records(run: Run) -> list[Mapping[str, Any]]:
    """In an order that does not depend on which process finished first."""

    def place(record: Mapping[str, Any]) -> tuple[str, ...]:
        profile = record["profile"]
        return profile["name"], profile["signal"]["path"], profile["signal"]["sha256"], record["key"]

    return sorted(run.received.values(), key=place)


def _profiles(run: Run) -> Iterator[Profile]:
    records = _records(run)
    if records:
        from pytest_persona.load.profiles import profile_from

        yield from (profile_from(record["profile"]) for record in records)


def _text(run: Run, option: str) -> Iterable[str]:
    """The document that an option asks for: of one profile itself, of another number a list of them."""
    from pytest_persona.report.documents import json_lines, json_text

    records = _records(run)
    if option == "rows":
        return json_lines(row for record in records for row in record["rows"])
    profiles = [record["profile"] for record in records]
    return [json_text(profiles[0] if len(profiles) == 1 else {"schema": _SEVERAL, "profiles": profiles})]
