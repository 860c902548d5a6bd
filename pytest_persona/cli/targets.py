"""What a command is to read: a signal, or the signals of a suite."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pytest_persona.engine import Engine
from pytest_persona.engine.plugins import shared_suites
from pytest_persona.load.suites import audits, read_suite
from pytest_persona.model.suites import AuditSpec, Suite

__all__ = ["find_suite", "is_suite", "signal_spec", "suite_specs"]

_SUITE_ENDINGS = (".yaml", ".yml", ".toml", ".persona.json")


def is_suite(name: str, engine: Engine) -> bool:
    """Whether ``name`` is that of a suite file or of a suite that a package shares, and not that of a signal."""
    return name.endswith(_SUITE_ENDINGS) or name in shared_suites(engine.hooks)


def find_suite(name: str, engine: Engine) -> Suite:
    """The suite of a file, or of a package by its name; raises SuiteError."""
    shared = shared_suites(engine.hooks)
    return read_suite(shared.get(name, Path(name).absolute()), root=engine.settings.root, shared=name in shared)


def suite_specs(suite: Suite, file: str | None, engine: Engine) -> Sequence[AuditSpec]:
    """One audit for each signal of the suite, or for ``file`` (relative to the working directory) in their place."""
    if file is None:
        return audits(suite, engine.settings.bound, engine.library)
    (spec,) = audits(replace(suite, signals=(file,)), engine.settings.bound, engine.library)
    return [replace(spec, signal=Path(file))]


def signal_spec(file: str) -> AuditSpec:
    """An audit of one file, of no trait in particular."""
    return AuditSpec(name=file, signal=Path(file), signal_name=file)
