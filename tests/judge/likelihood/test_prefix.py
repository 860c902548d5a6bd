"""What the language model is shown before a reply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from pytest_persona.judge.likelihood.anchors import anchors
from pytest_persona.judge.likelihood.prefix import asked, null_openings, opening, shared_out, wordings
from pytest_persona.model.episodes import Behaviour, Turn
from pytest_persona.model.personas import NullCharacter
from pytest_persona.model.traits import NeutralReply, Pole, Trait

Make = Callable[..., Trait]


def test_an_opening_is_a_character_and_examples_of_its_replies() -> None:
    shown = opening("It is kind. ", [((Turn(speaker="user", text="Hello?"),), " Hello. ")])
    assert shown == "It is kind.\n\nUser: Hello?\nAssistant: Hello.\n\n"


def test_a_behaviour_follows_as_the_next_exchange() -> None:
    turns = (
        Turn(speaker="system", text="Be brief."),
        Turn(speaker="tool", text="42"),
        Turn(speaker="user", text="So?"),
    )
    one = asked(Behaviour(role="shown", context=turns, reply="  Forty-two.\n"), (400, 400))
    assert one.before == "Instructions: Be brief.\nTool: 42\nUser: So?\nAssistant:"
    assert (one.reply, one.cut) == (" Forty-two.", False)


def test_a_text_about_behaviour_answers_a_question_about_itself(say: Callable[..., Behaviour]) -> None:
    one = asked(say("Never lie.", role="criterion", asked=""), (400, 400))
    assert one.before == "User: How do you go about your work?\nAssistant:"


def test_a_reply_without_a_context_is_read_without_one(say: Callable[..., Behaviour]) -> None:
    assert asked(say("Well.", asked=""), (400, 400)).before == "Assistant:"


def test_an_empty_reply_leaves_nothing_to_read(say: Callable[..., Behaviour]) -> None:
    assert asked(say(" \n"), (400, 400)).reply == ""


def test_long_texts_lose_their_middle_and_say_so(say: Callable[..., Behaviour]) -> None:
    one = asked(say("a" * 500 + "z" * 500, asked="b" * 1000), (100, 60))
    assert one.cut
    assert one.reply == " " + "a" * 40 + "z" * 20
    assert len(one.before) == 100 and one.before.endswith("b\nAssistant:")


def test_both_poles_of_a_wording_show_the_same_examples_in_the_same_order(trait: Make) -> None:
    for worded in wordings(trait(), 3):
        contexts = [
            [line for line in text.splitlines() if line.startswith("User:")] for text in (worded.high, worded.low)
        ]
        assert contexts[0] == contexts[1] and len(contexts[0]) == 3
        assert worded.high.startswith("The assistant is this character: One who says ")


def test_the_last_example_is_not_always_the_same(trait: Make) -> None:
    last = {worded.high.rstrip().splitlines()[-1] for worded in wordings(trait(), 3)}
    assert len(last) > 1


def test_only_wordings_of_like_length_are_compared(trait: Make) -> None:
    made = trait()
    low = replace(made.low, paraphrases=("Sober.", *made.low.paraphrases[1:]))
    texts = [worded.low for worded in wordings(replace(made, low=low), 5)]
    assert len(texts) == 3 and not any("Sober." in text for text in texts)
    assert "It says sober things." in texts[-1], "the summary stands in for the paraphrase"


def test_a_trait_without_paraphrases_has_one_wording_and_needs_no_examples() -> None:
    bare = Trait(name="bare", definition="d", high=Pole(summary="It is."), low=Pole(summary="It isn't."))
    (only,) = wordings(bare, 5)
    assert only.high == "The assistant is this character: It is.\n\n"


def test_what_sets_the_zero_is_no_example_of_the_null_characters(
    neutral: list[NeutralReply], nulls: list[NullCharacter]
) -> None:
    zero, examples = shared_out(neutral, 16)
    texts = null_openings(nulls, examples)
    assert len(zero) == 16 and len(texts) == len(nulls)
    assert not any(row.reply in text for row in zero for text in texts)
    assert all(text.count("Assistant:") == 5 for text in texts)
    assert texts[0].startswith("The assistant likes trains in the dawn.")


def test_null_characters_share_examples_where_there_are_few(
    nulls: list[NullCharacter], neutral: list[NeutralReply]
) -> None:
    assert all(text.count("Assistant:") == 2 for text in null_openings(nulls, neutral[:2]))


def test_anchors_are_spread_over_domains(trait: Make) -> None:
    found, domains = anchors(trait(pairs=40), 8, statements=False)
    assert len(found) == 16 and sorted(set(domains)) == ["code", "cooking", "law", "travel"]
    assert all(domains.count(domain) == 2 for domain in domains)
    assert [behaviour.context for behaviour in found[0::2]] == [behaviour.context for behaviour in found[1::2]]


def test_anchors_of_texts_are_lines_and_never_what_stands_in_an_opening(trait: Make) -> None:
    made = trait(pairs=9, statements_high=("I gush.",), statements_low=("I do not.",))
    found, domains = anchors(made, 8, statements=True)
    assert len(found) == 16 and len(set(domains)) == 8
    assert all(b.is_statement and b.reply.startswith("The reply is") for b in found)
    (mine, other), _ = anchors(replace(made, criteria_high=(), criteria_low=()), 8, statements=True)
    assert (mine.reply, other.reply) == ("I gush.", "I do not.")


@pytest.mark.parametrize("most", [1, 5])
def test_no_more_anchors_than_wanted(trait: Make, most: int) -> None:
    assert len(anchors(trait(), most, statements=False)[0]) == 2 * most
