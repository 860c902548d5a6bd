"""Redaction: what looks like personal data or a secret does not leave the machine; ordinary text does."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_persona.infer.redact import REDACTIONS, redacted, redactor
from pytest_persona.model.episodes import Behaviour, Turn

FOUND = {
    "email": ["ann.o-neill+x@mail.example.co.uk", "jörg@münchen.de", "a_b@host.io", "ann＠example.com"],  # noqa: RUF001
    "url": ["https://example.com/a?b=c#d", "ftp://host/file"],
    "iban": ["DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819", "NO9386011117947"],
    "card": ["4111 1111 1111 1111", "5500-0000-0000-0004", "378282246310005"],
    "ip": ["192.168.1.10", "8.8.8.8", "2001:0db8:85a3:0000:0000:8a2e:0370:7334", "fe80::1", "2001:db8::8a2e:370:7334"],
    "phone": ["+49 30 1234567", "(030) 123-4567", "555-123-4567", "06 12 34 56 78", "0612345678", "+1 (415) 555-0132"],
    "key": [
        "sk-ant-api03-AbCdEf0123456789-xyz", "ghp_16C7e42F292c6912E7710c838347Ae178B4a", "AKIAIOSFODNN7EXAMPLE",
        "AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmN",
        "Bearer abcdefghijklmnop0123==", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nMIIE that was never closed",
    ],
}  # fmt: skip
ORDINARY = [
    "On 2024-11-04 and 04.11.2024 we met at 12:30:45, and 1,234,567 people came.",
    "Version 1.2.3 of the sketch-like task_runner, std::vector<int> a::b; x = y[1:2]",
    "def sk_learn(risk: float = 0.25) -> None: ...  # see section 3.2.1, lines 10-25",
    "the bearer of bad news, @decorator, a@b, sha 9f86d081884c7d659a2f",
    "Call it 7 of 10, or 12 000 in all; 1700000000000 ms.",
]


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in FOUND.items() for text in texts])
def test_a_named_pattern_takes_out_all_of_what_it_is_for(name: str, text: str) -> None:
    assert redactor([name])(f"Write to {text}, please") == f"Write to [{name}], please" or "never closed" in text
    assert redactor([name])(text) == f"[{name}]"


def test_every_named_pattern_is_tried() -> None:
    assert FOUND.keys() == REDACTIONS.keys()


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays(text: str) -> None:
    assert redactor(list(REDACTIONS))(text) == text


def test_ones_own_pattern_is_taken_out_without_saying_what_it_was() -> None:
    redact = redactor([r"Project \w+", "email"])
    assert redact("Project Halcyon is led by ann@example.com") == "[redacted] is led by [email]"
    assert redactor([])("as it is") == "as it is"
    assert redactor([r"(\w)\1"])(r"a\1aa") == r"a\1[redacted]"


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(", "'(' is neither a name (email, "),
        ("x*", "also finds the empty text"),
        ("emial", "did you mean 'email'? As a regular expression write (emial)"),
        ("phones", "did you mean 'phone'"),
    ],
)
def test_a_pattern_that_cannot_be_meant_is_refused_in_words(pattern: str, said: str) -> None:
    with pytest.raises(ValueError) as error:
        redactor([pattern])
    assert said in str(error.value)


def test_a_word_that_is_like_a_name_can_still_be_meant() -> None:
    assert redactor(["(phones)"])("two phones") == "two [redacted]"


def test_reply_and_turns_are_redacted_and_nothing_else_changes() -> None:
    turns = (Turn(speaker="system", text="You serve ann@example.com"), Turn(speaker="user", text="hi"))
    behaviour = Behaviour(role="rollout", context=turns, reply="I wrote to bob@example.com", reward=0.5, weight=2.0)
    assert redacted(behaviour, redactor(["email"])) == Behaviour(
        role="rollout",
        context=(Turn(speaker="system", text="You serve [email]"), Turn(speaker="user", text="hi")),
        reply="I wrote to [email]",
        reward=0.5,
        weight=2.0,
    )


@given(st.text(alphabet="a1@.-+ :/(eyJ)", max_size=200))
def test_redacting_twice_is_redacting_once(text: str) -> None:
    redact = redactor(list(REDACTIONS))
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(
    "unit", ["a", "1", "1 ", "a.", "-", "eyJ-", "eyJaaaaaaaa.", "sk-", "a:", "::", "DE12 ", "1-1-", "+", "http://",
             "-----BEGIN PRIVATE KEY-----"]
)  # fmt: skip
def test_a_hostile_text_takes_no_longer_than_its_length(unit: str) -> None:
    redact = redactor(list(REDACTIONS))
    started = time.perf_counter()
    redact(unit * (200_000 // len(unit)))
    assert time.perf_counter() - started < 2.0
