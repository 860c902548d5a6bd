"""The options in force."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pytest_persona.errors import SettingsError
from pytest_persona.options import OPTIONS

__all__ = ["Settings", "default_judge", "settings_from"]

_CREDENTIALS = (
    "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_PROFILE", "ANTHROPIC_IDENTITY_TOKEN", "ANTHROPIC_IDENTITY_TOKEN_FILE",
    "OPENAI_API_KEY", "OPENAI_BASE_URL",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """The options in force, one attribute an option; made by :func:`settings_from`."""

    judge: str = "embedded"
    model: str | None = None
    base_url: str | None = None
    concurrency: int = 32
    deadline: float = 300.0
    isolated: bool = False
    pairwise: bool = False
    dry_run: bool = False
    budget: tuple[Literal["tokens", "money"], float] | None = None
    prices: Mapping[str, float] = field(default_factory=dict)
    batch: bool = False
    record: str | None = None
    replay: str = "persona-record.jsonl"
    redact: tuple[str, ...] = ()
    target: str | None = None
    samples: int = 1
    replies: str | None = None
    ask: Literal["always", "missing", "never"] = "always"
    traits: tuple[str, ...] = ()
    bound: float = 0.10
    inconclusive: Literal["fail", "warn", "skip"] = "fail"
    level: float = 0.95
    interval: Literal["betting", "t", "bca"] = "betting"
    baseline: str | None = None
    update: tuple[str, ...] = ()
    history: str | None = None
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
    workers: int = 1
    """How many processes share that run and its concurrency."""


def settings_from(
    values: Mapping[str, Any], *, root: Path, prefix: str = "--", run: str = "", workers: int = 1
) -> Settings:
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
    return Settings(root=root, run=run, workers=workers, **chosen)


def default_judge(values: Mapping[str, Any], *, root: Path, environment: Mapping[str, str] = os.environ) -> str | None:
    """The judge where the command line names none: ``replay`` in CI without a key where a record exists, else the one of ``values``.

    A judge of the project's own, or ``embedded`` where it is configured by name, needs no key and stays, as does an
    endpoint of the user's own, and a judge whose verdicts are to be recorded.
    """
    configured = values.get("judge")
    record = root / (values.get("replay") or next(option.default for option in OPTIONS if option.name == "replay"))
    needs_key = configured in (None, "claude", "openai")
    has_key = any(environment.get(name) for name in _CREDENTIALS) or values.get("record")
    has_key = has_key or (configured == "openai" and values.get("base-url"))
    if needs_key and environment.get("CI") and not has_key and record.is_file():
        return "replay"
    return configured
