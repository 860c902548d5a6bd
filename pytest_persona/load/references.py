"""How a suite is named: by the path of its file, or by a reference to one that is shared."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pytest_persona.errors import SuiteError

__all__ = ["ENDINGS", "Reference", "check_version", "fits", "is_plain", "reference_of", "semantic"]

ENDINGS = (".yaml", ".yml", ".json", ".toml")
"""What the path of a suite ends in; a reference never does."""

_PLAIN = r"[A-Za-z0-9][A-Za-z0-9_.-]*"
_REFERENCE = re.compile(rf"({_PLAIN}(?::{_PLAIN})?)(?:@(.*))?")
_VERSION = re.compile(r"(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})(-[0-9A-Za-z][0-9A-Za-z.-]*)?")
_WANTED = re.compile(rf"(?:0|[1-9][0-9]{{0,8}})(?:\.(?:0|[1-9][0-9]{{0,8}}))?|{_VERSION.pattern}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reference:
    """A shared suite by name, and which versions of it will do."""

    name: str
    """``package:name``; of what is built in ``name`` alone."""
    wanted: str | None = None
    """``1``, ``1.2`` or ``1.2.3``: what the version begins with; None: any version."""

    @property
    def is_bare(self) -> bool:
        """Whether it is one word, as the name of a file may be too."""
        return ":" not in self.name and self.wanted is None


def reference_of(text: str) -> Reference | None:
    """The reference that a text is; None for the path of a file. What follows ``@`` is checked where a version is held against it."""
    found = None if text.lower().endswith(ENDINGS) else _REFERENCE.fullmatch(text)
    return None if found is None else Reference(name=found[1], wanted=found[2])


def is_plain(name: str) -> bool:
    """Whether a name can be one half of ``package:name``."""
    return len(name) <= 80 and re.fullmatch(_PLAIN, name) is not None and not name.lower().endswith(ENDINGS)


def semantic(version: str) -> tuple[int, int, int] | None:
    """Major, minor and patch number of a semantic version; None for other texts."""
    found = _VERSION.fullmatch(version)
    return None if found is None else (int(found[1]), int(found[2]), int(found[3]))


def check_version(reference: Reference, version: str) -> None:
    """Raise SuiteError, without a place, where an installed ``version`` is none that the reference asks for."""
    wanted = reference.wanted
    if wanted is None:
        return
    if _WANTED.fullmatch(wanted) is None:
        raise SuiteError(f"{wanted!r} is no version", remedy="Write @1, @1.2 or @1.2.3")
    if semantic(version) is None:
        raise SuiteError(
            f"its version is {version!r}, which cannot be held against @{wanted}",
            remedy="Leave the version out of the reference; a suite that is shared needs one of the form 1.2.3",
        )
    if not fits(version, wanted):
        raise SuiteError(
            f"version {version} is installed, and @{wanted} is asked for",
            remedy=f"Install a release that has it, or ask for @{version}",
        )


def fits(version: str, wanted: str) -> bool:
    """Whether a semantic version begins with the numbers that are asked for; a pre-release is only itself."""
    if "-" in version or wanted.count(".") == 2:
        return version == wanted
    return version.split(".")[: wanted.count(".") + 1] == wanted.split(".")
