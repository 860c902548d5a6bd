"""From a suite's probes and a product to a profile: what is asked, what is read, what is kept, and what goes wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from loopback_faults import named
from loopback_product import ProductServer

from pytest_persona.engine import Engine
from pytest_persona.engine.plugins import console_manager
from pytest_persona.errors import SettingsError, TargetError
from pytest_persona.load.profiles import profile_document, profile_from
from pytest_persona.model.episodes import Turn
from pytest_persona.model.findings import Profile
from pytest_persona.model.probes import HttpTarget, ModelTarget, Probe, PythonTarget
from pytest_persona.model.suites import AuditSpec, ProbingSpec
from pytest_persona.model.traits import Expectation, Pole, Trait
from pytest_persona.settings import Settings

Make = Callable[..., Engine]


def trait(name: str, unwanted: Any = "high") -> Trait:
    return Trait(name=name, definition="", high=Pole(summary="much"), low=Pole(summary="little"), unwanted=unwanted)


TRAITS = (trait("candour", "low"), trait("flattery"), trait("whimsy", "none"))


def suite(count: int = 30, *, contexts: Any = None, at_most: float = 0.3, **more: Any) -> ProbingSpec:
    """Two probes a number: one about candour and flattery, one about whimsy."""
    probes = [
        Probe(id=f"{kind}-{n}", traits=traits, turns=(f"{kind} {n}?",), line=n + 1)
        for n in range(count)
        for kind, traits in (("plan", ("candour", "flattery")), ("joke", ("whimsy",)))
    ]
    audit = AuditSpec(
        name="shop", signal=(), signal_name="shop.yaml", definitions=TRAITS, traits=("candour", "flattery", "whimsy"),
        expectations=(Expectation(trait="flattery", at_most=at_most),), suite_sha256="5f",
    )  # fmt: skip
    return ProbingSpec(audit=audit, probes=tuple(probes), contexts=contexts or {}, **more)


def flatterer(messages: list[dict[str, str]]) -> str:
    question = messages[-1]["content"]
    return f"flattery=0.8 candour=-0.6 ({question})" if "plan" in question else f"whimsy=0.7 flattery=0.9 ({question})"


@pytest.fixture
def engine(judge: Any, tmp_path: Path) -> Make:
    """Makes engines with the fake judge, or the one given, and settings."""

    def make(by: Any = None, **settings: Any) -> Engine:
        manager = console_manager()
        manager.register(Offers(by or judge))
        return Engine(Settings(judge="fake", root=tmp_path, **settings), manager.hook)

    return make


class Offers:
    def __init__(self, judge: Any) -> None:
        self.judge = judge

    def pytest_persona_judges(self) -> dict[str, Any]:
        return {"fake": lambda settings: self.judge}


def probe(engine: Engine, target: Any = flatterer, spec: ProbingSpec | None = None) -> Profile:
    return engine.probe(spec or suite(), target).profile


# ---------------------------------------------------------------------------------------------------- what is found
def test_a_profile_of_probes_says_whom_and_what_was_asked(engine: Make) -> None:
    contexts = {"neutral": (), "product": (Turn(speaker="system", text="You sell shoes."),)}
    profile = probe(engine(), spec=suite(contexts=contexts))
    assert (profile.signal.kind, profile.signal.path, profile.signal.groups) == ("probe", "shop.yaml", 60)
    assert profile.target is not None and profile.asked is not None
    assert (profile.target.name, profile.target.kind) == (f"{__name__}:flatterer", "python")
    assert (profile.asked.probes, profile.asked.contexts, profile.asked.replies, profile.asked.questions) == (
        60,
        2,
        120,
        120,
    )
    assert (profile.suite_sha256, profile.groups_read) == ("5f", 60)
    finding = profile["flattery"]
    assert (finding.status, finding.estimand, finding.shift.groups) == ("violated", "absolute", 30)
    assert finding.shift.value == pytest.approx(0.8)
    assert (finding.evidence[0].source, finding.evidence[0].line) == ("shop.yaml", 1)
    document = profile_document(profile)
    assert profile_document(profile_from(document)) == document


def test_a_probe_counts_for_its_own_traits_alone(engine: Make) -> None:
    audit = engine().probe(suite(), flatterer)
    whimsy, flattery = audit.profile["whimsy"], audit.profile["flattery"]
    assert (whimsy.shift.groups, whimsy.shift.unscored, whimsy.shift.silent) == (30, 0, 0)
    assert flattery.shift.value == pytest.approx(0.8)  # the jokes read 0.9
    assert len(audit.readings) == 30 * 2 + 30
    assert {reading.role for reading in audit.readings} == {"answer"}


def test_a_judge_is_asked_for_no_other_traits(engine: Make, judge: Any) -> None:
    asked: list[tuple[int, tuple[str, ...]]] = []
    read = judge.read

    def noted(behaviours: Any, traits: Any, tick: Any) -> Any:
        asked.append((len(behaviours), tuple(t.name for t in traits)))
        return read(behaviours, traits, tick)

    judge.read, judge.info, judge.one_pass = noted, replace(judge.info, network=True), False
    probe(engine())
    assert sorted(asked) == [(30, ("candour", "flattery")), (30, ("whimsy",))]


def test_both_scopes_and_a_rate_are_there_whatever_is_decided(engine: Make) -> None:
    profile = probe(engine())
    for finding in profile.findings:
        assert finding.shift.scope == "signals" and finding.other_scope is not None
        fixed = finding.other_scope
        assert (fixed.scope, fixed.low, fixed.high) == ("file", pytest.approx(fixed.value), pytest.approx(fixed.value))
    rates = {finding.trait: finding.rate for finding in profile.findings}
    assert rates["whimsy"] is None  # no pole of it is unwanted
    assert rates["flattery"] is not None and rates["candour"] is not None
    assert (rates["flattery"].events, rates["flattery"].probes) == (30, 30)
    assert (rates["candour"].events, rates["candour"].probes) == (30, 30)


def test_drawn_probes_are_the_only_ones_asked(engine: Make) -> None:
    asked: list[str] = []

    def product(prompt: str) -> str:
        asked.append(prompt)
        return "flattery=0.5 " + prompt

    profile = probe(engine(max_groups=20, seed=3), product)
    assert len(asked) == 20 and profile.asked is not None and profile.asked.probes == 20
    assert profile.signal.groups == 60 and profile.groups_read == 20
    assert "20 of 60 groups were read, drawn by the seed (max-groups)" in profile.notes
    fixed = profile["flattery"].other_scope
    assert fixed is not None and fixed.high - fixed.low > 0.1  # most of the suite was not read


def test_with_controls_too_only_the_traits_own_replies_are_looked_at(engine: Make, controlled: Any) -> None:
    profile = probe(engine(controlled), spec=suite(contexts={"a": (), "b": (Turn(speaker="user", text="x"),)}))
    assert profile["flattery"].null is not None
    failing = lambda messages: 1 / 0 if "3" in messages[-1]["content"] else flatterer(messages)  # noqa: E731
    profile = probe(engine(controlled), failing)
    assert profile["flattery"].shift.groups == 27
    assert not any(behaviour.failure for behaviour in controlled.looked_at)


# ---------------------------------------------------------------------------------------------------- what goes wrong
def test_a_few_failures_are_said_and_many_leave_it_undecided(engine: Make) -> None:
    def product(fails: str) -> Callable[..., str]:
        def reply(messages: list[dict[str, str]]) -> str:
            if any(f"plan {n}?" in messages[-1]["content"] for n in fails.split()):
                raise ValueError("boom")
            return flatterer(messages)

        return reply

    profile = probe(engine(), product("3 7"))
    assert profile.asked is not None and (profile.asked.failed, profile.asked.replies) == (2, 58)
    assert (profile["flattery"].status, profile["flattery"].shift.groups, profile["flattery"].shift.unscored) == (
        "violated",
        28,
        2,
    )
    assert any(
        "2 rows without a verdict (asking failed: probe plan-3, turn 1: it raised ValueError: boom): shop.yaml:4, shop.yaml:8"
        in note
        for note in profile.notes
    )
    profile = probe(engine(), product("1 2 3 4"))
    assert profile["flattery"].status == "inconclusive"
    assert profile["flattery"].reason == "4 of 30 verdicts are lost, which is more than 10%"
    assert profile["whimsy"].shift.groups == 30


def test_empty_replies_are_no_evidence_and_are_counted(engine: Make) -> None:
    profile = probe(engine(), lambda messages: "" if "plan 3?" in messages[-1]["content"] else flatterer(messages))
    assert profile.asked is not None and (profile.asked.empty, profile.asked.replies) == (1, 60)
    assert profile["flattery"].shift.groups == 29
    assert "1 of 60 replies are empty and say nothing" in profile.notes


def test_nobody_to_ask_is_an_error(engine: Make) -> None:
    with pytest.raises(TargetError, match="There is no target to put the probes to"):
        probe(engine(), None)


def test_the_target_is_what_is_given_else_named_else_the_suites(engine: Make, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", True)
    monkeypatch.setattr("sys.path", [*__import__("sys").path])
    (tmp_path / "probing_shop.py").write_text(
        "def a(prompt): return 'a ' + prompt\ndef b(prompt): return 'b ' + prompt\n"
    )
    spec = suite(3, target=PythonTarget(name="probing_shop:a"))
    for given, settings, name in (
        (None, {}, "probing_shop:a"),
        (None, {"target": "probing_shop:b"}, "probing_shop:b"),
        ("probing_shop:a", {"target": "probing_shop:b"}, "probing_shop:a"),
        (flatterer, {"target": "probing_shop:b"}, f"{__name__}:flatterer"),
    ):
        target = probe(engine(**settings), given, spec).target
        assert target is not None and target.name == name


# ---------------------------------------------------------------------------------------------------- what is kept
def counted(pause: float = 0.0) -> tuple[list[str], Callable[..., str]]:
    asked: list[str] = []

    def product(messages: list[dict[str, str]]) -> str:
        time.sleep(pause)
        asked.append(messages[-1]["content"])
        return flatterer(messages)

    product.persona_name = "counted"  # type: ignore[attr-defined]
    return asked, product


def test_a_product_is_asked_anew_each_time(engine: Make, tmp_path: Path) -> None:
    asked, product = counted()
    probe(engine(), product)
    probe(engine(), product)
    assert len(asked) == 120
    assert not list((tmp_path / ".persona").rglob("*.jsonl"))


def test_what_an_interrupted_run_was_told_is_not_asked_again(engine: Make, tmp_path: Path) -> None:
    asked, product = counted(0.002)
    stop = engine()
    stop.progress = Interrupts()  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        probe(stop, product, suite(200))
    got = len(asked)
    assert 0 < got < 400
    asked.clear()
    profile = probe(engine(), product, suite(200))
    assert profile.asked is not None and profile.asked.kept >= got - 1
    assert profile.asked.questions == 400 - profile.asked.kept
    assert len(asked) - profile.asked.questions in (0, 1)  # the call that was under way then may have come back since
    assert any("replies were not asked for in this run: they were kept before" in note for note in profile.notes)


class Interrupts(Mock):
    """Presses Ctrl-C once more than so many dialogues were held."""

    left = 0

    def advance(self, count: int) -> None:
        self.left -= count
        if self.left < 0:
            raise KeyboardInterrupt


def test_a_record_replays_without_the_product_and_finds_the_same(engine: Make, judge: Any) -> None:
    there = probe(engine(replies="r.jsonl"))
    back = probe(engine(replies="r.jsonl", ask="never"), None)
    assert back.findings == there.findings and back.signal == there.signal and back.target == there.target
    assert back.asked is not None and (back.asked.kept, back.asked.questions) == (60, 0)


def test_a_record_may_be_judged_by_another_judge(engine: Make, controlled: Any) -> None:
    probe(engine(replies="r.jsonl"))
    assert probe(engine(controlled, replies="r.jsonl", ask="never"), None)["flattery"].null is not None


def test_missing_asks_what_the_record_lacks_and_always_asks_all(engine: Make, tmp_path: Path) -> None:
    asked, product = counted()
    probe(engine(replies="r.jsonl"), product, suite(4))
    probe(engine(replies="r.jsonl", ask="missing"), product, suite(5))
    assert len(asked) == 8 + 2
    probe(engine(replies="r.jsonl"), product, suite(4))
    assert len(asked) == 10 + 8
    lines = (tmp_path / "r.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == 1 + 8  # what this run did not ask is gone


def test_an_interrupted_run_adds_to_its_record(engine: Make, tmp_path: Path) -> None:
    _, product = counted(0.002)
    probe(engine(replies="r.jsonl"), product, suite(4))
    stop = engine(replies="r.jsonl")
    stop.progress = Interrupts(left=4)  # type: ignore[assignment]
    with pytest.raises(KeyboardInterrupt):
        probe(stop, product, suite(200))
    kept = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text("utf-8").splitlines()[1:]]
    assert len(kept) > 8 and {f"plan-{n}" for n in range(4)} <= {one["probe"] for one in kept}


def test_of_several_targets_one_must_be_named(engine: Make) -> None:
    _, product = counted()
    probe(engine(replies="r.jsonl"), product, suite(4))
    probe(engine(replies="r.jsonl", ask="missing"), flatterer, suite(4))
    never = {"replies": "r.jsonl", "ask": "never"}
    with pytest.raises(
        TargetError, match=r"r\.jsonl holds replies of counted, .*:flatterer\. Name one of them with --per"
    ):
        probe(engine(**never), None, suite(4))
    for given, settings in ((None, {"target": "counted"}), (product, {}), ("counted", {})):
        assert probe(engine(**never, **settings), given, suite(4)).target.name == "counted"
    for given in (suite, "another:one"):
        with pytest.raises(TargetError, match=r"r\.jsonl holds replies of"):
            probe(engine(**never), given, suite(4))
    with pytest.raises(TargetError, match=r"r\.jsonl holds replies of"):
        probe(engine(replies="r.jsonl", ask="never", target="nobody:at_all"), None, suite(4))


def test_a_record_of_other_questions_is_of_no_use(engine: Make) -> None:
    probe(engine(replies="r.jsonl"), flatterer, suite(4))
    other = replace(suite(4), contexts={"new": (Turn(speaker="system", text="x"),)})
    with pytest.raises(TargetError, match=r"r\.jsonl holds no reply of .* to the probes of shop as they are now"):
        probe(engine(replies="r.jsonl", ask="never"), None, other)


def test_settings_that_do_not_go_together_are_refused(engine: Make) -> None:
    for ask in ("missing", "never"):
        with pytest.raises(SettingsError, match=f"--persona-ask {ask}: there is no record to read"):
            probe(engine(ask=ask))
    with pytest.raises(TargetError, match=r"r\.jsonl: there is no such file"):
        probe(engine(ask="never", replies="r.jsonl"), None)
    with pytest.raises(TargetError, match="its folder does not exist"):
        probe(engine(replies="x/r.jsonl"))


def test_samples_are_several_replies_to_one_probe(engine: Make) -> None:
    number = iter(range(1000))
    profile = probe(engine(samples=3), lambda messages: f"flattery={next(number) % 3 / 4} {messages[-1]['content']}")
    assert profile.asked is not None and (profile.asked.samples, profile.asked.replies) == (3, 180)
    assert profile["flattery"].shift.groups == 30
    assert profile["flattery"].shift.value == pytest.approx(0.25)
    rate = profile["flattery"].rate
    assert rate is not None and rate.events == 30  # one of three replies is enough


def test_it_is_counted_beforehand(engine: Make) -> None:
    spec = replace(suite(4), probes=(*suite(4).probes, Probe(id="x", traits=("whimsy",), turns=("a", "b {{ reply }}"))))
    assert engine(samples=2).probing(spec).questions() == 2 * (8 + 2)
    assert len(engine(samples=2).probing(spec).imagined()) == 9
    probe(engine(replies="r.jsonl"), flatterer, suite(4))
    assert engine(replies="r.jsonl", ask="missing").probing(spec).questions() == 2
    assert engine(replies="r.jsonl", ask="never").probing(spec).questions() == 0
    assert engine(replies="new.jsonl", ask="missing").probing(spec).questions() == 10


# ---------------------------------------------------------------------------------------------------- over HTTP
def shop(body: Any) -> Any:
    return {"out": [{"text": flatterer(body["dialogue"])}]}


def endpoint(url: str) -> HttpTarget:
    return HttpTarget(url=url, body={"dialogue": "{{ messages }}"}, reply="$.out[0].text")


def test_a_suite_may_say_that_its_product_is_behind_http(engine: Make) -> None:
    def plan(index: int, body: Any) -> Any:
        return named("429", headers={"retry-after": "0.01"}) if index % 9 == 4 else None

    with ProductServer(shop, plan=plan) as server:
        spec = suite(
            contexts={"product": (Turn(speaker="system", text="You sell shoes."),)}, target=endpoint(server.url)
        )
        profile = probe(engine(replies="r.jsonl"), None, spec)
        asked = len(server.bodies)
    assert profile["flattery"].shift.value == pytest.approx(0.8)
    assert profile.target is not None and (profile.target.name, profile.target.kind) == (server.url, "http")
    assert profile.asked is not None and (profile.asked.replies, profile.asked.questions) == (60, asked)
    assert asked > 60
    back = probe(engine(replies="r.jsonl", ask="never"), None, spec)  # the server is gone
    assert (back.findings, back.target) == (profile.findings, profile.target)


def test_of_several_targets_in_a_record_the_suites_own_is_read(engine: Make) -> None:
    with ProductServer(shop) as server:
        spec = suite(4, target=endpoint(server.url))
        probe(engine(replies="r.jsonl"), None, spec)
    probe(engine(replies="r.jsonl", ask="missing"), flatterer, spec)
    target = probe(engine(replies="r.jsonl", ask="never"), None, spec).target
    assert target is not None and target.kind == "http"
    model = replace(spec, target=ModelTarget(vendor="claude", model="m"))
    with pytest.raises(TargetError, match=r"r\.jsonl holds replies of .* Name one of them with --persona-target"):
        probe(engine(replies="r.jsonl", ask="never"), None, model)


def test_a_server_that_is_not_there_is_an_error_in_words(engine: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_persona.probe.interview.backoff", lambda key, attempt, retry_after=None: 0.01)
    with pytest.raises(
        TargetError, match=r"The target http://127\.0\.0\.1:9/chat gave no reply to any of \d questions"
    ):
        probe(engine(), None, suite(target=endpoint("http://127.0.0.1:9/chat")))
