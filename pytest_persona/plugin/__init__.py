"""The pytest plugin ``persona``: every hook in one place, each handing over at once.

Loaded in every pytest run of an environment that has the package: nothing here or below imports more than the standard
library and pytest before a run asks for an audit.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_persona import hookspecs
from pytest_persona.plugin import ahead, gate, marker, options, transport
from pytest_persona.plugin.fixtures import (
    _persona_marked,
    persona,
    persona_audit,
    persona_inoculate,
    persona_portrait,
    persona_probe,
    persona_target,
)
from pytest_persona.plugin.gate import PersonaWarning
from pytest_persona.plugin.session import ItemState, Run, run_of, start

if TYPE_CHECKING:
    from pytest_persona.plugin.collect import SuiteFile

__all__ = [
    "PersonaWarning", "_persona_marked", "persona", "persona_audit", "persona_inoculate", "persona_portrait", "persona_probe",
    "persona_target",
]  # fmt: skip

_SUITES = (".persona.yaml", ".persona.yml", ".persona.json", ".persona.toml")


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare our hooks, so that pytest refuses misspelt ones."""
    pluginmanager.add_hookspecs(hookspecs)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--persona-*`` and ``persona_*``."""
    options.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Read the options and declare the marker."""
    config.addinivalue_line("markers", marker.SIGNATURE)
    run = start(config)
    if not run.is_worker:
        transport.check_destinations(run)
        config.pluginmanager.register(transport.Receiver(run), "persona-receiver")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: object) -> None:
    """Tell a worker of pytest-xdist which run it belongs to."""
    run = run_of(node.config)  # type: ignore[attr-defined]
    node.workerinput["persona_run"] = run.open_folder()  # type: ignore[attr-defined]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> SuiteFile | None:
    """Collect suite files."""
    if not file_path.name.endswith(_SUITES):
        return None
    from pytest_persona.plugin.collect import SuiteFile

    return SuiteFile.from_parent(parent, path=file_path)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let tests that carry the marker be audited before their body, whether they use the fixture or not."""
    for item in items:
        marker.prepare(item)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Begin what the collected tests will need of a judge over a network."""
    ahead.begin(run_of(session.config), session.items)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Count instead of running tests, where that is what the user wants."""
    if not session.config.getoption("persona_dry_run"):
        return None
    return transport.print_outlook(run_of(session.config), session.items)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Forget what an item found when it ran before, for plugins that run tests again."""
    item.stash[ItemState.key] = ItemState()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Apply the declared bounds once the body has passed."""
    result = yield
    gate.settle(item)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Put audits on the report, and words where a traceback would not help."""
    report = yield
    gate.explain(item, call, report)
    transport.attach(item, report)
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """End what is still being asked, show each profile to the hooks, and write the documents."""
    run = run_of(session.config)
    # The tests of another worker may need what this one has begun ahead of them.
    run.rest(patiently=run.is_worker and not (session.shouldstop or session.shouldfail))
    if not run.is_worker:
        transport.write_record(session, run)
        transport.publish(session, run)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print one section for each profile."""
    transport.print_sections(terminalreporter, run_of(config))


def pytest_unconfigure(config: pytest.Config) -> None:
    """Write what goes to standard output, and leave nothing behind."""
    run: Run | None = config.stash.get(Run.key, None)
    if run is not None:
        transport.print_documents(run)
        run.close()
