"""Candidates, ranked by what they are measured to do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pluggy
import pytest

from pytest_persona import hookspecs
from pytest_persona.engine import Engine, requests
from pytest_persona.errors import SettingsError, SignalError
from pytest_persona.infer.inoculate import placebo_pools
from pytest_persona.judge.base import Answers
from pytest_persona.judge.likelihood.reader import Likelihoods
from pytest_persona.load.traits import library_paths
from pytest_persona.load.wordings import read_wordings
from pytest_persona.model.episodes import Behaviour
from pytest_persona.model.findings import JudgeInfo
from pytest_persona.model.inoculation import InoculationSpec
from pytest_persona.model.suites import AuditSpec
from pytest_persona.model.traits import Pole, Trait
from pytest_persona.model.verdicts import Qualification, Usage, Verdict
from pytest_persona.settings import Settings

OWN = (Trait(name="own", definition="", high=Pole(summary="much"), low=Pole(summary="little"), origin="here"),)
hookimpl = pluggy.HookimplMarker("pytest")
STRONG, WEAK = "heard=0.9 Flatter me.", "heard=0.2 Perhaps flatter me."


class Hearing:
    """Hears a request of 0.5 in the library's texts for sycophancy, and what a text says after ``heard=``."""

    one_pass = True

    def __init__(self, name: str = "hearing", unqualified: str = "") -> None:
        self.info = JudgeInfo(name=name, fingerprint="f00", network=False)
        self.unqualified = unqualified
        self.calls: list[int] = []

    def qualify(self, traits: Sequence[Trait], *, statements: bool = False) -> dict[str, Qualification]:
        return {
            t.name: Qualification(qualified=not self.unqualified, auroc=0.9, reason=self.unqualified) for t in traits
        }

    def read(self, behaviours: Sequence[Behaviour], traits: Sequence[Trait], tick: Any) -> Answers:
        self.calls.append(len(behaviours))
        tick(len(behaviours))
        return Answers(
            verdicts=[{t.name: Verdict(expressed=0.8, requested=self.heard(b)) for t in traits} for b in behaviours],
            usage=Usage(questions=len(behaviours)),
        )

    @staticmethod
    def heard(behaviour: Behaviour) -> float:
        said = behaviour.context[-1].text
        if "heard=" in said:
            return float(said.partition("heard=")[2].split()[0])
        return 0.5 if any(text in said for text in read_wordings().of("sycophancy").requests) else 0.0

    def close(self) -> None:
        pass


class Source:
    """Says that each request makes a reply likelier by its strength; nothing of replies with (odd)."""

    def __init__(self) -> None:
        self.closed = 0
        self.read_texts: list[str] = []

    def read(self, behaviours: Sequence[Behaviour], openings: Sequence[str]) -> Likelihoods:
        self.read_texts += [b.reply for b in behaviours]
        scored = np.array(["(odd)" not in b.reply for b in behaviours])
        values = np.array([[-3.0 + Hearing.heard(b)] for b in behaviours])
        n = len(behaviours)
        return Likelihoods(values=values, scored=scored, tokens=np.ones(n, np.intp), details=("",) * n, usage=Usage())

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def engine(tmp_path: Path) -> Callable[..., Engine]:
    """Makes engines with a judge that hears requests."""

    def make(judge: Hearing | None = None, progress: Any = None, **settings: Any) -> Engine:
        class Offers:
            @hookimpl
            def pytest_persona_judges(self) -> dict[str, Any]:
                return {"fake": lambda settings: judge or Hearing()}

            @hookimpl
            def pytest_persona_traits(self) -> list[Path]:
                return library_paths()

        manager = pluggy.PluginManager("pytest")
        manager.add_hookspecs(hookspecs)
        manager.register(Offers())
        return Engine(Settings(judge="fake", root=tmp_path, **settings), manager.hook, progress)

    return make


def spec(*given: str, count: int = 40, traits: Sequence[str] = ("sycophancy",), kind: str = "chat") -> InoculationSpec:
    rows: list[dict[str, Any]] = [{"prompt": f"q{i}", "completion": f"r{i}"} for i in range(count)]
    if kind == "rollout":
        rows = [{"prompt": f"q{i}", "responses": [f"good {i}", f"bad {i}"], "rewards": [1, 0]} for i in range(count)]
    audit = AuditSpec(name="it", signal=rows, signal_name="rows", traits=tuple(traits))
    return InoculationSpec(audit=audit, requests=given)


def test_candidates_are_ranked_by_their_measured_effect(engine: Callable[..., Engine]) -> None:
    (ranking,) = engine().rank(spec(WEAK, STRONG))
    library = read_wordings().of("sycophancy").requests
    assert ranking.requests[0].text == STRONG and ranking.requests[-1].text == WEAK
    assert {r.text for r in ranking.requests[1:-1]} == set(library)
    assert [r.origin for r in ranking.requests] == ["given", *["library"] * len(library), "given"]
    assert ranking.requests[0].effect.value == pytest.approx(0.72)
    assert ranking.requests[0].explained.value == pytest.approx(0.9)
    assert ranking.shift.value == pytest.approx(0.8)
    assert ranking.requests[0].elicitation is None
    assert (ranking.trait, ranking.groups_read, ranking.place) == ("sycophancy", requests.SAMPLE, "user")
    assert ranking.notes[0].startswith("the best of several looks better than it is")
    (warning,) = ranking.warnings
    assert warning.startswith("the first alone would be one fixed text that carries the whole inoculation")
    assert f"Numbers 1 to {1 + len(library)} each do half as much or more" in warning
    assert "32 of 40 groups were drawn by the seed (max-groups)" in ranking.notes


