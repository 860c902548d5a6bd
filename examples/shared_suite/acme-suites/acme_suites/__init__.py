"""Probe suites for support assistants, shared with pytest-persona."""

from collections.abc import Mapping
from pathlib import Path


def pytest_persona_suites() -> Mapping[str, Path]:
    """The suites of this package by the names that others use."""
    return {"acme:support": Path(__file__).with_name("support.persona.yaml")}
