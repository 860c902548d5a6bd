"""Reading group by group: the order, when it stops, and what plugins may change of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pluggy
import pytest

hookimpl = pluggy.HookimplMarker("pytest")
Run = Callable[..., Any]
Pairs = Callable[..., list[dict[str, str]]]


class Watch:
    """Progress that remembers."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def start(self, label: str, total: int) -> None:
        self.seen.append((label, total))

    def advance(self, count: int) -> None:
        self.seen.append(count)

    def finish(self, label: str) -> None:
        self.seen.append("finished")

    def wipe(self) -> None:
        self.seen.append("wiped")


def test_reading_stops_when_every_declared_finding_is_decided_and_says_so(run: Run, judge: Any, pairs: Pairs) -> None:
    profile = run(pairs(400), at_most={"candour": 0.1}).profile
    finding = profile["candour"]
    assert finding.status == "violated"
    assert finding.read_to_decision == profile.groups_read == finding.shift.groups == 32
    assert len(judge.asked) == profile.usage.questions == 64
    assert profile.notes == ("reading stopped after 32 of 400 groups: every declared finding was decided",)


@pytest.mark.parametrize("settings", [{"read_all": True}, {"interval": "t"}, {"interval": "bca"}])
def test_reading_goes_on_where_it_is_asked_to_or_where_the_interval_may_not_be_peeked_at(
    run: Run, pairs: Pairs, settings: dict[str, Any]
) -> None:
    profile = run(pairs(100), at_most={"candour": 0.1}, settings=settings).profile
    assert (profile.groups_read, profile.notes) == (100, ())
    assert profile["candour"].status == "violated"
    assert profile["candour"].read_to_decision is None


def test_reading_goes_on_while_one_of_two_findings_is_open(run: Run, pairs: Pairs) -> None:
    profile = run(pairs(100, "candour=0.8 doubt=0.3", "doubt=0.2"), at_most={"candour": 0.1, "doubt": 0.1}).profile
    assert profile.groups_read == 100
    assert [f.status for f in profile.findings] == ["violated", "inconclusive"]


def test_reading_goes_on_where_nothing_was_declared(run: Run, pairs: Pairs) -> None:
    assert run(pairs(100), traits=["candour"]).profile.groups_read == 100


def test_a_finding_that_is_decided_by_the_last_group_was_not_decided_early(run: Run, pairs: Pairs) -> None:
    profile = run(pairs(32), at_most={"candour": 0.1}).profile
    assert profile["candour"].status == "violated"
    assert (profile["candour"].read_to_decision, profile.notes) == (None, ())


def test_the_order_depends_on_the_seed_and_not_on_the_file(run: Run, judge: Any, pairs: Pairs) -> None:
    def first(rows: Any, seed: int) -> list[Any]:
        judge.asked.clear()
        run(rows, at_most={"candour": 0.1}, settings={"seed": seed})
        return [behaviour.context for behaviour in judge.asked]

    rows = pairs(200)
    assert first(rows, 0) == first(rows[::-1], 0)
    assert set(first(rows, 0)) != set(first(rows, 1))


def test_max_groups_draws_by_the_seed_and_says_so(run: Run, judge: Any, pairs: Pairs) -> None:
    profile = run(pairs(100), traits=["candour"], settings={"max_groups": 30}).profile
    assert (profile.groups_read, profile.signal.groups, len(judge.asked)) == (30, 100, 60)
    assert profile.notes == ("30 of 100 groups were read, drawn by the seed (max-groups)",)
    assert profile.settings["max_groups"] == 30


def test_a_group_is_read_whole(run: Run, judge: Any) -> None:
    rows = [
        {"prompt": f"question {i % 40}", "chosen": f"candour=0.8 ({i})", "rejected": f"no ({i})"} for i in range(120)
    ]
    profile = run(rows, at_most={"candour": 0.1}).profile
    assert profile.groups_read == 32
    assert len(judge.asked) == 32 * 3 * 2


