"""The rows of :data:`pytest_persona.options.OPTIONS` as arguments of a command."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import Any

from pytest_persona.options import OPTIONS, Option
from pytest_persona.settings import Settings, default_judge, settings_from

__all__ = ["add_plugin", "add_settings", "settings_of"]


_OF_PROBES = ("target", "samples", "replies", "ask")
_OF_SIGNALS = ("format", "map", "on-bad-row", "pairwise", "read-all")
"""Options that only probes, or only signals, are read by."""


def add_settings(
    parser: argparse.ArgumentParser,
    names: Collection[str] = (),
    *,
    without: Collection[str] = (),
    probes: bool = False,
) -> None:
    """Add options of the settings, without a prefix: those of ``names``, or all for reading signals (or for asking ``probes``).

    ``without``: those that the command has no use for.
    """
    group = parser.add_argument_group("reading")
    left_out = {*without, *(_OF_SIGNALS if probes else _OF_PROBES)}
    for option in OPTIONS:
        if option.name in names or (not names and option.name not in left_out):
            _add(group, option)


def add_plugin(parser: argparse.ArgumentParser, dest: str = "plugin") -> None:
    """Add ``--plugin``, which every command that looks for judges, traits or suites has."""
    text = "Load a module with pytest_persona_* hooks; may be repeated."
    parser.add_argument("--plugin", action="append", default=[], dest=dest, metavar="MODULE", help=text)


def settings_of(args: argparse.Namespace) -> Settings:
    """The settings that the arguments give, rooted in the working directory; raises SettingsError."""
    given = {option.name: getattr(args, option.dest, None) for option in OPTIONS}
    texts = {name: "\n".join(value) if isinstance(value, list) else value for name, value in given.items()}
    if texts["judge"] is None and "judge" in vars(args):
        texts["judge"] = default_judge(texts, root=Path.cwd())
    return settings_from(texts, root=Path.cwd())


def _add(group: argparse._ArgumentGroup, option: Option) -> None:
    flag, help_text = f"--{option.name}", option.help.replace("%", "%%")
    if option.flag:
        group.add_argument(flag, dest=option.dest, action="store_const", const="true", help=help_text)
        return
    if option.default not in (None, (), {}):
        help_text += f" (default: {option.default})"
    more: dict[str, Any] = {"nargs": "?", "const": option.bare} if option.bare else {}
    group.add_argument(
        flag,
        dest=option.dest,
        action="append" if option.many else "store",
        choices=option.choices or None,
        metavar=option.metavar or None,
        help=help_text,
        **more,
    )
