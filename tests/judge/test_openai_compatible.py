"""OpenAI's format over plain HTTP, against a server on the loopback interface."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest
from loopback_faults import Fault, named
from loopback_questions import prompt
from loopback_server import Asked, LoopbackServer

from pytest_persona.errors import JudgeError
from pytest_persona.judge.chat.client import Reply
from pytest_persona.judge.openai_compatible import OpenAIClient, open_client
from pytest_persona.net.faults import Permanent, Transient
from pytest_persona.settings import Settings

KEY = "sk-proj-abcdefghijklmnop0123456789"


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def asking(server: LoopbackServer, work: Callable[[OpenAIClient], Coroutine[Any, Any, Any]]) -> Any:
    async def run() -> Any:
        client = open_client(Settings(base_url=server.openai_url, model="local"))
        try:
            return await work(client)
        finally:
            await client.close()

    return asyncio.run(run())


def ask(server: LoopbackServer, *, times: int = 1, timeout: float = 5.0, text: str | None = None) -> Reply:
    words = prompt() if text is None else replace(prompt(), asked=text)

    async def some(client: OpenAIClient) -> Reply:
        for _ in range(times):
            reply = await client.ask(words, most_tokens=500, timeout=timeout)
        return reply

    reply: Reply = asking(server, some)
    return reply


def faulty(fault: Fault | str, **changes: Any) -> LoopbackServer:
    planned = named(fault, **changes) if isinstance(fault, str) else fault
    return LoopbackServer(plan=lambda index, asked: planned)


def says(document: object) -> Fault:
    return Fault(name="says", body=json.dumps(document).encode())


# ------------------------------------------------------------------------------------------------ what is sent
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_question_is_sent_with_its_schema(slash: str) -> None:
    seen: list[Asked] = []

    async def one() -> Reply:
        client = open_client(Settings(base_url=server.openai_url + slash, model="local"))
        try:
            return await client.ask(prompt(), most_tokens=500, timeout=5)
        finally:
            await client.close()

    with LoopbackServer(plan=lambda index, asked: seen.append(asked)) as server:
        reply = asyncio.run(one())
    words = prompt()
    assert seen[0].body == {
        "model": "local",
        "messages": [{"role": "system", "content": words.shared}, {"role": "user", "content": words.asked}],
        "max_tokens": 500,
        "temperature": 0,
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "verdicts", "strict": True, "schema": words.schema},
        },
    }
    assert seen[0].headers["authorization"] == f"Bearer {KEY}"
    assert json.loads(reply.text)["verdicts"][0]["expressed"] == 3
    assert (reply.stop, reply.model) == ("end", "local")


def test_without_a_key_none_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    seen: list[Asked] = []
    with LoopbackServer(plan=lambda index, asked: seen.append(asked)) as server:
        ask(server)
    assert "authorization" not in seen[0].headers


@pytest.mark.parametrize("formats, asked_for", [(("json_object", "none"), "json_object"), (("none",), None)])
def test_a_server_that_refuses_the_schema_is_asked_for_less_and_that_is_remembered(
    formats: tuple[str, ...], asked_for: str | None
) -> None:
    seen: list[Asked] = []
    with LoopbackServer(formats=formats, plan=lambda index, asked: seen.append(asked)) as server:
        assert json.loads(ask(server, times=3).text)["seal"] == prompt().seal
    assert [asked.body.get("response_format", {}).get("type") for asked in seen] == [asked_for] * 3


def test_other_names_and_limits_of_a_server_are_learnt() -> None:
    def plan(index: int, asked: Asked) -> Fault | None:
        if "max_tokens" in asked.body:
            return named("400", said="Unsupported parameter: use 'max_completion_tokens' instead")
        if "temperature" in asked.body:
            return named("400", said="temperature does not support 0 with this model")
        seen.append(asked)
        return None

    seen: list[Asked] = []
    with LoopbackServer(plan=plan) as server:
        ask(server, times=2)
        assert len(server.log) == 4
    assert {key for asked in seen for key in asked.body} == {
        "model",
        "messages",
        "max_completion_tokens",
        "response_format",
    }


def test_a_question_that_is_refused_in_any_form_fails_with_what_was_said_first() -> None:
    with LoopbackServer(plan=lambda index, asked: named("422", said=f"no {index}")) as server:
        with pytest.raises(Permanent, match=r"HTTP 422 .* no 0") as caught:
            ask(server)
        assert len(server.log) == 3
    assert not caught.value.fatal


def test_a_text_that_is_too_long_is_not_asked_about_in_other_forms() -> None:
    with faulty("400") as server:
        with pytest.raises(Permanent, match="too long"):
            ask(server)
        assert len(server.log) == 1


# ------------------------------------------------------------------------------------------------ what comes back
@pytest.mark.parametrize("name, stop", [("refusal", "declined"), ("max_tokens", "length")])
def test_a_reply_says_why_it_stopped(name: str, stop: str) -> None:
    with faulty(name) as server:
        assert ask(server).stop == stop


def test_a_reply_that_is_marked_as_a_refusal_is_declined() -> None:
    message = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
    with faulty(says({"choices": [{"message": message, "finish_reason": "stop"}]})) as server:
        assert ask(server).stop == "declined"


def test_tokens_are_the_servers_own_and_those_of_its_cache_among_them() -> None:
    with LoopbackServer() as server:
        reply = ask(server, times=2)
        entry = server.log[1]
    assert (reply.input_tokens, reply.output_tokens) == (entry.input_tokens, entry.output_tokens)
    assert 1000 < reply.cached_tokens < reply.input_tokens


def test_tokens_that_a_server_does_not_count_are_estimated() -> None:
    with faulty(says({"choices": [{"message": {"content": "some words here"}}]})) as server:
        reply = ask(server)
    assert reply.input_tokens > 1000 and 2 <= reply.output_tokens <= 4
    assert reply.model == "local"


@pytest.mark.parametrize(
    "name", ["408", "409", "500", "503", "html 502", "dropped", "cut", "truncated", "html", "error 200"]
)
def test_a_fault_that_may_go_away_is_transient(name: str) -> None:
    with faulty(name) as server, pytest.raises(Transient) as caught:
        ask(server)
    assert not caught.value.crowded and "<" not in str(caught.value)


@pytest.mark.parametrize("name", ["429", "529"])
def test_a_server_with_too_much_to_do_is_crowded(name: str) -> None:
    with faulty(name, headers={"retry-after": "3"}) as server, pytest.raises(Transient) as caught:
        ask(server)
    assert caught.value.crowded and caught.value.retry_after == 3.0


@pytest.mark.parametrize("document", [{"choices": []}, {"choices": [{"message": {"content": ""}}]}, [1], "x", None])
def test_a_reply_without_content_is_transient(document: object) -> None:
    with faulty(says(document)) as server, pytest.raises(Transient):
        ask(server)


def test_an_error_in_a_good_response_has_the_status_it_names() -> None:
    with (
        faulty(says({"error": {"code": 429, "message": "upstream is busy"}})) as server,
        pytest.raises(Transient) as caught,
    ):
        ask(server)
    assert caught.value.crowded


@pytest.mark.parametrize(
    "name, said",
    [
        ("401", "the API key was refused .* Check OPENAI_API_KEY"),
        ("402", "cannot pay"),
        ("404", "the model local is not offered .* --persona-model, or see whether http://127"),
    ],
)
def test_a_fault_that_no_other_question_would_escape_is_fatal(name: str, said: str) -> None:
    with faulty(name) as server, pytest.raises(Permanent, match=said) as caught:
        ask(server)
    assert caught.value.fatal


@pytest.mark.parametrize(
    "body, words",
    [(b'{"detail": "Not Found"}', "Not Found"), (b'{"error": "no model"}', "no model"), (b"nothing", "nothing")],
)
def test_errors_are_read_in_the_forms_that_servers_have(body: bytes, words: str) -> None:
    with faulty(Fault(name="404", status=404, body=body)) as server, pytest.raises(Permanent, match=words):
        ask(server)


def test_no_reply_in_time_is_transient() -> None:
    with LoopbackServer(latency=5) as server, pytest.raises(Transient, match=r"no reply within 0\.2 s"):
        ask(server, timeout=0.2)


def test_a_server_that_is_not_there_is_transient() -> None:
    with LoopbackServer() as server:
        pass
    with pytest.raises(Transient, match="no connection"):
        ask(server)


def test_what_speaks_no_tls_is_not_trusted_with_it() -> None:
    async def run(url: str) -> None:
        client = open_client(Settings(base_url=url, model="local"))
        try:
            await client.ask(prompt(), most_tokens=10, timeout=5)
        finally:
            await client.close()

    with LoopbackServer() as server, pytest.raises(Transient, match=r"(?i)ssl|tls|connection"):
        asyncio.run(run(server.openai_url.replace("http:", "https:")))


def test_text_that_cannot_be_sent_fails_alone() -> None:
    with LoopbackServer() as server, pytest.raises(Permanent, match="lone surrogates"):
        ask(server, text="half of \ud83d an emoji")


def test_no_message_has_the_key_in_it_and_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with faulty("401", said=f"Incorrect API key provided: {KEY}") as server, pytest.raises(Permanent) as caught:
        ask(server)
    assert KEY not in str(caught.value)
    assert not [record for record in caplog.records if record.name != "asyncio"]


# ------------------------------------------------------------------------------------------------ setting up
def test_without_httpx2_it_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(JudgeError, match=r"pip install 'pytest-persona\[openai\]'"):
        open_client(Settings(base_url="http://localhost/v1", model="m"))


def test_without_a_base_url_it_names_examples() -> None:
    with pytest.raises(JudgeError, match=r"OPENAI_BASE_URL.*localhost:8000/v1.*localhost:11434/v1"):
        open_client(Settings(model="m"))


def test_without_a_model_it_asks_for_one() -> None:
    with pytest.raises(JudgeError, match="--persona-model"):
        open_client(Settings(base_url="http://localhost/v1"))


def test_the_base_url_of_the_environment_is_taken_and_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "localhost:8000")
    with pytest.raises(JudgeError, match=r"OPENAI_BASE_URL: 'localhost:8000' is not a URL"):
        open_client(Settings(model="m"))


def test_a_key_that_no_header_can_carry_is_said_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\n")
    with pytest.raises(JudgeError, match="OPENAI_API_KEY: the key has white space") as caught:
        open_client(Settings(base_url="http://localhost/v1", model="m"))
    assert KEY not in str(caught.value)