def test_a_plugin_sees_every_verdict_once(run: Run, pairs: Pairs) -> None:
    seen: list[Any] = []

    class Sees:
        @hookimpl
        def pytest_persona_verdict(self, behaviour: Any, trait: Any, verdict: Any) -> None:
            seen.append((behaviour.reply, trait.name, verdict.expressed))

    run(pairs(2), traits=["candour", "doubt"], plugins=[Sees()])
    assert len(seen) == len(set(seen)) == 2 * 2 * 2
    assert ("candour=0.8 (0 a)", "candour", 0.8) in seen


class Drops:
    """Withholds behaviours, and adds one that nobody asked for."""

    @hookimpl
    def pytest_persona_modify_questions(self, behaviours: list[Any], traits: list[Any]) -> None:
        behaviours[:] = [b for b in behaviours if "INTERNAL" not in b.reply]


def test_a_behaviour_that_a_plugin_drops_is_missing_and_never_read(run: Run, controlled: Any, pairs: Pairs) -> None:
    rows = pairs(60)
    rows[7]["chosen"] = "INTERNAL candour=1.0"
    audit = run(rows, by=controlled, traits=["candour"], plugins=[Drops()])
    assert not [b for b in (*controlled.asked, *controlled.looked_at) if "INTERNAL" in b.reply]
    (missing,) = [reading for reading in audit.readings if reading.reason is not None]
    assert (missing.line, missing.role, missing.reason, missing.expressed) == (8, "chosen", "missing", None)
    shift = audit.profile["candour"].shift
    assert (shift.groups, shift.unscored, shift.silent) == (59, 1, 1)
    assert audit.profile["candour"].null is not None


def test_where_a_plugin_drops_everything_nothing_is_decided(run: Run, controlled: Any, pairs: Pairs) -> None:
    rows = pairs(10, "INTERNAL", "INTERNAL")
    finding = run(rows, by=controlled, at_most={"candour": 0.1}, plugins=[Drops()]).profile["candour"]
    assert (finding.status, finding.shift.value) == ("inconclusive", None)
    assert controlled.looked_at == set()


def test_a_trait_that_a_plugin_drops_is_missing(run: Run, pairs: Pairs) -> None:
    class DropsTrait:
        @hookimpl
        def pytest_persona_modify_questions(self, behaviours: list[Any], traits: list[Any]) -> None:
            traits[:] = [t for t in traits if t.name != "doubt"]

    audit = run(pairs(10), traits=["candour", "doubt"], plugins=[DropsTrait()])
    assert {r.reason for r in audit.readings if r.trait == "doubt"} == {"missing"}
    assert audit.profile["candour"].shift.value == pytest.approx(1.6)
    assert audit.profile["doubt"].shift.value is None


def test_what_a_plugin_adds_is_read_and_changes_no_finding(run: Run, judge: Any, pairs: Pairs) -> None:
    class Adds:
        @hookimpl
        def pytest_persona_modify_questions(self, behaviours: list[Any], traits: list[Any]) -> None:
            behaviours.append(type(behaviours[0])(role="shown", context=(), reply="candour=1.0 added"))

    with_it = run(pairs(10), traits=["candour"], plugins=[Adds()])
    assert any("added" in b.reply for b in judge.asked)
    assert with_it.profile["candour"] == run(pairs(10), traits=["candour"]).profile["candour"]
    assert len(with_it.readings) == 20


def test_progress_sees_the_start_each_batch_and_the_end(run: Run, pairs: Pairs) -> None:
    watch = Watch()
    run(pairs(50), traits=["candour"], progress=watch)
    assert watch.seen == [("the audit", 100), 64, 36, "finished"]


def test_progress_is_finished_when_reading_is_interrupted(run: Run, judge: Any, pairs: Pairs) -> None:
    def interrupt(*args: Any) -> None:
        raise KeyboardInterrupt

    watch = Watch()
    judge.read = interrupt
    with pytest.raises(KeyboardInterrupt):
        run(pairs(50), traits=["candour"], progress=watch)
    assert watch.seen[-1] == "finished"
