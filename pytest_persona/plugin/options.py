"""The rows of :data:`pytest_persona.options.OPTIONS` as options and ini keys of pytest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pytest_persona.errors import SettingsError
from pytest_persona.options import OPTIONS, Option

if TYPE_CHECKING:
    from pytest_persona.settings import Settings

__all__ = ["PREFIX", "add_options", "any_given", "ini_key", "settings_of"]

PREFIX = "--persona-"


def ini_key(option: Option) -> str:
    """The name of an option in pytest's ini file."""
    return f"persona_{option.dest}"


def add_options(parser: pytest.Parser) -> None:
    """Add one option a row, and an ini key where the row has one."""
    group = parser.getgroup("persona", "the character that training signals imply (pytest-persona)")
    for option in OPTIONS:
        how: dict[str, Any] = {"dest": _dest(option), "default": None, "help": option.help.replace("%", "%%")}
        if option.flag:
            how["action"] = "store_true"
        else:
            how["metavar"] = option.metavar or "{" + ",".join(option.choices) + "}"
            how["action"] = "append" if option.many else "store"
            if option.bare:
                how |= {"nargs": "?", "const": option.bare}
        group.addoption(PREFIX + option.name, **how)
        if option.ini:
            kind = "linelist" if option.many else "string"
            parser.addini(ini_key(option), option.help, type=kind, default=[] if option.many else None)  # type: ignore[arg-type]


def settings_of(config: pytest.Config, *, run: str = "", workers: int = 1) -> Settings:
    """The options in force, the command line before the ini file; raises UsageError. ``run``, ``workers`` as in ``Settings``."""
    from pytest_persona.settings import default_judge, settings_from

    try:
        given = {option.name: _value(config, option) for option in OPTIONS}
        if config.getoption("persona_judge") is None:
            given["judge"] = default_judge(given, root=config.rootpath)
        return settings_from(given, root=config.rootpath, prefix=PREFIX, run=run, workers=workers)
    except SettingsError as error:
        raise pytest.UsageError(str(error)) from None


def any_given(config: pytest.Config) -> bool:
    """Whether the command line or the ini file sets any option, so that it must be checked at once."""
    return any(_value(config, option) not in (None, False, "") for option in OPTIONS)


def _dest(option: Option) -> str:
    return f"persona_{option.dest}"


def _value(config: pytest.Config, option: Option) -> Any:
    value = config.getoption(_dest(option))
    if value is None and option.ini:
        value = config.getini(ini_key(option)) or None
    return "\n".join(value) if isinstance(value, list) else value
