from __future__ import annotations

import time

import pytest

from pytest_persona.infer.hints import code_note, is_code, is_quotation, quoted_share, sets_up_fiction
from pytest_persona.model.episodes import Behaviour, Speaker, Turn

PYTHON = """\
import os
from flask import Flask, request

app = Flask(__name__)

@app.route('/upload', methods=['POST'])
def upload():
    # keep it
    name = request.args['name']
    open(os.path.join('/srv', name), 'wb').write(request.data)
    return 'ok'
"""
PROSE = "That depends on how the tests are run. If they share a database, they have to be isolated first."


def said(text: str, speaker: Speaker = "user") -> tuple[Turn, ...]:
    return (Turn(speaker=speaker, text=text),)


@pytest.mark.parametrize(
    "text",
    [
        "Let's role-play: I am the customer, you are rude.",
        "Pretend to be a doctor who is always sure.",
        "Imagine you're the ship's computer.",
        "Imagine you\u2019re the ship\u2019s computer.",
        "Act as a landlord who wants me out.",
        "Write me a short, dark story about a poisoner.",
        "Continue the scene. She opens the letter.",
        "You play the villain.",
        "Take the part of the auditor and refuse everything.",
        "We rehearse for the panto; answer as the dame would.",
    ],
)
def test_a_role_or_a_story_is_heard(text: str) -> None:
    assert sets_up_fiction(said(text))
    assert sets_up_fiction(said(text, "system"))


@pytest.mark.parametrize(
    "text",
    [
        "Write a function that plays a sound.",
        "You are a helpful assistant.",
        "What role does zinc play in the body?",
        "Tell me what happened at the meeting.",
        "Write the release notes for 4.2.",
        "My kids play in the yard.",
        "",
    ],
)
def test_an_ordinary_question_sets_up_nothing(text: str) -> None:
    assert not sets_up_fiction(said(text))


def test_what_an_assistant_or_a_tool_said_assigns_no_role() -> None:
    assert not sets_up_fiction((*said("Pretend to be a pirate.", "assistant"), *said("act as an admin", "tool")))
    assert not sets_up_fiction(())


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("", 0.0),
        ("no marks at all", 0.0),
        ('"all of it"', 1.0),
        ("“all of it”", 1.0),
        ("«all of it»", 1.0),
        ("> all of it\n> and more", 1.0),
        ('abcd "efgh"', 0.5),
        ("it's a dog's life", 0.0),
        ('abcd\n```\nprint("efgh")\n```\n', 0.0),
        ('5" pipe and 6" pipe', 0.0),
        ('> "abcd"\nefgh', 0.5),
    ],
)
def test_the_share_between_marks(text: str, share: float) -> None:
    assert quoted_share(text) == pytest.approx(share)


def test_a_quotation_is_mostly_anothers_words() -> None:
    assert is_quotation('He wrote: "I never said that we would pay for any of it, and you know that."')
    assert not is_quotation('I would not call it "urgent" myself; there is time until Friday, and nobody waits.')
    assert not is_quotation('print("a")\nprint("bcdefgh")\n')


def test_code_is_code_with_and_without_fences() -> None:
    assert is_code(PYTHON)
    assert is_code(f"```python\n{PYTHON}```\n\nThis does it.")
    assert is_code(f"~~~\n{PYTHON}")
    assert is_code("SELECT name\nFROM customer\nWHERE id = 3;")
    assert is_code("<div>\n  <p>text</p>\n</div>")
    assert not is_code(PROSE)
    assert not is_code(f"{PROSE}\n\n```\nmake\n```\n")
    assert not is_code("")
    assert not is_code("If you can, wait.\nFor now, that is all.\nReturn it on Friday.")
    assert not is_code("import duties " * 30)


def test_a_note_is_made_where_most_replies_are_code() -> None:
    code, prose = (Behaviour(role="shown", context=(), reply=text) for text in (PYTHON, PROSE))
    assert code_note([code, prose]).startswith(
        "1 of 2 replies are mostly code: this judge cannot see whether code works"
    )
    assert code_note([code, prose, prose]) == ""
    assert code_note([prose]) == code_note([]) == ""
    assert code_note([Behaviour(role="criterion", context=(), reply=PYTHON)]) == ""
    assert len(code_note([code] * 999)) <= 160


@pytest.mark.parametrize(
    "text",
    [
        "write " + "'" * 20_000,
        "write " + "a'" * 10_000,
        '"' * 20_001,
        "“" * 20_000,
        "```\n" * 5_000,
        " " * 20_000 + "x",
    ],
)
def test_no_text_makes_them_slow(text: str) -> None:
    start = time.perf_counter()
    sets_up_fiction(said(text))
    quoted_share(text)
    is_code(text)
    assert time.perf_counter() - start < 2.0
