"""``pip install``, with nothing added and nothing hidden."""

from __future__ import annotations

import importlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path

from pytest_persona.engine.plugins import GROUP, console_manager, shared_suites
from pytest_persona.errors import SettingsError
from pytest_persona.model.suites import Offer

__all__ = ["install"]


def install(specs: Sequence[str], say: Callable[[str], None]) -> list[Offer]:
    """Let pip install what ``specs`` name, and return the suites that came with it; ``say`` is told the command before it runs.

    A spec is what pip takes: a name, a name with a version, a wheel, a folder, an address. There is no shell. Raises SettingsError
    outside a virtual environment, for a spec that is an option, and where pip is missing or fails.
    """
    command = [sys.executable, "-m", "pip", "install", *specs]
    shown = re.sub(r"(?<=://)[^/@\s]+(?=@)", "***", shlex.join(command))  # an address may hold a password
    for spec in specs:
        if spec.startswith("-"):
            problem = f"install: {spec!r} is an option of pip"
            raise SettingsError(f"{problem}. Set it where pip reads it, such as PIP_INDEX_URL, or run pip yourself.")
    if not _is_environment():
        remedy = f"Make one (python -m venv .venv), or run it yourself: {shown}; then: pytest-persona suites lock"
        raise SettingsError(f"install: this Python is in no virtual environment, and is left alone. {remedy}")
    if find_spec("pip") is None:
        remedy = "Use what you install packages with, then: pytest-persona suites lock"
        raise SettingsError(f"install: there is no pip in this environment. {remedy}")
    before = _sharing()
    say(f"$ {shown}")
    code = subprocess.run(command, check=False).returncode
    if code:
        raise SettingsError(f"install: pip ended with {code}; what it said is above. Nothing was locked.")
    importlib.invalidate_caches()
    meant = set(map(_distribution, specs))
    offers = shared_suites(console_manager().hook).values()
    new = _sharing() - before
    return [o for o in offers if (o.package, o.package_version) in new or _normal(o.package) in meant]


def _is_environment() -> bool:
    return sys.prefix != sys.base_prefix or os.path.isdir(os.path.join(sys.prefix, "conda-meta"))


def _sharing() -> set[tuple[str, str]]:
    """The distributions with an entry point of ours, and their versions."""
    return {(point.dist.name, point.dist.version) for point in entry_points(group=GROUP) if point.dist is not None}


def _distribution(spec: str) -> str:
    """The distribution that a spec names, as far as that can be seen: what was there already is meant too."""
    name = Path(spec).name
    if name.endswith(".whl"):
        name = name.partition("-")[0]
    return _normal(re.split(r"[^\w.-]", name)[0])


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
