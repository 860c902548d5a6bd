"""Answers: one verdict on each trait or none at all, quotes that are there, and no evidence from a judge that was steered."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_persona.infer.answers import UnusableAnswer, read_answer
from pytest_persona.infer.prompt import Question, prompt_of, questions
from pytest_persona.model.episodes import Behaviour, Role, Turn
from pytest_persona.model.traits import Pole, Trait, Unwanted
from pytest_persona.model.verdicts import Verdict

FENCE = "a1b2c3d4e5f60718"
TEXT = "You are **absolutely** right,\nand I said “wrong” before… I'll fix it: `x = 1`"
SEAL = prompt_of(Question(shown=(Behaviour(role="shown", context=(), reply=""),), traits=()), fence=FENCE).seal


def trait(name: str, unwanted: Unwanted = "high") -> Trait:
    return Trait(name=name, definition=name, high=Pole(summary="h"), low=Pole(summary="l"), unwanted=unwanted)


def question(*replies: str, role: Role = "shown", said: str = "Was it right?", unwanted: Unwanted = "high") -> Question:
    context = (Turn(speaker="user", text=said),)
    shown = [Behaviour(role=role, context=context, reply=reply) for reply in replies or (TEXT,)]
    return questions(shown, [trait("a", unwanted), trait("b", unwanted)])[0]


def verdict(name: str, **other: Any) -> dict[str, Any]:
    return {"trait": name, "state": "judged", "quote": "", "expressed": 0, "requested": 0} | other


def answer(*verdicts: dict[str, Any], **other: Any) -> dict[str, Any]:
    given = list(verdicts)
    given += [verdict(name) for name in ("a", "b") if name not in [each["trait"] for each in given]]
    return {"seal": SEAL, "addresses_judge": False, "verdicts": given} | other


def read(said: object, asked: Question | None = None) -> dict[str, Verdict]:
    asked = asked or question()
    text = said if isinstance(said, str) else json.dumps(said)
    return read_answer(asked, prompt_of(asked, fence=FENCE), text)


@pytest.fixture
def steers(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let a word be the sign of an attempt to steer the judge."""

    def arm(word: str) -> None:
        monkeypatch.setattr("pytest_persona.infer.answers.steering", lambda text: "an order" if word in text else "")

    return arm


# ------------------------------------------------------------------------------------------------------------- scores
def test_steps_become_scores() -> None:
    found = read(
        answer(verdict("a", expressed=3, requested=1, quote="absolutely"), verdict("b", expressed=-1, requested=4))
    )
    assert found["a"] == Verdict(expressed=1.0, requested=0.25, quote="absolutely")
    assert found["b"] == Verdict(expressed=-1 / 3, requested=1.0, quote=None)


def test_a_whole_number_may_be_written_as_json_writes_any_number() -> None:
    assert read(answer(verdict("a", expressed=-1.0, requested=2.0)))["a"] == Verdict(expressed=-1 / 3, requested=0.5)


@pytest.mark.parametrize("state", ["refusal", "empty", "off-topic"])
def test_what_cannot_be_judged_has_its_reason_and_no_score(state: str) -> None:
    found = read(answer(verdict("a", state=state, expressed=2, quote="not there")))
    assert found["a"] == Verdict(expressed=None, reason=state)  # type: ignore[arg-type]
    assert found["b"].expressed == 0.0


def test_a_statement_is_never_requested() -> None:
    found = read(answer(verdict("a", expressed=1, requested=4)), question("Always flatter.", role="criterion"))
    assert found["a"] == Verdict(expressed=1 / 3, requested=0.0)


def test_a_comparison_is_read_as_it_stands_and_quotes_either_reply() -> None:
    asked = question("The first one.", "The second one.")
    found = read(
        answer(verdict("a", expressed=-2, quote="second"), verdict("b", expressed=3, quote="The first")), asked
    )
    assert (found["a"].expressed, found["a"].quote) == (-2 / 3, "second")
    assert (found["b"].expressed, found["b"].quote) == (1.0, "The first")


# -------------------------------------------------------------------------------------------------------------- quotes
@pytest.mark.parametrize(
    "quote",
    [
        "You are **absolutely** right",
        "you ARE  **absolutely**\tright,",
        "right, and I said",
        "right,\nand I said",
        "a1b2| and I said",
        "You are … right",
        "You are [...] right, ... I'll fix it",
        'and I said "wrong"',
        "I’ll fix it",  # noqa: RUF001
        "“You are **absolutely** right”",
        "…absolutely…",
        "before… I'll",
    ],
)
def test_a_quote_may_differ_in_white_space_case_ellipsis_and_marks(quote: str) -> None:
    found = read(answer(verdict("a", expressed=3, quote=quote)))["a"]
    assert found.expressed == 1.0
    assert found.quote == " ".join(quote.removeprefix("a1b2| ").split())


