"""What a command is to read: a signal, or the signals of a suite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pytest_persona.engine import Engine
from pytest_persona.errors import SuiteError
from pytest_persona.load.documents import read_document
from pytest_persona.load.references import reference_of
from pytest_persona.load.suites import audits
from pytest_persona.model.suites import AuditSpec, Suite

__all__ = ["is_suite", "is_trait", "signal_spec", "suite_specs"]

_SUITE_ENDINGS = (".yaml", ".yml", ".toml", ".persona.json")


def is_suite(name: str, engine: Engine) -> bool:
    """Whether ``name`` is that of a suite file or of a suite that is shared, and not that of a signal."""
    reference = reference_of(name)
    if reference is None:
        return name.lower().endswith(_SUITE_ENDINGS)
    return reference.name in engine.shelf.offers or (not reference.is_bare and not Path(name).exists())


def is_trait(name: str) -> bool:
    """Whether ``name`` is that of a file that defines a trait and nothing else; raises SuiteError for one that cannot be read."""
    if not name.lower().endswith(_SUITE_ENDINGS):
        return False
    data = read_document(Path(name).absolute(), SuiteError, root=Path.cwd()).data
    return isinstance(data, dict) and "trait" in data and "persona" not in data


def suite_specs(suite: Suite, file: str | None, engine: Engine) -> Sequence[AuditSpec]:
    """One audit for each signal of the suite, or for ``file`` (relative to the working directory) in their place."""
    if file is None:
        return audits(suite, engine.settings.bound, engine.library)
    (spec,) = audits(replace(suite, signals=(file,)), engine.settings.bound, engine.library)
    return [replace(spec, signal=Path(file))]


def signal_spec(file: str) -> AuditSpec:
    """An audit of one file, of no trait in particular."""
    return AuditSpec(name=file, signal=Path(file), signal_name=file)
