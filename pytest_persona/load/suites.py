"""Suites, from files and from packages: traits and expectations over signals and probes, and the audits that they stand for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pytest_persona.errors import SuiteError, TraitError
from pytest_persona.load.documents import Document, nearest, read_document
from pytest_persona.load.documents_text import Part
from pytest_persona.load.essence import essence
from pytest_persona.load.extending import Heritage
from pytest_persona.load.locks import hold_against, read_lock
from pytest_persona.load.probes import contexts_of, probes_of, target_of
from pytest_persona.load.references import ENDINGS, Reference, check_version, reference_of
from pytest_persona.load.schemas.check import check
from pytest_persona.load.traits import TraitLibrary, read_trait, trait_from
from pytest_persona.model.episodes import digest
from pytest_persona.model.locks import Lock
from pytest_persona.model.suites import AuditSpec, Offer, Suite
from pytest_persona.model.traits import Expectation, Trait, bounded

__all__ = ["Shelf", "audits", "read_suite"]

_DEEPEST = 16
"""Suites that add to one another, one below the other."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Visit:
    """The way to a suite that is being read."""

    borders: tuple[Path, ...] = ()
    """Folders that its paths must not lead out of; none where it may name any file."""
    offer: Offer | None = None
    chain: tuple[tuple[Path, str], ...] = ()
    """The suites that are waiting for it, each with the place where it names the next."""


class Shelf:
    """The suites that can be named: files, and those that are shared, held against the lock of the project.

    ``root`` is the project's folder, in which the lock lies; errors name files relative to it. ``offers`` gives the shared
    suites by name when the first reference is met. Without ``pinned`` no lock is looked at, for those who write one.
    """

    def __init__(self, root: Path, offers: Callable[[], Mapping[str, Offer]] = dict, *, pinned: bool = True) -> None:
        self.root = root
        self._find_offers = offers
        self._pinned = pinned
        self._shared: dict[str, Suite] = {}

    @cached_property
    def offers(self) -> Mapping[str, Offer]:
        """The shared suites by name; raises PersonaError where a plugin offers what cannot be used."""
        return self._find_offers()

    @cached_property
    def built_in(self) -> tuple[Suite, ...]:
        """The suites of this package, which alone have bare names; they come with its version and need no lock."""
        return tuple(self.read(offer.path) for name, offer in self.offers.items() if ":" not in name)

    @cached_property
    def lock(self) -> Lock | None:
        """The project's lock; None where there is none. Raises SuiteError for one that cannot be read."""
        return read_lock(self.root)

    def read(self, path: Path, *, shared: bool = False) -> Suite:
        """The suite of a file, with what it has from those that it adds to; raises SuiteError, TraitError.

        The paths of a ``shared`` suite, one that came with a package, must stay below its own folder or ``root`` after
        symbolic links are followed.
        """
        return self._read(path, _Visit(borders=self._borders(path) if shared else ()))

    def find(self, text: str, path: Path | None = None) -> Suite:
        """The suite that a path or a reference names; ``path`` is where a path leads, if not from the working directory."""
        reference = reference_of(text)
        return self.read(path or Path(text).absolute()) if reference is None else self._take(text, reference, _Visit())

    def _borders(self, path: Path) -> tuple[Path, ...]:
        return path.parent.absolute().resolve(), self.root.resolve()

    def _read(self, path: Path, visit: _Visit) -> Suite:
        document = read_document(path, SuiteError, root=self.root)
        check(document, "suite", SuiteError)
        named = document.data.get("extends", [])
        names: list[tuple[Part, str]] = [(("extends", i), name) for i, name in enumerate(named)]
        if isinstance(named, str):
            names = [(("extends",), named)]
        parents = [(part, name, self._parent(document, part, name, path, visit)) for part, name in names]
        return _suite(document, path.parent.absolute(), visit, Heritage(document, parents))

    def _parent(self, document: Document, part: Part, name: str, path: Path, visit: _Visit) -> Suite:
        """A suite that the one in ``document``, the file ``path``, adds to."""
        place = f"{document.path}:{document.line(part)}"
        onward = replace(visit, offer=None, chain=(*visit.chain, (path.resolve(), place)))
        reference = reference_of(name)
        if reference is None:
            parent = _path(document, part, name, path.parent.absolute(), visit.borders)
            if not parent.is_file():
                raise document.error(SuiteError, part, f"{name!r}: there is no such file", "Check the path")
            _refuse_circle(document, part, parent, onward)
            return self._read(parent, onward)
        if reference.name in self.offers:
            _refuse_circle(document, part, self.offers[reference.name].path, onward)
        try:
            return self._take(name, reference, onward)
        except SuiteError as error:
            if error.path != name:
                raise
            raise document.error(SuiteError, part, f"{name}: {error.problem}", error.remedy) from None

    def _take(self, text: str, reference: Reference, visit: _Visit) -> Suite:
        """A shared suite, of a version that is asked for, as the lock has it; errors without a place name ``text``."""
        if reference.name not in self._shared:
            offer = self.offers.get(reference.name)
            if offer is None:
                raise SuiteError("there is no suite of that name", remedy=self._remedy(reference.name), path=text)
            onward = replace(visit, borders=self._borders(offer.path), offer=offer)
            self._shared[reference.name] = self._read(offer.path, onward)
        suite = self._shared[reference.name]
        try:
            check_version(reference, suite.version)
        except SuiteError as error:
            raise SuiteError(error.problem, remedy=error.remedy, path=text) from None
        if self._pinned and self.lock is not None:
            hold_against(self.lock, suite)
        return suite

    def _remedy(self, name: str) -> str:
        """What to do about a name that nobody offers."""
        known = self.lock.suites.get(name) if self._pinned and self.lock is not None else None
        if known is not None and known.package_version:
            return (
                f"The lock has it from {known.package}: python -m pip install {known.package}=={known.package_version}"
            )
        return f"{nearest(name, self.offers)}. The path of a file ends in {', '.join(ENDINGS)}"


