"""Audits that collected tests declare, known before the first of them runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pytest

from pytest_persona.errors import PersonaError
from pytest_persona.plugin.options import PREFIX
from pytest_persona.plugin.session import Run

if TYPE_CHECKING:
    from pytest_persona.model.inoculation import InoculationSpec
    from pytest_persona.model.suites import AuditSpec, ProbingSpec

__all__ = ["begin", "dry_run"]

_MAY_NOT_RUN = ("skip", "skipif", "xfail")
_MAKE = frozenset(("persona_audit", "persona_inoculate", "persona_portrait", "persona_probe"))
"""Fixtures with which a test makes audits of its own."""


def begin(run: Run, items: Sequence[pytest.Item]) -> None:
    """Begin the audits that ``items`` declare, where the judge waits for a network; tests then wait for their own alone.

    Tests that may be skipped are left alone: their questions would cost money for nothing. So are probings: a product may be a
    fixture's, which only a running test has.
    """
    from pytest_persona.model.suites import ProbingSpec

    marked = [item for item in items if item.get_closest_marker("persona") is not None]
    if not marked or run.config.option.collectonly or run.settings.dry_run:
        return
    sure = [item for item in marked if not any(mark.name in _MAY_NOT_RUN for mark in item.iter_markers())]
    try:
        if run.engine.judge.info.network:
            declared = [spec for item in sure for spec in _declared(item) or ()]
            run.begin([spec for spec in declared if not isinstance(spec, ProbingSpec)])
    except PersonaError:
        pass  # the tests that need the judge say so


def dry_run(run: Run, items: Sequence[pytest.Item]) -> Iterator[str]:
    """The lines that say what the audits of ``items`` would cost; raises UsageError where that cannot be known."""
    from pytest_persona.engine.outlook import outlooks
    from pytest_persona.plugin.shared import key_of
    from pytest_persona.report.outlook import outlook_lines

    specs: dict[str, AuditSpec | InoculationSpec | ProbingSpec] = {}
    unknown = 0
    for item in items:
        declared = _declared(item)
        unknown += declared is None or not _MAKE.isdisjoint(getattr(item, "fixturenames", ()))
        specs.update((key_of(spec), spec) for spec in declared or ())
    try:
        found = list(outlooks(run.engine, list(specs.values())))
        judge = run.engine.judge
        yield from outlook_lines(
            found, network=judge.info.network, unknown=unknown, basis=getattr(judge, "estimates_rest_on", "")
        )
    except PersonaError as error:
        raise pytest.UsageError(f"{PREFIX}dry-run: {error}") from None


def _declared(item: pytest.Item) -> list[AuditSpec | InoculationSpec | ProbingSpec] | None:
    """The audits that an item declares; None where it takes a fixture to know them. What cannot be used is said when it runs."""
    from pytest_persona.plugin.collect import ExpectationItem, ProbeItem
    from pytest_persona.plugin.order import Order

    if isinstance(item, ExpectationItem | ProbeItem):
        return [item.spec]
    mark = item.get_closest_marker("persona")
    if mark is None:
        return []
    try:
        return list(Order.ahead(item).of_mark(mark))
    except LookupError:
        return None
    except PersonaError:
        return []
