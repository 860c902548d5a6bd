"""What a suite has from the suites that it adds to.

Its own words go before those of its parents, name by name, and bounds one by one. Parents that say different things under one name
are refused unless the suite itself says what counts: nothing depends on the order in which they are named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TypeVar

from pytest_persona.errors import SuiteError
from pytest_persona.load.documents import Document
from pytest_persona.load.documents_text import Part
from pytest_persona.model.episodes import Turn
from pytest_persona.model.probes import Probe, TargetSpec
from pytest_persona.model.suites import Suite
from pytest_persona.model.traits import Expectation, Trait

__all__ = ["Heritage"]

K = TypeVar("K")
T = TypeVar("T")
_BETWEEN = "; "
"""Stands between canaries."""
_BOUNDS = tuple(field.name for field in fields(Expectation) if field.name != "trait")


class Heritage:
    """The parents of the suite in ``document``, each with the name that it goes by there; all methods raise SuiteError."""

    def __init__(self, document: Document, parents: Sequence[tuple[Part, str, Suite]]) -> None:
        self._document = document
        self._parents = parents

    @property
    def suites(self) -> tuple[Suite, ...]:
        """The parents in their order."""
        return tuple(suite for _, _, suite in self._parents)

    def contexts(self, own: Mapping[str, tuple[Turn, ...]]) -> Mapping[str, tuple[Turn, ...]]:
        """All contexts by name."""
        return self._with(own, lambda suite: suite.contexts, lambda name: f"the context {name!r}")

    def probes(self, own: Sequence[Probe]) -> tuple[Probe, ...]:
        """All probes; where one is defined does not count."""
        united = self._with(
            {probe.id: probe for probe in own},
            lambda suite: {probe.id: probe for probe in suite.probes},
            lambda name: f"the probe {name!r}",
            lambda probe: replace(probe, line=0, source=""),
        )
        return tuple(united.values())

    def definitions(self, own: Sequence[Trait]) -> tuple[Trait, ...]:
        """All traits that are defined; they count by their content."""
        united = self._with(
            {trait.name: trait for trait in own},
            lambda suite: {trait.name: trait for trait in suite.definitions},
            lambda name: f"the trait {name!r}",
            lambda trait: trait.sha256,
        )
        return tuple(united.values())

    def traits(self, own: Sequence[str]) -> tuple[str, ...]:
        """The names of all traits to report, those of the parents first."""
        return tuple(dict.fromkeys([*(name for suite in self.suites for name in suite.traits), *own]))

    def expectations(self, own: Sequence[Expectation]) -> tuple[Expectation, ...]:
        """The bounds of all, trait by trait and bound by bound."""
        bounds = self._with(
            _bounds(own),
            lambda suite: _bounds(suite.expectations),
            lambda key: f"{key[1]} of {key[0]!r}",
        )
        names = dict.fromkeys(e.trait for e in [*(e for suite in self.suites for e in suite.expectations), *own])
        return tuple(
            Expectation(trait=name, **{bound: bounds[name, bound] for bound in _BOUNDS if (name, bound) in bounds})
            for name in names
        )

    def target(self, own: TargetSpec | None) -> TargetSpec | None:
        """Where the product answers."""
        united = self._with({"": own} if own else {}, _target_of, lambda _: "the target")
        return united.get("")

    def signals(self, own: Sequence[str]) -> Mapping[str, Path]:
        """The signals of the parents and where they are, for a suite that names none; its own take their place."""
        if own:
            return {}
        return self._with(
            {}, lambda suite: {s: suite.place(s) for s in suite.signals}, lambda name: f"the signal {name!r}"
        )

    def canary(self, own: str) -> str:
        """The canaries of all, each once."""
        texts = [own, *(suite.canary for suite in self.suites)]
        return _BETWEEN.join(dict.fromkeys(part for text in texts for part in text.split(_BETWEEN) if part))

    def _with(
        self,
        own: Mapping[K, T],
        of: Callable[[Suite], Mapping[K, T]],
        words: Callable[[K], str],
        essence: Callable[[T], object] = lambda value: value,
    ) -> dict[K, T]:
        found: dict[K, tuple[str, T]] = {}
        for part, name, suite in self._parents:
            for key, value in of(suite).items():
                first, known = found.setdefault(key, (name, value))
                if key not in own and essence(known) != essence(value):
                    problem = f"{first!r} and {name!r} define {words(key)} differently"
                    raise self._document.error(SuiteError, part, problem, "Define it here too, or extend one of them")
        return {key: value for key, (_, value) in found.items()} | dict(own)


def _bounds(expectations: Sequence[Expectation]) -> dict[tuple[str, str], float]:
    values = {(e.trait, bound): getattr(e, bound) for e in expectations for bound in _BOUNDS}
    return {key: value for key, value in values.items() if value is not None}


def _target_of(suite: Suite) -> dict[str, TargetSpec]:
    return {"": suite.target} if suite.target else {}
