"""Who takes part: our hooks, what is built in, installed packages, and modules that the user names."""

from __future__ import annotations

import difflib
import importlib
import importlib.metadata
import inspect
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from pytest_persona import hookspecs
from pytest_persona.engine import builtins
from pytest_persona.errors import PersonaError

__all__ = ["GROUP", "console_manager", "register_installed", "shared_suites"]

GROUP = "pytest_persona"
"""The entry-point group of packages that share judges, traits and suites."""
_PREFIX = "pytest_persona_"


class _ConsoleManager(pluggy.PluginManager):
    """Takes undecorated functions by their name, as pytest does, and no hooks but ours."""

    def parse_hookimpl_opts(self, plugin: object, name: str) -> Any:
        if not name.startswith(_PREFIX):
            return None
        options = super().parse_hookimpl_opts(plugin, name)
        if options is None and inspect.isroutine(getattr(plugin, name)):
            return {}
        return options


def console_manager(extra: Sequence[str] = ()) -> pluggy.PluginManager:
    """A plugin manager without pytest: our hooks, the built-ins, installed packages and the modules named ``extra``.

    Raises PersonaError, naming the package or module, where one cannot be loaded or has an unknown hook or argument.
    """
    manager = _ConsoleManager("pytest")
    manager.add_hookspecs(hookspecs)
    manager.register(builtins)
    register_installed(manager)
    for name in extra:
        _register(manager, _imported(name), f"--plugin {name}")
    return manager


def register_installed(manager: pluggy.PluginManager) -> None:
    """Register the plugins of installed packages, entry points of the group ``pytest_persona``; raises PersonaError."""
    for point in importlib.metadata.entry_points(group=GROUP):
        offered_by = point.dist.name if point.dist is not None else point.value
        try:
            plugin = point.load()
        except Exception as error:  # whatever a package does on import is not ours
            raise PersonaError(
                f"{offered_by}: its plugin {point.value} cannot be loaded: {_said(error)}. Upgrade or uninstall it."
            ) from error
        _register(manager, plugin, offered_by)


def shared_suites(hooks: Any) -> dict[str, Path]:
    """All suites that are offered, by name; raises PersonaError where two plugins offer one name."""
    found: dict[str, Path] = {}
    for offered in hooks.pytest_persona_suites():
        for name, path in offered.items():
            if name in found:
                raise PersonaError(f"two plugins offer a suite named {name!r}. Disable or rename one of them.")
            found[name] = path
    return found


def _imported(name: str) -> ModuleType:
    if "" not in sys.path:
        sys.path.append("")  # the working directory, last: it hides nothing that is installed
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise PersonaError(
            f"--plugin {name}: the module cannot be imported: {_said(error)}. Name a module that Python finds."
        ) from error


def _register(manager: pluggy.PluginManager, plugin: object, offered_by: str) -> None:
    if manager.is_registered(plugin):
        return
    for name in dir(plugin):
        if name.startswith(_PREFIX) and inspect.isroutine(getattr(plugin, name)) and not hasattr(hookspecs, name):
            nearest = difflib.get_close_matches(name, _hook_names(), n=1)
            remedy = f"Did you mean {nearest[0]}?" if nearest else f"Hooks: {', '.join(_hook_names())}."
            raise PersonaError(f"{offered_by}: there is no hook {name}. {remedy}")
    try:
        manager.register(plugin)
    except pluggy.PluginValidationError as error:
        raise PersonaError(f"{offered_by}: {_said(error)}.") from error


def _hook_names() -> list[str]:
    return [name for name in dir(hookspecs) if name.startswith(_PREFIX)]


def _said(error: Exception) -> str:
    return " ".join(f"{error}".split()).rstrip(".") or type(error).__name__
