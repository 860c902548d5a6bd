"""The judge that is asked in words: what is known, what is asked, and what both orders come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_persona.infer.prompt import Question, part_key
from pytest_persona.judge.chat.judge import Answered, ChatJudge, fingerprint, in_both_orders
from pytest_persona.judge.chat.qualify import PAIRS, anchor_pairs
from pytest_persona.model.episodes import Behaviour, Turn
from pytest_persona.model.findings import JudgeInfo
from pytest_persona.model.traits import Anchor, Exemplar, Pole, Trait
from pytest_persona.model.verdicts import Usage, Verdict

INFO = JudgeInfo(name="claude", fingerprint="f", network=True, model="m")


def trait(name: str, pairs: int = 14) -> Trait:
    pole = Pole(summary="x", exemplars=(Exemplar(context="c", reply="r"),))
    anchors = tuple(
        Anchor(
            domain=f"d{n % 3}", context=(Turn(speaker="user", text=f"q{n}"),), high=f"{name}+ {n}", low=f"{name}- {n}"
        )
        for n in range(pairs)
    )
    lines = {
        "criteria_high": tuple(f"{name}+ line {n}" for n in range(pairs)),
        "criteria_low": tuple(f"{name}- line {n}" for n in range(pairs)),
    }
    return Trait(name=name, definition="d", high=pole, low=pole, pairs=anchors, **lines)


ALPHA, BETA = trait("alpha"), trait("beta")
MANY = [trait(f"t{n}") for n in range(7)]


def said(text: str, *, asked: str = "say something", role: Any = "shown") -> Behaviour:
    return Behaviour(role=role, context=(Turn(speaker="user", text=asked),), reply=text)


def score(shown: tuple[Behaviour, ...], name: str) -> float:
    marks = [b.reply.count(f"{name}+") - b.reply.count(f"{name}-") for b in shown]
    difference = marks[0] - (marks[1] if len(marks) > 1 else 0)
    return max(-1.0, min(1.0, float(difference)))


class Scripted:
    """Answers by the marks in a text; remembers what it was asked."""

    def __init__(self, verdict: Callable[[tuple[Behaviour, ...], str], Verdict] | None = None) -> None:
        self.asked: list[Question] = []
        self.problem = ""
        self.closed = 0
        self._verdict = verdict or (lambda shown, name: Verdict(expressed=score(shown, name), requested=0.0))

    def ask(self, questions: Sequence[Question], tick: Callable[[int], None]) -> list[Answered]:
        self.asked += questions
        for _ in questions:
            tick(1)
        usage = Usage(calls=1, input_tokens=100, output_tokens=10)
        return [
            Answered(verdicts={t.name: self._verdict(q.shown, t.name) for t in q.traits}, usage=usage)
            for q in questions
        ]

    def close(self) -> None:
        self.closed += 1


class Memory:
    """Verdicts by part key."""

    def __init__(self, found: Mapping[str, Verdict] | None = None) -> None:
        self.found = dict(found or {})
        self.problem = ""

    def verdicts(self, parts: Mapping[str, Any]) -> dict[str, Verdict]:
        return {key: self.found[key] for key in parts if key in self.found}

    def close(self) -> None: ...


def judge(asker: Scripted, known: Memory | None = None, **how: Any) -> ChatJudge:
    return ChatJudge(INFO, known=known or Memory(), asker=asker, **how)


def ignore(_: int) -> None: ...


def test_one_question_asks_for_all_traits_of_a_text_and_five_at_most() -> None:
    asker = Scripted()
    answers = judge(asker).read([said("t0+ t3-")], MANY, ignore)
    assert sorted(len(q.traits) for q in asker.asked) == [3, 4]
    assert {name: v.expressed for name, v in answers.verdicts[0].items() if v.expressed} == {"t0": 1.0, "t3": -1.0}
    assert (answers.usage.questions, answers.usage.cached, answers.usage.calls) == (7, 0, 2)


def test_isolated_asks_for_one_trait_a_question() -> None:
    asker = Scripted()
    judge(asker, isolated=True).read([said("x")], MANY, ignore)
    assert [len(q.traits) for q in asker.asked] == [1] * 7


def test_what_is_known_is_not_asked_again() -> None:
    known = Memory({part_key((said("alpha+"),), ALPHA): Verdict(expressed=0.25)})
    asker = Scripted()
    answers = judge(asker, known).read([said("alpha+"), said("alpha-")], [ALPHA, BETA], ignore)
    assert [sorted(t.name for t in q.traits) for q in asker.asked] == [["beta"], ["alpha", "beta"]]
    assert answers.verdicts[0]["alpha"].expressed == 0.25
    assert (answers.usage.questions, answers.usage.cached) == (4, 1)


def test_the_same_text_is_asked_about_once_whatever_its_part_in_the_signal() -> None:
    asker = Scripted()
    twice = [said("alpha+", role="chosen"), said("alpha+", role="rejected")]
    answers = judge(asker).read(twice, [ALPHA], ignore)
    assert len(asker.asked) == 1
    assert [v["alpha"].expressed for v in answers.verdicts] == [1.0, 1.0]


def test_an_empty_reply_costs_nothing() -> None:
    asker = Scripted()
    answers = judge(asker).read([said(" \n"), said("alpha+")], [ALPHA], ignore)
    assert [v["alpha"].reason for v in answers.verdicts] == ["empty", None]
    assert len(asker.asked) == 1


def test_nothing_to_read_asks_nobody() -> None:
    asker = Scripted()
    assert judge(asker).read([], [ALPHA], ignore).verdicts == []
    assert asker.asked == []


@pytest.mark.parametrize("known", [0, 2])
def test_ticks_come_to_one_a_behaviour_however_many_questions_it_takes(known: int) -> None:
    behaviours = [said(f"alpha+ {n}") for n in range(5)]
    memory = Memory({part_key((b,), t): Verdict(expressed=0.0) for b in behaviours[:known] for t in MANY})
    ticks: list[int] = []
    judge(Scripted(), memory).read(behaviours, MANY, ticks.append)
    assert sum(ticks) == 5


def test_what_matches_is_redacted_before_anything_else_sees_it() -> None:
    asker = Scripted()
    judge(asker, redact=lambda text: text.replace("secret", "[redacted]")).read(
        [said("my secret alpha+", asked="a secret?")], [ALPHA], ignore
    )
    (shown,) = asker.asked[0].shown
    assert (shown.reply, shown.context[0].text) == ("my [redacted] alpha+", "a [redacted]?")


def test_a_comparison_asks_both_orders_and_halves_the_difference() -> None:
    asker = Scripted()
    answers = judge(asker, pairwise=True).compare([(said("alpha+"), said("plain"))], [ALPHA], ignore)
    assert sorted(tuple(b.reply for b in q.shown) for q in asker.asked) == [("alpha+", "plain"), ("plain", "alpha+")]
    assert [v["alpha"].expressed for v in answers.verdicts] == [0.5, -0.5]


def test_a_judge_that_favours_a_place_is_no_evidence() -> None:
    asker = Scripted(lambda shown, name: Verdict(expressed=1.0))
    answers = judge(asker, pairwise=True).compare([(said("a"), said("b"))], [ALPHA], ignore)
    assert [v["alpha"].reason for v in answers.verdicts] == ["inconsistent", "inconsistent"]


scores = st.none() | st.sampled_from([-1.0, -2 / 3, 0.0, 1 / 3, 1.0])


@given(scores, scores)
def test_both_orders_agree_just_where_they_name_the_same_reply(there: float | None, back: float | None) -> None:
    first, second = in_both_orders(
        *(Verdict(expressed=s, reason=None if s is not None else "failed") for s in (there, back))
    )
    if there is None or back is None:
        assert (first.reason, second.reason) == ("failed", "failed")
    elif (there > 0) == (back < 0) and (there < 0) == (back > 0):
        assert first.expressed == pytest.approx((there - back) / 4)
        assert second.expressed == -first.expressed
    else:
        assert (first.reason, second.reason) == ("inconsistent", "inconsistent")


def test_a_judge_that_tells_the_anchors_apart_is_qualified_and_its_cost_is_told_once() -> None:
    asker = Scripted()
    asked = judge(asker)
    known = asked.qualify([ALPHA, BETA])
    assert {name: (q.qualified, q.auroc, q.pairs) for name, q in known.items()} == {
        "alpha": (True, 1.0, PAIRS), "beta": (True, 1.0, PAIRS),
    }  # fmt: skip
    assert len(asker.asked) == 4 * PAIRS
    assert asked.qualify([ALPHA]) == {"alpha": known["alpha"]}
    assert len(asker.asked) == 4 * PAIRS
    first, second = (asked.read([said("x")], [ALPHA], ignore).usage for _ in range(2))
    assert (first.calls, first.questions) == (4 * PAIRS + 1, 1)
    assert (second.calls, second.questions) == (1, 1)


def test_a_judge_that_cannot_tell_the_anchors_apart_is_not() -> None:
    known = judge(Scripted(lambda shown, name: Verdict(expressed=0.0))).qualify([ALPHA])
    assert (known["alpha"].qualified, known["alpha"].auroc) == (False, 0.5)


def test_a_judge_that_does_not_answer_for_the_anchors_is_not_and_says_why() -> None:
    lost = Verdict(expressed=None, reason="missing", detail="it is not in the record")
    known = judge(Scripted(lambda shown, name: lost)).qualify([ALPHA])
    assert known["alpha"].reason == (
        "the judge has been tried on 0 pairs of anchors, where 8 are the least: it is not in the record"
    )


def test_statements_are_tried_on_lines_about_behaviour() -> None:
    asker = Scripted()
    assert judge(asker, pairwise=True).qualify([ALPHA], statements=True)["alpha"].qualified
    assert all(q.shown[0].is_statement and " line " in q.shown[0].reply for q in asker.asked)


def test_where_pairs_are_compared_the_judge_is_tried_on_comparisons() -> None:
    asker = Scripted()
    assert judge(asker, pairwise=True).qualify([ALPHA])["alpha"].qualified
    assert {len(q.shown) for q in asker.asked} == {2}


def test_a_trait_with_few_anchors_is_tried_on_all_of_them() -> None:
    assert len(anchor_pairs(trait("few", pairs=3), statements=False)) == 3
    assert not judge(Scripted()).qualify([trait("few", pairs=3)])["few"].qualified


def test_the_anchors_that_are_tried_come_from_all_domains_evenly() -> None:
    domains = {anchor.high: anchor.domain for anchor in ALPHA.pairs}
    counts: dict[str, int] = {}
    for high, low in anchor_pairs(ALPHA, statements=False):
        counts[domains[high.reply]] = counts.get(domains[high.reply], 0) + 1
        assert high.context == low.context
    assert sorted(counts.values()) == [4, 4, 4]


def test_a_trait_without_criteria_is_tried_on_what_its_characters_say_of_themselves() -> None:
    bare = Trait(
        name="bare", definition="d", high=Pole(summary="x"), low=Pole(summary="y"),
        statements_high=("I flatter.",), statements_low=("I am frank.",),
    )  # fmt: skip
    assert [(h.reply, low.reply) for h, low in anchor_pairs(bare, statements=True)] == [("I flatter.", "I am frank.")]


def test_problems_of_asking_and_of_keeping_are_told_together() -> None:
    asker, known = Scripted(), Memory()
    asked = judge(asker, known)
    assert asked.problem == ""
    asker.problem, known.problem = "the budget is spent", "the cache was damaged"
    assert asked.problem == "the budget is spent; the cache was damaged"


def test_what_was_used_is_kept_for_the_record_known_or_asked() -> None:
    class Book:
        def __init__(self) -> None:
            self.seen: list[tuple[str, float | None]] = []
            self.left = False

        def saw(self, shown: Any, trait: Trait, verdict: Verdict) -> None:
            self.seen.append((shown[0].reply, verdict.expressed))

        def leave(self) -> None:
            self.left = True

    book, asker = Book(), Scripted()
    asked = judge(asker, Memory({part_key((said("old"),), ALPHA): Verdict(expressed=0.5)}), recorder=book)
    asked.read([said("old"), said("alpha+")], [ALPHA], ignore)
    asked.close()
    assert book.seen == [("old", 0.5), ("alpha+", 1.0)]
    assert (book.left, asker.closed) == (True, 1)


def test_the_fingerprint_tells_apart_all_that_makes_judges_read_differently() -> None:
    marks = {
        fingerprint(name, model, isolated=isolated, pairwise=pairwise)
        for name in ("claude", "openai")
        for model in ("a", "b")
        for isolated in (False, True)
        for pairwise in (False, True)
    }
    assert len(marks) == 16
