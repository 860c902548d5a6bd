from __future__ import annotations

import pytest

from pytest_persona.errors import SignalError
from pytest_persona.load.signals import prose


def said(text: str) -> list[tuple[int, str]]:
    return list(prose.statements(enumerate(text.split("\n"), start=1), "p"))  # type: ignore[arg-type]


def criteria(text: str) -> list[tuple[int, str]]:
    return list(prose.criteria(enumerate(text.split("\n"), start=1), "p"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Be kind. Be brief.", ["Be kind.", "Be brief."]),
        ("Is it true? Say so! Else… Stay silent.", ["Is it true?", "Say so!", "Else…", "Stay silent."]),
        ("Cite sources, e.g. Nature. Ask Dr. Smith.", ["Cite sources, e.g. Nature.", "Ask Dr. Smith."]),
        ("In the U.S. Government it is so. See No. 5 there.", ["In the U.S. Government it is so.", "See No. 5 there."]),
        ("Use version 2.5 or 3.0. Nothing else.", ["Use version 2.5 or 3.0.", "Nothing else."]),
        ("Lists, tables, etc. are fine.", ["Lists, tables, etc. are fine."]),
        ('Say "Stop." Then stop.', ['Say "Stop."', "Then stop."]),
        ("Write `a. B` there. Go.", ["Write `a. B` there.", "Go."]),
        ("正直に。短く。", ["正直に。", "短く。"]),
        ("no end", ["no end"]),
        ("  ", []),
    ],
)
def test_sentences_are_split_and_abbreviations_numbers_and_code_kept(text: str, expected: list[str]) -> None:
    assert [sentence for _, sentence in prose.sentences(text)] == expected


def test_each_sentence_has_the_line_it_begins_in() -> None:
    assert said("One goes\non. Two.\n\nThree.") == [(1, "One goes on."), (2, "Two."), (4, "Three.")]


@pytest.mark.parametrize("marker", ["-", "*", "+", "•", "1.", "12)", "(a)", "b)", "- [ ]", "- [x]"])
def test_list_markers_are_stripped(marker: str) -> None:
    assert criteria(f"{marker} Is clear.\n{marker} Is short.") == [(1, "Is clear."), (2, "Is short.")]


@pytest.mark.parametrize("heading", ["# Style", "#", "Style\n-----", "Style\n=====", "***", "---"])
def test_headings_and_rules_are_skipped(heading: str) -> None:
    assert [text for _, text in criteria(f"{heading}\n\nIs clear.\nIs short.\n")] == ["Is clear.", "Is short."]


def test_a_rule_under_several_lines_takes_none_of_them() -> None:
    assert criteria("Is clear.\nIs short.\n---") == [(1, "Is clear."), (2, "Is short.")]


def test_indented_lines_continue_their_item_and_others_do_not() -> None:
    assert said("- Be\n  kind.\nBe. Brief.") == [(1, "Be kind."), (3, "Be."), (3, "Brief.")]


def test_items_keep_the_line_that_leads_them_in() -> None:
    assert said("Be good. Never:\n\n- lie\n- flatter\n\nBe brief.\n- x") == [
        (1, "Be good."), (3, "Never: lie"), (4, "Never: flatter"), (6, "Be brief."), (7, "x"),
    ]  # fmt: skip


def test_a_lead_does_not_reach_over_a_heading_and_is_kept_where_no_item_follows() -> None:
    assert said("Never:\n- lie\n# Tone\n- warm\nNote:\n# End\nAt last:") == [
        (2, "Never: lie"), (4, "warm"), (5, "Note:"), (7, "At last:"),
    ]  # fmt: skip


def test_fenced_code_is_one_piece_and_may_stay_open() -> None:
    assert said("Run:\n```sh\na. B. C.\n\n# d\n```\nDone.\n~~~\n```") == [
        (1, "Run:"), (2, "```sh\na. B. C.\n\n# d\n```"), (7, "Done."), (8, "~~~\n```"),
    ]  # fmt: skip


def test_a_paragraph_without_end_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prose, "MAX_ROW", 50)
    with pytest.raises(SignalError, match=r"^p:1: the row is longer than"):
        said("\n".join(["Be kind."] * 10))
