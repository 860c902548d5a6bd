"""The probing that a suite stands for: which probes are asked, and what is expected of the replies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pytest_persona.errors import SuiteError, TraitError
from pytest_persona.load.documents import nearest
from pytest_persona.load.traits import TraitLibrary
from pytest_persona.model.suites import AuditSpec, ProbingSpec, Suite
from pytest_persona.model.traits import bounded

__all__ = ["about", "probing"]


def about(suite: Suite, traits: Sequence[str]) -> Suite:
    """A suite that reports these traits of its probes alone, or itself where none is named; raises SuiteError for one without a probe."""
    known = dict.fromkeys(trait for probe in suite.probes for trait in probe.traits)
    for trait in traits:
        if trait not in known:
            remedy = nearest(trait, known)
            raise SuiteError(f"no probe is about the trait {trait!r}", remedy=remedy, path=suite.path, field="probes")
    if not traits:
        return suite
    expectations = tuple(expectation for expectation in suite.expectations if expectation.trait in traits)
    return replace(suite, traits=tuple(dict.fromkeys(traits)), expectations=expectations)


def probing(suite: Suite, default_bound: float, library: TraitLibrary) -> ProbingSpec | None:
    """The probing of a suite; None where it has no probes. An expectation without a bound gets the default one.

    Where the suite names traits, those are reported and their probes alone are asked; else all that a probe is about. ``library``
    knows the traits that the suite does not define. Raises SuiteError for an expectation that no probe or signal can show, and for
    a probe about a trait that nobody offers.
    """
    if not suite.probes:
        return None
    known = library.extended(suite.definitions)
    asked = tuple(dict.fromkeys(trait for probe in suite.probes for trait in probe.traits))
    _check_traits(suite, known)
    for expectation in suite.expectations:
        if expectation.trait not in asked and not suite.signals:
            raise SuiteError(
                "no probe is about this trait",
                remedy="Add probes about it, or take the expectation out",
                path=suite.path,
                field=f"expect.{expectation.trait}",
            )
    traits = tuple(trait for trait in suite.traits if trait in asked) or asked
    expectations = tuple(
        bounded(e, known.get(e.trait), default_bound) if e.is_bare else e
        for e in suite.expectations
        if e.trait in asked
    )
    audit = AuditSpec(
        name=f"{suite.name}: probes" if suite.signals else suite.name,
        signal=(),
        signal_name=suite.path,
        traits=traits,
        expectations=expectations,
        definitions=suite.definitions,
        suite_sha256=suite.sha256,
    )
    return ProbingSpec(
        audit=audit,
        probes=tuple(probe for probe in suite.probes if not set(probe.traits).isdisjoint(traits)),
        contexts=suite.contexts,
        target=suite.target,
    )


def _check_traits(suite: Suite, known: TraitLibrary) -> None:
    names = set(known.names())
    for probe in suite.probes:
        for index, trait in enumerate(probe.traits):
            if trait in names:
                continue
            try:
                known.get(trait)
            except TraitError as error:
                where = f"probes.{probe.id}.traits[{index}]"
                raise SuiteError(
                    error.problem,
                    remedy=error.remedy,
                    path=probe.source or suite.path,
                    line=probe.line or None,
                    field=where,
                ) from None