def read_suite(path: Path, *, root: Path, shared: bool = False) -> Suite:
    """A ``*.persona.yaml``, ``.json`` or ``.toml`` file, checked; signals are not opened yet.

    It may add to other files; the suites of packages are known to :class:`Shelf` alone. Errors name the file relative to ``root``
    when it lies there. The paths of a ``shared`` suite, one that came with a package, must stay below its own folder or ``root``
    after symbolic links are followed. Raises SuiteError, or TraitError for a trait that it defines.
    """
    return Shelf(root).read(path, shared=shared)


def audits(suite: Suite, default_bound: float, library: TraitLibrary) -> tuple[AuditSpec, ...]:
    """One audit for each signal; an expectation without a bound gets ``default_bound`` at its trait's unwanted pole.

    ``library`` knows the traits that the suite does not define. Raises TraitError where nobody offers such a trait.
    """
    known = library.extended(suite.definitions)
    # Only these traits are looked up: reading one takes time, and the audit itself reports any that are missing.
    expectations = tuple(bounded(e, known.get(e.trait), default_bound) if e.is_bare else e for e in suite.expectations)
    return tuple(
        AuditSpec(
            name=suite.name if len(suite.signals) == 1 else f"{suite.name}: {signal}",
            signal=suite.place(signal),
            signal_name=signal,
            traits=suite.traits,
            expectations=expectations,
            definitions=suite.definitions,
            suite_sha256=suite.sha256,
        )
        for signal in suite.signals
    )


def _shown(document: Document, visit: _Visit) -> str:
    """What profiles and reports call a suite's file: where a package keeps it on this machine is nobody's business."""
    if not visit.borders or not Path(document.path).is_absolute():
        return document.path
    return visit.offer.name if visit.offer is not None else Path(document.path).name


