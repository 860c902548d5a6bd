"""One engine for all audits of a run: who judges, which traits, and what is said where they are not there."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pluggy
import pytest

from pytest_persona.engine import Engine, judges
from pytest_persona.engine.plugins import console_manager
from pytest_persona.errors import JudgeError, SignalError, TraitError
from pytest_persona.model.suites import AuditSpec
from pytest_persona.settings import Settings

hookimpl = pluggy.HookimplMarker("pytest")
Pairs = Callable[..., list[dict[str, str]]]


@pytest.fixture
def engine(tmp_path: Path, judge: Any, manager: Callable[..., Any]) -> Callable[..., Engine]:
    """Makes engines; each counts how often its judge was made."""

    def make(*plugins: object, **settings: Any) -> Engine:
        class Fake:
            made = 0

            @hookimpl
            def pytest_persona_judges(self) -> dict[str, Any]:
                def factory(settings: Settings) -> Any:
                    Fake.made += 1
                    return judge

                return {"fake": factory, "other": factory}

        engine = Engine(Settings(**{"judge": "fake", "root": tmp_path, **settings}), manager(Fake(), *plugins).hook)
        engine.made = lambda: Fake.made  # type: ignore[attr-defined]
        return engine

    return make


def test_a_judge_that_nobody_offers_is_refused_with_those_that_are(engine: Callable[..., Engine]) -> None:
    with pytest.raises(JudgeError) as caught:
        _ = engine(judge="embeded").judge
    assert str(caught.value) == "'embeded' is no judge that is installed. Installed: fake, other."


def test_two_plugins_that_offer_one_judge_are_refused(engine: Callable[..., Engine]) -> None:
    class Another:
        @hookimpl
        def pytest_persona_judges(self) -> dict[str, Any]:
            return {"fake": lambda settings: None}

    with pytest.raises(JudgeError, match=r"^two plugins offer a judge named 'fake'\. Disable or rename one of them\.$"):
        _ = engine(Another()).judge


def test_judges_of_several_plugins_are_offered_side_by_side(manager: Callable[..., Any]) -> None:
    class One:
        @hookimpl
        def pytest_persona_judges(self) -> dict[str, Any]:
            return {"one": str}

    class Two:
        @hookimpl
        def pytest_persona_judges(self) -> dict[str, Any]:
            return {"two": int}

    assert judges(manager(One(), Two()).hook) == {"one": str, "two": int}


def test_one_judge_serves_all_audits_and_is_closed_at_the_end_once(
    engine: Callable[..., Engine], judge: Any, spec: Callable[..., AuditSpec], pairs: Pairs
) -> None:
    with engine() as made:
        assert made.made() == 0  # type: ignore[attr-defined]
        made.audit(spec(pairs(4), traits=["candour"]))
        made.audit(spec(pairs(4), traits=["candour"]))
        assert made.made() == 1  # type: ignore[attr-defined]
        made.close()
    assert judge.closed == 1


def test_the_judge_is_closed_when_an_audit_fails(engine: Callable[..., Engine], judge: Any) -> None:
    with pytest.raises(RuntimeError), engine() as made:
        _ = made.judge
        raise RuntimeError
    assert judge.closed == 1


def test_usage_is_what_one_audit_cost_not_all_so_far(
    engine: Callable[..., Engine], spec: Callable[..., AuditSpec], pairs: Pairs
) -> None:
    with engine() as made:
        costs = [made.audit(spec(pairs(count), traits=["candour"])).profile.usage.questions for count in (10, 3, 5)]
    assert costs == [20, 6, 10]


def test_an_unknown_trait_is_refused_with_the_nearest_names_before_anything_is_read(tmp_path: Path, judge: Any) -> None:
    spec = AuditSpec(name="x", signal=tmp_path / "nowhere.jsonl", signal_name="nowhere.jsonl", traits=("sycophany",))
    with Engine(Settings(root=tmp_path), console_manager().hook) as engine, pytest.raises(TraitError) as caught:
        engine.audit(spec)
    assert str(caught.value).startswith("there is no trait 'sycophany'")
    assert "sycophancy" in str(caught.value)


def test_a_trait_that_is_only_expected_is_looked_up_too(
    engine: Callable[..., Engine], spec: Callable[..., AuditSpec]
) -> None:
    without = dataclasses.replace(spec([], at_most={"candour": 0.1}), definitions=())
    with engine() as made, pytest.raises(TraitError, match="there is no trait 'candour'"):
        made.audit(without)


def test_a_signal_that_cannot_be_read_fails_before_the_judge_is_made(
    engine: Callable[..., Engine], spec: Callable[..., AuditSpec]
) -> None:
    with engine() as made, pytest.raises(SignalError, match="there is no row in it"):
        made.audit(spec([], traits=["candour"]))
    assert made.made() == 0  # type: ignore[attr-defined]


def test_settings_say_how_the_signal_is_read(engine: Callable[..., Engine], spec: Callable[..., AuditSpec]) -> None:
    rows = [{"q": "why?", "chosen": "a", "rejected": "b"}, {"q": "no reply"}]
    with engine(map={"prompt": "q"}, on_bad_row="skip", format="preference") as made:
        info = made.read_signal(spec(rows)).info
    assert (info.kind, info.episodes, info.skipped) == ("preference", 1, 1)


def test_traits_come_from_plugins_and_from_settings(tmp_path: Path, manager: Callable[..., Any]) -> None:
    text = Path(__file__).parents[1] / "data" / "traits" / "valid" / "piracy.yaml"
    (tmp_path / "mine.yaml").write_text(text.read_text("utf-8").replace("name: piracy", "name: mine"), "utf-8")

    class Offers:
        @hookimpl
        def pytest_persona_traits(self) -> list[Path]:
            return [text]

    library = Engine(Settings(root=tmp_path, traits=("mine.yaml",)), manager(Offers()).hook).library
    assert library.names() == ("mine", "piracy")


def test_without_traits_all_that_the_judge_is_qualified_for_are_read_by_size(
    run: Callable[..., Any], judge: Any, trait: Callable[..., Any], pairs: Pairs
) -> None:
    judge.unqualified = {"weak": "never tried"}
    rows = pairs(40, chosen="small=0.2 big=-0.8 weak=0.9", rejected="small=-0.2 big=0.8")
    traits = [trait(name) for name in ("big", "nothing", "small", "weak")]
    profile = run(rows, define=traits).profile
    assert [f.trait for f in profile.findings] == ["big", "small", "nothing"]
    assert {f.status for f in profile.findings} == {"observed"}


def test_traits_that_were_named_keep_their_order(run: Callable[..., Any], pairs: Pairs) -> None:
    rows = pairs(40, chosen="small=0.2 big=0.8")
    profile = run(rows, traits=["small", "big"], at_most={"nothing": 0.1, "big": 0.5}).profile
    assert [f.trait for f in profile.findings] == ["small", "big", "nothing"]


def test_a_judge_that_qualifies_for_nothing_finds_nothing(
    run: Callable[..., Any], judge: Any, trait: Callable[..., Any], pairs: Pairs
) -> None:
    judge.unqualified = {"weak": "never tried"}
    audit = run(pairs(4), define=[trait("weak")])
    assert (audit.profile.findings, audit.readings) == ((), ())


def test_texts_about_behaviour_are_qualified_for_as_such(
    run: Callable[..., Any], judge: Any, trait: Callable[..., Any], pairs: Pairs
) -> None:
    run([{"criterion": "candour=0.4", "weight": 1.0}], define=[trait("candour")])
    assert set(judge.statements) == {True}
    judge.statements.clear()
    run(pairs(3), define=[trait("candour")])
    assert set(judge.statements) == {False}


def test_rivals_are_read_beside_where_one_pass_serves_all(
    run: Callable[..., Any], judge: Any, trait: Callable[..., Any], pairs: Pairs
) -> None:
    rows = pairs(40, chosen="candour=0.8 rival=0.4", rejected="")
    rows = [{**row, "rejected": f"plain {i}"} for i, row in enumerate(rows)]
    traits = [trait("candour", rivals=("rival", "unheard-of")), trait("rival")]
    profile = run(rows, traits=["candour"], define=traits).profile
    assert list(profile) == ["candour"]
    assert profile["candour"].rivals == {"rival": pytest.approx(0.4)}
    judge.one_pass = False
    profile = run(rows, traits=["candour"], define=traits).profile
    assert judge.traits_asked == ["candour"]
    assert profile["candour"].rivals == {}
