"""Characters: the library's, and files of the user's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

from pytest_persona.errors import InputError
from pytest_persona.load.documents import Document, nearest, read_document
from pytest_persona.load.schemas.check import check
from pytest_persona.model.personas import Cast, NullCharacter, Persona

__all__ = ["null_path", "persona_paths", "read_cast", "read_nulls", "read_persona", "read_personas"]

_FOLDER = Path(__file__).parent.parent / "library" / "personas"
_NULLS = "nulls.yaml"
_ENDINGS = (".yaml", ".yml", ".json", ".toml")


def persona_paths() -> list[Path]:
    """The files of the built-in characters, sorted; the null characters' is not among them."""
    return sorted(path for path in _FOLDER.glob("*.yaml") if path.name != _NULLS)


def null_path() -> Path:
    """The file of the built-in null characters."""
    return _FOLDER / _NULLS


def read_persona(path: Path) -> Persona:
    """The character of a file (.yaml, .json or .toml), checked; raises InputError with the line and the field."""
    return _persona(_checked(path, "persona"))


def read_personas(paths: Iterable[Path] | None = None) -> tuple[Persona, ...]:
    """The characters of these files (default: the library's), in their order.

    Raises InputError for a file that cannot be read, for a name that is taken twice, and unless just one is the reference.
    """
    personas: dict[str, Persona] = {}
    origins: dict[str, str] = {}
    for path in persona_paths() if paths is None else paths:
        document = _checked(path, "persona")
        persona = _persona(document)
        if persona.name in personas:
            problem = f"the character {persona.name!r} is defined twice: also in {origins[persona.name]}"
            raise document.error(InputError, ("name",), problem, "Rename one of them")
        personas[persona.name], origins[persona.name] = persona, document.path
    references = [name for name, persona in personas.items() if persona.kind == "reference"]
    if len(references) != 1:
        there = ", ".join(f"{name!r}" for name in references) or "none"
        raise InputError(
            f"characters are compared with one of the kind 'reference', and here are {len(references)}: {there}",
            remedy="Give just one character that kind",
        )
    return tuple(personas.values())


def read_nulls(path: Path | None = None) -> tuple[NullCharacter, ...]:
    """The null characters of a file (default: the library's), checked; raises InputError, also for a name that is taken twice."""
    document = _checked(path or null_path(), "nulls")
    nulls: dict[str, NullCharacter] = {}
    for index, row in enumerate(document.data["characters"]):
        if row["name"] in nulls:
            part = ("characters", index, "name")
            raise document.error(InputError, part, f"{row['name']!r} is there twice", "Rename one of them")
        nulls[row["name"]] = NullCharacter(name=row["name"], paraphrases=tuple(row["paraphrases"]))
    return tuple(nulls.values())


def read_cast(chosen: Sequence[str] = (), *, root: Path = Path()) -> Cast:
    """The characters of a portrait: those of the library that are named and those of files, beside the reference; default: all.

    What ends like a file is one, relative to ``root``; a file of the kind 'reference' takes the place of the library's. Raises
    InputError for a name that the library does not have, and as :func:`read_personas`.
    """
    if not chosen:
        return _library()
    library = {persona.name: persona for persona in _library().characters}
    named: list[Persona] = []
    for name in dict.fromkeys(chosen):
        if Path(name).suffix.lower() in _ENDINGS:
            named.append(read_persona(root / name))
        elif name in library:
            named.append(library[name])
        else:
            raise InputError(f"there is no character {name!r}", remedy=nearest(name, sorted(library)))
    if not any(persona.kind == "reference" for persona in named):
        named.append(_library().reference)
    return _cast(named)


@cache
def _library() -> Cast:
    """To read twenty files takes a while."""
    return _cast(read_personas())


def _cast(characters: Sequence[Persona]) -> Cast:
    """Raises InputError for characters that cannot be compared."""
    nulls = read_nulls()
    names = [character.name for character in characters]
    references = [character.name for character in characters if character.kind == "reference"]
    if len(references) > 1:
        raise InputError(
            f"{' and '.join(map(repr, references))} are both of the kind 'reference'", remedy="Name one of them"
        )
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"the character {twice!r} is there twice", remedy="Rename yours")
    if len(names) < 2:
        raise InputError(
            f"there is nobody to compare with {names[0]!r}", remedy="Name another character, or none at all"
        )
    if taken := {null.name for null in nulls} & set(names):
        raise InputError(f"the name {min(taken)!r} is that of a null character", remedy="Rename yours")
    return Cast(characters=tuple(characters), nulls=nulls)


def _checked(path: Path, form: str) -> Document:
    document = read_document(path, InputError)
    check(document, form, InputError)
    return document


def _persona(document: Document) -> Persona:
    data = document.data
    return Persona(
        name=data["name"],
        version=data["version"],
        kind=data["kind"],
        description=data["description"].strip(),
        profile={trait: float(value) for trait, value in data["profile"].items()},
        paraphrases=tuple(data["paraphrases"]),
        source=data.get("source", ""),
    )
