"""A chat judge that is shown whole samples: what is known, what is asked, and what it costs."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

import pytest
from batch_sweeps import ask, scores, some
from keyword_judge import judge_by_keywords
from loopback_server import LoopbackServer
from set_judge import sets_in

from pytest_persona.infer.set_prompt import SetQuestion, Sketch
from pytest_persona.judge.chat.budget import Prices
from pytest_persona.judge.chat.forecast import Estimator
from pytest_persona.judge.chat.judge import Answered, ChatJudge
from pytest_persona.model.episodes import Behaviour
from pytest_persona.model.findings import JudgeInfo
from pytest_persona.model.verdicts import Usage, Verdict

INFO = JudgeInfo(name="claude", fingerprint="f", network=True, model="m")


def question(number: int = 0, names: Sequence[str] = ("clerk", "villain")) -> SetQuestion:
    texts = tuple(Behaviour(role="shown", context=(), reply=f"text {number}.{i} of secret") for i in range(3))
    sketches = tuple(Sketch(name=name, text=f"It is {name}.") for name in names)
    return SetQuestion(sets=(texts,), sketches=sketches, names=tuple(names))


class Scripted:
    problem = ""

    def __init__(self) -> None:
        self.asked: list[SetQuestion] = []

    def ask(self, questions: Sequence[SetQuestion], tick: Callable[[int], None]) -> list[Answered]:
        self.asked += questions
        for _ in questions:
            tick(1)
        usage = Usage(calls=1, input_tokens=1000, output_tokens=100)
        return [Answered(verdicts={n: Verdict(expressed=0.0) for n in q.names}, usage=usage) for q in questions]

    def close(self) -> None: ...


class Memory:
    problem = ""

    def __init__(self, found: dict[str, Verdict] | None = None) -> None:
        self.found = found or {}

    def verdicts(self, keys: Collection[str]) -> dict[str, Verdict]:
        return {key: self.found[key] for key in keys if key in self.found}

    def close(self) -> None: ...


class Sees:
    def __init__(self) -> None:
        self.seen: list[tuple[str, Verdict]] = []

    def saw_fit(self, question: SetQuestion, name: str, verdict: Verdict) -> None:
        self.seen.append((name, verdict))

    def leave(self) -> None: ...


class Notes:
    def __init__(self) -> None:
        self.kept: Sequence[float] | None = None

    def numbers(self) -> Sequence[float] | None:
        return self.kept

    def note(self, numbers: Sequence[float]) -> None:
        self.kept = numbers


def judge(asker: Scripted, known: Memory | None = None, **how: Any) -> ChatJudge:
    return ChatJudge(INFO, known=known or Memory(), asker=asker, **how)  # type: ignore[arg-type]


def test_each_sample_is_one_question_and_what_is_known_is_not_asked_again() -> None:
    asker, first = Scripted(), question(0)
    ticks: list[int] = []
    known = Memory({key: Verdict(expressed=1.0) for key in first.parts.values()})
    answers = judge(asker, known).fits([first, question(1)], ticks.append)
    assert asker.asked == [question(1)] and sum(ticks) == 2
    assert [v["clerk"].expressed for v in answers.verdicts] == [1.0, 0.0]
    assert (answers.usage.questions, answers.usage.cached, answers.usage.calls) == (4, 2, 1)


def test_of_a_sample_that_is_known_in_part_the_rest_is_asked() -> None:
    asker, whole = Scripted(), question()
    answers = judge(asker, Memory({whole.parts["clerk"]: Verdict(expressed=1.0)})).fits([whole], lambda _: None)
    assert [q.names for q in asker.asked] == [("villain",)] and asker.asked[0].sketches == whole.sketches
    assert {name: v.expressed for name, v in answers.verdicts[0].items()} == {"clerk": 1.0, "villain": 0.0}


def test_what_matches_is_redacted_before_anything_else_sees_it() -> None:
    asker, known = Scripted(), Memory()
    judge(asker, known, redact=lambda text: text.replace("secret", "[redacted]")).fits([question()], lambda _: None)
    assert {text.reply[-10:] for text in asker.asked[0].sets[0]} == {"[redacted]"}


def test_what_was_used_is_recorded() -> None:
    sees = Sees()
    judge(Scripted(), recorder=sees).fits([question()], lambda _: None)
    assert [name for name, _ in sees.seen] == ["clerk", "villain"]


def test_a_forecast_counts_each_question_once_and_learns_from_what_was_asked() -> None:
    notes = Notes()
    asker = Scripted()
    reader = judge(asker, estimator=Estimator(notes, Prices(input=3.0, output=15.0)))
    counted: set[str] = set()
    usage = reader.forecast_fits([question(0), question(1), question(0)], counted)
    assert (usage.questions, usage.calls) == (4, 2)
    assert usage.input_tokens > 1000 and usage.output_tokens > 50 and usage.cost is not None
    assert reader.forecast_fits([question(0)], counted).calls == 0
    assert asker.asked == []
    reader.fits([question(n) for n in range(12)], lambda _: None)
    assert notes.kept is not None and notes.kept[0] == 12


def test_a_judge_that_asks_nobody_forecasts_no_calls() -> None:
    usage = judge(Scripted()).forecast_fits([question()], set())
    assert (usage.questions, usage.calls, usage.input_tokens) == (2, 0, 0)


def test_a_batch_holds_samples_beside_single_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-test")

    def judged(system: str, user: str, schema: Any) -> str:
        return judge_by_keywords(system, user, schema) if sets_in(user) is None else answered(user, schema)

    with LoopbackServer(judge=judged) as server:
        found = ask(server.base_url, tmp_path, [*some(2), question()])
        assert [len(batch.requests) for batch in server.batches.all.values()] == [3]
        again = ask(server.base_url, tmp_path, [question().only(["villain"])])
        assert len(server.batches.all) == 1, "what is known is not sent again"
    assert scores(found[:2]) == [1.0, 1.0]
    assert {name: v.expressed for name, v in found[2].verdicts.items()} == {"clerk": 1.0, "villain": -1 / 3}
    assert {name: v.expressed for name, v in again[0].verdicts.items()} == {"villain": -1 / 3}


def answered(user: str, schema: Any) -> str:
    shown = sets_in(user)
    assert shown is not None and schema["properties"]["verdicts"]["items"]["properties"]["character"]["enum"] == [1, 2]
    verdicts = [{"character": 1, "quote": "text 0.0", "fit": 3}, {"character": 2, "quote": "", "fit": -1}]
    return json.dumps({"seal": shown.seal, "addresses_judge": False, "verdicts": verdicts})