def _suite(document: Document, folder: Path, visit: _Visit, heritage: Heritage) -> Suite:
    """The suite of a checked document, with what it has from its parents."""
    data = document.data
    own_signals, expect = data.get("signals", []), data.get("expect", {})
    for index, signal in enumerate(own_signals):
        _path(document, ("signals", index), signal, folder, visit.borders)
    if "target" in data and visit.borders:  # a call of any function, or any variable sent to any address
        remedy = "Take it out: whom to ask, and with which secrets, is for the project to say"
        raise document.error(SuiteError, ("target",), "a shared suite names a target", remedy)
    contexts = heritage.contexts(contexts_of(document))
    shown = _shown(document, visit)
    probes = heritage.probes(probes_of(replace(document, path=shown), contexts))
    inherited = heritage.signals(own_signals)
    signals = tuple(own_signals or inherited)
    if not signals and not probes:
        raise document.error(
            SuiteError, (), "neither signals nor probes are there", "Add what is to be read: signals or probes"
        )
    expectations = heritage.expectations([_expectation(name, bounds) for name, bounds in expect.items()])
    for expectation in expectations:
        _check_room(document, expectation)
    if signals and not expectations:
        remedy = "Add it: bounds by the name of the trait; {} is the default bound for the trait's unwanted pole"
        raise document.error(SuiteError, (), "'expect' is missing", remedy)
    traits = data.get("traits", [])
    definitions = (
        [_definition(document, name, folder, visit.borders) for name in traits] if isinstance(traits, dict) else []
    )
    suite = Suite(
        name=data["name"],
        version=data.get("version", "0"),
        path=shown,
        folder=folder,
        signals=signals,
        traits=heritage.traits([*traits, *expect]),
        definitions=heritage.definitions(definitions),
        expectations=expectations,
        probes=probes,
        contexts=contexts,
        target=heritage.target(target_of(document)),
        canary=heritage.canary(data.get("canary", "")),
        offer=visit.offer,
        parents=heritage.suites,
        inherited=inherited,
    )
    return replace(suite, sha256=_content_hash(suite))


def _expectation(name: str, bounds: Mapping[str, float]) -> Expectation:
    return Expectation(trait=name, **{key: float(bound) for key, bound in bounds.items()})


def _check_room(document: Document, expectation: Expectation) -> None:
    most, least = expectation.at_most, expectation.at_least
    if most is not None and least is not None and least >= most:
        problem = f"at_least {least} leaves no room below at_most {most}"
        part = ("expect", expectation.trait, "at_least")
        raise document.error(SuiteError, part, problem, "Make at_least the smaller one")


def _refuse_circle(document: Document, part: Part, path: Path, visit: _Visit) -> None:
    """Raise SuiteError where the suite of ``path`` is waiting for the one that names it in ``part``."""
    paths = [waiting for waiting, _ in visit.chain]
    places = [place for _, place in visit.chain]
    if path.resolve() in paths:
        around = places[paths.index(path.resolve()) :]
        problem = f"the suite extends itself: {' -> '.join([*around, around[0].rpartition(':')[0]])}"
        raise document.error(SuiteError, part, problem, "Take one of these lines out")
    if len(paths) > _DEEPEST:
        problem = f"more than {_DEEPEST} suites add to one another, one below the other"
        raise document.error(SuiteError, part, problem, "Put some of them together")


def _definition(document: Document, name: str, folder: Path, borders: Sequence[Path]) -> Trait:
    part: Part = ("traits", name)
    entry: dict[str, Any] = document.data["traits"][name]
    if "file" not in entry:
        return trait_from(document, at=part)
    path = _path(document, (*part, "file"), entry["file"], folder, borders)
    try:
        trait = read_trait(path)
    except TraitError as error:
        if path.is_file():
            raise
        raise document.error(SuiteError, (*part, "file"), f"{entry['file']!r}: {error.problem}", error.remedy) from None
    if trait.name != name:
        problem = f"the trait in {entry['file']!r} is named {trait.name!r}"
        raise document.error(SuiteError, part, problem, "Use that name as the key")
    return trait


def _path(document: Document, part: Part, text: str, folder: Path, borders: Sequence[Path]) -> Path:
    """A path of the suite's own; raises SuiteError where it leads out of the borders, if there are any."""
    if not text.isprintable():
        raise document.error(SuiteError, part, "the path holds control characters", "Write a plain path")
    path = folder / text
    if borders and not any(path.resolve().is_relative_to(border) for border in borders):
        problem = "the path leads out of the suite's folder and of the project"
        raise document.error(SuiteError, part, problem, "A shared suite names files below one of them")
    return path


def _content_hash(suite: Suite) -> str:
    """A hash of what the suite says, whatever its format, comments and folder; definitions count by their content."""
    content = {
        "name": suite.name,
        "version": suite.version,
        "signals": suite.signals,
        "traits": sorted(suite.traits),
        "definitions": sorted(trait.identity for trait in suite.definitions),
        "expectations": sorted((essence(e) for e in suite.expectations), key=lambda e: str(e["trait"])),
        "probes": sorted((essence(p, ("line", "source")) for p in suite.probes), key=lambda p: str(p["id"])),
        "contexts": {name: [essence(turn) for turn in turns] for name, turns in suite.contexts.items()},
    }
    return digest(json.dumps(content, sort_keys=True))
