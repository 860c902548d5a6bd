"""A judge over a network behind synchronous tests: one sweep, each question once, one budget; plain and under workers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from loopback_server import LoopbackServer
from marks_judge import judge_by_marks

QUALIFYING = 24
"""Questions that it takes to try the judge on the trait."""

TESTS = """
import pytest

@pytest.mark.persona("signal-{n}.jsonl", at_most={{"alpha": 0.9}})
def test_{n}(persona):
    assert persona["alpha"].shift.groups
"""


def signal(path: Path, name: str, rows: int, chosen: str = "plain") -> None:
    lines = (
        {"prompt": f"{name} {n}?", "chosen": f"{chosen} {name} {n}", "rejected": f"another {name} {n}"}
        for n in range(rows)
    )
    (path / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")


@pytest.fixture(params=["plain", "-n 2"])
def ask_both(
    request: pytest.FixtureRequest, ask: Callable[..., pytest.RunResult], server: LoopbackServer
) -> Callable[..., pytest.RunResult]:
    """Ask Claude plainly, and an endpoint of OpenAI's kind under two workers: each would import Anthropic's client, for seconds."""
    if request.param == "plain":
        return ask
    return partial(ask, "-n", "2", *openai_options(server))


def openai_options(server: LoopbackServer) -> tuple[str, ...]:
    """Ask a model of that server in OpenAI's format."""
    return ("--persona-judge", "openai", "--persona-model", "local-7b", "--persona-base-url", server.openai_url)


def profile(path: Path) -> dict:
    return json.loads((path / "p.json").read_text("utf-8"))


def test_forty_synchronous_tests_are_one_sweep_and_each_question_is_asked_once(ask_both, folder, server, pytester):
    server.latency = 0.2
    for n in range(40):
        signal(folder, f"signal-{n}", 12)
    pytester.makepyfile("".join(TESTS.format(n=n) for n in range(40)))
    result = ask_both("--persona-concurrency", "64", "--persona-read-all")
    result.assert_outcomes(passed=40)
    assert len(server.asked) == 40 * 24 + QUALIFYING
    assert set(server.asked.values()) == {1}
    assert server.most_in_flight > 40


def test_a_signal_that_two_tests_share_is_asked_about_once(ask_both, folder, server, pytester):
    signal(folder, "signal-0", 8)
    pytester.makepyfile(test_one=TESTS.format(n=0), test_two=TESTS.format(n=0).replace("0.9", "0.95"))
    ask_both().assert_outcomes(passed=2)
    assert len(server.asked) == 16 + QUALIFYING
    assert set(server.asked.values()) == {1}


def test_what_a_test_finds_out_itself_joins_the_queue(ask, folder, server, pytester):
    pytester.makepyfile(
        """
        def test_it(persona_audit):
            rows = [{"prompt": f"{n}?", "chosen": f"alpha+ {n}", "rejected": f"plain {n}"} for n in range(40)]
            profile = persona_audit(rows, at_most={"alpha": 0.1})
            assert profile["alpha"].status == "violated"
        """
    )
    ask().assert_outcomes(passed=1)
    assert len(server.asked) == 64 + QUALIFYING  # 32 of the 40 groups were enough
    assert set(server.asked.values()) == {1}


def test_one_budget_holds_for_all_workers_and_stops_cleanly(ask_both, folder, server, pytester):
    for n in range(4):
        signal(folder, f"signal-{n}", 40)
    pytester.makepyfile("".join(TESTS.format(n=n) for n in range(4)))
    result = ask_both("--persona-budget", "100000", "--persona-concurrency", "8")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*inconclusive*", "*the budget of 100,000 tokens is spent*"])
    assert "violated" not in result.stdout.str()
    spent = sum(entry.input_tokens + entry.output_tokens for entry in server.log)
    one = max(entry.input_tokens + entry.output_tokens for entry in server.log)
    assert 100_000 - 9 * one <= spent <= 100_000 + 8 * one


def test_a_second_run_asks_nothing(ask_both, folder, server, pytester):
    signal(folder, "signal-0", 12)
    pytester.makepyfile(TESTS.format(n=0))
    ask_both().assert_outcomes(passed=1)
    asked = len(server.log)
    result = ask_both("--persona-json", "p.json")
    result.assert_outcomes(passed=1)
    assert len(server.log) == asked
    usage = profile(folder)["usage"]
    assert (usage["questions"], usage["cached"], usage["calls"], usage["input_tokens"]) == (24, 24, 0, 0)


def test_usage_stands_in_the_terminal_and_in_the_profile(ask, folder, server, pytester):
    signal(folder, "signal-0", 12)
    pytester.makepyfile(TESTS.format(n=0))
    result = ask("--persona-json", "p.json", "--persona-prices", "input=3,output=15,cached=0.3")
    usage = profile(folder)["usage"]
    assert usage["calls"] == 24 + QUALIFYING
    assert usage["input_tokens"] == sum(entry.input_tokens for entry in server.log)
    assert usage["output_tokens"] == sum(entry.output_tokens for entry in server.log)
    expected = (
        3 * (usage["input_tokens"] - usage["cached_tokens"])
        + 0.3 * usage["cached_tokens"]
        + 15 * usage["output_tokens"]
    ) / 1e6
    assert usage["cost"] == pytest.approx(expected, rel=1e-4)
    result.stdout.fnmatch_lines([f"* 48 calls, {usage['input_tokens']} *tokens, cost *"])


