"""Plan, ask, measure, decide: from an audit's specification to its profile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from pytest_persona.engine.means import Means, Progress
from pytest_persona.engine.sweep import Audit, Sweep, companions
from pytest_persona.engine.targets import Targets
from pytest_persona.errors import JudgeError, SuiteError
from pytest_persona.model.suites import AuditSpec, ProbingSpec, Suite
from pytest_persona.settings import Settings

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

    from pytest_persona.engine.baselines import Baselines
    from pytest_persona.engine.inoculation import Trial
    from pytest_persona.engine.probing import Probing
    from pytest_persona.engine.sittings import Sitting
    from pytest_persona.judge.base import Judge
    from pytest_persona.load.signals import Signal
    from pytest_persona.load.suites import Shelf
    from pytest_persona.load.traits import TraitLibrary
    from pytest_persona.model.inoculation import Inoculation, InoculationSpec, Ranking
    from pytest_persona.model.personas import Cast
    from pytest_persona.model.portrait import Portrait, PortraitSpec
    from pytest_persona.model.probes import TargetInfo
    from pytest_persona.model.traits import Trait

__all__ = ["Audit", "Engine", "Progress", "judges"]

T = TypeVar("T")
_AT_ONCE = 16
"""Audits that are made at once: enough to keep a judge busy, few enough not to hold their texts for long."""
_GLANCE = 0.2
"""Seconds between two looks at a reading that goes on in another thread."""
_MOST_BATCHED = 256
"""Those that may share a batch; each waits for it in a thread."""


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
        self._shelf: Shelf | None = None
        self._lock = threading.RLock()
        self._threads: ThreadPoolExecutor | None = None
        self._targets = Targets(settings)

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def finish(self) -> None:
        """End the audits that are being made ahead, and begin no more of them."""
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)

    def close(self) -> None:
        """Release the judge, which ends what is still being read; may be called twice."""
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
        if self._judge is not None:
            self._judge.close()
            self._judge = None
        if self._threads is not None:
            self._threads.shutdown()
            self._threads = None

    def ahead(self, make: Callable[[], T]) -> Future[T]:
        """Begin an audit that will be needed, beside others: a judge over a network waits for all of them at once."""
        from concurrent.futures import ThreadPoolExecutor

        if self._threads is None:
            _ = self.judge, self.library  # made once, and their errors are this caller's
            self._threads = ThreadPoolExecutor(_MOST_BATCHED if self.settings.batch else _AT_ONCE, "persona-audit")
        return self._threads.submit(make)

    def audits(self, specs: Sequence[AuditSpec]) -> Iterator[Audit]:
        """The audits in their order, made side by side where the judge is asked over a network; raises as :meth:`audit`."""
        if len(specs) > 1 and self.judge.info.network:
            begun = [self.ahead(partial(self.audit, spec)) for spec in specs]
            yield from map(self.wait, begun)
        else:
            yield from map(self.audit, specs)

    def wait(self, future: Future[T]) -> T:
        """The result of an audit that was begun ahead; shows progress meanwhile, and an interrupt gets through."""
        from concurrent.futures import TimeoutError as TooEarly  # the builtin one only since Python 3.11

        try:
            while True:
                try:
                    return future.result(timeout=_GLANCE)
                except TooEarly:
                    if future.done():
                        raise
                    if self.progress is not None:
                        self.progress.advance(0)
        finally:
            if self.progress is not None:
                self.progress.wipe()

    @property
    def judge(self) -> Judge:
        """The judge that the settings name; raises JudgeError for a name that nobody offers, with those that are."""
        with self._lock:
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

    @cached_property
    def baselines(self) -> Baselines:
        """What profiles are held against, where the settings name a baseline."""
        from pytest_persona.engine.baselines import Baselines

        return Baselines(self.settings)

    @property
    def shelf(self) -> Shelf:
        """All suites that can be named: files, and those that are built in or offered by plugins, held against the project's lock."""
        if self._shelf is None:
            from pytest_persona.engine.plugins import shared_suites
            from pytest_persona.load.suites import Shelf

            self._shelf = Shelf(self.settings.root, partial(shared_suites, self.hooks))
        return self._shelf

    def read_signal(self, spec: AuditSpec, *, most_groups: int | None = None) -> Signal:
        """The signal of an audit, validated row by row; raises SignalError. ``most_groups``: in the place of the settings' number."""
        from pytest_persona.load.signals import read_signal

        return read_signal(
            spec.signal,
            name=spec.signal_name,
            format=self.settings.format,
            fields=self.settings.map,
            on_bad_row=self.settings.on_bad_row,
            most_groups=self.settings.max_groups if most_groups is None else most_groups,
            seed=self.settings.seed,
            hooks=self.hooks,
        )

    def wanted(self, spec: AuditSpec) -> list[Trait]:
        """The traits that an audit names; raises TraitError for one that nobody offers."""
        library = self.library.extended(spec.definitions)
        return [library.get(name) for name in dict.fromkeys([*spec.traits, *(e.trait for e in spec.expectations)])]

    def audit(self, spec: AuditSpec) -> Audit:
        """Read the signal and say which traits it rewards; raises PersonaError for anything the user can mend."""
        library = self.library.extended(spec.definitions)
        wanted = self.wanted(spec)  # unknown names fail before anything is read
        signal = self.read_signal(spec)
        if not wanted:
            known = self.judge.qualify(library.all(), statements=signal.info.kind in ("rubric", "instruction"))
            wanted = [trait for trait in library.all() if known[trait.name].qualified]
        needed, beside = companions(wanted, library)
        sweep = Sweep(self._means, spec, signal, wanted=wanted, needed=needed, beside=beside)
        return self.baselines.applied(sweep.run(), self.judge)

    def inoculate(self, spec: InoculationSpec) -> Inoculation:
        """Read the signal with and without a request and say what it explains away; raises PersonaError as :meth:`audit`."""
        traits = self.wanted(spec.audit)
        if not traits:
            library = self.library.extended(spec.audit.definitions)
            known = self.judge.qualify(library.all())
            traits = [trait for trait in library.all() if known[trait.name].qualified]
        return self.trial(spec, traits).run()

    def trial(self, spec: InoculationSpec, traits: Sequence[Trait]) -> Trial:
        """An experiment on traits that is ready to be read; raises PersonaError."""
        from pytest_persona.engine.inoculation import Trial
        from pytest_persona.load.wordings import read_wordings

        return Trial(self._means, spec, self.read_signal(spec.audit), traits, read_wordings())

    def rank(self, spec: InoculationSpec) -> list[Ranking]:
        """For each trait of an experiment, the library's requests and its own by what they are measured to do; raises PersonaError."""
        from pytest_persona.engine.requests import rank
        from pytest_persona.load.wordings import read_wordings

        traits, signal = self.wanted(spec.audit), self.read_signal(spec.audit)
        return [rank(self._means, signal, spec, trait, read_wordings()) for trait in traits]

    def portrait(self, spec: PortraitSpec) -> Portrait:
        """Say which character the signal reads most like; raises PersonaError as :meth:`audit`."""
        from pytest_persona.engine.portrait import portrayed

        return portrayed(self._means, spec, *self.sit(spec))

    def sit(self, spec: PortraitSpec) -> tuple[Signal, Cast, Sitting]:
        """A portrait's signal, its characters, and what is ready to be read of them; raises PersonaError."""
        from pytest_persona.engine.portrait import check_profile
        from pytest_persona.engine.sittings import most_groups, sitting
        from pytest_persona.load.personas import read_cast

        people = read_cast(spec.characters, root=self.settings.root)
        signal = self.read_signal(spec.audit, most_groups=most_groups(self.judge, spec, self.settings.max_groups))
        check_profile(spec, signal)
        return signal, people, sitting(self._means, spec, signal, people)

    def probe(self, spec: ProbingSpec | Suite, target: object = None) -> Audit:
        """Put a suite's probes to a product and say which traits its replies show; raises PersonaError as :meth:`audit`.

        ``target`` is a callable, or what a suite's ``target`` can say; None leaves it to the settings, then to the suite. The
        product is asked on a thread of its own, so that this may be called inside a running event loop.
        """
        return self.baselines.applied(
            self.probing(self._asked_by(spec) if isinstance(spec, Suite) else spec).run(target), self.judge
        )

    def probing(self, spec: ProbingSpec) -> Probing:
        """A probing that is ready to be held; raises PersonaError."""
        from pytest_persona.engine.probing import Probing

        library, wanted = self.library.extended(spec.audit.definitions), self.wanted(spec.audit)
        if not wanted:
            wanted = [library.get(name) for name in dict.fromkeys(t for probe in spec.probes for t in probe.traits)]
        return Probing(self._means, spec, wanted, companions(wanted, library), self._targets)

    def _asked_by(self, suite: Suite) -> ProbingSpec:
        from pytest_persona.load.probing import probing

        spec = probing(suite, self.settings.bound, self.library)
        if spec is None:
            raise SuiteError("there are no probes", remedy="Add probes, or audit its signals", path=suite.path)
        return spec

    def target_of(self, spec: ProbingSpec, target: object = None) -> TargetInfo:
        """Who :meth:`probe` would ask; raises TargetError where that is nobody."""
        return self._targets.info(self._targets.chosen(target, spec.target))

    def recorded_target(self, spec: ProbingSpec) -> TargetInfo | None:
        """Whose replies :meth:`probe` would read where it is to ask nobody and can tell; raises as it does for a bad record."""
        from pytest_persona.engine.probing import check_replies, recorded_target

        check_replies(self.settings)
        return recorded_target(self.settings, spec)

    @property
    def _means(self) -> Means:
        return Means(
            settings=self.settings, hooks=self.hooks, judge=self.judge, progress=self.progress, lock=self._lock
        )


def judges(hooks: Any) -> dict[str, Callable[[Settings], Any]]:
    """All judges that are offered, by name; raises JudgeError where two plugins offer one name."""
    found: dict[str, Callable[[Settings], Any]] = {}
    for offered in hooks.pytest_persona_judges():
        for name, factory in offered.items():
            if name in found:
                raise JudgeError(f"two plugins offer a judge named {name!r}. Disable or rename one of them.")
            found[name] = factory
    return found
