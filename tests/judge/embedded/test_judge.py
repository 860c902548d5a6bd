"""The judge: what it says of behaviours, how it is known to read, and what it refuses."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_persona.errors import JudgeError
from pytest_persona.judge.base import Answers
from pytest_persona.judge.embedded import judge as module
from pytest_persona.judge.embedded.heads import Heads
from pytest_persona.judge.embedded.judge import EmbeddedJudge, anchor_behaviours
from pytest_persona.judge.embedded.states import StateReader
from pytest_persona.judge.lm import LanguageModel
from pytest_persona.model.episodes import Behaviour, Turn
from pytest_persona.model.traits import Trait
from pytest_persona.model.verdicts import Qualification, Usage
from pytest_persona.settings import Settings

Make = Callable[..., Trait]


def reply(text: str, context: str = "say something", role: Any = "shown") -> Behaviour:
    turns = (Turn(speaker="user", text=context),) if context else ()
    return Behaviour(role=role, context=turns, reply=text)


def ignore(count: int) -> None:
    pass


def read_one(judge: EmbeddedJudge, behaviour: Behaviour, trait: Trait) -> Any:
    return judge.read([behaviour], [trait], ignore).verdicts[0][trait.name]


def test_each_trait_is_read_by_its_own_marks(judge: EmbeddedJudge, library: tuple[Trait, ...]) -> None:
    plus, star = judge.read([reply("a + here"), reply("a * here")], library, ignore).verdicts
    assert plus["alpha"].expressed > 0.5 > abs(plus["beta"].expressed)
    assert star["beta"].expressed < -0.5 < -abs(star["alpha"].expressed)


def test_one_pass_serves_all_traits_and_all_questions_about_them(
    judge: EmbeddedJudge, model: Any, library: tuple[Trait, ...]
) -> None:
    behaviours = [reply(f"a + here {i}") for i in range(10)]
    judge.read(behaviours, library, ignore)
    for trait in library:
        judge.valence(behaviours, trait)
        judge.panel(behaviours, trait)
    assert len(model.read) == 10


def test_a_request_is_read_from_the_context_alone(judge: EmbeddedJudge, library: tuple[Trait, ...]) -> None:
    asked, plain = (read_one(judge, reply("a + here", context), library[0]) for context in ("do it 1?", "do it 2"))
    assert asked.requested > 0.5 > plain.requested
    assert asked.expressed == pytest.approx(plain.expressed, abs=0.2)


@pytest.mark.parametrize(
    "behaviour", [reply("a + here", ""), reply("Be + kind", "why?", "sentence"), reply("+", "", "criterion")]
)
def test_nothing_requests_a_reply_without_a_context_nor_a_statement(
    judge: EmbeddedJudge, library: tuple[Trait, ...], behaviour: Behaviour
) -> None:
    verdict = read_one(judge, behaviour, library[0])
    assert verdict.expressed > 0.0
    assert verdict.requested is None
    assert verdict.implied == verdict.expressed


@pytest.mark.parametrize("text", ["", " \n\t "])
def test_an_empty_reply_has_no_verdict_but_a_reason(
    judge: EmbeddedJudge, library: tuple[Trait, ...], text: str
) -> None:
    verdict = read_one(judge, reply(text), library[0])
    assert (verdict.expressed, verdict.reason) == (None, "empty")


def test_nothing_to_read_is_no_reading(judge: EmbeddedJudge, library: tuple[Trait, ...]) -> None:
    assert judge.read([], library, ignore) == Answers(verdicts=[], usage=Usage())


def test_statements_and_replies_are_read_side_by_side_in_their_order(
    judge: EmbeddedJudge, library: tuple[Trait, ...]
) -> None:
    mixed = [reply("a + here"), reply("Do + it", "", "sentence"), reply("a - there"), reply("Do - it", "", "criterion")]
    signs = [np.sign(v["alpha"].expressed) for v in judge.read(mixed, library, ignore).verdicts]
    assert signs == [1.0, 1.0, -1.0, -1.0]


def test_the_library_is_known_without_reading_anything(
    judge: EmbeddedJudge, model: Any, library: tuple[Trait, ...]
) -> None:
    known = judge.qualify(library)
    assert {name: q.qualified for name, q in known.items()} == {"alpha": True, "beta": True, "gamma": False}
    assert "below 0.80" in known["gamma"].reason
    assert judge.qualify(library, statements=True)["alpha"].qualified
    assert model.read == []


def test_a_users_trait_of_eight_pairs_is_fitted_on_first_use_and_once(
    judge: EmbeddedJudge, model: Any, trait: Make
) -> None:
    mine = trait("mine", "+-", pairs=8)
    (known,) = judge.qualify([mine]).values()
    assert (known.qualified, known.pairs) == (True, 8)
    read = len(model.read)
    assert read == 16
    assert read_one(judge, reply("a + here"), mine).expressed > 0.5
    judge.qualify([mine])
    assert len(model.read) == read + 1


def test_a_users_anchors_are_read_once_for_all_runs(
    judge: EmbeddedJudge, heads: Heads, reader: Callable[..., StateReader], model: Any, trait: Make
) -> None:
    mine = trait("mine", "+-", pairs=8)
    known = judge.qualify([mine])
    assert EmbeddedJudge(heads, reader("another")).qualify([mine]) == known
    assert len(model.read) == 16


def test_with_seven_pairs_it_is_not_qualified_and_reads_nothing(judge: EmbeddedJudge, model: Any, trait: Make) -> None:
    mine = trait("mine", "+-", pairs=7)
    (known,) = judge.qualify([mine]).values()
    assert known == Qualification(qualified=False, reason="it has 7 matched pairs, where 8 are the least")
    verdict = read_one(judge, reply("a + here"), mine)
    assert (verdict.expressed, verdict.reason) == (None, "failed")
    own, nulls = judge.panel([reply("a + here")], mine)
    assert (own.shape, nulls.shape) == ((1,), (1, 0))


def test_too_few_statements_are_said_so(judge: EmbeddedJudge, trait: Make) -> None:
    bare = dataclasses.replace(trait("mine", "+-"), statements_high=(), statements_low=())
    (known,) = judge.qualify([bare], statements=True).values()
    assert known.reason == "it has 1 statements a pole, where 8 are the least"


def test_a_library_trait_whose_anchors_were_changed_is_fitted_anew(
    judge: EmbeddedJudge, model: Any, trait: Make
) -> None:
    changed = trait("alpha", "*~")
    verdict = read_one(judge, reply("a * here"), changed)
    assert verdict.expressed > 0.5
    assert len(model.read) == 1 + 24


def test_the_fingerprint_tells_heads_apart(heads: Heads, reader: Callable[..., StateReader], tmp_path: Path) -> None:
    def fingerprint(**changed: Any) -> str:
        dataclasses.replace(heads, **changed).save(tmp_path / "heads.npz")
        info = EmbeddedJudge(Heads.load(tmp_path / "heads.npz"), reader()).info
        assert (info.name, info.network) == ("embedded", False)
        return info.fingerprint

    def with_alpha(**changed: Any) -> dict[str, Any]:
        replies = heads.traits["reply"]
        return {**heads.traits, "reply": {**replies, "alpha": dataclasses.replace(replies["alpha"], **changed)}}

    prints = [
        fingerprint(),
        fingerprint(weights_sha256="cd" * 32),
        fingerprint(traits=with_alpha(trait_sha256="other")),
        fingerprint(traits=with_alpha(zero=0.123)),
        fingerprint(request=dataclasses.replace(heads.request, bias=0.123)),
    ]
    assert len(set(prints)) == len(prints)
    assert fingerprint() == prints[0]


def test_the_panel_reads_its_trait_and_its_null_vectors_point_nowhere_on_average(
    judge: EmbeddedJudge, library: tuple[Trait, ...]
) -> None:
    own, nulls = judge.panel([reply(f"a + here {i}") for i in range(8)], library[0])
    assert own.shape == (8,)
    assert nulls.shape == (8, 400)
    assert (own > 0.0).all()
    assert abs(nulls.mean()) < 0.2 * own.mean()


def test_every_direction_of_the_panel_reads_zero_at_neutral_texts(
    judge: EmbeddedJudge, library: tuple[Trait, ...]
) -> None:
    neutral = [reply(f"neutral {i}", f"ask {i}") for i in range(20)]  # those that the heads were fitted with
    own, nulls = judge.panel(neutral, library[0])
    assert own.mean() == pytest.approx(0.0, abs=1e-3)
    np.testing.assert_allclose(nulls.mean(axis=0), 0.0, atol=1e-3)


def test_the_panel_of_statements_is_that_of_their_own_space(judge: EmbeddedJudge, library: tuple[Trait, ...]) -> None:
    own, _ = judge.panel([reply("I do + it", "", "sentence"), reply("I do - it", "", "sentence")], library[0])
    assert own[0] > own[1]


def test_valence_is_high_where_it_is_bad(judge: EmbeddedJudge) -> None:
    bad, good = (
        judge.heads.valence("reply")
        @ judge.heads.spaces["reply"]
        .place(np.stack([r.state for r in judge.states([reply("a + and * here"), reply("a - and ~ here")])]))
        .T
    )  # beta is unwanted at its low pole
    assert bad > good


def test_what_was_taken_out_is_the_part_of_the_reading_that_lies_along_valence(
    heads: Heads, reader: Callable[..., StateReader], library: tuple[Trait, ...]
) -> None:
    trait = library[0]
    # As if the other traits pointed half along this one.
    shared = heads.valence("reply")
    head = dataclasses.replace(heads.traits["reply"][trait.name], valence=shared)
    traits = {**heads.traits, "reply": {**heads.traits["reply"], trait.name: head}}
    judge = EmbeddedJudge(dataclasses.replace(heads, traits=traits), reader("one"))
    behaviours = [reply("a + and * here"), reply("a - and ~ here"), reply("a + here")]
    before, part = judge.valence(behaviours, trait)
    left, _ = judge.panel(behaviours, trait)
    assert np.abs(part).max() > 0.01
    # What remains is what the head reads, but for its unit length and its zero.
    remaining = before - part
    assert (remaining[0] - remaining[1]) / (remaining[0] - remaining[2]) == pytest.approx(
        (left[0] - left[1]) / (left[0] - left[2])
    )
    judge.close()


def test_usage_counts_questions_tokens_cuts_and_what_was_kept(
    heads: Heads, reader: Callable[..., StateReader], library: tuple[Trait, ...]
) -> None:
    first = EmbeddedJudge(heads, reader("one"))
    behaviours = [reply("short"), reply("long" * 200)]
    usage = first.read(behaviours, library, ignore).usage
    assert (usage.questions, usage.cached, usage.cut) == (2, 0, 1)
    assert usage.input_tokens > 192
    second = EmbeddedJudge(heads, reader("two"))
    usage = second.read([*behaviours, reply("new")], library, ignore).usage
    assert (usage.questions, usage.cached, usage.cut, usage.calls) == (3, 2, 1, 0)
    assert usage.input_tokens == len("new") + len("\x01user:say something\x02")


def test_closing_twice_is_no_error(judge: EmbeddedJudge, library: tuple[Trait, ...]) -> None:
    read_one(judge, reply("a + here"), library[0])
    judge.close()
    judge.close()


def test_anchors_come_high_and_low_by_turns_with_the_domain_of_each_pair(trait: Make) -> None:
    mine = trait("mine", "+-", pairs=8, criteria_high=("Reward +",), criteria_low=("Reward -",))
    shown, domains = anchor_behaviours(mine, "reply")
    assert [b.reply[0] for b in shown] == ["+", "-"] * 8
    assert shown[0].context == shown[1].context
    assert domains == [pair.domain for pair in mine.pairs]
    texts, numbers = anchor_behaviours(mine, "statement")
    assert all(b.is_statement and b.context == () for b in texts)
    assert [t.reply for t in texts[:2]] == ["Reward +", "Reward -"]
    assert len(texts) == 2 * len(numbers) == 2 * (1 + 8 + 1)
    assert len(set(numbers)) == len(numbers)


@pytest.fixture
def opened(heads: Heads, model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., EmbeddedJudge]:
    """Opens a judge whose weights are the fake model's."""
    weights = tmp_path / "weights.gguf"
    weights.write_bytes(b"weights")
    heads.save(tmp_path / "heads.npz")
    monkeypatch.setattr(module, "HEADS", tmp_path / "heads.npz")
    monkeypatch.setattr(module, "sha256_of", lambda path: heads.weights_sha256)

    def load(path: Path, **options: Any) -> Any:
        assert path == weights
        model.options = options
        return model

    monkeypatch.setattr(LanguageModel, "load", load)

    def make(**more: Any) -> EmbeddedJudge:
        return EmbeddedJudge.open(Settings(root=tmp_path, **{"model": "weights.gguf", **more}))

    return make


