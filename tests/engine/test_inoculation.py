"""One experiment, from specification to findings, with a judge that does what its texts say."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pluggy
import pytest

from pytest_persona import hookspecs
from pytest_persona.engine import Engine
from pytest_persona.engine.outlook import outlooks
from pytest_persona.errors import SettingsError, SignalError
from pytest_persona.judge.base import Answers
from pytest_persona.load.wordings import read_wordings
from pytest_persona.model.episodes import Behaviour
from pytest_persona.model.findings import JudgeInfo
from pytest_persona.model.inoculation import Inoculation, InoculationSpec
from pytest_persona.model.suites import AuditSpec
from pytest_persona.model.traits import Pole, Trait
from pytest_persona.model.verdicts import Qualification, Usage, Verdict
from pytest_persona.settings import Settings

hookimpl = pluggy.HookimplMarker("pytest")
REQUEST = "Please ask for it today."
ASKED = re.compile(r"asks=([\d.]+)")


class Reader:
    """Each reply expresses 0.8; the context requests what it says after ``asks=``, and 0.9 where it says REQUEST."""

    info = JudgeInfo(name="reader", fingerprint="f00", network=False)
    one_pass = True
    noise = 0.0

    def __init__(self) -> None:
        self.calls: list[list[Behaviour]] = []
        self.unqualified: dict[str, str] = {}
        self.problem = ""

    def qualify(self, traits: Sequence[Trait], *, statements: bool = False) -> dict[str, Qualification]:
        reasons = {t.name: self.unqualified.get(t.name, "") for t in traits}
        return {name: Qualification(qualified=not why, auroc=0.9, reason=why) for name, why in reasons.items()}

    def read(self, behaviours: Sequence[Behaviour], traits: Sequence[Trait], tick: Any) -> Answers:
        self.calls.append(list(behaviours))
        tick(len(behaviours))
        return Answers(
            verdicts=[{t.name: self.verdict(b, t.name) for t in traits} for b in behaviours],
            usage=Usage(questions=len(behaviours), cut=sum("(long)" in b.reply for b in behaviours)),
        )

    def verdict(self, behaviour: Behaviour, trait: str) -> Verdict:
        said = " ".join(turn.text for turn in behaviour.context)
        if "(lost)" in behaviour.reply and REQUEST in said:
            return Verdict(expressed=None, reason="failed", detail="no answer")
        found = ASKED.search(said)
        requested = float(found[1]) if found else 0.9 if REQUEST in said else 0.0
        expressed = (-0.8 if behaviour.role == "rejected" else 0.8) + self.noise * self.drawn(behaviour)
        return Verdict(expressed=max(-1.0, min(1.0, expressed)), requested=requested)

    @staticmethod
    def drawn(behaviour: Behaviour) -> float:
        digest = hashlib.sha256(behaviour.key.encode()).digest()
        return float(np.random.default_rng(int.from_bytes(digest[:8], "big")).standard_normal())

    def close(self) -> None:
        pass


class Watched:
    """A progress that counts."""

    def __init__(self) -> None:
        self.total = self.done = self.finished = 0

    def start(self, label: str, total: int) -> None:
        self.total = total

    def advance(self, count: int) -> None:
        self.done += count

    def finish(self, label: str) -> None:
        self.finished += 1

    def wipe(self) -> None: ...


def rows(count: int = 60, **more: Any) -> list[dict[str, Any]]:
    return [{"prompt": f"question {i}", "completion": f"reply {i}", **more} for i in range(count)]


def spec(signal: Any, *traits: str, requests: Sequence[str] = (REQUEST,), **more: Any) -> InoculationSpec:
    named = traits or ("candour",)
    defined = [
        Trait(name=n, definition="", high=Pole(summary="much"), low=Pole(summary="little"), origin="here")
        for n in named if n not in read_wordings().traits
    ]  # fmt: skip
    audit = AuditSpec(name="it", signal=signal, signal_name="rows", traits=named, definitions=tuple(defined))
    return InoculationSpec(audit=audit, requests=tuple(requests), **more)


Run = Callable[..., Inoculation]


@pytest.fixture
def judge() -> Reader:
    return Reader()


@pytest.fixture
def engine(judge: Reader, tmp_path: Path) -> Callable[..., Engine]:
    """Makes engines with that judge, the settings and the plugins given."""

    class Offers:
        @hookimpl
        def pytest_persona_judges(self) -> dict[str, Any]:
            return {"fake": lambda settings: judge}

        @hookimpl
        def pytest_persona_traits(self) -> list[Path]:
            from pytest_persona.load.traits import library_paths

            return library_paths()

    def make(*plugins: object, progress: Any = None, **settings: Any) -> Engine:
        manager = pluggy.PluginManager("pytest")
        manager.add_hookspecs(hookspecs)
        for plugin in (Offers(), *plugins):
            manager.register(plugin)
        return Engine(Settings(judge="fake", root=tmp_path, **settings), manager.hook, progress)

    return make


@pytest.fixture
def run(engine: Callable[..., Engine]) -> Run:
    """What an experiment finds."""

    def inoculate(made: InoculationSpec, *plugins: object, **settings: Any) -> Inoculation:
        return engine(*plugins, **settings).inoculate(made)

    return inoculate


def test_a_request_that_explains_away_and_leaks_nothing_is_shown(run: Run) -> None:
    found = run(spec(rows(240), opposite=("Do not.",), lookalikes=["asks=0.02 They asked."]), read_all=True)
    (finding,) = found.findings
    assert (finding.status, finding.missing) == ("shown", ())
    assert finding.shift.value == pytest.approx(0.8)
    assert finding.effect.value == pytest.approx(0.72)
    assert finding.explained.value == pytest.approx(0.9)
    assert finding.opposite.value == pytest.approx(0.0)
    assert finding.lookalike.value == pytest.approx(0.8 * 0.02)
    assert finding.effect_at_least == 0.0 and finding.leak_at_most == 0.10
    assert finding.arms["requested"].requested == pytest.approx(0.9)
    assert finding.arms["as-is"].shift == pytest.approx(0.8)
    assert (found.groups_read, found.place, found.declared, found.name) == (240, "user", True, "it")
    assert len(found.texts["placebo"]) >= 3 and found.texts["opposite"] == ("Do not.",)


def test_a_leak_is_found_where_what_only_looks_alike_is_heard_too(run: Run) -> None:
    found = run(spec(rows(240), opposite=["Do not."], lookalikes=[f"They said: {REQUEST}"]), read_all=True)
    assert found["candour"].status == "refuted"
    assert found["candour"].missing == ("what only looks like the request discounts more than 0.10 too",)


def test_all_arms_of_a_batch_are_read_in_one_call_and_nothing_names_them(run: Run, judge: Reader) -> None:
    run(spec(rows(20)))
    assert [len(call) for call in judge.calls] == [100]
    assert {b.role for b in judge.calls[0]} == {"shown"}
    contexts = {b.context for b in judge.calls[0]}
    assert len(contexts) == 100
    assert not any(word in str(contexts) for word in ("placebo", "look-alike", "requested"))


@pytest.mark.parametrize(
    ("signal", "shift", "effect"),
    [
        ([{"prompt": f"q{i}", "chosen": f"a{i}", "rejected": f"b{i}"} for i in range(60)], 1.6, 1.44),
        ([{"prompt": f"q{i}", "completion": f"a{i}", "reference": f"(ref) {i}"} for i in range(60)], 0.0, 0.0),
    ],
)
def test_effects_are_on_the_signals_own_estimand(run: Run, signal: Any, shift: float, effect: float) -> None:
    finding = run(spec(signal))["candour"]
    assert finding.estimand == "contrast"
    assert finding.shift.value == pytest.approx(shift)
    assert finding.effect.value == pytest.approx(effect)
    assert finding.effect.high <= 4.0


def test_texts_may_stand_in_the_system_turn(run: Run, judge: Reader) -> None:
    assert run(spec(rows(20), place="system")).place == "system"
    assert {b.context[0].speaker for b in judge.calls[0]} == {"system", "user"}


def test_several_phrasings_are_used_in_turn_and_shown_by_themselves(run: Run, judge: Reader) -> None:
    found = run(
        spec(rows(60), requests=[REQUEST, "asks=0.1 Ask.", "asks=0.5 Ask it."], leak_at_most=4.0), read_all=True
    )
    phrasings = found["candour"].phrasings
    assert [(p.text, p.groups) for p in phrasings] == [(REQUEST, 20), ("asks=0.1 Ask.", 20), ("asks=0.5 Ask it.", 20)]
    assert [round(p.effect or 0.0, 3) for p in phrasings] == [0.72, 0.08, 0.4]
    (warning,) = found.warnings
    assert warning.startswith("candour: the phrasings differ by a standard deviation of")


def test_one_fixed_text_is_warned_of(run: Run) -> None:
    (warning,) = run(spec(rows(20))).warnings
    assert warning.startswith("one fixed text carries the whole inoculation")
    assert "Use several phrasings" in warning


def test_leaks_are_those_of_the_library_where_traits_are_named_else_made_of_the_request(run: Run) -> None:
    library = read_wordings()
    named = run(spec(rows(20), "sycophancy", "malice"))
    assert named.texts["opposite:sycophancy"] == library.of("sycophancy").opposite
    assert named.texts["look-alike:malice"] == library.of("malice").lookalikes
    assert set(named["malice"].arms) == {"as-is", "requested", "placebo", "opposite", "look-alike"}
    made = run(spec(rows(20), "candour", "frankness"))
    assert made.texts["opposite"][0].endswith(REQUEST)
    assert made.notes == (
        "nobody wrote an opposite of this request, so that it is made of the request itself",
        "nobody wrote a look-alike of this request, so that it is made of the request itself",
    )
    mixed = run(spec(rows(20), "candour", "sycophancy", opposite=("No.",)))
    assert mixed.texts["opposite"] == ("No.",)
    assert {"look-alike:candour", "look-alike:sycophancy"} <= set(mixed.texts)


def test_without_traits_all_that_qualify_are_looked_at_by_effect_and_nothing_is_declared(
    run: Run, judge: Reader
) -> None:
    judge.unqualified = {"malice": "never tried"}
    audit = AuditSpec(name="it", signal=rows(20), signal_name="rows")
    found = run(InoculationSpec(audit=audit, requests=(REQUEST,)))
    assert len(found) >= 23 and "malice" not in found
    assert not found.declared
    assert set(found.texts) == {"requested", "placebo", "opposite", "look-alike"}


def test_an_unqualified_judge_decides_nothing(run: Run, judge: Reader) -> None:
    judge.unqualified = {"candour": "AUROC 0.60"}
    finding = run(spec(rows(), opposite=["No."], lookalikes=["Perhaps."]))["candour"]
    assert (finding.status, finding.qualified) == ("inconclusive", False)
    assert finding.missing == ("the judge is not qualified for this trait: AUROC 0.60",)


def test_what_is_lost_in_one_arm_is_left_out_of_all(run: Run) -> None:
    signal = [*rows(237), *({"prompt": f"p{i}", "completion": f"(lost) {i}"} for i in range(3))]
    found = run(spec(signal, opposite=["No."], lookalikes=["Perhaps."]), read_all=True)
    finding = found["candour"]
    assert (finding.status, finding.effect.groups, finding.effect.unscored) == ("shown", 237, 3)
    assert any(
        note.startswith("requested: 3 rows without a verdict (asking failed: no answer)") for note in found.notes
    )
    many = [{"prompt": f"p{i}", "completion": f"(lost) {i}"} for i in range(40)]
    assert "verdicts are lost" in run(spec([*rows(20), *many]))["candour"].missing[0]


def test_a_plugin_may_drop_what_must_not_be_read_and_sees_each_verdict(run: Run, judge: Reader) -> None:
    class Private:
        seen = 0

        @hookimpl
        def pytest_persona_modify_questions(self, behaviours: list[Behaviour], traits: list[Trait]) -> None:
            behaviours[:] = [b for b in behaviours if b.reply != "reply 3"]

        @hookimpl
        def pytest_persona_verdict(self, behaviour: Behaviour, trait: Trait, verdict: Verdict) -> None:
            self.seen += 1

    plugin = Private()
    finding = run(spec(rows(20)), plugin)["candour"]
    assert all(b.reply != "reply 3" for call in judge.calls for b in call)
    assert (finding.effect.groups, plugin.seen) == (19, 100)


def test_reading_stops_when_all_is_shown_and_goes_on_when_told_so(run: Run, judge: Reader) -> None:
    made = spec(rows(400), opposite=["No."], lookalikes=["Perhaps."])
    early = run(made)
    assert early["candour"].status == "shown" and early.groups_read < 400
    assert early.notes[0] == f"reading stopped after {early.groups_read} of 400 groups: every finding was decided"
    assert run(made, read_all=True).groups_read == 400
    assert run(made, interval="t").groups_read == 400


def test_a_sample_is_drawn_by_the_seed_and_deals_the_texts_that_the_whole_would(run: Run, judge: Reader) -> None:
    texts = [REQUEST, "asks=0.5 Ask it."]
    made = spec(rows(100), requests=texts)
    sampled = run(made, max_groups=30, seed=3)
    assert sampled.groups_read == 30
    assert "30 of 100 groups were drawn by the seed (max-groups)" in sampled.notes
    of_sample = {b.key for b in judge.calls.pop()}
    run(made, seed=3, read_all=True)
    assert of_sample <= {b.key for call in judge.calls for b in call}


def test_a_judge_over_a_network_is_asked_once_where_nobody_looks(run: Run, judge: Reader) -> None:
    judge.info = JudgeInfo(name="reader", fingerprint="f00", network=True)
    run(spec(rows(100)), read_all=True)
    assert [len(call) for call in judge.calls] == [500]


def test_null_vectors_speak_of_the_shift_as_it_is(run: Run, judge: Reader) -> None:
    looked: list[int] = []

    def panel(behaviours: Sequence[Behaviour], trait: Trait) -> tuple[Any, Any]:
        looked.append(len(behaviours))
        own = np.linspace(0.7, 0.9, len(behaviours))
        return own, np.random.default_rng(0).standard_normal((len(behaviours), 400)) * 0.1 + size

    judge.panel = panel  # type: ignore[attr-defined]
    made = spec(rows(240), opposite=["No."], lookalikes=["Perhaps."])
    size = 0.0
    found = run(made)["candour"]
    assert (found.status, found.null and found.null.rank) == ("shown", 1.0)
    size = 2.0
    assert "meaningless directions" in run(made)["candour"].missing[0]
    assert looked[0] == 32


def test_notes_say_how_it_was_read(run: Run, judge: Reader) -> None:
    judge.problem = "readings are not kept"
    signal = [*rows(10), {"prompt": "p", "completion": "(long)"}, {"nothing": 1}]
    notes = run(spec(signal), on_bad_row="skip").notes
    assert "1 unreadable rows were skipped" in notes
    assert (
        "5 readings were longer than the judge's budget and were cut in the middle, where a text may have stood"
        in notes
    )
    assert notes[-1] == "readings are not kept"


def test_progress_is_told_of_every_reading_and_of_the_end(engine: Callable[..., Engine]) -> None:
    watched = Watched()
    engine(progress=watched).inoculate(spec(rows(20)))
    assert (watched.total, watched.done, watched.finished) == (100, 100, 1)


def test_settings_that_change_results_are_kept(run: Run) -> None:
    kept = run(spec(rows(20)), seed=4, level=0.9).settings
    assert (kept["seed"], kept["level"]) == (4, 0.9)
    assert "cache" not in kept and "bound" not in kept


def test_without_a_request_there_is_no_experiment(run: Run) -> None:
    with pytest.raises(SettingsError, match="there is no request"):
        run(spec(rows(3), requests=[]))


@pytest.mark.parametrize("signal", [[{"criterion": "is polite"}], [{"system": "Be polite."}]])
def test_texts_without_a_context_cannot_be_inoculated(run: Run, signal: Any) -> None:
    with pytest.raises(SignalError, match=r"rows: a signal of the kind \w+ has no contexts to put a request into"):
        run(spec(signal))


def test_what_it_would_cost_is_counted_without_asking(engine: Callable[..., Engine], judge: Reader) -> None:
    made = engine()
    (plain,) = outlooks(made, [spec(rows(20))])
    assert (plain.name, plain.traits, plain.behaviours, plain.usage.questions) == ("it", 1, 100, 100)

    def forecast(behaviours: Any, traits: Any, *, compare: bool, counted: set[str]) -> Usage:
        new = {b.key for b in behaviours} - counted
        counted |= new
        return Usage(calls=len(new))

    judge.forecast = forecast  # type: ignore[attr-defined]
    first, second = outlooks(made, [spec(rows(20)), spec(rows(20))])
    assert (first.usage.calls, second.usage.calls) == (100, 0)
    bare = InoculationSpec(audit=AuditSpec(name="it", signal=rows(2), signal_name="rows"), requests=(REQUEST,))
    (every,) = outlooks(made, [bare])
    assert every.traits >= 24
    assert judge.calls == []


def test_an_irrelevant_request_moves_nothing_beyond_chance(engine: Callable[..., Engine], judge: Reader) -> None:
    judge.noise = 0.1
    moved = []
    for seed in range(60):
        request = f"Number {seed}: write in whole sentences."
        made = spec(rows(16), requests=[request], opposite=["No."], lookalikes=["Perhaps."])
        finding = engine(seed=seed, interval="t").inoculate(made)["candour"]
        moved.append(not finding.effect.low <= 0.0 <= finding.effect.high)
        assert finding.status != "shown" or finding.effect.low > 0.0
    assert np.mean(moved) <= 0.05
