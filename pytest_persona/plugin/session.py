"""What one process knows of a run: its settings, its engine, and every audit, made once however many items need it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from pytest_persona.plugin.options import any_given, settings_of

if TYPE_CHECKING:
    from concurrent.futures import Future

    from pytest_persona.engine import Audit, Engine
    from pytest_persona.model.findings import Profile
    from pytest_persona.model.inoculation import Inoculation, InoculationSpec
    from pytest_persona.model.suites import AuditSpec, ProbingSpec
    from pytest_persona.plugin.shared import RunFolder
    from pytest_persona.settings import Settings

__all__ = ["Gated", "ItemState", "Run", "run_of", "start", "state_of"]


class Gated:
    """What decides whether an item passes: a finding of an audit or of an experiment, and its words."""

    def __init__(
        self, holder: object, status: str, called: str, failure: Callable[[], str], section: Callable[[], Iterable[str]]
    ) -> None:
        self.holder, self.status, self.called, self.failure, self.section = holder, status, called, failure, section


class ItemState:
    """What one item has to do with us."""

    key: ClassVar[pytest.StashKey[ItemState]] = pytest.StashKey()

    def __init__(self) -> None:
        self.audits: list[str] = []
        """Keys of the audits it used."""
        self.gated: list[Gated] = []
        """Findings that decide whether it passes."""
        self.settled = False
        """Whether its body has passed, so that the findings had the word."""


class Run:
    """The state of one process; ``records`` holds each audit as the plain JSON that crosses processes."""

    key: ClassVar[pytest.StashKey[Run]] = pytest.StashKey()

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.records: dict[str, dict[str, Any]] = {}
        """By audit key, what this process made or read."""
        self.sent: set[str] = set()
        """Keys of audits that a report of this process already carries."""
        self.received: dict[str, dict[str, Any]] = {}
        """By audit key, what the reports of the whole run carried; filled where they are shown."""
        self.failed: set[str] = set()
        """Keys of audits that a test which failed had to do with."""
        self.problems: list[str] = []
        """Documents that could not be written, in words."""
        self.remarks: list[str] = []
        """What has been done to the baseline, in words."""
        self._profiles: dict[str, Profile] = {}
        self._inoculations: dict[str, Inoculation] = {}
        self._engine: Engine | None = None
        self._ahead: dict[str, Future[dict[str, Any]]] = {}
        """By audit key, what was begun before an item needed it."""
        worker: Mapping[str, Any] = getattr(config, "workerinput", {})
        self._name: str = worker.get("persona_run", "")
        """What the run's workers are told that it is called; empty where there are none."""
        self._workers: int = worker.get("workercount", 1)
        self._number = int(re.sub(r"\D", "", worker.get("workerid", "")) or 0) % self._workers

    @property
    def is_worker(self) -> bool:
        """Whether another process shows what this one finds."""
        return hasattr(self.config, "workerinput")

    @cached_property
    def settings(self) -> Settings:
        """The options in force; an unrelated run never makes them."""
        return settings_of(self.config, run=self._name, workers=self._workers)

    @property
    def settings_of_run(self) -> Settings:
        """The options with the name that the run's workers know it by, which it has only once they are started."""
        return replace(self.settings, run=self._name)

    @cached_property
    def engine(self) -> Engine:
        """The one engine of this process, made when an audit first needs it."""
        from pytest_persona.engine import Engine, builtins
        from pytest_persona.engine.plugins import register_installed
        from pytest_persona.plugin.progress import progress_for

        manager = self.config.pluginmanager
        if not manager.is_registered(builtins):
            manager.register(builtins, "persona-builtins")
        register_installed(manager)
        self._engine = Engine(self.settings, self.config.hook, progress_for(self.config))
        return self._engine

    def audit(self, spec: AuditSpec, item: pytest.Item) -> Profile:
        """The profile of an audit that ``item`` needs; raises PersonaError, each time anew, where it could not be made."""
        return self._profile(self._made(self._key(spec), lambda: self.engine.audit(spec), item))

    def probe(
        self, spec: ProbingSpec, fixture: Callable[[], object], item: pytest.Item, *, target: object = None
    ) -> Profile:
        """The profile of a product's replies that ``item`` needs; raises as :meth:`audit`.

        Without a ``target``, ``fixture`` gives what the item's fixture holds; it is not called where replies are read that are known
        to be one product's.
        """
        from pytest_persona.model.episodes import digest

        recorded = self.engine.recorded_target(spec) if target is None else None
        given = fixture() if recorded is None and target is None else target
        nobody = given is None and self.settings.ask == "never"  # the engine says what is wrong where it cannot tell
        info = recorded if recorded or nobody else self.engine.target_of(spec, given)
        key = digest(self._key(spec), *((info.name, info.fingerprint) if info else ()))
        return self._profile(self._made(key, lambda: self.engine.probe(spec, given), item))

    def inoculate(self, spec: InoculationSpec, item: pytest.Item) -> Inoculation:
        """What an experiment found that ``item`` needs; raises as :meth:`audit`."""
        key = self._made(self._key(spec), lambda: self.engine.inoculate(spec), item)
        if key not in self._inoculations:
            from pytest_persona.load.inoculations import inoculation_from

            self._inoculations[key] = inoculation_from(self.records[key]["inoculation"])
        return self._inoculations[key]

    @staticmethod
    def _key(spec: AuditSpec | InoculationSpec | ProbingSpec) -> str:
        from pytest_persona.plugin.shared import key_of

        return key_of(spec)

    def _made(self, key: str, make: Callable[[], Audit | Inoculation], item: pytest.Item) -> str:
        """The same key, once there is a record of what ``make`` makes, which ``item`` needs."""
        from pytest_persona.plugin.shared import is_error, revive

        if key not in self.records:
            begun = self._ahead.pop(key, None)
            self.records[key] = self._once(key, make) if begun is None else self.engine.wait(begun)
        record = self.records[key]
        if is_error(record):
            raise revive(record)
        state = state_of(item)
        if key not in state.audits:
            state.audits.append(key)
        return key

    def begin(self, specs: Sequence[AuditSpec | InoculationSpec]) -> None:
        """Begin audits that items will need, where a judge over a network can answer for all of them at once."""
        from pytest_persona.model.inoculation import InoculationSpec

        keyed = {self._key(spec): spec for spec in specs}
        # Each worker begins elsewhere, so that they do not wait for one another's first audits.
        first = len(keyed) * self._number // self._workers
        for key in [*list(keyed)[first:], *list(keyed)[:first]]:
            spec = keyed[key]
            read = self.engine.inoculate if isinstance(spec, InoculationSpec) else self.engine.audit
            self._ahead[key] = self.engine.ahead(partial(self._once, key, partial(read, spec)))  # type: ignore[arg-type]

    def open_folder(self) -> str:
        """Name the folder in which workers share audits; called where the workers are started."""
        import uuid

        self._name = self._name or uuid.uuid4().hex
        return self._name

    def rest(self, *, patiently: bool = False) -> None:
        """Release the judge, which ends what is still being asked; ``patiently`` first ends what was begun: others wait for it."""
        if self._engine is not None:
            if patiently:
                self._engine.finish()
            self._engine.close()

    def close(self) -> None:
        """Release the judge; where the run was started, remove what workers shared."""
        self.rest()
        if self._folder is not None and not self.is_worker:
            self._folder.remove()

    @cached_property
    def _folder(self) -> RunFolder | None:
        """Where workers share audits; None where there are none."""
        if not self._name:
            return None
        from pytest_persona.plugin.shared import RunFolder

        return RunFolder(self.settings.root / self.settings.cache / "runs" / self._name)

    def _once(self, key: str, make: Callable[[], Audit | Inoculation]) -> dict[str, Any]:
        from pytest_persona.plugin.shared import record_of

        def record() -> dict[str, Any]:
            return record_of(make, rows=self.settings.rows is not None)

        return record() if self._folder is None else self._folder.once(key, record)

    def _profile(self, key: str) -> Profile:
        if key not in self._profiles:
            from pytest_persona.load.profiles import profile_from

            self._profiles[key] = profile_from(self.records[key]["profile"], ours=True)
        return self._profiles[key]


def start(config: pytest.Config) -> Run:
    """Begin the run of this process; raises UsageError for an option that cannot be used."""
    config.stash[Run.key] = run = Run(config)
    if any_given(config):
        _ = run.settings
    return run


def run_of(config: pytest.Config) -> Run:
    """The run of this process."""
    return config.stash[Run.key]


def state_of(item: pytest.Item) -> ItemState:
    """What ``item`` has to do with us; made when first asked for."""
    return item.stash.setdefault(ItemState.key, ItemState())
