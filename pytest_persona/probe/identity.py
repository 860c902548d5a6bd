"""What a callable of the user's is called, and what tells it from another of that name."""

from __future__ import annotations

import functools
import importlib
import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_persona.errors import TargetError
from pytest_persona.model.episodes import digest
from pytest_persona.model.probes import TargetInfo

__all__ = ["info_of", "load_object"]

_PRIVATE = re.compile(r"key|token|secret|passw|auth|cookie|credential", re.IGNORECASE)
_DEPTH = 4


def load_object(name: str, option: str = "") -> Any:
    """What ``module:attribute`` names; raises TargetError where it cannot be imported. ``option`` is where the name was given."""
    where = f"{option}: " if option else ""
    module, colon, attribute = name.partition(":")
    if not colon or not module or not attribute:
        raise TargetError(f"{where}{name!r} names no target. Write module:attribute, such as shop.bot:reply.")
    try:
        found: Any = importlib.import_module(module)
    except Exception as error:  # whatever a module does on import is not ours
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise TargetError(
            f"{where}the module {module} of the target cannot be imported: {said}. Name a module that Python finds."
        ) from error
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise TargetError(f"{where}{module} has no {attribute}. Name a function or an object of it.") from None
    return found


def info_of(target: Any, name: str = "") -> TargetInfo:
    """Who a callable is: by its attribute ``persona_name``, the ``name`` it was given by, or module and name.

    Two of one name (closures, instances of one class) are told apart by what they hold, as far as that is plain data and its name
    does not sound like a secret's.
    """
    own = getattr(target, "persona_name", None)
    if isinstance(own, str) and own:
        return TargetInfo(name=own, kind="python", fingerprint=digest("python", own))
    held = ";".join(_held(target, _DEPTH))
    name = name or _name(target)
    return TargetInfo(name=name, kind="python", fingerprint=digest("python", name, *([held] if held else [])))


def _name(target: Any) -> str:
    if isinstance(target, functools.partial):
        return _name(target.func)
    if not hasattr(target, "__qualname__"):
        target = type(target)
    module = getattr(target, "__module__", None) or "builtins"
    name = f"{module}:{target.__qualname__}"
    code = getattr(target, "__code__", None)
    return f"{name}:{code.co_firstlineno}" if name.endswith("<lambda>") and code is not None else name


def _held(value: Any, depth: int) -> Iterator[str]:
    """What a callable holds: the arguments of a partial, the variables of a closure, the attributes of an object."""
    if depth == 0 or inspect.isclass(value) or inspect.ismodule(value):
        return
    if isinstance(value, functools.partial):
        yield from _plain(dict(enumerate(value.args)) | value.keywords, depth - 1)
        yield from _held(value.func, depth - 1)
    elif inspect.ismethod(value):
        yield from _held(value.__self__, depth - 1)
    elif inspect.isfunction(value):
        cells = zip(value.__code__.co_freevars, value.__closure__ or (), strict=True)
        yield from _plain({name: _inside(cell) for name, cell in cells}, depth - 1)
    else:
        yield from _plain(getattr(value, "__dict__", {}), depth - 1)


def _plain(values: Mapping[Any, Any], depth: int) -> Iterator[str]:
    for name, value in values.items():
        if _PRIVATE.search(str(name)):
            continue
        if value is None or isinstance(value, bool | int | float | str | bytes):
            yield f"{name}={value!r}"
        elif isinstance(value, list | tuple) and depth:
            yield f"{name}=[{';'.join(_plain(dict(enumerate(value)), depth - 1))}]"
        elif isinstance(value, Mapping) and depth:
            yield f"{name}={{{';'.join(_plain(value, depth - 1))}}}"
        else:
            yield f"{name}={_name(value)}({';'.join(_held(value, depth))})"


def _inside(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not bound yet
        return None
