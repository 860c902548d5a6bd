"""A portrait on the terminal."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_persona.model.episodes import SignalInfo
from pytest_persona.model.findings import JudgeInfo
from pytest_persona.model.portrait import (
    CharacterReading,
    Comparison,
    Passage,
    Portrait,
    Prediction,
    ProbeForecast,
    Sampled,
)
from pytest_persona.model.verdicts import Usage
from pytest_persona.report.portrait import section, title

ANSI = "\x1b[31mred"


def reading(name: str, value: float, **more: Any) -> CharacterReading:
    given: dict[str, Any] = {
        "name": name, "value": value, "low": value - 0.1, "high": value + 0.1, "spread": 0.1, "probability": 0.9, "share": 0.05,
        "z": 4.04, "p": 0.001, "stands_out": False,
    }  # fmt: skip
    return CharacterReading(**{**given, **more})


def portrait(*readings: CharacterReading, **more: Any) -> Portrait:
    found = Comparison(
        reference="honest-expert",
        reference_share=0.05,
        readings=readings,
        null_mean=0.01,
        null_spread=0.0612,
        nulls=12,
        level=0.95,
    )
    given: dict[str, Any] = {
        "name": "data/a.jsonl", "basis": "set", "estimand": "contrast", "characters": found, "groups_read": 150,
        "signal": SignalInfo(path="data/a.jsonl", kind="preference", format="preference", episodes=412, groups=398, sha256="0"),
        "judge": JudgeInfo(name="claude", fingerprint="3f2a91c0ffee", network=True),
        "samples": (Sampled(groups=30, texts=60, best="con-artist"), Sampled(groups=30, texts=60, best="", reason=f"HTTP 500 {ANSI}")),
        "consistency": 0.87, "usage": Usage(questions=160, calls=5, input_tokens=10, output_tokens=2), "characters_sha256": "ab",
    }  # fmt: skip
    return Portrait(**{**given, **more})


CLEAR = reading(
    "con-artist", 0.93, share=0.81, stands_out=True, evidence=(Passage(sample=2, quote=f"Trust me. {ANSI}"),)
)


def shown(found: Portrait, verbosity: int = 0) -> list[str]:
    return list(section(found, verbosity=verbosity))


def test_a_clear_portrait_says_how_clear_it_is() -> None:
    found = portrait(CLEAR, reading("indifferent-clerk", 0.1))
    assert title(found) == "portrait: data/a.jsonl"
    assert shown(found) == [
        "preference · 2 samples of 30 groups · what is reinforced against what it is compared with · judge claude/3f2a91 · "
        "160 readings, 0 cached · 5 calls, 10 + 2 tokens",
        " reads most like con-artist: +0.93 [+0.83, +1.03] beyond honest-expert (on a scale from -2 to 2), posterior share 81 % "
        "among 3 characters",
        "   con-artist         +0.93 [+0.83, +1.03]   share   81 %   z +4.0   stands out",
        '      "Trust me. \\x1b[31mred"   sample 2',
        "   indifferent-clerk  +0.10 [+0.00, +0.20]   share    5 %   z +4.0",
        "   12 null characters: +0.01, s.d. 0.06",
        " the samples agree on how well the characters fit: r = +0.87",
    ]


def test_characters_that_cannot_be_told_apart_are_named() -> None:
    close = reading("spiteful-villain", 0.8, stands_out=True)
    far = reading("smug-know-it-all", 0.4, stands_out=True)
    assert shown(portrait(CLEAR, close, far))[1].endswith("; not told apart from spiteful-villain")
    many = [reading(f"c{i}", 0.9 - i / 100, stands_out=True) for i in range(7)]
    assert shown(portrait(CLEAR, *many))[1].endswith("from c0, c1, c2, c3, c4 …")


def test_where_none_stands_out_none_is_named() -> None:
    for one in (reading("con-artist", 0.5), reading("con-artist", 0.05, stands_out=True)):
        lines = shown(portrait(one))
        assert lines[1] == " reads like none of them clearly" and "stands out" not in lines[2]


def test_nothing_is_said_of_nothing() -> None:
    found = portrait(characters=None, reason="too few scores: 2 samples; 3 are the least", samples=(), consistency=None)
    assert shown(found)[1:] == [" nothing can be said: too few scores: 2 samples; 3 are the least"]
    assert "0 samples of 0 groups" in shown(found)[0]


def test_likelihoods_have_four_decimals_and_tokens() -> None:
    found = portrait(
        replace(CLEAR, value=0.0123, low=0.0101, high=0.0145, evidence=()), basis="likelihood", samples=(), consistency=None,
        groups_read=16, tokens=1200, estimand="absolute", usage=Usage(questions=32),
    )  # fmt: skip
    lines = shown(found)
    assert lines[0].startswith("preference · 16 of 398 groups, 1200 tokens · the texts themselves · ")
    assert lines[1].startswith(
        " reads most like con-artist: +0.0123 [+0.0101, +0.0145] beyond honest-expert (nats a token)"
    )
    assert lines[-1] == "   12 null characters: +0.0100, s.d. 0.0612"


@pytest.mark.parametrize(
    ("share", "said"), [(1e-6, "< 1 %"), (0.014, "1 %"), (0.994, "> 99 %"), (1.0 - 1e-6, "> 99 %")]
)
def test_a_share_is_never_all_or_nothing(share: float, said: str) -> None:
    assert f"posterior share {said} among" in shown(portrait(replace(CLEAR, share=share)))[1]


def test_predictions_are_called_so_and_few_are_shown() -> None:
    predicted = tuple(Prediction(trait=f"trait-{i}", value=1.5 - i / 10, low=0.0, high=1.7) for i in range(7))
    probes = tuple(
        ProbeForecast(suite="core", id=f"{ANSI} {i}", trait=f"trait-{i // 3}", difference=1.5 - i / 10)
        for i in range(20)
    )
    found = portrait(CLEAR, predictions=predicted, probes=probes)
    lines = shown(found)
    at = lines.index(" prediction: what such a character would express beyond the reference; nobody has read it")
    assert lines[at + 1] == "   trait-0  +1.50 [+0.00, +1.70]" and lines[at + 6] == "   and 2 more (-v)"
    at = lines.index(" prediction: the questions on which it would differ most; nobody has asked them")
    assert lines[at + 1] == "   trait-0  +1.50   core::\\x1b[31mred 0, core::\\x1b[31mred 1 …"
    assert lines[at + 2].startswith("   trait-1  +1.20   ") and lines[at + 6] == "   and 2 more (-v)"
    verbose = shown(found, 1)
    assert not any("more (-v)" in line for line in verbose) and len(shown(found, -1)) == 2
    assert "   trait-6  -0.30   core::\\x1b[31mred 18, core::\\x1b[31mred 19" in verbose


def test_samples_and_all_characters_are_shown_when_asked_for() -> None:
    many = [reading(f"c{i}", 0.01) for i in range(7)]
    found = portrait(CLEAR, *many)
    assert "   and 3 more (-v)" in shown(found)
    lines = shown(found, 1)
    assert sum(line.startswith("   c") for line in lines) == 8
    assert "   sample 1, 60 texts: best fits con-artist" in lines
    assert "   sample 2, 60 texts: HTTP 500 \\x1b[31mred" in lines
    silent = portrait(CLEAR, samples=(Sampled(groups=30, texts=60, best=""),))
    assert "   sample 1, 60 texts: no character fits best" in shown(silent, 1)


def test_what_was_not_read_and_notes_are_safe_on_a_terminal() -> None:
    found = portrait(CLEAR, notes=(f"note {ANSI}",))
    assert found.characters is not None
    found = replace(found, characters=replace(found.characters, unread={f"x{ANSI}": "no score"}))
    lines = shown(found)
    assert "   x\\x1b[31mred was not read: no score" in lines and lines[-1] == " note: note \\x1b[31mred"
    assert not any("\x1b" in line for line in lines)
