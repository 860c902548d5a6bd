"""Every option, once: one row is a command line flag, an ini key, a default and a help text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pytest_persona.errors import SettingsError

__all__ = ["OPTIONS", "Option", "Settings", "settings_from"]


def _whole(text: str) -> int:
    value = int(text)
    if value < 0:
        raise ValueError("must not be negative")
    return value


def _level(text: str) -> float:
    value = float(text)
    if not 0.5 <= value < 1.0:
        raise ValueError("must be at least 0.5 and below 1")
    return value


def _bound(text: str) -> float:
    value = float(text)
    if not -2.0 <= value <= 2.0:
        raise ValueError("must be between -2 and 2")
    return value


def _switch(text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("must be true or false")


def _field_map(text: str) -> dict[str, str]:
    pairs = [pair.strip() for pair in text.replace("\n", ",").split(",") if pair.strip()]
    result = {}
    for pair in pairs:
        name, sign, column = pair.partition("=")
        if not sign or not name.strip() or not column.strip():
            raise ValueError(f"{pair!r} is not of the form field=column")
        result[name.strip()] = column.strip()
    return result


def _paths(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("\n") if part.strip())


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """One option. In pytest ``--persona-NAME`` and ini key ``persona_NAME``; on the console ``--NAME``."""

    name: str
    help: str
    default: Any = None
    parse: Callable[[str], Any] = str
    choices: tuple[str, ...] = ()
    metavar: str = ""
    flag: bool = False
    """A switch that takes no value on the command line."""
    many: bool = False
    """May be given several times; values are joined by line ends before they are parsed."""
    ini: bool = True
    """Whether pytest also reads it from its ini file."""

    @property
    def dest(self) -> str:
        """The attribute of :class:`Settings`."""
        return self.name.replace("-", "_")


OPTIONS: tuple[Option, ...] = (
    Option(name="judge", default="embedded", metavar="NAME", help="Who reads: the name of a judge."),
    Option(name="model", metavar="ID|PATH", help="The judge's model; for the embedded judge a path to the weights."),
    Option(
        name="traits",
        default=(),
        parse=_paths,
        many=True,
        metavar="PATH",
        help="A YAML file that defines a trait; may be repeated.",
    ),
    Option(
        name="bound", default=0.10, parse=_bound, metavar="X", help="The bound for traits that are named without one."
    ),
    Option(
        name="inconclusive",
        default="fail",
        choices=("fail", "warn", "skip"),
        help="What an inconclusive finding does to a test.",
    ),
    Option(name="level", default=0.95, parse=_level, metavar="P", help="Confidence level of the intervals."),
    Option(
        name="interval",
        default="betting",
        choices=("betting", "t", "bca"),
        help="How intervals are made. Only betting may look early.",
    ),
    Option(
        name="scope",
        default="signals",
        choices=("signals", "file"),
        help="Signals like this one, or exactly the groups of this file.",
    ),
    Option(
        name="max-groups",
        default=0,
        parse=_whole,
        metavar="N",
        help="Read at most N groups, drawn by the seed; 0 reads all.",
    ),
    Option(
        name="read-all", default=False, parse=_switch, flag=True, help="Go on reading when every finding is decided."
    ),
    Option(name="seed", default=0, parse=_whole, metavar="N", help="Seed of every random draw."),
    Option(
        name="format", default="auto", metavar="NAME", help="Read signals in this format instead of recognising it."
    ),
    Option(
        name="map",
        default={},
        parse=_field_map,
        many=True,
        metavar="FIELD=COLUMN",
        help="Read FIELD from COLUMN; may be repeated.",
    ),
    Option(
        name="on-bad-row",
        default="fail",
        choices=("fail", "skip"),
        help="Refuse a signal with an unreadable row, or skip, count and report the row.",
    ),
    Option(
        name="threads",
        default=0,
        parse=_whole,
        metavar="N",
        help="Threads of the embedded judge; 0 is one under xdist, else the machine's.",
    ),
    Option(
        name="cache",
        default=".persona/cache",
        metavar="DIR",
        help="Where readings are kept, relative to the project's root.",
    ),
    Option(name="json", metavar="PATH", ini=False, help="Write the profile as JSON; - is standard output."),
    Option(
        name="rows",
        metavar="PATH",
        ini=False,
        help="Write one JSON line per behaviour and trait; - is standard output.",
    ),
)


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


def settings_from(values: Mapping[str, Any], *, root: Path, prefix: str = "--") -> Settings:
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
    return Settings(root=root, **chosen)