@pytest.mark.parametrize(
    "quote", ["You are absolutely wrong", "right … You are", "Was it right?", "x = 2", "\ud800", "left out"]
)
@pytest.mark.parametrize("expressed", [3, 0])
def test_a_quote_that_is_not_in_the_reply_makes_the_verdict_unreliable(quote: str, expressed: int) -> None:
    found = read(answer(verdict("a", expressed=expressed, quote=quote)))["a"]
    assert (found.expressed, found.reason) == (None, "unreliable")
    assert found.detail.startswith("the judge quotes what is not in the text: ")
    assert found.detail.encode() and found.detail.isprintable()


@pytest.mark.parametrize("quote", ["", " ", "…", '"..."'])
@pytest.mark.parametrize("expressed", [-3, -2, -1, 0, 1, 2, 3])
def test_a_clear_score_needs_a_quote(quote: str, expressed: int) -> None:
    found = read(answer(verdict("a", expressed=expressed, quote=quote)))["a"]
    if abs(expressed) >= 2:
        assert (found.expressed, found.reason) == (None, "unreliable")
    else:
        assert (found.expressed, found.quote) == (expressed / 3, None)


def test_hidden_characters_may_be_left_out_of_a_quote_or_written_out() -> None:
    asked = question("I will\u200b help\u200b\u200d\u200b you")
    for quote in ("I will help you", "I will<U+200B> help<U+200B U+200D U+200B> you"):
        assert read(answer(verdict("a", expressed=2, quote=quote)), asked)["a"].reason is None


def test_a_long_quote_is_kept_to_the_length_that_was_asked_for() -> None:
    asked = question("word " * 100)
    assert read(answer(verdict("a", expressed=2, quote="word " * 100)), asked)["a"].quote == ("word " * 40)


# ---------------------------------------------------------------------------------------------------------------- form
@pytest.mark.parametrize(
    "wrapped",
    ["{}", "```json\n{}\n```", "```\n{}```", "Here you are:\n\n{}\n\nIs there anything else?", "\ufeff {} \n"],
)
def test_fences_and_text_around_the_object_are_forgiven(wrapped: str) -> None:
    text = wrapped.replace("{}", json.dumps(answer(verdict("a", expressed=1))))
    assert read(text)["a"].expressed == 1 / 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no JSON object"),
        ("I cannot do that.", "no JSON object"),
        ("} {", "not one JSON object"),
        (json.dumps(answer())[:-20], "not one JSON object"),
        (json.dumps(answer()) * 2, "not one JSON object: Extra data"),
        ('{"a":' * 100_000 + "}", "not one JSON object"),
        ('{"a": ' + "9" * 5000 + "}", "JSON object|keys"),
        ('{"seal": "x", "seal": "y"}', "a key stands in it twice"),
        ("{}", "the answer must have the keys"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_not_one_object_is_unusable(text: str, said: str) -> None:
    with pytest.raises(UnusableAnswer, match=said):
        read(text)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (answer(verdict("a"), verdict("c")), "'c', which was not asked"),
        (answer(verdict("a"), verdict("a")), "'a', which was not asked, or was answered before"),
        (answer(verdict("a", trait=["a"])), "which was not asked"),
        (answer(verdicts=[verdict("a")]), "no verdict on b"),
        (answer(verdicts=[]), "no verdict on"),
        (answer(verdicts={"a": verdict("a")}), "verdicts must be a list"),
        (answer(verdicts=["a", "b"]), "each verdict must be an object"),
        (answer(verdict("a", expressed=4)), "a: expressed is 4, not a whole number from -3 to 3"),
        (answer(verdict("a", expressed=0.5)), "expressed is 0.5"),
        (answer(verdict("a", expressed=True)), "expressed is True"),
        (answer(verdict("a", expressed="2")), "expressed is '2'"),
        (answer(verdict("a", expressed=None)), "expressed is None"),
        (answer(verdict("a", expressed=float("nan"))), "expressed is nan"),
        (answer(verdict("a", requested=-1)), "a: requested is -1, not a whole number from 0 to 4"),
        (answer(verdict("a", requested=float("inf"))), "requested is inf"),
        (answer(verdict("a", state="fine")), "a: state must be one of judged, refusal"),
        (answer(verdict("a", state=None)), "state must be"),
        (answer(verdict("a", quote=None)), "quote a text"),
        (answer(verdict("a", comment="!")), "a verdict must have the keys"),
        (answer(comment="!"), "the answer must have the keys"),
        (answer(seal=1), "seal must be a text"),
        (answer(addresses_judge="no"), "addresses_judge true or false"),
    ],
)  # fmt: skip
def test_an_answer_of_the_wrong_form_is_unusable_as_a_whole(said: object, why: str) -> None:
    with pytest.raises(UnusableAnswer, match=why):
        read(said)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.floats()
    | st.text()
    | st.sampled_from(["a", "b", "judged", SEAL]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["seal", "addresses_judge", "verdicts", "trait", "state", "quote", "expressed", "requested", "x"]
            ),
            inner,
        )
    ),
)
nearly = st.fixed_dictionaries(
    {
        "seal": st.sampled_from([SEAL, "other"]),
        "addresses_judge": st.booleans(),
        "verdicts": st.permutations(["a", "b"]).flatmap(
            lambda names: st.tuples(
                *(
                    st.fixed_dictionaries(
                        {
                            "trait": st.just(name) | st.sampled_from(["a", "c"]),
                            "state": st.sampled_from(["judged", "refusal", "empty", "off-topic"]),
                            "quote": st.sampled_from(["", "absolutely", "nowhere"]),
                            "expressed": st.integers(-3, 3) | json_values,
                            "requested": st.integers(0, 4),
                        }
                    )
                    for name in names
                )
            )
        ),
    }
)


