"""``pytest-persona check``: everything is validated and counted, nobody is asked."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]
Pairs = Callable[..., str]


@pytest.fixture
def suite(folder: Path) -> Callable[[str], str]:
    """Writes a suite document and gives its name."""

    def write(text: str) -> str:
        (folder / "support.persona.yaml").write_text(text, encoding="utf-8")
        return "support.persona.yaml"

    return write


def test_a_signal_is_counted(run: Run, pairs: Pairs) -> None:
    ran = run("check", pairs(count=10))
    assert (ran.code, ran.err) == (0, "")
    heading, counts, readings = ran.out.splitlines()
    assert heading.startswith("pairs.jsonl: preference, read as ")
    assert counts == "  10 episodes in 10 groups"
    assert readings == "  20 behaviours, 20 distinct; roughly 125 tokens"  # (15 + 19 + 16) * 10 / 4


def test_what_is_drawn_or_skipped_is_said(run: Run, pairs: Pairs, folder: Path) -> None:
    name = pairs(count=10)
    with (folder / name).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps({"prompt": "x", "chosen": "y"}) + "\n")
    ran = run("check", name, "--on-bad-row", "skip", "--max-groups", "4")
    assert "  4 groups drawn by the seed\n" in ran.out
    assert "  8 behaviours, 8 distinct" in ran.out
    assert "  1 unreadable row skipped\n" in ran.out


def test_a_suite_is_checked_with_all_its_signals(run: Run, pairs: Pairs, suite: Callable[[str], str]) -> None:
    head = "persona: 1\nname: bot\nversion: 1.2.0\nsignals: [a.jsonl, b.jsonl]\n"
    pairs(count=3, name="a.jsonl")
    pairs(count=4, name="b.jsonl")
    ran = run("check", suite(head + "traits: [malice]\nexpect: {sycophancy: {}}\n"))
    assert ran.code == 0
    assert ran.out.startswith("bot 1.2.0: 2 traits, 1 expectation, 2 signals\na.jsonl: preference")
    assert "  4 episodes in 4 groups" in ran.out


def test_a_suite_that_a_package_shares_is_found_by_its_name(
    run: Run, pairs: Pairs, suite: Callable[[str], str], folder: Path
) -> None:
    path = suite(f"persona: 1\nname: bot\nsignals: [{pairs()}]\nexpect: {{malice: {{}}}}\n")
    text = f"import pathlib\ndef pytest_persona_suites(): return {{'acme:bot': pathlib.Path({path!r}).absolute()}}\n"
    (folder / "acme_suites.py").write_text(text, encoding="utf-8")
    ran = run("check", "acme:bot", "--plugin", "acme_suites")
    assert ran.out.startswith("bot 0: 1 trait, 1 expectation, 1 signal\n")
    assert (
        "\n  note: acme:bot 0 is not pinned: there is no persona.lock here. `pytest-persona suites lock` writes one\n"
        in ran.out
    )


def test_probes_are_counted(run: Run, suite: Callable[[str], str]) -> None:
    ran = run("check", suite("persona: 1\nname: bot\nprobes: {a: {traits: [malice], ask: Hm?}}\n"))
    assert ran.code == 0
    assert ran.out.startswith("bot 0: 0 traits, 0 expectations, 1 probe\nsupport.persona.yaml: 1 probe in 1 context\n")


def test_a_trait_is_checked(run: Run, folder: Path) -> None:
    assert run("new", "trait", "slow").code == 0
    assert run("check", "slow.yaml").out == "slow 0.1.0: a trait, 8 pairs over 4 domains\n"
    text = (folder / "slow.yaml").read_text(encoding="utf-8")
    (folder / "slow.yaml").write_text(text.replace("low: Seven", "lwo: Seven"), encoding="utf-8")
    ran = run("check", "slow.yaml")
    assert (ran.code, ran.out) == (2, "")
    assert "slow.yaml:" in ran.err and "'low'" in ran.err


@pytest.mark.parametrize("name", ["acme:bto", "core@9", "acme:bot@2"])
def test_a_reference_to_nothing_is_no_signal_that_is_missing(run: Run, name: str) -> None:
    ran = run("check", name)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"pytest-persona: error: {name}: ")


def test_a_file_that_could_be_a_reference_is_a_signal(run: Run, pairs: Pairs) -> None:
    assert run("check", pairs(name="pairs@1")).out.startswith("pairs@1: preference")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("persona: 1\nname: bot\nsignals: [a.jsonl]\nexpect: {malise: {at_most: 0}}\n", "there is no trait 'malise'"),
        ("persona: 1\nname: bot\nsignals: [a.jsonl]\nexpect: {malice: {at_mst: 0}}\n", "support.persona.yaml:4: "),
        ("persona: 1\nname: bot\nsignals: [a.jsonl]\nexpect: {malice: {at_most: 0}}\n", "a.jsonl: "),
    ],
)
def test_whatever_is_wrong_ends_with_2(run: Run, suite: Callable[[str], str], text: str, said: str) -> None:
    ran = run("check", suite(text))
    assert ran.code == 2
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_an_empty_signal_ends_with_2(run: Run, folder: Path) -> None:
    (folder / "empty.jsonl").write_text("", encoding="utf-8")
    ran = run("check", "empty.jsonl")
    assert ran.code == 2
    assert ran.err.startswith("pytest-persona: error: empty.jsonl: ")
