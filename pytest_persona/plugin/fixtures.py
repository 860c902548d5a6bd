"""The fixtures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from pytest_persona.errors import InputError
from pytest_persona.plugin.gate import declare
from pytest_persona.plugin.session import run_of

if TYPE_CHECKING:
    from pytest_persona.model.findings import Profile

__all__ = ["AuditSignal", "_persona_marked", "persona", "persona_audit"]


class AuditSignal(Protocol):
    """What the fixture ``persona_audit`` is."""

    def __call__(
        self,
        signal: Any,
        *,
        traits: Sequence[str] = (),
        at_most: Mapping[str, float] | None = None,
        at_least: Mapping[str, float] | None = None,
    ) -> Profile:
        """The profile of a signal: a path, a list of rows, or the name of a fixture. Raises PersonaError."""


@pytest.fixture
def _persona_marked(request: pytest.FixtureRequest) -> tuple[Profile, ...]:
    """The profiles that the closest marker asks for, made before the test's body; none where there is no marker."""
    mark = request.node.get_closest_marker("persona")
    if mark is None:
        return ()
    from pytest_persona.plugin.order import Order

    orders = Order(request=request, where="persona marker").of_mark(mark)
    profiles = tuple(run_of(request.config).audit(order, request.node) for order in orders)
    for profile in profiles:
        declare(request.node, profile, profile.findings, gate=True)
    return profiles


@pytest.fixture
def persona(_persona_marked: tuple[Profile, ...], request: pytest.FixtureRequest) -> Profile:
    """The profile of the signal that the test's ``persona`` marker names: a read-only mapping from trait to finding.

    It is made before the body runs, so that it works in async tests too. The marker's bounds fail the test by themselves.
    """
    if len(_persona_marked) == 1:
        return _persona_marked[0]
    path, line, _ = request.node.location
    problem, remedy = (
        ("the suite names several signals", "Use the fixture persona_audit for each of them, or one suite a signal")
        if _persona_marked
        else (
            "the test has no persona marker",
            'Add one: @pytest.mark.persona("data/preferences.jsonl", at_most={"sycophancy": 0.1})',
        )
    )
    raise InputError(problem, remedy=remedy, path=path, line=(line or 0) + 1, field="fixture persona")


@pytest.fixture
def persona_audit(request: pytest.FixtureRequest) -> AuditSignal:
    """Audits signals that are known only inside a test: ``persona_audit(signal, traits=…, at_most=…, at_least=…) -> Profile``.

    A signal is a path, a list of rows, or the name of a fixture. Bounds set each finding's status; the test decides what
    follows from it. Raises PersonaError for anything that the user can mend.
    """

    def audit(
        signal: Any,
        *,
        traits: Sequence[str] = (),
        at_most: Mapping[str, float] | None = None,
        at_least: Mapping[str, float] | None = None,
    ) -> Profile:
        from pytest_persona.plugin.order import Order

        order = Order(request=request, where="persona_audit")
        spec = order.of_signal(signal, traits=traits, at_most=at_most, at_least=at_least)
        profile = run_of(request.config).audit(spec, request.node)
        declare(request.node, profile, profile.findings, gate=False)
        return profile

    return audit
