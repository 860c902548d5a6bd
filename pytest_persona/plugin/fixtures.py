"""The fixtures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from pytest_persona.errors import InputError
from pytest_persona.plugin.gate import declare, declare_inoculation
from pytest_persona.plugin.session import run_of

if TYPE_CHECKING:
    from pytest_persona.model.findings import Profile
    from pytest_persona.model.inoculation import Inoculation
    from pytest_persona.model.portrait import Portrait

__all__ = [
    "AuditSignal", "InoculateSignal", "PortraySignal", "ProbeProduct", "_persona_marked", "persona", "persona_audit",
    "persona_inoculate", "persona_portrait", "persona_probe", "persona_target",
]  # fmt: skip


class AuditSignal(Protocol):
    """What the fixture ``persona_audit`` is."""

    def __call__(
        self,
        signal: Any,
        *,
        traits: Sequence[str] = (),
        at_most: Mapping[str, float] | None = None,
        at_least: Mapping[str, float] | None = None,
        drift_at_most: Mapping[str, float] | None = None,
    ) -> Profile:
        """The profile of a signal: a path, a list of rows, or the name of a fixture. Raises PersonaError."""


class InoculateSignal(Protocol):
    """What the fixture ``persona_inoculate`` is."""

    def __call__(
        self,
        signal: Any,
        *,
        request: Any,
        traits: Sequence[str] = (),
        place: str = "user",
        effect_at_least: float = 0.0,
        leak_at_most: float = 0.10,
        opposite: Any = (),
        lookalikes: Any = (),
    ) -> Inoculation:
        """What a request explains away in a signal: a path, a list of rows, or the name of a fixture. Raises PersonaError."""


class PortraySignal(Protocol):
    """What the fixture ``persona_portrait`` is."""

    def __call__(
        self, signal: Any, *, characters: Sequence[Any] = (), samples: int = 5, sample_size: int = 30
    ) -> Portrait:
        """Which character a signal reads most like: a path, a list of rows, or the name of a fixture. Raises PersonaError."""


class ProbeProduct(Protocol):
    """What the fixture ``persona_probe`` is."""

    def __call__(self, suite: Any, *, target: Any = None, traits: Sequence[str] = ()) -> Profile:
        """The profile of a product's replies to a suite's probes. Raises PersonaError."""


@pytest.fixture
def _persona_marked(request: pytest.FixtureRequest) -> tuple[Profile, ...]:
    """The profiles that the closest marker or an item of a suite asks for, made before the test's body; none without either.

    The experiment of a marker with ``inoculated_by`` is made too, and has no profile.
    """
    mark = request.node.get_closest_marker("persona")
    if mark is None:
        return ()
    from pytest_persona.model.inoculation import InoculationSpec
    from pytest_persona.model.suites import ProbingSpec
    from pytest_persona.plugin.collect import ProbeItem
    from pytest_persona.plugin.order import MARKER, Order

    run, item, profiles = run_of(request.config), request.node, []
    if isinstance(item, ProbeItem):
        profile = run.probe(item.spec, partial(_target, request), item)
        declare(item, profile, [profile[item.trait]], gate=True)
        return (profile,)
    for spec in Order.of_request(request, MARKER).of_mark(mark):
        if isinstance(spec, InoculationSpec):
            declare_inoculation(item, run.inoculate(spec, item), gate=True)
            continue
        if isinstance(spec, ProbingSpec):
            profiles.append(run.probe(spec, partial(_target, request), item))
        else:
            profiles.append(run.audit(spec, item))
        declare(item, profiles[-1], profiles[-1].findings, gate=True)
    return tuple(profiles)


def _target(request: pytest.FixtureRequest) -> object:
    return request.getfixturevalue("persona_target")


@pytest.fixture
def persona(_persona_marked: tuple[Profile, ...], request: pytest.FixtureRequest) -> Profile:
    """The profile of the signal that the test's ``persona`` marker names: a read-only mapping from trait to finding.

    It is made before the body runs, so that it works in async tests too. The marker's bounds fail the test by themselves.
    """
    if len(_persona_marked) == 1:
        return _persona_marked[0]
    path, line, _ = request.node.location
    if _persona_marked:
        problem = "the suite names several signals, or signals and probes"
        remedy = "Use the fixtures persona_audit and persona_probe for each of them, or one suite each"
    elif request.node.get_closest_marker("persona") is not None:
        problem = "the marker is that of an experiment, which has no profile"
        remedy = "Use the fixture persona_inoculate for what it found, or persona_audit for a profile"
    else:
        problem = "the test has no persona marker"
        remedy = 'Add one: @pytest.mark.persona("data/preferences.jsonl", at_most={"sycophancy": 0.1})'
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
        drift_at_most: Mapping[str, float] | None = None,
    ) -> Profile:
        from pytest_persona.plugin.order import Order

        bounds = {"at_most": at_most, "at_least": at_least, "drift_at_most": drift_at_most}
        spec = Order.of_request(request, "persona_audit").of_signal(signal, traits=traits, **bounds)
        profile = run_of(request.config).audit(spec, request.node)
        declare(request.node, profile, profile.findings, gate=False)
        return profile

    return audit


@pytest.fixture
def persona_inoculate(request: pytest.FixtureRequest) -> InoculateSignal:
    """Says what a request explains away in a signal: ``persona_inoculate(signal, request=…, traits=…) -> Inoculation``.

    The same replies are read as they are, with the request, with an irrelevant text of its length, with the opposite request and
    with what only looks like it. ``request`` is a text, a list of them, or a file with one a line. The test decides what follows
    from the findings. Raises PersonaError for anything that the user can mend.
    """

    def inoculate(signal: Any, **experiment: Any) -> Inoculation:
        from pytest_persona.plugin.order import Order

        spec = Order.of_request(request, "persona_inoculate").of_request_to(signal, **experiment)
        found = run_of(request.config).inoculate(spec, request.node)
        declare_inoculation(request.node, found, gate=False)
        return found

    return inoculate


@pytest.fixture
def persona_portrait(request: pytest.FixtureRequest) -> PortraySignal:
    """Says which character a signal reads most like: ``persona_portrait(signal, characters=…, samples=…) -> Portrait``.

    ``characters`` are names of the library and paths of files; none stands for the whole library. Nothing is gated, and nothing is
    printed: the test decides what follows from the portrait. Raises PersonaError for anything that the user can mend.
    """

    def portray(signal: Any, **wanted: Any) -> Portrait:
        from pytest_persona.plugin.order import Order

        spec = Order.of_request(request, "persona_portrait").of_portrait(signal, **wanted)
        return run_of(request.config).engine.portrait(spec)

    return portray


@pytest.fixture(scope="session")
def persona_target() -> object:
    """The product that probes are put to. Override it to return yours: a callable, plain or async, that takes a text or messages.

    As it is it returns None: then ``--persona-target`` names the product, else the suite does.
    """
    return None


@pytest.fixture
def persona_probe(request: pytest.FixtureRequest) -> ProbeProduct:
    """Puts a suite's probes to the product: ``persona_probe(suite, target=…, traits=…) -> Profile``.

    ``suite`` is a path or the name of a shared one. ``target`` goes before the fixture ``persona_target``; ``traits`` leaves out the
    probes that are about none of them. Bounds are the suite's and set each finding's status; the test decides what follows from it.
    Raises PersonaError for anything that the user can mend.
    """

    def probe(suite: Any, *, target: Any = None, traits: Sequence[str] = ()) -> Profile:
        from pytest_persona.plugin.order import Order

        spec = Order.of_request(request, "persona_probe").of_probes(suite, traits=traits)
        profile = run_of(request.config).probe(spec, partial(_target, request), request.node, target=target)
        declare(request.node, profile, profile.findings, gate=False)
        return profile

    return probe
