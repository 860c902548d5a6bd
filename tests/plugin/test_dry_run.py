"""A dry run: what asking would cost, and nothing asked."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pytest_persona.judge.lm import find_weights

TESTS = """
import pytest

@pytest.mark.persona("{name}.jsonl", at_most={{"alpha": 0.9}})
def test_{name}(persona):
    pass
"""


def talk(path: Path, name: str, rows: int) -> None:
    text = "The kettle was left on the stove, and the tests of the release failed twice before anybody had a look at them. "
    lines = (
        {
            "prompt": f"{name} {n}: what would you do about the report? {text * (n % 3)}",
            "chosen": f"I would read it first, number {n}. {text * (n % 4)}",
            "rejected": f"Nothing much, {n}. {text * (n % 5)}",
        }
        for n in range(rows)
    )
    (path / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")


def counted(output: str) -> tuple[int, int, int]:
    """Questions, input and output tokens of the last line that has them."""
    found = re.findall(r"(\d+) questions?.*about (\d+) \+ (\d+) tokens", output)
    questions, sent, received = found[-1]
    return int(questions), int(sent), int(received)


def test_the_estimate_is_within_five_per_cent_of_what_the_server_counts(ask, folder, server, pytester):
    talk(folder, "first", 30)
    pytester.makepyfile(TESTS.format(name="first"))
    before = ask("--persona-dry-run", "--persona-read-all")
    assert before.ret == 0
    assert server.log == []
    ask("--persona-read-all").assert_outcomes(passed=1)
    sent = sum(entry.input_tokens for entry in server.log)
    assert counted(before.stdout.str())[0] == len(server.log) == 60 + 24
    assert counted(before.stdout.str())[1] == pytest.approx(sent, rel=0.05)  # by the rule of thumb alone

    talk(folder, "second", 30)
    pytester.makepyfile(TESTS.format(name="second"))
    after = ask("--persona-dry-run", "--persona-read-all", "--persona-prices", "input=3,output=15")
    seen = len(server.log)
    ask("--persona-read-all").assert_outcomes(passed=1)
    new = server.log[seen:]
    sent, received = sum(entry.input_tokens for entry in new), sum(entry.output_tokens for entry in new)
    questions, sent_before, received_before = counted(after.stdout.str())
    assert questions == len(new) == 60
    assert sent_before + received_before == pytest.approx(sent + received, rel=0.05)
    after.stdout.fnmatch_lines(["* cost about *", "*by what 40 questions to this judge came to*"])


def test_it_counts_a_shared_question_once_and_says_what_it_cannot_count(ask, folder, server, pytester):
    talk(folder, "first", 6)
    pytester.makepyfile(
        test_one=TESTS.format(name="first"),
        test_two=TESTS.format(name="first").replace("0.9", "0.8"),
        test_three="def test_it(persona_audit): raise AssertionError('no test is run')",
    )
    result = ask("--persona-dry-run")
    assert result.ret == 0
    result.stdout.fnmatch_lines([
        "*persona: dry run, nothing is asked*",
        "*first.jsonl: 12 behaviours, 1 trait: 36 questions, about *",
        "*first.jsonl: 12 behaviours, 1 trait: 0 questions, about 0 + 0 tokens*",
        "* in all: 36 questions*",
        "* not counted: 1 test with signals that are known only when tests run*",
    ])  # fmt: skip
    assert server.log == []


@pytest.fixture(scope="session")
def weights() -> Path:
    """Found before pytester gives each test a home of its own."""
    return find_weights()


def test_a_judge_of_this_machine_has_readings_only(weights, ask, folder, pytester):
    talk(folder, "first", 6)
    pytester.makepyfile(TESTS.format(name="first").replace("alpha", "sycophancy"))
    result = ask("--persona-dry-run", "--persona-judge", "embedded", "--persona-model", str(weights))
    result.stdout.fnmatch_lines(["* first.jsonl: 12 behaviours, 1 trait: 12 readings, on this machine"])


def test_workers_are_refused_and_a_bad_signal_is_a_usage_error(ask, folder, pytester):
    (folder / "first.jsonl").write_text("{broken\n")
    pytester.makepyfile(TESTS.format(name="first"))
    refused = ask("--persona-dry-run", "-n", "2")
    assert refused.ret == pytest.ExitCode.USAGE_ERROR
    refused.stderr.fnmatch_lines(["*--persona-dry-run counts in one process*"])
    broken = ask("--persona-dry-run")
    assert broken.ret == pytest.ExitCode.USAGE_ERROR
    assert "first.jsonl:1" in broken.stdout.str() + broken.stderr.str()
