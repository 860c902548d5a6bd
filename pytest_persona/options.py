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


def _positive(text: str) -> float:
    value = float(text)
    if not 0.0 < value < float("inf"):
        raise ValueError("must be positive")
    return value


def _slots(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 1000:
        raise ValueError("must be between 1 and 1000")
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


def _prices(text: str) -> dict[str, float]:
    prices = {name: float(price) for name, price in _field_map(text).items()}
    for name, price in prices.items():
        if name not in ("input", "output", "cached"):
            raise ValueError(f"{name!r} is no price; prices are input, output and cached")
        if not 0.0 <= price < float("inf"):
            raise ValueError(f"{name} must not be negative")
    if not {"input", "output"} <= prices.keys():
        raise ValueError("both input and output are needed")
    return prices


def _budget(text: str) -> tuple[str, float]:
    """``("tokens", n)`` for a bare number, ``("money", x)`` for one with a currency sign or code."""
    bare = text.strip().replace("_", "").removesuffix("tokens").strip()
    amount = bare.strip("$€£¥ ")
    letters = amount.lstrip("0123456789.,").strip()
    if letters.isalpha() and letters.isascii() and len(letters) == 3:
        amount = amount[: -len(letters)].strip()
    value = _positive(amount)
    return ("tokens" if amount == bare else "money", value)


def _paths(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split("\n") if part.strip())


class Option:
    """One option. In pytest ``--persona-NAME`` and ini key ``persona_NAME``; on the console ``--NAME``.

    ``flag`` is a switch that takes no value on the command line; one with ``bare`` may stand without a value and then has that one;
    one with ``many`` may be given several times, its values are joined by line ends before they are parsed; ``ini`` says whether
    pytest also reads it from its ini file.
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
        bare: str = "",
        ini: bool = True,
    ) -> None:
        self.name, self.help, self.default, self.parse = name, help, default, parse
        self.choices, self.metavar, self.flag, self.many, self.ini = choices, metavar, flag, many, ini
        self.bare = bare

    @property
    def dest(self) -> str:
        """The attribute of :class:`Settings`."""
        return self.name.replace("-", "_")


OPTIONS: tuple[Option, ...] = (
    Option(name="judge", default="embedded", metavar="NAME", help="Who reads: the name of a judge."),
    Option(name="model", metavar="ID|PATH", help="The judge's model; for the embedded judge a path to the weights."),
    Option(
        name="base-url",
        metavar="URL",
        help="Where a network judge is asked, such as http://localhost:8000/v1 for openai.",
    ),
    Option(
        name="concurrency",
        default=32,
        parse=_slots,
        metavar="N",
        help="The most questions that a network judge is asked at once, all workers of a run together.",
    ),
    Option(
        name="deadline",
        default=300.0,
        parse=_positive,
        metavar="S",
        help="Seconds within which a question to a network judge is answered, retries included, or has failed.",
    ),
    Option(
        name="isolated",
        default=False,
        parse=_switch,
        flag=True,
        help="Ask a network judge for one trait a question instead of five: slower, dearer, traits cannot colour each other.",
    ),
    Option(
        name="pairwise",
        default=False,
        parse=_switch,
        flag=True,
        help="Let a network judge compare the replies of a preference, in both orders, instead of reading each by itself.",
    ),
    Option(
        name="dry-run",
        default=False,
        parse=_switch,
        flag=True,
        ini=False,
        help="Count questions, tokens and, with prices, money; ask nothing and run no test.",
    ),
    Option(
        name="budget",
        parse=_budget,
        metavar="N|$X",
        help="Stop asking at so many tokens or, with prices, so much money, all workers of a run together.",
    ),
    Option(
        name="prices",
        default={},
        parse=_prices,
        many=True,
        metavar="KIND=X",
        help="What a million tokens cost: input=X, output=X and, where it differs, cached=X; may be repeated.",
    ),
    Option(
        name="batch",
        default=False,
        parse=_switch,
        flag=True,
        help="Ask Claude through the Message Batches API: cheaper, and done within a day instead of minutes.",
    ),
    Option(
        name="record",
        metavar="PATH|new",
        ini=False,
        help="Write the verdicts of this run to a file to commit; new adds what is missing to the one of --persona-replay.",
    ),
    Option(
        name="replay",
        default="persona-record.jsonl",
        metavar="PATH",
        help="The recorded verdicts that the judge named replay reads.",
    ),
    Option(
        name="redact",
        default=(),
        parse=_paths,
        many=True,
        metavar="PATTERN",
        help="Hide what a regular expression matches from a network judge, or email, url, iban, card, ip, phone, key; may be repeated.",
    ),
    Option(
        name="target",
        metavar="MODULE:ATTR",
        help="The product that probes are put to: a callable, or an object that opens one for each dialogue.",
    ),
    Option(
        name="samples",
        default=1,
        parse=_slots,
        metavar="N",
        help="Ask each probe N times in each context and wording. More probes say more than more samples.",
    ),
    Option(
        name="replies",
        metavar="PATH",
        help="Write the product's replies to a file to commit, from which they can be read again.",
    ),
    Option(
        name="ask",
        default="always",
        choices=("always", "missing", "never"),
        help="Ask the product all probes, those that --persona-replies lacks, or none.",
    ),
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
        name="baseline",
        metavar="PATH",
        help="Compare with the profile of a file, or of several those with the same name or signal; drift_at_most bounds the change.",
    ),
    Option(
        name="update",
        default=(),
        parse=_paths,
        many=True,
        bare="passed",
        metavar="passed|new|NAME",
        ini=False,
        help="Put what passed into the baseline; new: only what it lacks; NAME: that profile whatever was found. May be repeated.",
    ),
    Option(
        name="history",
        metavar="DIR",
        help="Where runs against the baseline are remembered; without it those of probes, in .persona/history.",
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
