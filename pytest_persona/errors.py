"""What can go wrong, as a tree.

PersonaError                 anything a user can mend; printed without a traceback, exit code 2
├── SettingsError            an option or ini value that cannot be used
├── InputError               a file or value that cannot be read: ``path:line: field: what is wrong. What would be right.``
│   ├── SignalError          a training signal
│   ├── TraitError           a trait document, or a trait that nobody offers
│   ├── SuiteError           a suite file
│   └── ProfileError         a saved profile
├── TargetError              a product that cannot be asked (its failure on one question is data, not an error)
├── JudgeError               a judge that cannot be set up (a judge's failure on one question is data, not an error)
│   └── JudgeClosed          one that was closed before it had answered: nothing that others may take for its word
└── CacheError               a cache that cannot be used
"""

from __future__ import annotations

__all__ = [
    "CacheError",
    "InputError",
    "JudgeClosed",
    "JudgeError",
    "PersonaError",
    "ProfileError",
    "SettingsError",
    "SignalError",
    "SuiteError",
    "TargetError",
    "TraitError",
]


class PersonaError(Exception):
    """Anything that a user of pytest-persona can mend."""


class SettingsError(PersonaError):
    """An option or ini value that cannot be used."""


class InputError(PersonaError):
    """An input that cannot be read; renders as ``path:line: field: what is wrong. What would be right.``"""

    def __init__(
        self, problem: str, *, remedy: str = "", path: str = "", line: int | None = None, field: str = ""
    ) -> None:
        self.problem = problem
        self.remedy = remedy
        self.path = path
        self.line = line
        self.field = field
        super().__init__(self._render())

    def _render(self) -> str:
        where = self.path
        if self.line is not None:
            where += f":{self.line}"
        head = ": ".join(part for part in (where, self.field) if part)
        body = ". ".join(part.rstrip(".") for part in (self.problem, self.remedy) if part) + "."
        return f"{head}: {body}" if head else body


class SignalError(InputError):
    """A training signal that cannot be read."""


class TraitError(InputError):
    """A trait document that cannot be read, or a trait that nobody offers."""


class SuiteError(InputError):
    """A suite file that cannot be read."""


class ProfileError(InputError):
    """A saved profile that cannot be read."""


class TargetError(PersonaError):
    """A product that cannot be asked."""


class JudgeError(PersonaError):
    """A judge that cannot be set up."""


class JudgeClosed(JudgeError):
    """A judge that was closed before it had answered; what was answered is kept."""

    def __init__(self, told: str = "The judge was closed before it had answered. What was answered is kept.") -> None:
        super().__init__(told)


class CacheError(PersonaError):
    """A cache that cannot be used."""
