"""The options in force."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pytest_persona.errors import SettingsError
from pytest_persona.options import OPTIONS

__all__ = ["Settings", "settings_from"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The options in force, one attribute an option; made by :func:`settings_from`."""

    judge: str = "embedded"
    model: str | None = None
    traits: tuple[str, ...] = ()
    bound: float = 0.10
    inconclusive: Literal["fail", "warn", "skip"] = "fail"
    level: float = 0.95
    interval: Literal["betting", "t", "bca"] = "betting"
    scope: Literal["signals", "file"] = "signals"
    max_groups: int = 0
    read_all: bool = False
    seed: int = 0
    format: str = "auto"
    map: Mapping[str, str] = field(default_factory=dict)
    on_bad_row: Literal["fail", "skip"] = "fail"
    threads: int = 0
    cache: str = ".persona/cache"
    json: str | None = None
    rows: str | None = None
    root: Path = field(default_factory=Path.cwd)
    """Paths in settings and the cache are relative to it; never written to a profile."""
    run: str = ""
    """The run that several processes share: what one of them read does not count as cached for the others."""


def settings_from(values: Mapping[str, Any], *, root: Path, prefix: str = "--", run: str = "") -> Settings:
    """Settings from texts by option name (None or absent: the default); raises SettingsError naming ``prefix + option``."""
    chosen: dict[str, Any] = {}
    for option in OPTIONS:
        value = values.get(option.name)
        if value is None:
            chosen[option.dest] = option.default
            continue
        if option.choices and value not in option.choices:
            raise SettingsError(
                f"{prefix}{option.name}: {value!r} is not a valid value. Valid values: {', '.join(option.choices)}."
            )
        if isinstance(value, str):
            try:
                value = option.parse(value)
            except ValueError as error:
                raise SettingsError(f"{prefix}{option.name}: {value!r} cannot be used: {error}.") from None
        chosen[option.dest] = value
    return Settings(root=root, run=run, **chosen)
