"""Texts with places: strict where they are written, blind to what is filled in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_persona.infer.template import TemplateError, parse_template

KNOWN = {"reply": None, "replies": 2, "messages": None}
VALUES = {"reply": "R{{ reply }}", "replies": ["one", "two"], "messages": [{"role": "user", "content": "é"}]}


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("", ""),
        ("plain } text }}", "plain } text }}"),
        ("{{ reply }}", "R{{ reply }}"),
        ("a {{reply}} b {{  reply  }}", "a R{{ reply }} b R{{ reply }}"),
        ("{{ replies[0] }}/{{replies[-1]}}/{{ replies[1] }}", "one/two/two"),
        ("{{ '{{' }} x }} {{ \"{{\" }}", "{{ x }} {{"),
        ("see {{ messages }}", 'see [{"role": "user", "content": "é"}]'),
    ],
)
def test_places_are_filled(text: str, filled: str) -> None:
    assert parse_template(text, KNOWN).text(VALUES) == filled


def test_a_text_that_is_one_place_is_the_value_itself() -> None:
    assert parse_template("{{ messages }}", KNOWN).value(VALUES) is VALUES["messages"]
    assert parse_template("{{ replies[1] }}", KNOWN).value(VALUES) == "two"
    assert parse_template(" {{ reply }}", KNOWN).value(VALUES) == " R{{ reply }}"
    assert parse_template("{{ reply }}", KNOWN).value({"reply": None}) is None
    assert parse_template("a {{ reply }}{{ replies[0] }}", KNOWN).names() == {"reply", "replies"}


@pytest.mark.parametrize(
    ("text", "problem", "remedy"),
    [
        ("{{ repyl }}", "there is no {{ repyl }} here", "Use one of reply, replies[0], messages, or write {{ '{{' }}"),
        ("{{ }}", "there is no {{  }} here", "Use one of"),
        ("{{ reply.upper() }}", "there is no {{ reply.upper() }} here", "Use one of"),
        ("{{ reply[0] }}", "reply has no parts", "Write {{ reply }}"),
        ("{{ replies }}", "replies is a list", "Choose one: {{ replies[0] }}, or the last, {{ replies[-1] }}"),
        ("{{ replies[2] }}", "{{ replies[2] }}: only 2 of replies are known by then", "Count from 0, up to 1"),
        ("{{ replies[-3] }}", "{{ replies[-3] }}: only 2 of replies are known by then", "Count from 0, up to 1"),
        ("a {{ reply", "'{{' is not closed", "Close it with '}}', or write"),
        ("{{ reply }} {{", "'{{' is not closed", "Close it"),
    ],
)
def test_anything_else_in_braces_is_refused(text: str, problem: str, remedy: str) -> None:
    with pytest.raises(TemplateError) as caught:
        parse_template(text, KNOWN)
    assert str(caught.value) == problem
    assert caught.value.remedy.startswith(remedy)


def test_one_reply_is_said_as_one() -> None:
    with pytest.raises(TemplateError, match="only one of replies is known by then"):
        parse_template("{{ replies[1] }}", {"replies": 1})


@given(st.text())
def test_a_text_without_braces_is_itself(text: str) -> None:
    plain = text.replace("{{", "{")
    assert parse_template(plain, KNOWN).text(VALUES) == plain
