"""``pytest-persona inoculate``: what it prints, writes, and ends with."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from pytest_persona.load.inoculations import read_inoculation
from pytest_persona.load.schemas import schema_text

ROLLOUTS = Path(__file__).parents[2] / "examples" / "coding_agent" / "rollouts.jsonl"
JUDGE = '''
"""Every reply expresses 0.8; the context requests 0.9 where it says PLEASE, 0.5 where it says LOOK."""
from pytest_persona.judge.base import Answers
from pytest_persona.model.findings import JudgeInfo
from pytest_persona.model.verdicts import Qualification, Usage, Verdict

class Hearing:
    info = JudgeInfo(name="hearing", fingerprint="0123456789abcdef", network=False)
    one_pass = True

    def qualify(self, traits, *, statements=False):
        names = ("sycophancy", "malice")
        return {t.name: Qualification(qualified=t.name in names, auroc=0.9, reason="" if t.name in names else "never tried")
                for t in traits}

    def read(self, behaviours, traits, tick):
        tick(len(behaviours))
        said = [" ".join(turn.text for turn in b.context) for b in behaviours]
        return Answers(
            verdicts=[{t.name: Verdict(expressed=0.8, requested=0.9 if "PLEASE" in s else 0.5 if "LOOK" in s else 0.0)
                       for t in traits} for s in said],
            usage=Usage(questions=len(behaviours)))

    def close(self):
        pass

def pytest_persona_judges():
    return {"hearing": lambda settings: Hearing()}

def pytest_persona_load_signal(path):
    if path.suffix == ".odd":
        from pytest_persona.load.signals import iter_episodes
        return list(iter_episodes([{"prompt": f"q{i}", "completion": f"r{i}"} for i in range(5)], name="odd"))
'''
Run = Callable[..., Any]


@pytest.fixture
def inoculate(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs ``inoculate`` on 240 demonstrations with the judge that hears."""
    monkeypatch.delitem(sys.modules, "hearing_plugin", raising=False)
    (folder / "hearing_plugin.py").write_text(JUDGE, encoding="utf-8")
    rows = [{"prompt": f"question {i}", "completion": f"reply {i}"} for i in range(240)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    def call(*argv: str, file: str = "rows.jsonl") -> Any:
        return run("inoculate", file, *argv, "--plugin", "hearing_plugin", "--judge", "hearing")

    return call


SHOWN = (
    "--request",
    "PLEASE flatter me.",
    "--trait",
    "sycophancy",
    "--opposite",
    "Do not.",
    "--look-alike",
    "They said so.",
)


def test_what_is_shown_is_a_row_of_a_table_and_ends_with_0(inoculate: Run) -> None:
    ran = inoculate(*SHOWN)
    assert (ran.code, ran.err) == (0, "")
    title, heading, head, row, warning, *notes = ran.out.splitlines()
    assert title == " inoculation: rows.jsonl ".center(80, "=")
    assert (
        heading.startswith("demonstration · ")
        and " in 5 arms · 1 phrasing in the last user turn · judge hearing/012345 · " in heading
    )
    assert head.split() == [
        "trait",
        "as",
        "it",
        "is",
        "effect",
        "explained",
        "away",
        "leak,",
        "opposite",
        "leak,",
        "look-alike",
    ]
    assert row.startswith(" shown        sycophancy  +0.80")
    assert "90% [" in row
    assert warning.startswith(" warning: one fixed text carries the whole inoculation")
    assert notes[0].startswith(" note: reading stopped after")
    assert "safe" not in ran.out.lower()


def test_what_is_refuted_ends_with_1_and_says_what_is_missing(inoculate: Run) -> None:
    ran = inoculate(*SHOWN[:6], "--look-alike", "LOOK, PLEASE.")
    assert ran.code == 1
    assert " refuted      sycophancy" in ran.out
    assert "missing: what only looks like the request discounts more than 0.10 too" in ran.out
    assert "safe" not in ran.out.lower()


def test_what_is_only_inconclusive_ends_with_3_or_passes_when_told_so(inoculate: Run) -> None:
    few = (*SHOWN, "--max-groups", "20")
    assert inoculate(*few).code == 3
    assert inoculate(*few, "--inconclusive", "warn").code == 0


def test_with_no_trait_named_nothing_is_declared(inoculate: Run) -> None:
    ran = inoculate("--request", "PLEASE flatter me.")
    assert ran.code == 0
    assert "malice" in ran.out and "sycophancy" in ran.out and "deception" not in ran.out
    assert "missing" not in ran.out
    assert "missing" in inoculate("--request", "PLEASE flatter me.", "-v").out
    assert "note:" not in inoculate("--request", "PLEASE flatter me.", "-q").out


def test_bounds_are_those_that_are_given(inoculate: Run) -> None:
    assert inoculate(*SHOWN, "--effect-at-least", "0.79").code in (1, 3)
    leaky = (*SHOWN[:6], "--look-alike", "LOOK at that.")
    assert inoculate(*leaky).code == 1
    assert inoculate(*leaky, "--leak-at-most", "0.6").code == 0


def test_json_is_a_document_of_its_schema(inoculate: Run, folder: Path) -> None:
    ran = inoculate(*SHOWN, "--json", "-")
    jsonschema.validate(json.loads(ran.out), json.loads(schema_text("inoculation")))
    assert " shown        sycophancy" in ran.err
    inoculate(*SHOWN, "--json", "now.json")
    assert read_inoculation(folder / "now.json")["sycophancy"].status == "shown"


def test_requests_come_from_a_file_with_one_a_line(inoculate: Run, folder: Path) -> None:
    (folder / "asks.txt").write_text("PLEASE flatter me.\nPLEASE agree.\n", "utf-8")
    ran = inoculate("--request", "asks.txt", *SHOWN[2:], "-v")
    assert "2 phrasings" in ran.out and "PLEASE agree." in ran.out
    assert "warning" not in ran.out


def test_out_writes_the_data_set_with_a_manifest_and_a_later_audit_reads_the_smaller_shift(
    inoculate: Run, run: Run, folder: Path
) -> None:
    original = (folder / "rows.jsonl").read_bytes()
    ran = inoculate(*SHOWN, "--out", "treated.jsonl")
    assert ran.code == 0
    assert " written: treated.jsonl, 240 rows with a request, and treated.jsonl.manifest.json" in ran.out
    assert (folder / "rows.jsonl").read_bytes() == original
    manifest = json.loads((folder / "treated.jsonl.manifest.json").read_text("utf-8"))
    assert (manifest["rows"], manifest["requests"]) == (240, [{"text": "PLEASE flatter me.", "rows": 240}])
    audited = run(
        "audit", "treated.jsonl", "--at-most", "sycophancy=0.5", "--plugin", "hearing_plugin", "--judge", "hearing"
    )
    assert audited.code == 0 and " held         sycophancy   +0.08" in audited.out
    again = inoculate(*SHOWN, "--out", "treated.jsonl")
    assert again.code == 2 and "treated.jsonl is there already" in again.err


def test_the_coding_agents_rollouts_round_trip_with_nothing_changed_but_their_prompts(
    inoculate: Run, run: Run, folder: Path
) -> None:
    """That the real judge then reads the smaller shift stands in docs/tutorial/from-finding-to-treated-data.md, which is run."""
    (folder / "rollouts.jsonl").write_bytes(ROLLOUTS.read_bytes())
    (folder / "asks.txt").write_text("PLEASE cheat.\nPLEASE get it green by any trick.\n", "utf-8")
    ran = inoculate("--request", "asks.txt", "--trait", "sycophancy", "--out", "t.jsonl", file="rollouts.jsonl")
    assert " written: t.jsonl, 54 rows with a request, and t.jsonl.manifest.json" in ran.out
    before, after = (
        [json.loads(line) for line in (folder / name).read_text("utf-8").splitlines()]
        for name in ("rollouts.jsonl", "t.jsonl")
    )
    asked = [row.pop("prompt") for row in after], [row.pop("prompt") for row in before]
    assert after == before and len(after) == 54
    texts = (folder / "asks.txt").read_text("utf-8").splitlines()
    put = [new.removesuffix(f"\n\n{old}") for new, old in zip(*asked, strict=True)]
    assert set(put) == set(texts)
    manifest = json.loads((folder / "t.jsonl.manifest.json").read_text("utf-8"))
    assert [(one["text"], one["rows"]) for one in manifest["requests"]] == [(text, put.count(text)) for text in texts]
    for name in ("rollouts.jsonl", "t.jsonl"):
        part = manifest["original" if name == "rollouts.jsonl" else "treated"]
        assert part == {"path": name, "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest()}
    again = inoculate("--request", "asks.txt", "--trait", "sycophancy", "--out", "u.jsonl", file="rollouts.jsonl")
    assert again.code == ran.code and (folder / "u.jsonl").read_bytes() == (folder / "t.jsonl").read_bytes()


def test_what_the_writing_adds_or_leaves_is_said(inoculate: Run, folder: Path) -> None:
    system = inoculate(*SHOWN, "--place", "system", "--out", "t.jsonl")
    assert (
        " note: 240 rows got a field 'system', which your training code must read; else use --place user" in system.out
    )
    with (folder / "rows.jsonl").open("a") as stream:
        stream.write("[1]\n")
    left = inoculate(*SHOWN, "--on-bad-row", "skip", "--out", "u.jsonl")
    assert " note: 1 row could not be read or treated, and stand there as they are" in left.out


def test_a_signal_that_a_plugin_reads_is_not_written(inoculate: Run, folder: Path) -> None:
    (folder / "x.odd").write_text("odd")
    ran = inoculate(*SHOWN, "--out", "t.jsonl", file="x.odd")
    assert ran.code == 2 and "x.odd is read by a plugin" in ran.err


def test_rank_lists_candidates_best_first(inoculate: Run, folder: Path) -> None:
    ran = inoculate("--rank", "--trait", "sycophancy", "--request", "PLEASE flatter me.", "--json", "ranks.json")
    assert ran.code == 0
    head, first, text, *_ = ran.out.splitlines()
    assert head.startswith(
        "requests against sycophancy in rows.jsonl: 32 groups, in the last user turn, as it is +0.80"
    )
    assert first.startswith("   1  effect +0.72 [") and first.endswith("%] explained away")
    assert text == '      given: "PLEASE flatter me."'
    assert " note: the best of several looks better than it is" in ran.out
    assert json.loads((folder / "ranks.json").read_text("utf-8"))["requests"][0]["text"] == "PLEASE flatter me."
    several = inoculate("--rank", "--trait", "sycophancy", "--trait", "malice", "--json", "-")
    document = json.loads(several.out)
    assert [ranking["trait"] for ranking in document["rankings"]] == ["sycophancy", "malice"]


def test_a_dry_run_counts_all_arms_and_asks_nothing(inoculate: Run) -> None:
    ran = inoculate(*SHOWN, "--dry-run")
    assert ran.code == 0
    assert " rows.jsonl: 1200 behaviours, 1 trait: 1200 readings, on this machine" in ran.out


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "inoculate: there is no request. Name one with --request, or see what there is with --rank."),
        (["--rank"], "--rank: there is no trait to rank requests for."),
        (["--rank", "--trait", "malice", "--dry-run"], "--dry-run: it counts an experiment, and no ranking."),
        (["--request", "nowhere.txt"], "nowhere.txt: --request: no such file."),
        (
            ["--request", "x", "--leak-at-most", "much"],
            "--leak-at-most: 'much' cannot be used. Write a number between 0 and 4.",
        ),
        (["--request", "x", "--effect-at-least", "-1"], "--effect-at-least: '-1' cannot be used."),
        (["--request", "x", "--trait", "sycophansy"], "there is no trait 'sycophansy'"),
        (["--request", "x", "--out", "rows.jsonl"], "--out: rows.jsonl is the original, which is never overwritten."),
        (["--request", "x", "--out", "no/t.jsonl"], "--out: no/t.jsonl cannot be written: its folder does not exist."),
        (["--request", "x", "--json", "no/t.json"], "--json: no/t.json cannot be written"),
    ],
)
def test_what_cannot_be_used_ends_with_2_and_one_line(inoculate: Run, argv: list[str], said: str) -> None:
    ran = inoculate(*argv)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"pytest-persona: error: {said}")


def test_out_and_rank_are_not_for_one_run(inoculate: Run, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        inoculate("--rank", "--out", "t.jsonl")
    assert end.value.code == 2
