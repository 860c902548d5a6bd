"""A suite outside a run: with the suites of installed packages, which the reader of files alone does not know."""

from __future__ import annotations

from pathlib import Path

from pytest_persona.engine.plugins import console_manager, shared_suites
from pytest_persona.load.suites import Shelf
from pytest_persona.model.suites import Suite

__all__ = ["read_suite"]


def read_suite(suite: str | Path, *, root: Path) -> Suite:
    """The suite of a file, or of a reference such as ``acme:support@1.2``, with all that it has from those that it adds to.

    Shared suites are held against the lock in ``root``; errors name files relative to it. Signals are not opened yet.
    Raises SuiteError, or TraitError for a trait that a suite defines.
    """
    shelf = Shelf(root, lambda: shared_suites(console_manager().hook))
    return shelf.read(suite) if isinstance(suite, Path) else shelf.find(suite)
