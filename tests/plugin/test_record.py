"""Recording with a key, replaying without one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

TEST = """
import pytest

@pytest.mark.persona("signal.jsonl", at_most={"alpha": 0.9})
def test_it(persona):
    assert persona["alpha"].qualified
"""


def signal(path: Path, rows: int, said: str = "plain") -> None:
    lines = ({"prompt": f"{n}?", "chosen": f"{said} {n}", "rejected": f"another {n}"} for n in range(rows))
    (path / "signal.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")


@pytest.fixture
def recorded(ask: Callable[..., pytest.RunResult], folder: Path, pytester: pytest.Pytester) -> Path:
    """The folder after a run that was recorded, with the cache gone and no key."""
    signal(folder, 12)
    pytester.makepyfile(TEST)
    ask("--persona-record", "persona-record.jsonl").assert_outcomes(passed=1)
    forget(folder)
    return folder


def forget(folder: Path) -> None:
    for path in sorted((folder / ".persona").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def lines(folder: Path) -> list[str]:
    return (folder / "persona-record.jsonl").read_text("utf-8").splitlines()


@pytest.mark.parametrize("workers", [(), ("-n", "2")])
def test_a_record_is_replayed_without_key_or_network(ask, recorded, server, monkeypatch, workers):
    asked = len(server.log)
    assert len(lines(recorded)) == 1 + 24 + 24
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    result = ask("--persona-judge", "replay", "--persona-json", "p.json", *workers)
    result.assert_outcomes(passed=1)
    judge = json.loads((recorded / "p.json").read_text())["judge"]
    assert (judge["name"], judge["network"], judge["model"]) == ("replay", False, "claude-sonnet-5-5")
    assert judge["fingerprint"] == json.loads(lines(recorded)[0])["fingerprint"]
    assert len(server.log) == asked


def test_workers_write_one_record_between_them_the_same_as_one_process_does(ask, recorded, pytester):
    alone = lines(recorded)
    pytester.makepyfile(test_more=TEST)
    ask("-n", "2", "--persona-record", "persona-record.jsonl").assert_outcomes(passed=2)
    assert lines(recorded) == alone
    assert not (recorded / ".persona" / "cache" / "records").exists() or not list(
        (recorded / ".persona" / "cache" / "records").iterdir()
    )


def test_ci_without_a_key_replays_by_itself(ask, recorded, server, monkeypatch):
    asked = len(server.log)
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    monkeypatch.setenv("CI", "true")
    result = ask()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*judge replay/*"])
    assert len(server.log) == asked


def test_a_miss_names_the_row_and_the_reason(ask, recorded, server, monkeypatch):
    rows = [json.loads(line) for line in (recorded / "signal.jsonl").read_text().splitlines()]
    rows[3]["chosen"] = "something else"
    (recorded / "signal.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked = len(server.log)
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    result = ask("--persona-judge", "replay")
    result.stdout.fnmatch_lines(["*1 row without a verdict (not asked: the reply has changed*signal.jsonl:4*"])
    assert len(server.log) == asked


def test_another_model_is_a_miss_of_every_row_and_never_a_pass(ask, recorded, monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    result = ask("--persona-judge", "replay", "--persona-model", "claude-opus-5-5")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*inconclusive*", "*recorded with model claude-sonnet-5-5, not claude-opus-5-5*"])


def test_new_asks_for_what_is_missing_alone_and_mends_damage(ask, recorded, server):
    before = lines(recorded)
    broken = [*before[:5], before[5][:40], *before[6:]]
    (recorded / "persona-record.jsonl").write_text("\n".join(broken) + "\n", "utf-8")
    signal(recorded, 14)
    asked = len(server.log)
    result = ask("--persona-record", "new")
    result.assert_outcomes(passed=1)
    assert len(server.log) - asked == 1 + 4
    assert set(before) < set(lines(recorded))
    assert len(lines(recorded)) == len(before) + 4
    result.stdout.fnmatch_lines(["*persona-record.jsonl:6: the line does not count*"])


def test_no_secret_and_no_path_gets_into_record_or_cache(recorded, ask, folder):
    ask("--persona-record", "new")
    kept = [recorded / "persona-record.jsonl", *(p for p in (folder / ".persona").rglob("*") if p.is_file())]
    assert len(kept) > 1
    for path in kept:
        content = path.read_bytes()
        assert b"sk-ant" not in content and str(folder).encode() not in content and b"127.0.0.1" not in content


def test_a_run_of_some_tests_adds_to_the_record(ask, recorded, pytester):
    before = lines(recorded)
    pytester.makepyfile("def test_first(): assert False\n\n" + TEST.replace("import pytest", "import pytest, time"))
    signal(recorded, 12, said="other")
    ask("-x", "--persona-record", "persona-record.jsonl")
    assert set(before) <= set(lines(recorded))


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (
            ("--persona-judge", "embedded", "--persona-record", "r.jsonl"),
            "the judge embedded gives no verdicts to record",
        ),
        (("--persona-record", "nowhere/r.jsonl"), "its folder does not exist"),
        (("--persona-record", "signal.jsonl"), "the file that is there is no record"),
    ],
)
def test_a_record_that_cannot_be_is_a_usage_error_before_anything_is_asked(
    ask, folder, server, pytester, args, message
):
    signal(folder, 12)
    pytester.makepyfile(TEST)
    result = ask(*args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert message in result.stderr.str()
    assert server.log == []


def test_replaying_without_a_record_says_how_to_make_one(ask, folder, pytester):
    signal(folder, 12)
    pytester.makepyfile(TEST)
    result = ask("--persona-judge", "replay")
    result.stdout.fnmatch_lines(["persona-record.jsonl: there is no such record. *--persona-record*"])
