"""From the item that used an audit, on its report, to the process that shows it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_persona.errors import PersonaError, SettingsError
from pytest_persona.plugin import baselines
from pytest_persona.plugin.options import PREFIX
from pytest_persona.plugin.session import Run, run_of, state_of

if TYPE_CHECKING:
    from pytest_persona.model.findings import Profile
    from pytest_persona.model.inoculation import Inoculation

__all__ = [
    "Receiver", "attach", "check_destinations", "print_documents", "print_outlook", "print_sections", "publish",
    "write_record",
]  # fmt: skip
_ATTRIBUTE = "persona_audits"
_USED = "persona_used"
_SEVERAL = "pytest-persona/profiles/v1"


def attach(item: pytest.Item, report: pytest.TestReport) -> None:
    """Put the audits that ``item`` used on its report, as ASCII JSON texts; each once in a process, as they can be large."""
    state = state_of(item)
    if not state.audits:
        return
    run = run_of(item.config)
    setattr(report, _USED, state.audits)
    unsent = [key for key in state.audits if key not in run.sent]
    run.sent.update(unsent)
    setattr(report, _ATTRIBUTE, [json.dumps({"key": key, **run.records[key]}) for key in unsent])


class Receiver:
    """Registered as a plugin where the run is shown: takes the audits off the reports."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the first record of each audit, and which of them a test that failed had to do with."""
        for text in getattr(report, _ATTRIBUTE, ()):
            record = json.loads(text)
            self._run.received.setdefault(record["key"], record)
        if report.failed:
            self._run.failed.update(getattr(report, _USED, ()))


def publish(session: pytest.Session, run: Run) -> None:
    """Show each profile to the hooks once and write the files; one that cannot be written ends the run as a usage error."""
    if not run.received and not _targets(run):
        return
    from pytest_persona.report.documents import write_document

    profiles = list(_profiles(run))
    for profile in profiles:
        run.config.hook.pytest_persona_profile(profile=profile)
    keys = [record["key"] for record in _records(run) if "profile" in record]
    baselines.settle(session, run, profiles, [place for place, key in enumerate(keys) if key in run.failed])
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


def write_record(session: pytest.Session, run: Run) -> None:
    """Write the record of the run's verdicts, where one is wanted; one that cannot be written ends the run as a usage error."""
    if run.config.getoption("persona_record") is None:
        return
    from pytest_persona.engine.recording import write_record

    try:
        run.problems += write_record(run.settings_of_run)
    except PersonaError as error:
        run.problems.append(str(error))
        session.exitstatus = pytest.ExitCode.USAGE_ERROR


def print_outlook(run: Run, items: Sequence[pytest.Item]) -> bool:
    """Print what the declared audits would cost; True, as the hook that runs tests says that it has."""
    from pytest_persona.plugin.ahead import dry_run
    from pytest_persona.report.outlook import TITLE

    lines = list(dry_run(run, items))
    reporter = run.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.section(TITLE)
        for line in lines:
            reporter.write_line(line)
    return True


def print_sections(reporter: pytest.TerminalReporter, run: Run) -> None:
    """One section for each profile, then for each experiment, then what could not be written."""
    if not run.received and not run.problems:
        return
    from pytest_persona.report import inoculation, terminal
    from pytest_persona.report.text import safe

    verbosity = run.config.get_verbosity()
    for profile in _profiles(run):
        reporter.section(terminal.title(profile))
        _write_lines(reporter, terminal.section(profile, verbosity=verbosity), terminal.status_of, terminal.STYLES)
    for found in _inoculations(run):
        reporter.section(inoculation.title(found))
        lines = inoculation.section(found, verbosity=verbosity)
        _write_lines(reporter, lines, inoculation.status_of, inoculation.STYLES)
    for remark in run.remarks:
        reporter.write_line(safe(remark))
    for problem in run.problems:
        reporter.write_line(f"ERROR: {problem}", red=True)


def _write_lines(
    reporter: pytest.TerminalReporter,
    lines: Iterable[str],
    status_of: Callable[[str], str | None],
    styles: Mapping[Any, dict[str, bool]],
) -> None:
    for line in lines:
        status = status_of(line)
        if status is not None:
            reporter.write(line[:1])
            reporter.write(status, **styles[status])
            line = line[1 + len(status) :]
        reporter.write_line(line)


def print_documents(run: Run) -> None:
    """Write what was asked for on standard output, after all that pytest prints."""
    for option, target in _targets(run):
        if target == "-":
            sys.stdout.writelines(_text(run, option))


def check_destinations(run: Run) -> None:
    """Raise UsageError, before anything is read, where a document could not be written."""
    targets = _targets(run)
    if run.config.getoption("persona_dry_run") and run.config.getoption("numprocesses", None):
        raise pytest.UsageError(f"{PREFIX}dry-run counts in one process. Leave out -n, or say -n 0.")
    if run.config.getoption("persona_record") is not None:
        _check_record(run)
    baselines.check(run)
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


def _check_record(run: Run) -> None:
    from pytest_persona.engine.recording import check_record

    try:
        check_record(run.settings)
    except PersonaError as error:
        raise pytest.UsageError(str(error)) from None


def _targets(run: Run) -> list[tuple[str, str]]:
    given = run.config.getoption("persona_json"), run.config.getoption("persona_rows")
    wanted = zip(("json", "rows"), given, strict=True)
    return [(option, target) for option, target in wanted if target is not None]


def _records(run: Run) -> list[Mapping[str, Any]]:
    """In an order that does not depend on which process finished first."""

    def place(record: Mapping[str, Any]) -> tuple[str, ...]:
        made = record.get("profile") or record["inoculation"]
        return made["name"], made["signal"]["path"], made["signal"]["sha256"], record["key"]

    return sorted(run.received.values(), key=place)


def _profiles(run: Run) -> Iterator[Profile]:
    profiles = _documents(run, "profile")
    if profiles:
        from pytest_persona.load.profiles import profile_from

        yield from (profile_from(profile, ours=True) for profile in profiles)


def _inoculations(run: Run) -> Iterator[Inoculation]:
    found = _documents(run, "inoculation")
    if found:
        from pytest_persona.load.inoculations import inoculation_from

        yield from map(inoculation_from, found)


def _documents(run: Run, kind: str) -> list[Mapping[str, Any]]:
    return [record[kind] for record in _records(run) if kind in record]


def _text(run: Run, option: str) -> Iterable[str]:
    """The document that an option asks for: of one profile or experiment itself, of another number lists of them."""
    from pytest_persona.report.documents import json_lines, json_text

    if option == "rows":
        return json_lines(row for record in _records(run) for row in record["rows"])
    profiles, inoculations = _documents(run, "profile"), _documents(run, "inoculation")
    if len(profiles) + len(inoculations) == 1:
        return [json_text((profiles or inoculations)[0])]
    several = {"schema": _SEVERAL, "profiles": profiles}
    return [json_text({**several, "inoculations": inoculations} if inoculations else several)]
