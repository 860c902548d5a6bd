"""Setting Claude up: the SDK, credentials, and where it is asked."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import anthropic
import pytest
from loopback_faults import Fault, named
from loopback_questions import prompt
from loopback_server import LoopbackServer

from pytest_persona.errors import JudgeError
from pytest_persona.judge.chat.client import Reply
from pytest_persona.judge.claude import ClaudeClient, open_client
from pytest_persona.net.faults import Permanent
from pytest_persona.settings import Settings

KEY = "sk-ant-api03-abcdefghijklmnop0123456789"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (
        "AUTH_TOKEN",
        "PROFILE",
        "CONFIG_DIR",
        "IDENTITY_TOKEN",
        "IDENTITY_TOKEN_FILE",
        "BASE_URL",
        "CUSTOM_HEADERS",
    ):
        monkeypatch.delenv(f"ANTHROPIC_{name}", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)


def asking(
    server: LoopbackServer, work: Callable[[ClaudeClient], Coroutine[Any, Any, Any]], model: str | None = None
) -> Any:
    async def run() -> Any:
        client = open_client(Settings(base_url=server.base_url, model=model))
        try:
            return await work(client)
        finally:
            await client.close()

    return asyncio.run(run())


def ask(server: LoopbackServer, *, model: str | None = None, most_tokens: int = 500, timeout: float = 5.0) -> Reply:
    reply: Reply = asking(server, lambda client: client.ask(prompt(), most_tokens=most_tokens, timeout=timeout), model)
    return reply


def faulty(fault: Fault | str, **changes: Any) -> LoopbackServer:
    planned = named(fault, **changes) if isinstance(fault, str) else fault
    return LoopbackServer(plan=lambda index, asked: planned)


# ------------------------------------------------------------------------------------------------ setting up
def test_without_the_sdk_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anthropic", None)
    with pytest.raises(JudgeError, match=r"pip install 'pytest-persona\[claude\]'"):
        open_client(Settings())


def test_an_old_sdk_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anthropic, "__version__", "0.74.1")
    with pytest.raises(JudgeError, match=r"2 or later; 0\.74\.1 is installed"):
        open_client(Settings())


def test_without_a_credential_it_says_what_it_looks_for_and_that_replay_needs_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(JudgeError, match=r"ANTHROPIC_API_KEY.*--persona-judge replay"):
        open_client(Settings())


def test_a_profile_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    monkeypatch.setenv("ANTHROPIC_PROFILE", "work")
    with pytest.raises(JudgeError, match="cannot use the credential it found"):
        open_client(Settings())


@pytest.mark.parametrize("name", ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"])
@pytest.mark.parametrize("key", [f"{KEY}\n", f" {KEY}", "sk-ant-schlüssel"])
def test_a_key_that_no_header_can_carry_is_said_without_showing_it(
    monkeypatch: pytest.MonkeyPatch, name: str, key: str
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    monkeypatch.setenv(name, key)
    with pytest.raises(JudgeError, match=f"{name}: the key has white space") as caught:
        open_client(Settings())
    assert key.strip() not in str(caught.value)


@pytest.mark.parametrize(
    "variables, named_in_fault",
    [
        ({"ANTHROPIC_AUTH_TOKEN": "token-0123456789"}, "ANTHROPIC_AUTH_TOKEN"),
        ({"ANTHROPIC_CUSTOM_HEADERS": "X-Api-Key: other"}, "ANTHROPIC_CUSTOM_HEADERS"),
    ],
)
def test_other_credentials_are_used_and_named(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], named_in_fault: str
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with faulty("401") as server, pytest.raises(Permanent, match=f"Check {named_in_fault}"):
        ask(server)


def test_a_token_that_cannot_be_had_is_fatal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    monkeypatch.setenv("ANTHROPIC_IDENTITY_TOKEN_FILE", str(tmp_path / "gone"))
    monkeypatch.setenv("ANTHROPIC_FEDERATION_RULE_ID", "rule")
    monkeypatch.setenv("ANTHROPIC_ORGANIZATION_ID", "org")
    with LoopbackServer() as server, pytest.raises(Permanent, match="has no credential") as caught:
        ask(server)
    assert caught.value.fatal


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://host/", "https://", "http:// x"])
def test_a_base_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(JudgeError, match=r"--persona-base-url: .* is not a URL of http"):
        open_client(Settings(base_url=url))


def test_the_base_url_of_the_environment_is_checked_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "gateway.test")
    with pytest.raises(JudgeError, match="ANTHROPIC_BASE_URL"):
        open_client(Settings())