def test_a_budget_in_money_without_prices_is_a_usage_error_and_asks_nothing(ask, folder, server, pytester):
    signal(folder, "signal-0", 12)
    pytester.makepyfile(TESTS.format(n=0))
    result = ask("--persona-budget", "$5")
    assert result.ret != 0
    assert re.search(r"--persona-budget: .*prices", result.stdout.str() + result.stderr.str())
    assert server.log == []


def test_a_refused_key_fails_once_with_one_message_and_no_traceback(ask, folder, server, pytester, monkeypatch):
    server.key = "another"
    signal(folder, "signal-0", 12)
    pytester.makepyfile(TESTS.format(n=0))
    result = ask()
    assert result.ret == 1
    text = result.stdout.str() + result.stderr.str()
    assert "API key was refused" in text
    assert "Traceback" not in text and "sk-ant-loopback" not in text
    assert len(server.log) <= 16


def test_tests_that_may_be_skipped_cost_nothing(ask, folder, server, pytester):
    signal(folder, "signal-0", 12)
    pytester.makepyfile(TESTS.format(n=0).replace("@pytest", "@pytest.mark.skip\n@pytest", 1))
    ask().assert_outcomes(skipped=1)
    assert server.log == []


def test_collecting_asks_nothing(pytester, folder, server):
    signal(folder, "signal-0", 12)
    pytester.makepyfile(TESTS.format(n=0))
    pytester.runpytest_subprocess("--collect-only", "-q")
    assert server.log == []


def test_no_key_is_said_before_anything_is_asked(ask, folder, server, pytester, monkeypatch):
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    signal(folder, "signal-0", 12)
    pytester.makepyfile(TESTS.format(n=0))
    result = ask()
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*ANTHROPIC_API_KEY*"])
    assert server.log == []


def test_async_tests_get_their_audits_beside_other_plugins_event_loops(ask, pytester, folder, server, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:hypothesispytest -p no:cacheprovider")
    signal(folder, "signal-0", 12)
    pytester.makepyfile(
        """
        import pytest

        ROWS = [{"prompt": f"{n}?", "chosen": f"alpha+ {n}", "rejected": f"plain {n}"} for n in range(40)]

        @pytest.mark.asyncio
        @pytest.mark.persona("signal-0.jsonl", at_most={"alpha": 0.9})
        async def test_asyncio(persona, persona_audit):
            assert persona["alpha"].status == "held"
            assert persona_audit(ROWS, at_most={"alpha": 0.1})["alpha"].status == "violated"

        @pytest.mark.anyio
        async def test_anyio(persona_audit):
            assert persona_audit(ROWS, at_most={"alpha": 0.1})["alpha"].status == "violated"

        @pytest.fixture
        def anyio_backend():
            return "asyncio"
        """
    )
    with (folder / "tox.ini").open("a") as ini:
        ini.write("\nasyncio_default_fixture_loop_scope = function\n")
    ask("-W", "error").assert_outcomes(passed=2)
    assert set(server.asked.values()) == {1}


def test_a_batch_answers_all_tests_together(ask, folder, server, pytester):
    for n in range(3):
        signal(folder, f"signal-{n}", 12)
    pytester.makepyfile("".join(TESTS.format(n=n) for n in range(3)))
    result = ask("--persona-batch")
    result.assert_outcomes(passed=3)
    batches = [entry for entry in server.log if entry.path.startswith("/v1/messages/batches")]
    assert len(server.asked) == 3 * 24 + QUALIFYING
    assert set(server.asked.values()) == {1}
    assert batches


def test_openai_compatible_endpoints_are_asked_the_same(ask, folder, server, pytester):
    signal(folder, "signal-0", 12)
    pytester.makepyfile(TESTS.format(n=0))
    result = ask(*openai_options(server), "--persona-json", "p.json")
    result.assert_outcomes(passed=1)
    judge = profile(folder)["judge"]
    assert (judge["name"], judge["model"], judge["network"]) == ("openai", "local-7b", True)
    assert len(server.asked) == 24 + QUALIFYING


def test_pairs_are_compared_in_both_orders(ask, folder, server, pytester):
    signal(folder, "signal-0", 12, chosen="alpha+")
    pytester.makepyfile(TESTS.format(n=0))
    result = ask("--persona-pairwise", "--persona-json", "p.json", "-v")
    finding = profile(folder)["findings"][0]
    assert finding["shift"]["value"] == pytest.approx(1.0)
    assert finding["consistency"] == 1.0
    assert len(server.asked) == 2 * 12 + QUALIFYING
    result.stdout.fnmatch_lines(["*both orders agreed in 100% of the comparisons*"])


def test_what_matches_a_pattern_never_leaves_the_machine(ask, folder, server, pytester):
    seen = []
    server.judge = lambda system, user, schema: seen.append(system + user) or judge_by_marks(system, user, schema)
    rows = (
        {"prompt": f"I am ann{n}@example.org", "chosen": f"Hello ann{n}@example.org", "rejected": "Hm."}
        for n in range(9)
    )
    (folder / "signal-0.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    pytester.makepyfile(TESTS.format(n=0))
    ask("--persona-redact", "email")
    assert seen and not any("@example.org" in text for text in seen)
