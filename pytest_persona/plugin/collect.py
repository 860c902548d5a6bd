"""Suite files as test files: one item for each expectation on each signal, and one for each on the product's replies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_persona.errors import PersonaError
from pytest_persona.plugin.gate import declare
from pytest_persona.plugin.session import run_of

if TYPE_CHECKING:
    from pytest_persona.model.suites import AuditSpec, ProbingSpec

__all__ = ["ExpectationItem", "ProbeItem", "SuiteFile"]


class SuiteFile(pytest.File):
    """A suite; collecting it reads no signal and asks no product."""

    def collect(self) -> Iterator[ExpectationItem | ProbeItem]:
        """One item for each expectation and signal, and for each that probes are about; what they are about stands in their
        names where there is more than one. A suite that cannot be read is a collection error without traceback.
        """
        try:
            specs, probing = self._specs()
        except PersonaError as error:
            raise self.CollectError(str(error)) from None
        alone = len(specs) + (probing is not None) == 1
        for spec in specs:
            for expectation in spec.expectations:
                name = expectation.trait if alone else f"{expectation.trait}[{spec.signal_name}]"
                yield ExpectationItem.from_parent(self, name=name, spec=spec, trait=expectation.trait)
        for expectation in probing.audit.expectations if probing is not None else ():
            name = expectation.trait if alone else f"{expectation.trait}[probes]"
            yield ProbeItem.from_parent(
                self, name=name, callobj=_answers_as_declared, spec=probing, trait=expectation.trait
            )

    def _specs(self) -> tuple[tuple[AuditSpec, ...], ProbingSpec | None]:
        from pytest_persona.load.probing import probing
        from pytest_persona.load.suites import audits

        run = run_of(self.config)
        suite, bound, library = run.engine.shelf.read(self.path), run.settings.bound, run.engine.library
        return audits(suite, bound, library), probing(suite, bound, library)


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


class ProbeItem(pytest.Function):
    """One expectation of a suite on a product's replies; the probing behind it is that of all the suite's expectations.

    A function, as it needs a fixture: ``persona_target``, as a ``conftest.py`` near the suite overrides it.
    """

    def __init__(self, *, spec: ProbingSpec, trait: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.spec = spec
        self.trait = trait
        self.add_marker("persona")

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where failures point to."""
        return self.path, 0, self.name


def _answers_as_declared(_persona_marked: object) -> None:
    """Nothing of its own: the fixture has the product probed, and what the finding says is said for all items alike."""