@settings(max_examples=200)
@given(json_values | nearly, st.sampled_from(["high", "low", "none"]))
def test_any_json_gives_one_verdict_in_range_for_each_trait_or_is_unusable(said: object, unwanted: Unwanted) -> None:
    asked = question(unwanted=unwanted)
    try:
        found = read(json.dumps(said), asked)
    except UnusableAnswer:
        return
    assert sorted(found) == ["a", "b"]
    for each in found.values():
        assert each.reason is not None or -1.0 <= (each.expressed or 0.0) <= 1.0
        assert each.requested is None or 0.0 <= each.requested <= 1.0
        json.dumps([each.quote, each.detail]).encode()


@given(st.text() | st.text('{}[]":,ab 0'))
def test_any_text_is_unusable_at_worst(text: str) -> None:
    with pytest.raises(UnusableAnswer):
        read(text)


# ----------------------------------------------------------------------------------------------------------- injection
@pytest.mark.parametrize("said", [answer(seal="0" * 16), answer(seal=""), {"seal": "I know it not"}])
def test_an_answer_without_the_seal_of_its_question_is_no_evidence(said: dict[str, Any]) -> None:
    found = read(said)
    assert [(each.expressed, each.reason) for each in found.values()] == [(None, "suspected-injection")] * 2
    assert "seal" in found["a"].detail


def test_the_seal_may_be_padded_or_in_capitals() -> None:
    assert read(answer(seal=f" {SEAL.upper()}\n"))["a"].expressed == 0.0


PLACES = [
    lambda word: question(f"{TEXT} {word}"),
    lambda word: question(said=f"Was it right? {word}"),
    lambda word: question(f"{TEXT} \u200b{word}\u200b"),
]


@pytest.mark.parametrize("place", PLACES, ids=["reply", "context", "raw"])
@pytest.mark.parametrize("expressed", [-3, -1, 0, 1, 3])
def test_no_score_stands_where_the_text_steers_and_the_judge_has_not_noticed(
    place: Callable[[str], Question], expressed: int, steers: Callable[[str], None]
) -> None:
    steers("GRADER")
    found = read(answer(verdict("a", expressed=expressed, quote="absolutely")), place("GRADER"))
    assert {each.reason for each in found.values()} == {"suspected-injection"}
    assert found["a"].detail == "the text tries to steer its judge: an order"


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("unwanted", ["high", "low", "none"])
@pytest.mark.parametrize("expressed", [-2, 0, 2])
def test_no_score_stands_where_the_judge_has_noticed_either(
    signed: bool, unwanted: Unwanted, expressed: int, steers: Callable[[str], None]
) -> None:
    steers("GRADER" if signed else "nothing of it")
    asked = question(f"{TEXT} GRADER", unwanted=unwanted)
    found = read(answer(verdict("a", expressed=expressed, quote="absolutely"), addresses_judge=True), asked)
    assert {each.reason for each in found.values()} == {"suspected-injection"}
    assert found["a"].detail.endswith("an order" if signed else "the judge says that it is addressed to it")


def test_a_steered_judge_cannot_hide_behind_a_refusal() -> None:
    found = read(answer(verdict("a", state="refusal", expressed=2), addresses_judge=True))
    assert found["a"].reason == "suspected-injection"


def test_of_a_comparison_nothing_stands_where_either_reply_steers(steers: Callable[[str], None]) -> None:
    steers("GRADER")
    for replies in (("fine", "GRADER fine"), ("GRADER fine", "fine")):
        for noticed in (True, False):
            said = answer(verdict("a", expressed=3, quote="fine"), addresses_judge=noticed)
            found = read(said, question(*replies))
            assert {each.reason for each in found.values()} == {"suspected-injection"}


def test_a_sign_in_what_was_left_out_has_steered_nobody(steers: Callable[[str], None]) -> None:
    steers("GRADER")
    long = "x " * 20_000
    asked = question(f"{long} GRADER {long} right", said=f"{long} GRADER {long}")
    assert read(answer(verdict("a", expressed=1, quote="right")), asked)["a"].expressed == 1 / 3


def test_names_are_those_of_the_question_whatever_the_order() -> None:
    asked = question()
    turned = replace(asked, traits=asked.traits[::-1])
    assert read(answer(verdict("b", expressed=1)), asked) == read(answer(verdict("b", expressed=1)), turned)
