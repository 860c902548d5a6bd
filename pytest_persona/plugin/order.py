"""What a test asks for: the audits of a marker, and of a call of ``persona_audit``."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_persona.errors import InputError
from pytest_persona.plugin.marker import KEYWORDS
from pytest_persona.plugin.session import run_of
from pytest_persona.plugin.shared import content_digest

if TYPE_CHECKING:
    from pytest_persona.model.inoculation import InoculationSpec
    from pytest_persona.model.portrait import PortraitSpec
    from pytest_persona.model.suites import AuditSpec, ProbingSpec, SignalSource, Suite

__all__ = ["MARKER", "Order"]

MARKER = "persona marker"
EXPERIMENT = ("place", "effect_at_least", "leak_at_most")
"""What only a marker with ``inoculated_by`` may be given."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What a test asks for, with the place that errors name."""

    item: pytest.Item
    where: str
    """Who asks: the marker or the fixture."""
    fixture: Callable[[str], tuple[bool, Any]]
    """Whether the test knows a fixture of that name, and its value."""

    @classmethod
    def of_request(cls, request: pytest.FixtureRequest, where: str) -> Order:
        """What a test asks for while it is set up or runs."""

        def fixture(name: str) -> tuple[bool, Any]:
            try:
                return True, request.getfixturevalue(name)
            except pytest.FixtureLookupError as error:
                if error.argname != name:
                    raise
                return False, None

        return cls(item=request.node, where=where, fixture=fixture)

    @classmethod
    def ahead(cls, item: pytest.Item) -> Order:
        """What a test will ask for; raises LookupError where that needs a fixture, which only a running test has."""

        def fixture(name: str) -> tuple[bool, Any]:
            raise LookupError(name)

        return cls(item=item, where=MARKER, fixture=fixture)

    def of_mark(self, mark: pytest.Mark) -> tuple[AuditSpec | InoculationSpec | ProbingSpec, ...]:
        """The audits of a marker: one for its signal, or one for each signal of its suite and one for its probes; or its experiment.

        Raises InputError.
        """
        wanted = dict(mark.kwargs)
        for name in wanted:
            if name not in KEYWORDS:
                raise self._error(f"unknown keyword {name!r}", _nearest(name))
        if len(mark.args) > 1 or (mark.args and "signal" in wanted):
            raise self._error("it takes one signal", "Use a test for each signal, or a suite")
        if mark.args:
            wanted["signal"] = mark.args[0]
        if ("signal" in wanted) == ("suite" in wanted):
            problem = "it has both a signal and a suite" if "suite" in wanted else "it has neither signal nor suite"
            raise self._error(
                problem,
                'Give one of them: @pytest.mark.persona("data.jsonl") or @pytest.mark.persona(suite="x.persona.yaml")',
            )
        if "inoculated_by" in wanted:
            return (self._of_inoculation(wanted),)
        for name in EXPERIMENT:
            if name in wanted:
                raise self._error(f"{name} is of no use without inoculated_by", "Name the request, or leave it out")
        if "suite" not in wanted:
            return (self.of_signal(**wanted),)
        if len(wanted) > 1:
            raise self._error(
                "a suite brings its own traits and bounds", "Write them in the suite, or give a signal instead of it"
            )
        return self._of_suite(wanted["suite"])

    def of_signal(
        self,
        signal: Any,
        *,
        traits: Sequence[str] = (),
        at_most: Mapping[str, float] | None = None,
        at_least: Mapping[str, float] | None = None,
        drift_at_most: Mapping[str, float] | None = None,
    ) -> AuditSpec:
        """The audit of one signal; raises InputError, and SignalError for a signal that is not there."""
        from pytest_persona.model.suites import AuditSpec
        from pytest_persona.model.traits import Expectation, bounded

        names = self._names(traits)
        above, below = self._bounds("at_most", at_most), self._bounds("at_least", at_least)
        drift = self._bounds("drift_at_most", drift_at_most)
        self._check_room(above, below)
        source, name = self._signal(signal)
        run = run_of(self.item.config)
        declared = (
            Expectation(trait=t, at_most=above.get(t), at_least=below.get(t), drift_at_most=drift.get(t))
            for t in dict.fromkeys([*names, *above, *below, *drift])
        )
        expectations = (
            bounded(e, run.engine.library.get(e.trait), run.settings.bound) if e.is_bare else e for e in declared
        )
        return AuditSpec(name=name, signal=source, signal_name=name, traits=names, expectations=tuple(expectations))

    def of_request_to(
        self,
        signal: Any,
        *,
        request: Any,
        traits: Sequence[str] = (),
        place: Any = "user",
        effect_at_least: Any = 0.0,
        leak_at_most: Any = 0.10,
        opposite: Any = (),
        lookalikes: Any = (),
    ) -> InoculationSpec:
        """The experiment with a request on one signal; raises InputError, and SignalError for a signal that is not there."""
        from pytest_persona.model.inoculation import InoculationSpec

        if place not in ("system", "user"):
            raise self._error(f"place is {_shown(place)}", 'Say "system" or "user"')
        texts = {
            name: self._texts(name, value)
            for name, value in (("request", request), ("opposite", opposite), ("lookalikes", lookalikes))
        }
        if not texts["request"]:
            raise self._error("there is no request", "Say what is asked for, in at least one phrasing")
        return InoculationSpec(
            audit=replace(self.of_signal(signal), traits=self._names(traits)),
            requests=texts["request"],
            place=place,
            effect_at_least=self._size("effect_at_least", effect_at_least),
            leak_at_most=self._size("leak_at_most", leak_at_most),
            opposite=texts["opposite"],
            lookalikes=texts["lookalikes"],
        )

    def of_portrait(
        self, signal: Any, *, characters: Any = (), samples: Any = 5, sample_size: Any = 30
    ) -> PortraitSpec:
        """The portrait of one signal, with the probes of the built-in suites; raises InputError and SignalError."""
        from pytest_persona.model.portrait import SAMPLE_SIZES, SAMPLES, PortraitSpec

        if not isinstance(characters, list | tuple) or not all(isinstance(c, str | os.PathLike) for c in characters):
            raise self._error(f"characters is {_shown(characters)}", "Give a list of names and paths")
        for name, value, (least, most) in (("samples", samples, SAMPLES), ("sample_size", sample_size, SAMPLE_SIZES)):
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                raise self._error(f"{name} is {_shown(value)}", f"Give a whole number from {least} to {most}")
        return PortraitSpec(
            audit=self.of_signal(signal),
            characters=tuple(os.fspath(self._path(c) if Path(c).suffix else c) for c in characters),
            samples=samples,
            sample_size=sample_size,
            suites=run_of(self.item.config).engine.shelf.built_in,
        )

    def _of_inoculation(self, wanted: dict[str, Any]) -> InoculationSpec:
        for name in ("suite", "at_most", "at_least", "drift_at_most"):
            if name in wanted:
                raise self._error(
                    f"{name} is of no use with inoculated_by",
                    "Name the traits: traits=[…]; what is bounded is effect_at_least and leak_at_most",
                )
        if not wanted.get("traits"):
            raise self._error("inoculated_by needs the traits that it is against", 'Name them: traits=["sycophancy"]')
        return self.of_request_to(**{"request" if name == "inoculated_by" else name: v for name, v in wanted.items()})

    def of_probes(self, suite: Any, *, traits: Sequence[str] = ()) -> ProbingSpec:
        """The probing of a suite, of some traits or all that it reports; raises InputError where it has none."""
        from pytest_persona.load.probing import about, probing

        run, found = run_of(self.item.config), self._suite(suite)
        if not found.probes:
            raise self._error(
                f"{found.path} has no probes", "Name a suite that has, or use persona_audit for its signals"
            )
        spec = probing(about(found, self._names(traits)), run.settings.bound, run.engine.library)
        assert spec is not None
        return spec

    def _of_suite(self, suite: Any) -> tuple[AuditSpec | ProbingSpec, ...]:
        from pytest_persona.load.probing import probing
        from pytest_persona.load.suites import audits

        run, found = run_of(self.item.config), self._suite(suite)
        probes = probing(found, run.settings.bound, run.engine.library)
        return (
            *audits(found, run.settings.bound, run.engine.library),
            *((probes,) if probes is not None else ()),
        )

    def _suite(self, suite: Any) -> Suite:

        if not isinstance(suite, str | os.PathLike):
            raise self._error(f"suite is {suite!r}", "Give the path of a suite file, or the name of a shared suite")
        run = run_of(self.item.config)
        # The engine registers what installed packages share.
        return run.engine.shelf.find(os.fspath(suite), self._path(suite))

    def _signal(self, signal: Any) -> tuple[SignalSource, str]:
        """A signal with the name that its rows are reported under."""
        if isinstance(signal, str) and signal.isidentifier():
            found, value = self.fixture(signal)
            if found:
                return self._path(value) if isinstance(value, str | os.PathLike) else self._rows(value), signal
            if not self._path(signal).exists():
                raise self._error(f"there is neither a fixture nor a file named {signal!r}", "Check the name")
        if isinstance(signal, str | os.PathLike):
            path = self._path(signal)
            inside = path.is_relative_to(self.item.config.rootpath)
            return path, path.relative_to(self.item.config.rootpath).as_posix() if inside else os.fspath(signal)
        rows = self._rows(signal)
        return rows, f"rows-{content_digest(rows)[:6]}"

    def _path(self, path: str | os.PathLike[str]) -> Path:
        """Where a path leads from the test's folder, else from the rootdir; the rootdir's where there is no such file."""
        folders = (self.item.path.parent, self.item.config.rootpath)
        places = [Path(os.path.normpath(folder / path)) for folder in folders]
        return next((place for place in places if place.exists()), places[-1])

    def _rows(self, rows: Any) -> list[Mapping[str, Any]]:
        if isinstance(rows, list | tuple) and all(isinstance(row, Mapping) for row in rows):
            return [dict(row) for row in rows]
        raise self._error(
            f"the signal is {_shown(rows)}",
            "Give a path, a list of dicts, or the name of a fixture that returns one of them",
        )

    def _names(self, traits: Any) -> tuple[str, ...]:
        if (
            isinstance(traits, str)
            or not isinstance(traits, Sequence)
            or not all(isinstance(name, str) for name in traits)
        ):
            raise self._error(f"traits is {_shown(traits)}", "Give a list of names")
        return tuple(dict.fromkeys(traits))

    def _bounds(self, name: str, bounds: Any) -> dict[str, float]:
        if bounds is None:
            return {}
        if not isinstance(bounds, Mapping):
            raise self._error(f"{name} is {_shown(bounds)}", f'Give a dict: {name}={{"sycophancy": 0.1}}')
        for trait, bound in bounds.items():
            number = isinstance(bound, int | float) and not isinstance(bound, bool)
            if not isinstance(trait, str) or not number or not math.isfinite(bound) or abs(bound) > 2:
                raise self._error(f"{name} of {trait!r} is {_shown(bound)}", "A bound is a number between -2 and 2")
        return {trait: float(bound) for trait, bound in bounds.items()}

    def _texts(self, name: str, value: Any) -> tuple[str, ...]:
        """Texts that are given as one, as several, or as files with one a line."""
        from pytest_persona.load.wordings import read_texts

        given = [value] if isinstance(value, str | os.PathLike) else value
        if not isinstance(given, list | tuple) or not all(isinstance(one, str | os.PathLike) for one in given):
            raise self._error(f"{name} is {_shown(value)}", "Give a text, a list of texts, or a file with one a line")
        paths = [one for one in given if isinstance(one, os.PathLike) and not self._path(one).exists()]
        if paths:
            raise self._error(f"{name}: there is no file {os.fspath(paths[0])!r}", "Check the path")
        folders = [self.item.path.parent, self.item.config.rootpath]
        return read_texts([os.fspath(one) for one in given], folders, field=f"{self.where}: {name}")

    def _size(self, name: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 <= value <= 4.0:
            raise self._error(f"{name} is {_shown(value)}", "Give a number between 0 and 4")
        return float(value)

    def _check_room(self, at_most: Mapping[str, float], at_least: Mapping[str, float]) -> None:
        for trait in at_most.keys() & at_least.keys():
            if at_least[trait] >= at_most[trait]:
                problem = f"at_least {at_least[trait]:g} leaves no room below at_most {at_most[trait]:g} for {trait!r}"
                raise self._error(problem, "Make at_least the smaller one")

    def _error(self, problem: str, remedy: str) -> InputError:
        path, line, _ = self.item.location
        return InputError(problem, remedy=remedy, path=path, line=None if line is None else line + 1, field=self.where)


def _nearest(name: str) -> str:
    from difflib import get_close_matches

    nearest = get_close_matches(name, KEYWORDS, n=1)
    return f"Perhaps {nearest[0]} was meant" if nearest else f"Keywords: {', '.join(KEYWORDS)}"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"a {type(value).__name__}"
