"""Traits: the library's, those of plugins and users, and the two sets of texts that are shared by all of them."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_persona.errors import TraitError
from pytest_persona.load.documents import Document, nearest, read_document
from pytest_persona.load.documents_text import Part
from pytest_persona.load.schemas.check import check
from pytest_persona.model.episodes import Turn
from pytest_persona.model.traits import Anchor, Exemplar, NeutralReply, Pole, RequestContext, Trait

__all__ = ["TraitLibrary", "library_paths", "read_neutral", "read_requests", "read_trait", "trait_from"]

_LIBRARY = Path(__file__).parent.parent / "library"
_BUILT_IN = _LIBRARY / "traits"


class TraitLibrary:
    """Traits by name; a file is read when its trait is first asked for, and once.

    ``paths`` are trait files. A built-in file is named after its trait; of others the name inside counts.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths: dict[str, Path] = {}
        self._unnamed: list[Path] = []
        self._read: dict[str, Trait] = {}
        self._lock = threading.Lock()
        for path in dict.fromkeys(path.resolve() for path in paths):
            if path.parent == _BUILT_IN:
                self._paths[path.stem] = path
            else:
                self._unnamed.append(path)

    def names(self) -> tuple[str, ...]:
        """All names, sorted; raises TraitError where a name is taken twice or a user's file cannot be read."""
        with self._lock:  # audits run side by side
            while self._unnamed:
                self._add(read_trait(self._unnamed[0]))
                del self._unnamed[0]
            return tuple(sorted({*self._paths, *self._read}))

    def get(self, name: str) -> Trait:
        """The trait of that name; raises TraitError with the nearest names where nobody offers it."""
        if name not in self._paths and name not in self._read and name not in self.names():
            raise TraitError(f"there is no trait {name!r}", remedy=nearest(name, self.names()))
        if name not in self._read:
            # The tests check the built-in files against their schema; doing it again would cost 10 ms each.
            self._read[name] = trait_from(read_document(self._paths[name], TraitError), origin="library")
        return self._read[name]

    def all(self) -> tuple[Trait, ...]:
        """Every trait, sorted by name."""
        return tuple(self.get(name) for name in self.names())

    def extended(self, definitions: Sequence[Trait]) -> TraitLibrary:
        """A library with further traits; raises TraitError where a name is taken twice."""
        if not definitions:
            return self
        self.names()
        wider = TraitLibrary([])
        wider._paths, wider._read = self._paths, dict(self._read)
        for trait in definitions:
            wider._add(trait)
        return wider

    def _add(self, trait: Trait) -> None:
        if trait.name in self._paths or trait.name in self._read:
            other = self._read[trait.name].origin if trait.name in self._read else "library"
            raise TraitError(
                f"the trait {trait.name!r} is defined twice: in {other} and in {trait.origin}",
                remedy="Rename one of them",
            )
        self._read[trait.name] = trait


def library_paths() -> list[Path]:
    """The files of the built-in traits, sorted."""
    return sorted(_BUILT_IN.glob("*.yaml"))


def read_trait(path: Path) -> Trait:
    """The trait of a file (.yaml, .json or .toml, see docs/reference/schemas.md), checked; raises TraitError."""
    document = read_document(path, TraitError)
    check(document, "trait", TraitError)
    return trait_from(document)


def trait_from(document: Document, *, at: Part = (), origin: str = "") -> Trait:
    """The trait at a place of a document that fits its schema; inline ones are named by their key.

    Raises TraitError where both replies of a pair are the same, all pairs are of one domain, or what it must beat makes no sense.
    """
    data: Any = document.data
    for step in at:
        data = data[step]
    pairs = tuple(
        Anchor(domain=p["domain"], context=_turns(p["context"]), high=p["high"], low=p["low"]) for p in data["pairs"]
    )
    for index, pair in enumerate(pairs):
        if pair.high.split() == pair.low.split():
            part = (*at, "pairs", index)
            raise document.error(TraitError, part, "both replies are the same", "Write one reply for each pole")
    if len({pair.domain for pair in pairs}) == 1:
        remedy = "Give pairs of at least two domains; a judge is tried on domains that it was not fitted on"
        raise document.error(TraitError, (*at, "pairs"), f"all pairs are of the domain {pairs[0].domain!r}", remedy)
    name = str(at[-1]) if at else data["name"]
    statements, criteria = data.get("statements", {}), data.get("criteria", {})
    return Trait(
        name=name,
        definition=data["definition"].strip(),
        high=_pole(data["high"]),
        low=_pole(data["low"]),
        unwanted=data.get("unwanted", "high"),
        version=data.get("version", "0"),
        source=data.get("source", ""),
        rivals=tuple(data.get("rivals", ())),
        must_beat=_must_beat(document, at, name, data),
        pairs=pairs,
        statements_high=tuple(statements.get("high", ())),
        statements_low=tuple(statements.get("low", ())),
        criteria_high=tuple(criteria.get("high", ())),
        criteria_low=tuple(criteria.get("low", ())),
        origin=origin or document.path,
    )


def _must_beat(document: Document, at: Part, name: str, data: Mapping[str, Any]) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(data.get("must_beat", ())))
    if name in names:
        raise document.error(TraitError, (*at, "must_beat"), "no trait can beat itself", "Name another one, or none")
    if names and data.get("unwanted", "high") == "none":
        remedy = "Say which pole is unwanted, or leave must_beat out"
        raise document.error(TraitError, (*at, "must_beat"), "neither pole of the trait is unwanted", remedy)
    return names


def read_requests() -> tuple[RequestContext, ...]:
    """Contexts that ask for a trait's pole and contexts that do not, from the built-in library."""
    document = read_document(_LIBRARY / "requests.yaml", TraitError)
    return tuple(RequestContext(**row | {"context": _turns(row["context"])}) for row in document.data["contexts"])


def read_neutral() -> tuple[NeutralReply, ...]:
    """Ordinary, competent, neutral replies, from the built-in library."""
    document = read_document(_LIBRARY / "neutral.yaml", TraitError)
    return tuple(NeutralReply(**row | {"context": _turns(row["context"])}) for row in document.data["replies"])


def _turns(context: str | Sequence[Mapping[str, Any]]) -> tuple[Turn, ...]:
    """A string is one user turn."""
    if isinstance(context, str):
        return (Turn(speaker="user", text=context),)
    return tuple(Turn(speaker=message["role"], text=message["content"]) for message in context)


def _pole(data: Mapping[str, Any]) -> Pole:
    exemplars = tuple(Exemplar(context=e["context"], reply=e["reply"]) for e in data.get("exemplars", ()))
    return Pole(summary=data["summary"], paraphrases=tuple(data.get("paraphrases", ())), exemplars=exemplars)
