"""Every option, once: one row is a command line flag, an ini key, a default and a help text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["OPTIONS", "Option"]


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


class Option:
    """One option. In pytest ``--persona-NAME`` and ini key ``persona_NAME``; on the console ``--NAME``.

    ``flag`` is a switch that takes no value on the command line; an option with ``many`` may be given several times, its values
    are joined by line ends before they are parsed; ``ini`` says whether pytest also reads it from its ini file.
    """

    # By hand: every pytest run of the environment makes this class, and as a dataclass it took 3 ms.
    def __init__(
        self,
        *,
        name: str,
        help: str,
        default: Any = None,
        parse: Callable[[str], Any] = str,
        choices: tuple[str, ...] = (),
        metavar: str = "",
        flag: bool = False,
        many: bool = False,
        ini: bool = True,
    ) -> None:
        self.name, self.help, self.default, self.parse = name, help, default, parse
        self.choices, self.metavar, self.flag, self.many, self.ini = choices, metavar, flag, many, ini

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
