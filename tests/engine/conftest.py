"""An engine whose judge reads what a reply says of itself: ``candour=0.8 requested=0.5``."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pluggy
import pytest

from pytest_persona import hookspecs
from pytest_persona.engine import Audit, Engine
from pytest_persona.engine.keeping import keep
from pytest_persona.engine.means import Means
from pytest_persona.engine.sweep import Sweep
from pytest_persona.judge.base import Answers
from pytest_persona.load.signals import Signal
from pytest_persona.model.episodes import Behaviour, Episode, SignalInfo, Turn, digest
from pytest_persona.model.findings import JudgeInfo, Profile
from pytest_persona.model.suites import AuditSpec
from pytest_persona.model.traits import Anchor, Expectation, Pole, Trait
from pytest_persona.model.verdicts import Qualification, Usage, Verdict
from pytest_persona.settings import Settings

hookimpl = pluggy.HookimplMarker("pytest")
SAID = re.compile(r"([a-z-]+)=(-?[\d.]+)")


class Plain:
    """A judge without controls."""

    info = JudgeInfo(name="plain", fingerprint="f00", network=False)
    one_pass = True

    def __init__(self, settings: Settings | None = None) -> None:
        self.unqualified: dict[str, str] = {}
        self.asked: list[Behaviour] = []
        self.traits_asked: list[str] = []
        self.statements: list[bool] = []
        self.closed = 0

    def qualify(self, traits: Sequence[Trait], *, statements: bool = False) -> dict[str, Qualification]:
        self.statements.append(statements)
        reasons = {t.name: self.unqualified.get(t.name, "") for t in traits}
        return {name: Qualification(qualified=not why, auroc=0.9, reason=why) for name, why in reasons.items()}

    def read(self, behaviours: Sequence[Behaviour], traits: Sequence[Trait], tick: Any) -> Answers:
        self.asked += behaviours
        self.traits_asked = [t.name for t in traits]
        tick(len(behaviours))
        cut = sum("(long)" in b.reply for b in behaviours)
        return Answers(
            verdicts=[{t.name: self.verdict(b.reply, t.name) for t in traits} for b in behaviours],
            usage=Usage(questions=len(behaviours), cut=cut),
        )

    @staticmethod
    def verdict(reply: str, trait: str) -> Verdict:
        said = {name: float(number) for name, number in SAID.findall(reply)}
        if not reply:
            return Verdict(expressed=None, reason="empty")
        return Verdict(expressed=said.get(trait, 0.0), requested=said.get("requested"))

    def close(self) -> None:
        self.closed += 1


class Controlled(Plain):
    """A judge whose null vectors read noise of the texts, so large that the marks above 0.3 stand out."""

    spread = 0.1

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(settings)
        self.looked_at: set[Behaviour] = set()

    def panel(self, behaviours: Sequence[Behaviour], trait: Trait) -> tuple[np.ndarray, np.ndarray]:
        self.looked_at |= set(behaviours)
        own = [self.verdict(b.reply, trait.name).expressed or 0.0 for b in behaviours]
        sides = np.array([1.0 if b.role == "chosen" else -1.0 for b in behaviours])[:, None]
        return np.array(own), self.spread * sides * np.random.default_rng(0).standard_normal(400)

    def valence(self, behaviours: Sequence[Behaviour], trait: Trait) -> tuple[np.ndarray, np.ndarray]:
        self.looked_at |= set(behaviours)
        whole = np.array([float(len(b.reply)) for b in behaviours])
        return whole, 0.6 * whole


class Offers:
    """A plugin that offers one judge."""

    def __init__(self, judge: Plain, name: str = "fake") -> None:
        self.judge, self.name = judge, name

    @hookimpl
    def pytest_persona_judges(self) -> dict[str, Any]:
        return {self.name: lambda settings: self.judge}


def _trait(name: str, **more: Any) -> Trait:
    return Trait(name=name, definition="", high=Pole(summary="much"), low=Pole(summary="little"), origin="here", **more)


def _manager(*plugins: object) -> pluggy.PluginManager:
    manager = pluggy.PluginManager("pytest")
    manager.add_hookspecs(hookspecs)
    for plugin in plugins:
        manager.register(plugin)
    return manager


def _pairs(count: int, chosen: str = "candour=0.8", rejected: str = "candour=-0.8") -> list[dict[str, str]]:
    return [
        {"prompt": f"question {i}", "chosen": f"{chosen} ({i} a)", "rejected": f"{rejected} ({i} b)"}
        for i in range(count)
    ]


Run = Callable[..., Audit]


@pytest.fixture
def judge() -> Plain:
    return Plain()


@pytest.fixture
def controlled() -> Controlled:
    return Controlled()


@pytest.fixture
def trait() -> Callable[..., Trait]:
    """A trait of that name, defined nowhere but here."""
    return _trait


@pytest.fixture
def manager() -> Callable[..., pluggy.PluginManager]:
    """A plugin manager with just these plugins; none of ours."""
    return _manager


@pytest.fixture
def pairs() -> Callable[..., list[dict[str, str]]]:
    """So many preference pairs of distinct texts, each a group of its own."""
    return _pairs


@pytest.fixture
def spec() -> Callable[..., AuditSpec]:
    """An audit of rows; bounds by trait as ``at_most``, and the traits defined that are named anywhere."""

    def make(
        rows: Any, *, at_most: dict[str, float] | None = None, at_least: dict[str, float] | None = None,
        traits: Sequence[str] = (), define: Sequence[Trait] = (), suite: str | None = None,
    ) -> AuditSpec:  # fmt: skip
        high, low = at_most or {}, at_least or {}
        bounded = dict.fromkeys([*high, *low])
        defined = {t.name for t in define}
        return AuditSpec(
            name="the audit", signal=rows, signal_name="rows", traits=tuple(traits), suite_sha256=suite,
            expectations=tuple(Expectation(trait=n, at_most=high.get(n), at_least=low.get(n)) for n in bounded),
            definitions=(*define, *(_trait(n) for n in dict.fromkeys([*bounded, *traits]) if n not in defined)),
        )  # fmt: skip

    return make


@pytest.fixture
def run(judge: Plain, spec: Callable[..., AuditSpec], tmp_path: Path) -> Run:
    """Audits rows with a fake judge, the settings and the plugins given."""

    def audit(
        rows: Any, *, by: Plain | None = None, settings: dict[str, Any] | None = None, plugins: Sequence[object] = (),
        progress: Any = None, **more: Any,
    ) -> Audit:  # fmt: skip
        hooks = _manager(Offers(by or judge), *plugins).hook
        with Engine(Settings(judge="fake", root=tmp_path, **(settings or {})), hooks, progress) as engine:
            return engine.audit(spec(rows, **more))

    return audit


# ------------------------------------------------------------------------------------------------ against a baseline
PROBES = {f"p{k}": f"Question {k}?" for k in range(20)}


class Held:
    """Audits rows, or replies to probes, against ``base.json``."""

    def __init__(self, folder: Path, judge: Any, spec: Any) -> None:
        self.folder, self.judge, self.spec = folder, judge, spec
        self.hooks = _manager(Offers(judge)).hook
        anchors = tuple(
            Anchor(
                domain=f"d{k % 4}",
                context=(Turn(speaker="user", text="Well?"),),
                high=f"candour=0.8 {k}",
                low=f"candour=-0.8 {k}",
            )
            for k in range(12)
        )
        self.trait = _trait("candour", pairs=anchors)

    def settings(self, **more: Any) -> Settings:
        return Settings(judge="fake", root=self.folder, **{"baseline": "base.json", **more})

    def audit(
        self, rows: list[dict[str, str]], *, bounds: dict[str, float] | None = None, name: str = "rows", **more: Any
    ) -> Profile:
        expected = Expectation(trait="candour", **{"drift_at_most": 0.1, **(bounds or {})})
        spec = replace(
            self.spec(rows, define=[self.trait], traits=["candour"]),
            name=name,
            signal_name=name,
            expectations=(expected,),
        )
        with Engine(self.settings(**more), self.hooks) as engine:
            return engine.audit(spec).profile

    def probe(self, replies: dict[str, str], questions: dict[str, str] | None = None, **more: Any) -> Profile:
        """What the engine of a probing does once the product has answered."""
        asked = questions or PROBES
        episodes = tuple(_answer(name, asked[name], reply) for name, reply in replies.items())
        said = digest(*(b.reply for e in episodes for b in e.behaviours))
        info = SignalInfo(
            path="suite", kind="probe", format="probes", episodes=len(episodes), groups=len(episodes), sha256=said
        )
        expected = Expectation(trait="candour", drift_at_most=0.1)
        spec = replace(self.spec([], define=[self.trait], traits=["candour"]), name="suite", expectations=(expected,))
        with Engine(self.settings(**more), self.hooks) as engine:
            means = Means(
                settings=engine.settings, hooks=self.hooks, judge=self.judge, progress=None, lock=engine._lock
            )
            audit = Sweep(
                means, spec, Signal(info=info, episodes=episodes), wanted=[self.trait], needed=[], beside=[]
            ).run()
            return engine.baselines.applied(audit, self.judge).profile

    def keep(self, *profiles: Profile, failed: Sequence[int] = (), **more: Any) -> list[str]:
        return keep(self.settings(**more), profiles, "--", failed)

    @property
    def file(self) -> Path:
        return self.folder / "base.json"


def _answer(name: str, question: str, reply: str) -> Episode:
    said = Behaviour(role="answer", context=(Turn(speaker="user", text=question),), reply=reply)
    return Episode(kind="probe", source="suite", line=1, group=name, behaviours=(said,), question=digest(question))


@pytest.fixture
def probes() -> dict[str, str]:
    """Probes by name, with what they ask."""
    return dict(PROBES)


@pytest.fixture
def held(tmp_path: Path, judge: Plain, spec: Callable[..., AuditSpec]) -> Held:
    """Profiles against a baseline in an empty folder."""
    return Held(tmp_path, judge, spec)


@pytest.fixture
def based(held: Held) -> Held:
    """With a baseline of 60 pairs that shift candour by 0.6."""
    profile = held.audit(_pairs(60, "candour=0.3", "candour=-0.3"), update=("passed",))
    assert held.keep(profile, update=("passed",)) == ["baseline base.json: 1 new (rows)"]
    return held
