"""Text from strangers must neither steer the terminal nor hide on it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_persona.report.text import safe

ANY_TEXT = st.text(st.characters(), max_size=80)  # lone surrogates too


def columns(text: str) -> int:
    marks = [c for c in text if unicodedata.combining(c) or unicodedata.category(c) in ("Mn", "Me")]
    wide = [c for c in text if unicodedata.east_asian_width(c) in ("W", "F") and c not in marks]
    return len(text) - len(marks) + len(wide)


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
        ("title\x1b]0;gotcha\x07", r"title\x1b]0;gotcha\x07"),
        ("one-byte \x9b2J", r"one-byte \x9b2J"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("zero\u200bwidth\ufeff", r"zero\u200bwidth\ufeff"),
        ("tag \U000e0041", r"tag \U000e0041"),
        ("filler \u3164", r"filler \u3164"),
        ("half \ud800", r"half \ud800"),
        ("back\x08space\x00", r"back\x08space\x00"),
    ],
)
def test_characters_that_steer_or_hide_are_shown_as_escapes(hostile: str, shown: str) -> None:
    assert safe(hostile) == shown


def test_white_space_of_any_sort_becomes_one_blank() -> None:
    assert safe("  a\r\n\tb\u2028c \u00a0 d\v") == "a b c d"


def test_ordinary_text_of_other_scripts_is_left_alone() -> None:
    text = "naïve 你好 हिन्दी ❤️ Größe"
    assert safe(text) == text


def test_a_cut_falls_after_a_word() -> None:
    assert safe("You are absolutely right", 20) == "You are absolutely…"


def test_a_cut_after_a_whole_word_keeps_that_word() -> None:
    assert safe("alpha beta gamma", 11) == "alpha beta…"


def test_a_word_longer_than_half_the_line_is_cut_inside() -> None:
    assert safe("a " + "x" * 50, 10) == "a xxxxxxx…"


def test_what_fits_exactly_is_not_cut() -> None:
    assert safe("exactly ten"[:10], 10) == "exactly te"


def test_wide_characters_count_for_two_columns() -> None:
    assert safe("你好世界", 5) == "你好…"


def test_an_escape_is_never_cut_in_half() -> None:
    assert safe("ab\x1bcdef", 6) == "ab…"


def test_marks_stacked_on_a_letter_are_cut() -> None:
    assert len(safe("a" + "\u0300" * 1000, 10)) <= 30


@given(ANY_TEXT)
def test_nothing_safe_has_a_hidden_character(text: str) -> None:
    assert not any(unicodedata.category(char) in ("Cc", "Cf", "Cs", "Zl", "Zp") for char in safe(text))


@given(ANY_TEXT, st.integers(1, 40))
def test_a_cut_text_fits_its_columns(text: str, room: int) -> None:
    assert columns(safe(text, room)) <= room


@given(ANY_TEXT)
def test_what_is_safe_stays_as_it_is(text: str) -> None:
    assert safe(safe(text)) == safe(text)
