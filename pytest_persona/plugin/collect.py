"""Suite files as test files: one item for each expectation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_persona.errors import PersonaError
from pytest_persona.plugin.gate import declare
from pytest_persona.plugin.session import run_of

if TYPE_CHECKING:
    from pytest_persona.model.suites import AuditSpec

__all__ = ["ExpectationItem", "SuiteFile"]


class SuiteFile(pytest.File):
    """A suite; collecting it reads no signal."""

    def collect(self) -> Iterator[ExpectationItem]:
        """One item for each expectation and signal; a suite that cannot be read is a collection error without traceback."""
        try:
            specs = self._specs()
        except PersonaError as error:
            raise self.CollectError(str(error)) from None
        for spec in specs:
            for expectation in spec.expectations:
                name = expectation.trait if len(specs) == 1 else f"{expectation.trait}[{spec.signal_name}]"
                yield ExpectationItem.from_parent(self, name=name, spec=spec, trait=expectation.trait)

    def _specs(self) -> tuple[AuditSpec, ...]:
        from pytest_persona.load.suites import audits

        run = run_of(self.config)
        return audits(run.engine.shelf.read(self.path), run.settings.bound, run.engine.library)


class ExpectationItem(pytest.Item):
    """One expectation of a suite on one signal; the audit behind it is that of all the suite's expectations."""

    def __init__(self, *, spec: AuditSpec, trait: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spec = spec
        self.trait = trait
        self.add_marker("persona")

    def setup(self) -> None:
        """Make the audit, or take it from an item that did."""
        profile = run_of(self.config).audit(self.spec, self)
        declare(self, profile, [profile[self.trait]], gate=True)

    def runtest(self) -> None:
        """Nothing of its own: what the finding says is said for all items alike."""

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where failures point to."""
        return self.path, 0, self.name
