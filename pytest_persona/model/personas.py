"""Characters that a signal may imply, and characters that should imply nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pytest_persona.model.episodes import digest

__all__ = ["Cast", "NullCharacter", "Persona", "PersonaKind"]

PersonaKind = Literal["human", "fiction", "reference"]
"""A kind of person, an AI as stories know it, or the character that all others are compared with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Persona:
    """A whole character: what it is like, and what it would do."""

    name: str
    kind: PersonaKind
    description: str
    profile: Mapping[str, float]
    """What it is expected to express of each trait, by the trait's name, in [-1, 1]; a trait that is left out is not predicted."""
    paraphrases: tuple[str, ...]
    """Texts of like length that each describe the character in other words, for judges that condition on it."""
    version: str = "0"
    source: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class NullCharacter:
    """A character that should not matter (it likes trains): what it moves is what any text of such a form moves."""

    name: str
    paraphrases: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Cast:
    """The characters of one portrait: those that it may be like, one of them the reference, and null ones beside them."""

    characters: tuple[Persona, ...]
    nulls: tuple[NullCharacter, ...]

    @property
    def reference(self) -> Persona:
        """The character that all others are compared with."""
        return next(persona for persona in self.characters if persona.kind == "reference")

    @property
    def everyone(self) -> tuple[Persona | NullCharacter, ...]:
        """All of them, the null ones last."""
        return (*self.characters, *self.nulls)

    @property
    def sha256(self) -> str:
        """A hash of all that portraits are made of: names, wordings and profiles."""
        profiles = (f"{c.name} {sorted(c.profile.items())}" for c in self.characters)
        return digest(*profiles, *(text for one in self.everyone for text in (one.name, *one.paraphrases)))