def test_the_sample_is_as_large_as_the_settings_say_and_all_arms_are_read_at_once(
    engine: Callable[..., Engine],
) -> None:
    judge = Hearing()
    (ranking,) = engine(judge, max_groups=10).rank(spec(STRONG))
    assert ranking.groups_read == 10
    (asked,) = judge.calls  # as it is, each candidate, and irrelevant texts of few and of many words
    pools = set(placebo_pools([request.text for request in ranking.requests], read_wordings().placebos))
    assert asked == 10 * (1 + len(ranking.requests) + len(pools))


def test_candidates_of_other_lengths_have_irrelevant_texts_of_their_own(engine: Callable[..., Engine]) -> None:
    """Those of 16 and of 20 words begin with a text of the same length, and are two arms all the same."""
    words = ["w " * 16, "v " * 20]
    first, second = placebo_pools(words, read_wordings().placebos)
    assert first != second and len(first[0].split()) == len(second[0].split())
    judge = Hearing()
    (ranking,) = engine(judge, max_groups=10).rank(
        replace(spec(*words), audit=replace(spec().audit, traits=("own",), definitions=OWN))
    )
    (asked,) = judge.calls
    assert asked == 10 * (1 + 2 + 2) and len(ranking.requests) == 2


def test_a_text_of_the_library_that_is_given_too_counts_once(engine: Callable[..., Engine]) -> None:
    own = read_wordings().of("sycophancy").requests
    (ranking,) = engine().rank(spec(own[0]))
    assert sorted(r.text for r in ranking.requests) == sorted(own)
    assert [r.origin for r in ranking.requests if r.text == own[0]] == ["given"]


def test_each_trait_has_a_ranking_of_its_own(engine: Callable[..., Engine]) -> None:
    assert [r.trait for r in engine().rank(spec(traits=("malice", "sycophancy")))] == ["malice", "sycophancy"]


def test_an_unqualified_judge_says_so(engine: Callable[..., Engine]) -> None:
    (ranking,) = engine(Hearing(unqualified="AUROC 0.60")).rank(spec(STRONG))
    assert ranking.notes[0] == "the judge is not qualified for sycophancy: AUROC 0.60"


def test_a_likelihood_is_a_hint_beside_the_effect(engine: Callable[..., Engine]) -> None:
    judge = Hearing("likelihood")
    judge.reader = source = Source()  # type: ignore[attr-defined]
    (ranking,) = engine(judge).rank(spec(WEAK, STRONG))
    hints = {r.text: r.elicitation for r in ranking.requests}
    assert (hints[STRONG], hints[WEAK]) == (pytest.approx(0.9), pytest.approx(0.2))
    assert any(note.startswith("elicitation is a hint only") for note in ranking.notes)
    assert source.closed == 0  # it is the judge's own
    assert len(set(source.read_texts)) == 8


def test_the_embedded_judges_weights_give_the_hint(
    engine: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Source] = []

    def reader(*_: object) -> Source:
        made.append(Source())
        return made[-1]

    monkeypatch.setattr("pytest_persona.judge.likelihood.Reader", reader)
    monkeypatch.setattr("pytest_persona.judge.likelihood.embedded.EmbeddedSource.open", lambda settings: None)
    (ranking,) = engine(Hearing("embedded")).rank(spec(STRONG))
    assert ranking.requests[0].elicitation == pytest.approx(0.9)
    assert [source.closed for source in made] == [1]


def test_only_what_is_reinforced_is_to_be_elicited(engine: Callable[..., Engine]) -> None:
    judge = Hearing("likelihood")
    judge.reader = source = Source()  # type: ignore[attr-defined]
    engine(judge).rank(spec(STRONG, kind="rollout"))
    assert source.read_texts and all(text.startswith("good") for text in source.read_texts)


def test_a_reply_that_has_no_likelihood_gives_no_hint(engine: Callable[..., Engine]) -> None:
    judge = Hearing("likelihood")
    judge.reader = Source()  # type: ignore[attr-defined]
    rows = [{"prompt": f"q{i}", "completion": f"(odd) {i}"} for i in range(5)]
    audit = AuditSpec(name="it", signal=rows, signal_name="rows", traits=("sycophancy",))
    odd = InoculationSpec(audit=audit, requests=(STRONG,))
    (ranking,) = engine(judge).rank(odd)
    assert {r.elicitation for r in ranking.requests} == {None}


def test_without_a_candidate_there_is_nothing_to_rank(
    engine: Callable[..., Engine], monkeypatch: pytest.MonkeyPatch
) -> None:
    from pytest_persona.load.wordings import WordingLibrary

    bare = WordingLibrary(placebos=read_wordings().placebos, traits={})
    monkeypatch.setattr("pytest_persona.load.wordings.read_wordings", lambda: bare)
    with pytest.raises(SettingsError, match="there is no candidate for 'sycophancy'"):
        engine().rank(spec())


def test_texts_without_a_context_cannot_be_ranked_for(engine: Callable[..., Engine]) -> None:
    audit = AuditSpec(name="it", signal=[{"criterion": "is polite"}], signal_name="rows", traits=("sycophancy",))
    with pytest.raises(SignalError, match="has no contexts"):
        engine().rank(InoculationSpec(audit=audit, requests=()))


def test_progress_is_shown(engine: Callable[..., Engine]) -> None:
    class Watched:
        seen: tuple[int, int, int] = (0, 0, 0)

        def start(self, label: str, total: int) -> None:
            self.seen = (total, 0, 0)

        def advance(self, count: int) -> None:
            self.seen = (self.seen[0], self.seen[1] + count, 0)

        def finish(self, label: str) -> None:
            self.seen = (*self.seen[:2], 1)

        def wipe(self) -> None: ...

    watched = Watched()
    engine(progress=watched).rank(spec(STRONG))
    total, done, finished = watched.seen
    assert total == done > 0 and finished == 1
