"""The shape of the lock, for the generator alone; see :mod:`pytest_persona.load.schemas.files`."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

from pytest_persona.load.schemas.config import CONFIG
from pytest_persona.load.schemas.files import Name, Text

__all__ = ["LockFile"]


class LockedSuite(TypedDict):
    """A shared suite as it was when it was locked."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    version: Text
    """Its version."""
    package: Text
    """The package that shared it."""
    package_version: str
    """That package's version; empty for a plugin that was not installed."""
    sha256: Text
    """A hash of all that it says."""
    parts: dict[str, dict[str, str]]
    """Hashes by kind and name, so that a change can be named."""


class LockFile(TypedDict):
    """The shared suites that a project uses, as they were when somebody looked at them."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    schema: Literal["pytest-persona/lock/v1"]
    """The name and version of this format."""
    suites: dict[Name, LockedSuite]
    """The suites by the name that they are shared under."""
