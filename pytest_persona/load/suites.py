"""Suite files: traits and expectations over signals, and the audits that they stand for."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pytest_persona.errors import SuiteError, TraitError
from pytest_persona.load.documents import Document, read_document
from pytest_persona.load.documents_text import Part
from pytest_persona.load.probes import contexts_of, probes_of, target_of
from pytest_persona.load.schemas.check import check
from pytest_persona.load.traits import TraitLibrary, read_trait, trait_from
from pytest_persona.model.episodes import digest
from pytest_persona.model.suites import AuditSpec, Suite
from pytest_persona.model.traits import Expectation, Trait, bounded

__all__ = ["audits", "library_suites", "read_suite"]

_FOLDER = Path(__file__).parent.parent / "library" / "suites"


def library_suites() -> list[Path]:
    """The files of the built-in suites, sorted."""
    return sorted(_FOLDER.glob("*.persona.yaml"))


def read_suite(path: Path, *, root: Path, shared: bool = False) -> Suite:
    """A ``*.persona.yaml``, ``.json`` or ``.toml`` file, checked; signals are not opened yet.

    Errors name the file relative to ``root`` when it lies there. The paths of a ``shared`` suite, one that came with a
    package, must stay below its own folder or ``root`` after symbolic links are followed.
    Raises SuiteError, or TraitError for a trait that it defines.
    """
    document = read_document(path, SuiteError, root=root)
    check(document, "suite", SuiteError)
    data, folder = document.data, path.parent.absolute()
    borders = [folder.resolve(), root.resolve()] if shared else []
    signals, expect = data.get("signals", []), data.get("expect", {})
    if not signals and "probes" not in data:
        raise document.error(
            SuiteError, (), "neither signals nor probes are there", "Add what is to be read: signals or probes"
        )
    if signals and not expect and "extends" not in data:
        remedy = "Add it: bounds by the name of the trait; {} is the default bound for the trait's unwanted pole"
        raise document.error(SuiteError, (), "'expect' is missing", remedy)
    for index, signal in enumerate(signals):
        _path(document, ("signals", index), signal, folder, borders)
    contexts = contexts_of(document)
    expectations = tuple(_expectation(document, name, bounds) for name, bounds in expect.items())
    traits = data.get("traits", [])
    definitions = (
        tuple(_definition(document, name, folder, borders) for name in traits) if isinstance(traits, dict) else ()
    )
    suite = Suite(
        name=data["name"],
        version=data.get("version", "0"),
        path=document.path,
        folder=folder,
        signals=tuple(signals),
        traits=tuple(dict.fromkeys([*traits, *expect])),
        definitions=definitions,
        expectations=expectations,
        probes=probes_of(document, contexts),
        contexts=contexts,
        target=target_of(document),
        canary=data.get("canary", ""),
    )
    return replace(suite, sha256=_content_hash(suite))


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
            signal=suite.folder / signal,
            signal_name=signal,
            traits=suite.traits,
            expectations=expectations,
            definitions=suite.definitions,
            suite_sha256=suite.sha256,
        )
        for signal in suite.signals
    )


def _expectation(document: Document, name: str, bounds: dict[str, float]) -> Expectation:
    expectation = Expectation(trait=name, **{key: float(bound) for key, bound in bounds.items()})
    most, least = expectation.at_most, expectation.at_least
    if most is not None and least is not None and least >= most:
        problem = f"at_least {least} leaves no room below at_most {most}"
        raise document.error(SuiteError, ("expect", name, "at_least"), problem, "Make at_least the smaller one")
    return expectation


def _definition(document: Document, name: str, folder: Path, borders: list[Path]) -> Trait:
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


def _path(document: Document, part: Part, text: str, folder: Path, borders: list[Path]) -> Path:
    """A path of the suite's; raises SuiteError where it leads out of the borders, if there are any."""
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
        "definitions": sorted((trait.name, trait.sha256) for trait in suite.definitions),
        "expectations": sorted((asdict(e) for e in suite.expectations), key=lambda e: str(e["trait"])),
        "probes": sorted((asdict(p) | {"line": 0} for p in suite.probes), key=lambda p: str(p["id"])),
        "contexts": {name: [asdict(turn) for turn in turns] for name, turns in suite.contexts.items()},
    }
    return digest(json.dumps(content, sort_keys=True))
