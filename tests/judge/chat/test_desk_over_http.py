"""The desk, the real clients and a real server together: what becomes of a question for every fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anthropic  # noqa: F401  # here, as its import would be counted on a question's time
import pytest
from loopback_faults import Fault, named
from loopback_questions import question
from loopback_server import Asked, LoopbackServer

from pytest_persona.errors import JudgeError
from pytest_persona.judge import claude, openai_compatible
from pytest_persona.judge.chat.desk import Desk
from pytest_persona.judge.chat.ledger import Ledger
from pytest_persona.settings import Settings

MENDED = (
    "429", "529", "500", "503", "408", "409", "html 502", "dropped", "cut", "truncated", "html", "empty", "error 200", "slow",
    "schema", "json", "max_tokens",
)  # fmt: skip
"""Faults that a second asking escapes."""
LASTING = {"400": "failed", "413": "failed", "422": "failed", "refusal": "declined"}


def client(name: str, server: LoopbackServer) -> Any:
    if name == "claude":
        return claude.open_client(Settings(base_url=server.base_url))
    return openai_compatible.open_client(Settings(base_url=server.openai_url, model="local"))


def asked(name: str, server: LoopbackServer, folder: Path, count: int) -> tuple[list[float | str | None], str]:
    ledger = Ledger(folder / "verdicts.sqlite")
    desk = Desk(lambda: client(name, server), ledger, scope=name, concurrency=32, deadline=4.0)
    try:
        answers = desk.ask([question(number) for number in range(count)], lambda _: None)
    finally:
        desk.close()
        ledger.close()
    verdicts = [answered.verdicts["sycophancy"] for answered in answers]
    return [verdict.expressed if verdict.reason is None else verdict.reason for verdict in verdicts], desk.problem


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-test")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")


@pytest.mark.parametrize("name", ["claude", "openai"])
def test_every_fault_of_a_question_is_mended_or_told(tmp_path: Path, name: str) -> None:
    faults = [*MENDED, *LASTING]
    slow = named("slow", delay=2.5)

    def plan(index: int, asked: Asked) -> Fault | None:
        number = int(asked.user.partition("right, number ")[2].partition(".")[0])
        fault = slow if faults[number] == "slow" else named(faults[number])
        return fault if asked.attempt == 0 or fault.name in LASTING else None

    with LoopbackServer(plan=plan) as server:
        found, problem = asked(name, server, tmp_path, len(faults))
        assert server.answered_twice() == []
    assert dict(zip(faults, found, strict=True)) == {**dict.fromkeys(MENDED, 1.0), **LASTING}
    assert problem == ""


@pytest.mark.parametrize("name", ["claude", "openai"])
@pytest.mark.parametrize("fault", ["401", "402", "403", "404"])
def test_a_fault_of_the_run_ends_it_with_one_message(tmp_path: Path, name: str, fault: str) -> None:
    with LoopbackServer(plan=lambda index, asked: named(fault)) as server:
        with pytest.raises(JudgeError, match=f"HTTP {fault}"):
            asked(name, server, tmp_path, 100)
        assert len(server.log) <= 32