def test_opening_reads_no_weights_until_they_are_needed_and_then_no_more_layers_than_are_read(
    opened: Callable[..., EmbeddedJudge], model: Any, library: tuple[Trait, ...], tmp_path: Path
) -> None:
    judge = opened(threads=3)
    assert not hasattr(model, "options")
    read_one(judge, reply("a + here"), library[0])
    assert model.options == {"threads": 3, "layers": 2}
    assert (tmp_path / ".persona" / "cache" / "readings.sqlite").exists()
    assert judge.problem == ""
    judge.close()


def test_workers_of_one_run_count_each_others_readings_as_this_runs(
    opened: Callable[..., EmbeddedJudge], library: tuple[Trait, ...]
) -> None:
    def cached(run: str) -> int:
        judge = opened(run=run)
        count = judge.read([reply("a + here")], library[:1], ignore).usage.cached
        judge.close()
        return count

    assert [cached("run-1"), cached("run-1")] == [0, 0]
    assert cached("run-2") == 1
    assert cached("") == 1


def test_other_weights_than_the_heads_were_fitted_for_are_refused(
    opened: Callable[..., EmbeddedJudge], monkeypatch: pytest.MonkeyPatch, heads: Heads
) -> None:
    monkeypatch.setattr(module, "sha256_of", lambda path: "ff" * 32)
    with pytest.raises(JudgeError) as caught:
        opened()
    assert str(caught.value) == (
        "weights.gguf: these weights (sha256 ffffffffffff…) are not those that the shipped directions were fitted for"
        f" ({heads.weights_sha256[:12]}…). Install the right ones with: pytest-persona model install."
    )


def test_weights_that_are_not_there_are_refused_before_anything_is_read(opened: Callable[..., EmbeddedJudge]) -> None:
    with pytest.raises(JudgeError, match=r"there is no such file"):
        opened(model="nowhere.gguf")
