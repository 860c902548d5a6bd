"""Who takes part: our hooks, what is built in, installed packages, and modules that the user names."""

from __future__ import annotations

import difflib
import importlib
import importlib.metadata
import inspect
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType
from typing import Any

import pluggy

from pytest_persona import __version__, hookspecs
from pytest_persona.engine import builtins
from pytest_persona.errors import PersonaError
from pytest_persona.load.references import is_plain
from pytest_persona.model.suites import Offer

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


def shared_suites(hooks: Any) -> dict[str, Offer]:
    """All suites that are offered, by name.

    The name is ``package:name``, where ``package`` is the name of the plugin's entry point; a plugin without one, such as a
    ``conftest.py``, chooses, and what is built in has bare names. Raises PersonaError where a name is of another form or is
    offered twice, naming the packages.
    """
    installed, found = _installed(), dict[str, Offer]()
    for implementation in hooks.pytest_persona_suites.get_hookimpls():
        plugin = implementation.plugin
        points = [point for point, loaded in installed if loaded is plugin]
        offered = implementation.function()
        if not isinstance(offered, Mapping):
            problem = f"{_offerer(plugin, points)}: pytest_persona_suites returned {offered!r:.60}"
            raise PersonaError(f"{problem}. Return a mapping from package:name to a path.")
        for name, path in offered.items():
            offer = _offer(name, path, plugin, points)
            if name in found:
                both = " and ".join(f"{o.package} {o.package_version}".rstrip() for o in (found[name], offer))
                raise PersonaError(
                    f"two plugins offer a suite named {name!r}: {both}. Uninstall or rename one of them."
                )
            found[name] = offer
    return found


def _offer(name: object, path: object, plugin: object, points: Sequence[EntryPoint]) -> Offer:
    package, colon, rest = str(name).rpartition(":")
    plain = is_plain(rest) and (is_plain(package) if colon else plugin is builtins)
    who = _offerer(plugin, points)
    if not isinstance(name, str) or not plain:
        raise PersonaError(
            f"{who}: {name!r:.90} cannot name a suite. Use package:name, of letters, digits, '-', '_' and '.'."
        )
    if points and package not in {point.name for point in points}:
        raise PersonaError(
            f"{who}: {name!r} is not its to offer. Call it {points[0].name}:{rest}, after its entry point."
        )
    if not isinstance(path, str | os.PathLike):
        raise PersonaError(f"{who}: the suite {name!r} is {path!r:.60}. Give the path of its file.")
    version = next((point.dist.version for point in points if point.dist is not None), "")
    if plugin is builtins:
        version = __version__
    return Offer(name=name, path=Path(path).absolute(), package=who, package_version=version)


def _installed() -> list[tuple[EntryPoint, object]]:
    """The entry points of installed packages with what they load, which is loaded already."""
    return [(point, point.load()) for point in importlib.metadata.entry_points(group=GROUP)]


def _offerer(plugin: object, points: Sequence[EntryPoint]) -> str:
    """The distribution that a plugin came with, else the name of its module."""
    if plugin is builtins:
        return "pytest-persona"
    names = [point.dist.name for point in points if point.dist is not None]
    return names[0] if names else str(getattr(plugin, "__name__", type(plugin).__name__))


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
