"""Plan, ask, measure, decide: from an audit's specification to its profile."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from pytest_persona.engine.sweep import Audit, Progress, Sweep
from pytest_persona.errors import JudgeError
from pytest_persona.model.suites import AuditSpec
from pytest_persona.settings import Settings

if TYPE_CHECKING:
    from pytest_persona.judge.base import Judge
    from pytest_persona.load.signals import Signal
    from pytest_persona.load.traits import TraitLibrary

__all__ = ["Audit", "Engine", "Progress", "judges"]


class Engine:
    """One judge, one trait library and one cache for all the audits of a run; a context manager.

    ``hooks`` is the ``hook`` attribute of a pluggy manager that knows :mod:`pytest_persona.hookspecs`.
    """

    def __init__(self, settings: Settings, hooks: Any, progress: Progress | None = None) -> None:
        self.settings = settings
        self.hooks = hooks
        self.progress = progress
        self._judge: Judge | None = None
        self._library: TraitLibrary | None = None

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Release the judge; may be called twice."""
        if self._judge is not None:
            self._judge.close()
            self._judge = None

    @property
    def judge(self) -> Judge:
        """The judge that the settings name; raises JudgeError for a name that nobody offers, with those that are."""
        if self._judge is None:
            offered = judges(self.hooks)
            if self.settings.judge not in offered:
                raise JudgeError(
                    f"{self.settings.judge!r} is no judge that is installed. Installed: {', '.join(sorted(offered))}."
                )
            self._judge = offered[self.settings.judge](self.settings)
        return self._judge

    @property
    def library(self) -> TraitLibrary:
        """All traits that are offered: built in, by plugins, and by the settings."""
        if self._library is None:
            from pytest_persona.load.traits import TraitLibrary

            offered = [path for paths in self.hooks.pytest_persona_traits() for path in paths]
            self._library = TraitLibrary([*offered, *(self.settings.root / path for path in self.settings.traits)])
        return self._library

    def read_signal(self, spec: AuditSpec) -> Signal:
        """The signal of an audit, validated row by row; raises SignalError."""
        from pytest_persona.load.signals import read_signal

        return read_signal(
            spec.signal,
            name=spec.signal_name,
            format=self.settings.format,
            fields=self.settings.map,
            on_bad_row=self.settings.on_bad_row,
            most_groups=self.settings.max_groups,
            seed=self.settings.seed,
            hooks=self.hooks,
        )

    def audit(self, spec: AuditSpec) -> Audit:
        """Read the signal and say which traits it rewards; raises PersonaError for anything the user can mend."""
        library = self.library.extended(spec.definitions)
        named = dict.fromkeys([*spec.traits, *(e.trait for e in spec.expectations)])
        wanted = [library.get(name) for name in named]  # unknown names fail before anything is read
        signal = self.read_signal(spec)
        if not wanted:
            known = self.judge.qualify(library.all(), statements=signal.info.kind in ("rubric", "instruction"))
            wanted = [trait for trait in library.all() if known[trait.name].qualified]
        beside = [
            library.get(name) for name in dict.fromkeys(r for t in wanted for r in t.rivals) if name in library.names()
        ]
        sweep = Sweep(
            settings=self.settings, hooks=self.hooks, judge=self.judge, progress=self.progress,
            spec=spec, signal=signal, wanted=wanted, beside=[trait for trait in beside if trait not in wanted],
        )  # fmt: skip
        return sweep.run()


def judges(hooks: Any) -> dict[str, Callable[[Settings], Any]]:
    """All judges that are offered, by name; raises JudgeError where two plugins offer one name."""
    found: dict[str, Callable[[Settings], Any]] = {}
    for offered in hooks.pytest_persona_judges():
        for name, factory in offered.items():
            if name in found:
                raise JudgeError(f"two plugins offer a judge named {name!r}. Disable or rename one of them.")
            found[name] = factory
    return found
