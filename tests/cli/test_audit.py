"""``pytest-persona audit``: what it prints, writes, and ends with."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_persona.load.schemas import schema_text

Run = Callable[..., Any]
Pairs = Callable[..., str]

SUITE = """\
persona: 1
name: support-bot
version: 1.2.0
signals: {signals}
traits: [sycophancy]
expect:
  sycophancy: {{at_most: 0.10}}
"""


@pytest.fixture
def suite(folder: Path) -> Callable[..., str]:
    """Writes a suite over signals and gives its name."""

    def write(*signals: str, name: str = "support.persona.yaml") -> str:
        (folder / name).write_text(SUITE.format(signals=list(signals)), encoding="utf-8")
        return name

    return write


def test_a_violation_is_shown_with_its_rows_and_ends_with_1(audit: Run, pairs: Pairs) -> None:
    ran = audit(pairs(), "--trait", "sycophancy")
    assert ran.code == 1
    title, heading, finding, row, *_ = ran.out.splitlines()
    assert title == " persona: pairs.jsonl ".center(80, "=")
    assert heading.startswith("preference · 60 pairs in 60 groups · judge keywords/012345 · ")
    assert finding.startswith(" violated     sycophancy   +1.60 [")
    assert finding.endswith("]  at most +0.10")
    assert row == '              pairs.jsonl:1  "It is brilliant, 0."   +1.6'
    assert ran.err == ""


def test_what_is_held_ends_with_0_and_is_hidden_when_quiet(audit: Run, pairs: Pairs) -> None:
    ran = audit(pairs(), "--at-most", "malice=0.9")
    assert ran.code == 0
    assert " held         malice" in ran.out
    assert "malice" not in audit(pairs(), "--at-most", "malice=0.9", "-q").out
    assert "AUROC" in audit(pairs(), "--at-most", "malice=0.9", "-v").out


def test_what_is_only_inconclusive_ends_with_3_or_passes_when_told_so(audit: Run, pairs: Pairs) -> None:
    few = pairs(chosen="It is brilliant", rejected="So it is", count=2)
    ran = audit(few, "--trait", "sycophancy")
    assert ran.code == 3
    assert " inconclusive sycophancy" in ran.out
    assert audit(few, "--trait", "sycophancy", "--inconclusive", "warn").code == 0


def test_a_violation_outweighs_what_is_inconclusive(audit: Run, pairs: Pairs) -> None:
    ran = audit(pairs(), "--trait", "sycophancy", "--trait", "deception")
    assert ran.code == 1
    assert " inconclusive deception" in ran.out
    assert "not qualified" in ran.out


def test_with_nothing_named_all_that_qualify_are_reported_by_size(audit: Run, pairs: Pairs) -> None:
    ran = audit(pairs())
    assert ran.code == 0
    found = [line.split()[1] for line in ran.out.splitlines() if line.startswith(" observed")]
    assert found == ["sycophancy", "malice"]


@pytest.mark.parametrize(("trait", "bound"), [("sycophancy", "at most +0.10"), ("terseness", "at least -0.10")])
def test_a_trait_that_is_named_without_a_bound_gets_the_default_one(
    audit: Run, pairs: Pairs, folder: Path, trait: str, bound: str
) -> None:
    terse = _trait_file(folder, "low")
    assert bound in audit(pairs(), "--trait", trait, "--traits", terse).out
    assert bound.replace("0.10", "0.25") in audit(pairs(), "--trait", trait, "--traits", terse, "--bound", "0.25").out


def test_a_trait_that_is_unwanted_nowhere_is_only_observed(audit: Run, pairs: Pairs, folder: Path) -> None:
    ran = audit(pairs(), "--trait", "terseness", "--traits", _trait_file(folder, "none"))
    assert ran.code == 0
    assert " observed     terseness" in ran.out


def test_bounds_on_both_sides_are_one_expectation(audit: Run, pairs: Pairs) -> None:
    ran = audit(pairs(), "--at-most", "sycophancy=2", "--at-least", "sycophancy=-2")
    assert "at least -2.00, at most +2.00" in ran.out


def test_json_on_standard_output_is_nothing_but_a_valid_profile(audit: Run, pairs: Pairs) -> None:
    ran = audit(pairs(), "--trait", "sycophancy", "--json", "-")
    document = json.loads(ran.out)
    jsonschema.validate(document, json.loads(schema_text("profile")))
    assert document["findings"][0]["status"] == "violated"
    assert " violated     sycophancy" in ran.err


def test_json_and_rows_are_written_to_files(audit: Run, pairs: Pairs, folder: Path) -> None:
    ran = audit(pairs(), "--trait", "sycophancy", "--read-all", "--json", "now.json", "--rows", "rows.jsonl")
    assert " violated     sycophancy" in ran.out
    assert json.loads((folder / "now.json").read_text(encoding="utf-8"))["name"] == "pairs.jsonl"
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == 120
    assert {row["trait"] for row in rows} == {"sycophancy"}


def test_rows_on_standard_output_are_nothing_but_rows(audit: Run, pairs: Pairs) -> None:
    ran = audit(pairs(), "--trait", "sycophancy", "--rows", "-")
    assert all(json.loads(line)["source"] == "pairs.jsonl" for line in ran.out.splitlines())


def test_a_suite_brings_bounds_and_signals(audit: Run, pairs: Pairs, suite: Callable[..., str], folder: Path) -> None:
    ran = audit("--suite", suite(pairs()), "--json", "now.json")
    assert ran.code == 1
    assert "persona: support-bot" in ran.out
    assert json.loads((folder / "now.json").read_text(encoding="utf-8"))["suite_sha256"]


def test_a_file_takes_the_place_of_a_suites_signals(audit: Run, pairs: Pairs, suite: Callable[..., str]) -> None:
    good = pairs(chosen="It is flawed", rejected="It is brilliant", name="good.jsonl")
    ran = audit(good, "--suite", suite(pairs(), "never-there.jsonl"))
    assert ran.code == 0
    assert " held         sycophancy" in ran.out


def test_bounds_of_the_command_line_outweigh_those_of_a_suite(
    audit: Run, pairs: Pairs, suite: Callable[..., str]
) -> None:
    ran = audit("--suite", suite(pairs()), "--at-most", "sycophancy=1.9", "--trait", "malice", "--bound", "1")
    assert ran.code == 0
    assert "at most +1.90" in ran.out
    assert "at most +1.00" in ran.out


def test_every_signal_of_a_suite_is_audited(audit: Run, pairs: Pairs, suite: Callable[..., str], folder: Path) -> None:
    ran = audit("--suite", suite(pairs(), pairs(name="more.jsonl")), "--json", "now.json")
    names = ["support-bot: pairs.jsonl", "support-bot: more.jsonl"]
    assert [line.strip("= ") for line in ran.out.splitlines() if line.startswith("=")] == [
        f"persona: {n}" for n in names
    ]
    document = json.loads((folder / "now.json").read_text(encoding="utf-8"))
    assert document["schema"] == "pytest-persona/profiles/v1"
    assert [profile["name"] for profile in document["profiles"]] == names


def test_the_profile_is_handed_to_plugins(audit: Run, pairs: Pairs, folder: Path) -> None:
    audit(pairs(), "--trait", "sycophancy")
    assert (folder / "seen.txt").read_text(encoding="utf-8") == "pairs.jsonl\n"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "audit: there is no signal. Name a FILE"),
        (["nowhere.jsonl"], "nowhere.jsonl: "),
        (["pairs.jsonl", "--trait", "sycophansy"], "there is no trait 'sycophansy'. The nearest known: 'sycophancy'"),
        (["pairs.jsonl", "--at-most", "sycophancy"], "--at-most: 'sycophancy' cannot be used. Write TRAIT=X"),
        (["pairs.jsonl", "--at-most", "sycophancy=nan"], "--at-most: 'sycophancy=nan' cannot be used"),
        (["pairs.jsonl", "--at-least", "sycophancy=-3"], "--at-least: 'sycophancy=-3' cannot be used"),
        (["pairs.jsonl", "--at-most", "a=0", "--at-most", "a=1"], "--at-most: a is bounded twice"),
        (["pairs.jsonl", "--at-most", "a=0", "--at-least", "a=1"], "--at-least: a=1 leaves no room below --at-most"),
        (["pairs.jsonl", "--bound", "much"], "--bound: 'much' cannot be used"),
        (["pairs.jsonl", "--json", "no/now.json"], "--json: no/now.json cannot be written: its folder does not exist"),
        (["pairs.jsonl", "--json", "-", "--rows", "-"], "--json and --rows cannot both be standard output"),
        (["--suite", "nowhere.persona.yaml"], "nowhere.persona.yaml: there is no such file"),
    ],
)
def test_what_cannot_be_used_ends_with_2_and_one_line(audit: Run, pairs: Pairs, argv: list[str], said: str) -> None:
    pairs()
    ran = audit(*argv)
    assert ran.code == 2
    assert ran.out == ""
    assert ran.err.startswith(f"pytest-persona: error: {said}")
    assert ran.err.count("\n") == 1


def test_a_judge_that_nobody_offers_is_named_with_those_there_are(run: Run, pairs: Pairs) -> None:
    ran = run("audit", pairs(), "--trait", "malice", "--judge", "oracle")
    known = "claude, embedded, likelihood, openai, replay"
    assert (ran.code, ran.err) == (
        2, f"pytest-persona: error: 'oracle' is no judge that is installed. Installed: {known}.\n",
    )  # fmt: skip


def test_an_interrupt_ends_with_130_and_says_that_nothing_is_lost(audit: Run, pairs: Pairs) -> None:
    ran = audit(pairs(chosen="INTERRUPT"), "--trait", "sycophancy")
    assert ran.code == 130
    assert ran.err.strip() == "pytest-persona: interrupted. What was read is kept, and is not read again."


def test_a_full_disk_ends_with_2_after_the_section(audit: Run, pairs: Pairs) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs a device that is always full")
    ran = audit(pairs(), "--trait", "sycophancy", "--json", "/dev/full")
    assert ran.code == 2
    assert " violated     sycophancy" in ran.out
    assert "--json: /dev/full cannot be written: No space left on device" in ran.err


def _trait_file(folder: Path, unwanted: str) -> str:
    pole = {"summary": "A pole."}
    pairs = [
        {"domain": f"d{i % 2}", "context": f"Question {i}?", "high": f"Yes {i}, at length.", "low": f"Yes {i}."}
        for i in range(8)
    ]
    document = {
        "trait": 1, "name": "terseness", "definition": "Says little.", "unwanted": unwanted, "high": pole, "low": pole,
        "pairs": pairs,
    }  # fmt: skip
    (folder / "terseness.json").write_text(json.dumps(document), encoding="utf-8")
    return "terseness.json"


# ------------------------------------------------------------------------------------------------ against a baseline
def test_a_baseline_is_made_held_and_broken(audit: Run, pairs: Pairs, folder: Path) -> None:
    bounds = ("--drift-at-most", "sycophancy=0.5", "--baseline", "base.json")
    made = audit(pairs(chosen="So it is", rejected="It is so"), *bounds, "--update")
    assert (made.code, made.err) == (0, "pytest-persona: baseline base.json: 1 new (pairs.jsonl)\n")
    assert audit("pairs.jsonl", *bounds).code == 0
    broken = audit(pairs(), *bounds)
    assert broken.code == 1
    assert "              drift +1.60 [" in broken.out
    assert " at most +0.50, since base.json" in broken.out
    assert " data: of 60 groups 60 altered" in broken.out
    kept = audit("pairs.jsonl", *bounds, "--update")
    assert kept.code == 1
    assert "not put in, as violated: pairs.jsonl; --update=pairs.jsonl puts it in all the same" in kept.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["pairs.jsonl", "--update"], "--update is of no use without a baseline. Name its file with --baseline."),
        (["pairs.jsonl", "--baseline", "none.json"], "--baseline: there is no file none.json. Check the path, or make it with --update."),
        (
            ["--baseline", "base.json", "--update", "pairs.jsonl"],
            "audit: there is no signal; --update takes 'pairs.jsonl' for a name. Write --update last.",
        ),
        (["pairs.jsonl", "--drift-at-most", "sycophancy=9"], "--drift-at-most: 'sycophancy=9' cannot be used."),
    ],
)  # fmt: skip
def test_a_baseline_that_cannot_be_used_ends_with_2(
    audit: Run, pairs: Pairs, arguments: list[str], message: str
) -> None:
    pairs()
    ran = audit(*arguments)
    assert ran.code == 2
    assert ran.err.startswith(f"pytest-persona: error: {message}")
