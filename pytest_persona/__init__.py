"""What kind of character is your training signal rewarding?

The public names of pytest-persona, each looked up when it is first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_persona.engine import Engine
    from pytest_persona.engine.suites import read_suite
    from pytest_persona.errors import (
        CacheError,
        InputError,
        JudgeError,
        PersonaError,
        ProfileError,
        SettingsError,
        SignalError,
        SuiteError,
        TargetError,
        TraitError,
    )
    from pytest_persona.infer.confirm import confirm
    from pytest_persona.judge.base import Answers, Controls, Judge, PairJudge
    from pytest_persona.load.profiles import read_profile
    from pytest_persona.load.signals import read_signal
    from pytest_persona.model.confirmation import Confirmation
    from pytest_persona.model.drift import Comparison, Drift
    from pytest_persona.model.episodes import Behaviour, Episode, Turn
    from pytest_persona.model.findings import Evidence, Finding, JudgeInfo, Profile, Rate, Shift
    from pytest_persona.model.probes import Asked, HttpTarget, ModelTarget, Probe, PythonTarget, TargetInfo
    from pytest_persona.model.suites import AuditSpec, ProbingSpec, Suite
    from pytest_persona.model.traits import Anchor, Exemplar, Expectation, Pole, Trait
    from pytest_persona.model.verdicts import Qualification, Usage, Verdict
    from pytest_persona.settings import Settings

__all__ = [
    "Anchor",
    "Answers",
    "Asked",
    "AuditSpec",
    "Behaviour",
    "CacheError",
    "Comparison",
    "Confirmation",
    "Controls",
    "Drift",
    "Engine",
    "Episode",
    "Evidence",
    "Exemplar",
    "Expectation",
    "Finding",
    "HttpTarget",
    "InputError",
    "Judge",
    "JudgeError",
    "JudgeInfo",
    "ModelTarget",
    "PairJudge",
    "PersonaError",
    "Pole",
    "Probe",
    "ProbingSpec",
    "Profile",
    "ProfileError",
    "PythonTarget",
    "Qualification",
    "Rate",
    "Settings",
    "SettingsError",
    "Shift",
    "SignalError",
    "Suite",
    "SuiteError",
    "TargetError",
    "TargetInfo",
    "Trait",
    "TraitError",
    "Turn",
    "Usage",
    "Verdict",
    "__version__",
    "confirm",
    "read_profile",
    "read_signal",
    "read_suite",
]

__version__ = "0.1.0"

_HOMES = {
    "engine": ("Engine",),
    "engine.suites": ("read_suite",),
    "errors": (
        "CacheError", "InputError", "JudgeError", "PersonaError", "ProfileError", "SettingsError", "SignalError", "SuiteError",
        "TargetError", "TraitError",
    ),
    "infer.confirm": ("confirm",),
    "judge.base": ("Answers", "Controls", "Judge", "PairJudge"),
    "load.profiles": ("read_profile",),
    "load.signals": ("read_signal",),
    "model.confirmation": ("Confirmation",),
    "model.drift": ("Comparison", "Drift"),
    "model.episodes": ("Behaviour", "Episode", "Turn"),
    "model.findings": ("Evidence", "Finding", "JudgeInfo", "Profile", "Rate", "Shift"),
    "model.probes": ("Asked", "HttpTarget", "ModelTarget", "Probe", "PythonTarget", "TargetInfo"),
    "model.suites": ("AuditSpec", "ProbingSpec", "Suite"),
    "model.traits": ("Anchor", "Exemplar", "Expectation", "Pole", "Trait"),
    "model.verdicts": ("Qualification", "Usage", "Verdict"),
    "settings": ("Settings",),
}  # fmt: skip
_MODULES = {name: f"{__name__}.{module}" for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import the module that a public name lives in (PEP 562), and remember the name."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_MODULES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
