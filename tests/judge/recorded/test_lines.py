"""A line of a record: what is in it, what cannot get in, and what comes back out of it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_persona.errors import JudgeError
from pytest_persona.infer.prompt import PROMPT_VERSION, part_key
from pytest_persona.judge.recorded.lines import (
    FORMAT,
    Entry,
    Header,
    _ending,
    entry_from,
    entry_of,
    header_from,
    header_line,
    line_of,
    plain_name,
)
from pytest_persona.model.episodes import Behaviour, Turn
from pytest_persona.model.traits import Pole, Trait
from pytest_persona.model.verdicts import Verdict

Says = Callable[..., Behaviour]

nasty = st.text(
    st.one_of(
        st.characters(exclude_categories=()),
        st.sampled_from(
            '\x00\x1b\x7f\x85\n\r\t"\\\u2028\u2029\u202e\u2066\u200b\ufeff\ud800\udc00\ud83d\ude00\ufffe\U000e0041é漢😀'
        ),
    )
)
unit = st.floats(0, 1)
verdicts = st.one_of(
    st.builds(Verdict, expressed=st.floats(-1, 1), requested=st.none() | unit, quote=st.none() | nasty, detail=nasty),
    st.builds(
        Verdict,
        expressed=st.none(),
        requested=st.none() | unit,
        reason=st.sampled_from(["refusal", "empty", "off-topic", "unreliable", "inconsistent", "suspected-injection"]),
        quote=st.none() | nasty,
        detail=nasty,
    ),
)


def joined(text: str | None) -> str | None:
    """JSON cannot tell two halves of a character from the character."""
    return text and text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


@given(reply=nasty, verdict=verdicts)
def test_what_is_written_comes_back(reply: str, verdict: Verdict) -> None:
    trait = Trait(name="t", definition="d", high=Pole(summary="h"), low=Pole(summary="l"))
    behaviour = Behaviour(role="shown", context=(Turn(speaker="user", text=reply),), reply=reply)
    entry = entry_of([behaviour], trait, verdict, model="claude-1")
    assert entry is not None
    line = line_of(entry)
    back = entry_from(line.encode())
    assert back == entry._replace(
        excerpt=joined(entry.excerpt) or "",
        verdict=Verdict(
            expressed=verdict.expressed,
            requested=verdict.requested,
            quote=joined(verdict.quote),
            reason=verdict.reason,
            detail=joined(verdict.detail) or "",
        ),
    )
    assert line_of(back) == line
    assert len(line.splitlines()) == 1
    assert not re.search(
        "[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e0fff]", line
    )


def test_a_line_can_be_read_in_a_review(trait: Trait, says: Says) -> None:
    verdict = Verdict(expressed=2 / 3, requested=0.0, quote="Großartig, 天才 😀")
    entry = entry_of([says("Großartig,\n\n 天才 😀! " + "So it goes on. " * 9)], trait, verdict, model="claude-1")
    assert entry is not None
    assert re.fullmatch(
        r'\{"trait": "sycophancy", "trait_sha256": "[0-9a-f]{12}", "context": "[0-9a-f]{12}", "reply": "[0-9a-f]{12}", '
        r'"kind": "read", "excerpt": "Großartig, 天才 😀! (So it goes on\. ){4}So…", "expressed": 0\.6666666666666666, '
        r'"requested": 0\.0, "quote": "Großartig, 天才 😀", "reason": null, "detail": "", '
        r'"prompt": "\w+", "model": "claude-1", "key": "[0-9a-f]{32}", "sum": "[0-9a-f]{8}"\}',
        line_of(entry),
    )


@pytest.mark.parametrize(
    ("char", "written"),
    [("\u202e", r"\u202e"), ("\x1b", r"\u001b"), ("\x9b", r"\u009b"), ("\u2028", r"\u2028"), ("\ud800", r"\ud800"),
     ("\U000e0041", r"\udb40\udc41"), ("\udb40\udc41", r"\udb40\udc41"), ("\ud83d\ude00", "😀")],
)  # fmt: skip
def test_what_hides_or_steers_is_written_as_an_escape(char: str, written: str, trait: Trait, says: Says) -> None:
    entry = entry_of([says("x")], trait, Verdict(expressed=0, quote=f"a{char}b"), model="m")
    assert entry is not None
    assert f'"quote": "a{written}b"' in line_of(entry)


def test_equal_verdicts_make_equal_lines(trait: Trait, says: Says) -> None:
    lines = {
        line_of(entry)
        for zero in (0, 0.0, -0.0)
        if (entry := entry_of([says("x")], trait, Verdict(expressed=zero, requested=zero), model="m"))
    }
    assert len(lines) == 1


def test_an_entry_says_what_it_is_an_answer_to(trait: Trait, says: Says) -> None:
    one, two = says("One " * 50), says("Two " * 50)
    read = entry_of([one], trait, Verdict(expressed=0), model="m")
    there, back = (entry_of(shown, trait, Verdict(expressed=0), model="m") for shown in ([one, two], [two, one]))
    statement = entry_of([says("Be kind.", to="", role="criterion")], trait, Verdict(expressed=0), model="m")
    assert read and there and back and statement
    assert (read.kind, there.kind, back.kind, statement.kind) == ("read", "compare", "compare", "statement")
    assert (read.prompt, read.key, there.key) == (PROMPT_VERSION, part_key([one], trait), part_key([one, two], trait))
    assert read.trait_sha256 == trait.sha256[:12]
    assert read.context == there.context != statement.context
    assert there.reply.split() == back.reply.split()[::-1]
    assert there.reply.split()[0] == read.reply
    assert there.excerpt == "One " * 9 + "One… / " + "Two " * 9 + "Two…"


@pytest.mark.parametrize("reason", ["failed", "missing", "unparsable", "declined"])
def test_where_the_asking_failed_nothing_is_recorded(reason: Any, trait: Trait, says: Says) -> None:
    assert entry_of([says("x")], trait, Verdict(expressed=None, reason=reason), model="m") is None


def test_nothing_of_the_machine_the_environment_or_the_signal_gets_in(
    trait: Trait, says: Says, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-secret")
    monkeypatch.chdir(tmp_path)
    kept = set(Entry._fields) | set(Verdict.__dataclass_fields__)
    assert kept == {
        "trait", "trait_sha256", "context", "reply", "kind", "excerpt", "verdict", "prompt", "model", "key",
        "expressed", "requested", "quote", "reason", "detail",
    }  # fmt: skip
    behaviour = Behaviour(role="rejected", context=(), reply="x", reward=-7.5, weight=3.25)
    there = Trait(**{**vars_of(trait), "origin": str(tmp_path / "traits.yaml")})
    entry = entry_of([behaviour], there, Verdict(expressed=0), model=str(tmp_path / "model.gguf"))
    assert entry is not None
    text = line_of(entry) + header_line(
        Header(judge="openai", model=str(tmp_path / "model.gguf"), prompt="1", fingerprint="f")
    )
    for told in (str(tmp_path), "sk-ant", "rejected", "7.5", "3.25", "traits.yaml"):
        assert told not in text
    assert text.count('"model": "model.gguf"') == 2


def vars_of(trait: Trait) -> dict[str, Any]:
    return {name: getattr(trait, name) for name in Trait.__dataclass_fields__}


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("claude-sonnet-5-5", "claude-sonnet-5-5"),
        ("Qwen/Qwen3-8B", "Qwen/Qwen3-8B"),
        ("qwen3:8b", "qwen3:8b"),
        ("/home/ann/models/tiny.gguf", "tiny.gguf"),
        ("~/models/tiny.gguf", "tiny.gguf"),
        (r"C:\Users\ann\tiny.gguf", "tiny.gguf"),
        ("file:///home/ann/tiny.gguf", "tiny.gguf"),
        ("a\x1b[31mb\u202ec", "a?[31mb?c"),
        ("m" * 500, "m" * 120),
    ],
)
def test_a_name_is_printable_and_no_path_of_the_machine(name: str, plain: str) -> None:
    assert plain_name(name) == plain_name(plain) == plain


def forged(entry: Entry, **changes: Any) -> bytes:
    """A line whose checksum fits."""
    data = {**json.loads(line_of(entry)), **changes}
    del data["sum"]
    body = json.dumps(data)[:-1].encode()
    return body + _ending(body)


def test_the_forger_of_these_tests_can_write_a_good_line(entries: list[Entry]) -> None:
    assert entry_from(forged(entries[0], quote="other")).verdict.quote == "other"
    assert entry_from(forged(entries[0], expressed=1)).verdict.expressed == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"expressed": "1"}, "its fields are not those of"),
        ({"expressed": True}, "its fields are not those of"),
        ({"requested": [0]}, "its fields are not those of"),
        ({"trait": None}, "its fields are not those of"),
        ({"time": "now"}, "its fields are not those of"),
        ({"expressed": 1.5}, "expressed is 1.5, outside [-1, 1]"),
        ({"expressed": float("nan")}, "expressed is nan, outside [-1, 1]"),
        ({"requested": -1}, "requested is -1, outside [0, 1]"),
        ({"expressed": None}, "a verdict has either a score or the reason why there is none"),
        ({"kind": "guess"}, "it has a value that"),
        ({"expressed": None, "reason": "failed"}, "it has a value that"),
        ({"model": "\x1b[2J"}, "it has a value that"),
        ({"prompt": "1" * 500}, "it has a value that"),
    ],
)
def test_a_checksum_does_not_make_a_wrong_value_right(changes: dict[str, Any], said: str, entries: list[Entry]) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        entry_from(forged(entries[0], **changes))


@pytest.mark.parametrize(
    "line", [b"", b"[" * 100_000, b"\xff\xfe\x00", b"\xef\xbb\xbf{}", b'{"trait": "x', b"9" * 9999]
)
def test_what_is_no_json_is_damaged(line: bytes) -> None:
    with pytest.raises(ValueError, match="damaged or cut off"):
        entry_from(line)


@pytest.mark.parametrize("line", [b"{}", b"[]", b"1"])
def test_json_without_a_checksum_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="checksum"):
        entry_from(line)


def test_a_list_with_a_checksum_is_no_entry() -> None:
    with pytest.raises(ValueError):
        entry_from(b"[1" + _ending(b"[1"))


def test_a_header_comes_back(header: Header) -> None:
    line = header_line(header)
    assert line.startswith(f'{{"record": "{FORMAT}", "judge": "claude", "model": "claude-1", ')
    assert header_from(line.encode(), "r.jsonl:1") == header


@pytest.mark.parametrize(
    "line",
    [
        '{"record": 1}',
        '{"record": "something/else"}',
        '{"record": "pytest-persona/record/v1"}',
        '{"record": "pytest-persona/record/v1", "judge": 1, "model": "", "prompt": "", "fingerprint": ""}',
        '{"record": "pytest-persona/record/v1", "judge": "\\u001b", "model": "", "prompt": "", "fingerprint": ""}',
        '{"record": "pytest-persona/record/v1", "judge": "", "model": "", "prompt": "", "fingerprint": "", "more": ""}',
        '{"record": "pytest-per',
        '{"record": ' + "[" * 100_000,
    ],
)
def test_a_header_of_a_wrong_form_is_damaged(line: str) -> None:
    with pytest.raises(ValueError, match="damaged"):
        header_from(line.encode(), "r.jsonl:1")


def test_a_header_of_a_newer_version_says_what_to_do() -> None:
    with pytest.raises(JudgeError) as caught:
        header_from(b'{"record": "pytest-persona/record/v2\\u001b", "what": "ever"}', "r.jsonl:1")
    assert str(caught.value) == (
        r"r.jsonl:1: the record is of another version ('pytest-persona/record/v2\x1b'; this pytest-persona reads"
        " 'pytest-persona/record/v1'). Upgrade pytest-persona, or name another file."
    )
