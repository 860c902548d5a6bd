"""Anthropic's SDK, against a server on the loopback interface: what is sent, what comes back, and every fault."""

from __future__ import annotations

import asyncio
import json
import logging
import warnings
from collections.abc import Callable, Coroutine
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import anthropic
import pytest
from loopback_faults import Fault, named
from loopback_questions import prompt
from loopback_server import Asked, LoopbackServer

from pytest_persona.judge.chat.client import Reply
from pytest_persona.judge.claude import DEFAULT_MODEL, ClaudeClient, open_client
from pytest_persona.net.faults import Permanent, Transient
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


# ------------------------------------------------------------------------------------------------ what is sent
def test_a_question_is_sent_as_structured_output_with_its_shared_part_marked_for_the_cache() -> None:
    seen: list[Asked] = []
    with LoopbackServer(plan=lambda index, asked: seen.append(asked)) as server:
        reply = ask(server)
    asked, words = seen[0].body, prompt()
    assert asked == {
        "model": DEFAULT_MODEL,
        "max_tokens": 500,
        "system": [{"type": "text", "text": words.shared, "cache_control": {"type": "ephemeral"}}],
        "messages": [{"role": "user", "content": words.asked}],
        "output_config": {"format": {"type": "json_schema", "schema": words.schema}},
        "thinking": {"type": "disabled"},
    }
    assert seen[0].headers["authorization"] == f"Bearer {KEY}"
    assert json.loads(reply.text)["verdicts"][0]["expressed"] == 3
    assert reply.stop == "end" and reply.model == DEFAULT_MODEL


def test_tokens_read_from_the_prompt_cache_are_among_the_input() -> None:
    async def twice(client: ClaudeClient) -> list[Reply]:
        return [await client.ask(prompt(number), most_tokens=500, timeout=5) for number in (1, 2)]

    with LoopbackServer() as server:
        first, second = asking(server, twice)
        entries = server.log
    assert first.cached_tokens == 0 and second.cached_tokens > 1000
    assert [first.input_tokens, second.input_tokens] == [entry.input_tokens for entry in entries]
    assert second.output_tokens == entries[1].output_tokens


def test_a_model_that_always_thinks_is_left_to_and_given_room_for_the_rest_of_the_run() -> None:
    seen: list[Asked] = []

    async def twice(client: ClaudeClient) -> None:
        for _ in range(2):
            await client.ask(prompt(), most_tokens=500, timeout=5)

    with LoopbackServer(always_thinks=True, plan=lambda index, asked: seen.append(asked)) as server:
        asking(server, twice)
    assert [("thinking" in asked.body, asked.body["max_tokens"] > 4000) for asked in seen] == [(False, True)] * 2


def test_requests_one_after_another_share_a_connection() -> None:
    async def some(client: ClaudeClient) -> None:
        for number in range(5):
            await client.ask(prompt(number), most_tokens=500, timeout=5)

    with LoopbackServer() as server:
        asking(server, some)
        assert server.connections == 1


def test_as_many_are_in_flight_as_are_asked() -> None:
    async def many(client: ClaudeClient) -> None:
        await asyncio.gather(*(client.ask(prompt(number), most_tokens=500, timeout=5) for number in range(100)))

    with LoopbackServer(latency=0.3) as server:
        asking(server, many)
        assert server.most_in_flight == 100


def test_proxies_of_the_environment_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with LoopbackServer() as server:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("NO_PROXY", "")
        with pytest.raises(Transient, match="connect"):
            ask(server)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert ask(server).stop == "end"


# ------------------------------------------------------------------------------------------------ what comes back
@pytest.mark.parametrize("name, stop", [("refusal", "declined"), ("max_tokens", "length")])
def test_a_reply_says_why_it_stopped(name: str, stop: str) -> None:
    with faulty(name) as server:
        assert ask(server).stop == stop


def test_a_reply_that_met_the_limit_may_be_empty() -> None:
    with faulty(Fault(name="thought", stop="model_context_window_exceeded", text="")) as server:
        assert ask(server).stop == "length"


@pytest.mark.parametrize("name", ["schema", "json"])
def test_what_the_model_says_is_not_judged_here(name: str) -> None:
    with faulty(name) as server:
        assert ask(server).text == named(name).text


@pytest.mark.parametrize(
    "name, said",
    [
        ("408", "HTTP 408 timeout_error"),
        ("409", "HTTP 409 conflict_error"),
        ("500", "HTTP 500 api_error: Internal server error"),
        ("503", "HTTP 503 api_error"),
        ("html 502", "HTTP 502$"),
        ("dropped", "broke: Server disconnected without sending a response"),
        ("cut", "broke: peer closed connection without sending complete message body"),
        ("truncated", "a reply that cannot be read: Unterminated string"),
        ("html", "a reply that cannot be read"),
        ("empty", "an empty reply"),
        ("error 200", "api_error: went wrong after"),
    ],
)
def test_a_fault_that_may_go_away_is_transient(name: str, said: str) -> None:
    with faulty(name) as server, pytest.raises(Transient, match=said) as caught:
        ask(server)
    assert not caught.value.crowded and caught.value.retry_after is None
    assert "\n" not in str(caught.value) and "<" not in str(caught.value)


@pytest.mark.parametrize("name", ["429", "529"])
def test_a_server_with_too_much_to_do_is_crowded(name: str) -> None:
    with faulty(name) as server, pytest.raises(Transient, match=f"HTTP {name}") as caught:
        ask(server)
    assert caught.value.crowded


def test_a_server_that_wants_no_retry_gets_none_and_one_that_wants_one_gets_it() -> None:
    with faulty("500", headers={"x-should-retry": "false"}) as server, pytest.raises(Permanent) as caught:
        ask(server)
    assert not caught.value.fatal
    with faulty("400", headers={"x-should-retry": "true"}) as server, pytest.raises(Transient):
        ask(server)


@pytest.mark.parametrize(
    "headers, seconds",
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT", "date": "Wed, 21 Oct 2015 07:27:30 GMT"}, 30.0),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({}, None),
    ],
)
def test_the_time_that_the_server_asks_to_wait_is_read_as_seconds_or_date(
    headers: dict[str, str], seconds: float | None
) -> None:
    with faulty("429", headers=headers) as server, pytest.raises(Transient) as caught:
        ask(server)
    assert caught.value.retry_after == seconds


def test_a_date_without_the_servers_own_is_read_by_our_clock() -> None:
    soon = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=60), usegmt=True)
    with faulty("529", headers={"retry-after": soon}) as server, pytest.raises(Transient) as caught:
        ask(server)
    assert caught.value.retry_after is not None and 50 < caught.value.retry_after <= 60


@pytest.mark.parametrize(
    "name, said",
    [
        ("401", "the API key was refused .*invalid x-api-key.* Check ANTHROPIC_API_KEY"),
        ("403", "the API key was refused"),
        ("402", "the account cannot pay for more"),
        ("404", f"the model {DEFAULT_MODEL} is not offered to this key .* --persona-model"),
    ],
)
def test_a_fault_that_no_other_question_would_escape_is_fatal(name: str, said: str) -> None:
    with faulty(name) as server, pytest.raises(Permanent, match=said) as caught:
        ask(server)
    assert caught.value.fatal


def test_a_spending_limit_is_fatal_although_it_comes_as_a_rate_limit() -> None:
    body = {"type": "rate_limit_error", "message": "limit", "details": {"error_code": "enforced_spend_limit_reached"}}
    fault = Fault(name="spent", status=429, body=json.dumps({"type": "error", "error": body}).encode())
    with faulty(fault) as server, pytest.raises(Permanent, match="cannot pay") as caught:
        ask(server)
    assert caught.value.fatal


@pytest.mark.parametrize("name", ["400", "413", "422"])
def test_a_question_that_is_refused_fails_alone(name: str) -> None:
    with faulty(name) as server, pytest.raises(Permanent, match=f"HTTP {name}") as caught:
        ask(server)
    assert not caught.value.fatal


@pytest.mark.parametrize(
    "body", [b"[1, 2]", b'"text"', b'{"type": "message"}', b'{"type": "message", "usage": 3}', b"null"]
)
def test_a_body_of_another_form_is_transient(body: bytes) -> None:
    with faulty(Fault(name="odd", body=body)) as server, pytest.raises(Transient, match="cannot be read"):
        ask(server)


def test_no_reply_in_time_is_transient() -> None:
    with LoopbackServer(latency=5) as server, pytest.raises(Transient, match=r"no reply within 0\.2 s"):
        ask(server, timeout=0.2)


def test_a_server_that_is_not_there_is_transient() -> None:
    with LoopbackServer() as server:
        pass
    with pytest.raises(Transient, match="no connection"):
        ask(server)


def test_a_name_that_cannot_be_resolved_is_transient_and_says_so() -> None:
    async def run() -> None:
        client = open_client(Settings(base_url="http://judge.invalid"))
        try:
            await client.ask(prompt(), most_tokens=10, timeout=10)
        finally:
            await client.close()

    with pytest.raises(Transient, match=r"no connection, or it broke: .*(?i:name|resol|host)"):
        asyncio.run(run())


def test_text_that_cannot_be_sent_fails_alone() -> None:
    odd = replace(prompt(), asked="half of \ud83d an emoji")
    with LoopbackServer() as server, pytest.raises(Permanent, match="lone surrogates") as caught:
        asking(server, lambda client: client.ask(odd, most_tokens=10, timeout=5))
    assert not caught.value.fatal


def test_a_mistake_of_our_own_is_not_taken_for_a_fault() -> None:
    with LoopbackServer() as server, pytest.raises(AttributeError):
        asking(server, lambda client: client.ask("no prompt", most_tokens=10, timeout=5))  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------------ batches
def test_batches_are_listed_from_a_time_on_over_all_pages() -> None:
    async def listed(client: ClaudeClient) -> list[str]:
        words = {"custom_id": "a", "params": client.params(prompt(), 500)}
        first = await client.create_batch([words])
        made = server.batches.all[first]
        for number in range(230):  # before it, and the last ones too long ago
            age = timedelta(seconds=1 if number > 20 else 1000)
            server.batches.all = {f"batch{number}": replace(made, id=f"batch{number}", created=made.created - age)} | {
                key: batch for key, batch in server.batches.all.items()
            }
        ordered = sorted(server.batches.all.values(), key=lambda batch: batch.created)
        server.batches.all = {batch.id: batch for batch in ordered}
        return [state.id for state in await client.batches(made.created.timestamp() - 100)]

    with LoopbackServer() as server:
        found = asking(server, listed)
    assert found[0] == "msgbatch_0000" and len(found) == 1 + 209


def test_all_batches_are_listed_where_none_is_older() -> None:
    with LoopbackServer() as server:
        assert asking(server, lambda client: client.batches(0.0)) == []


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"id": 3}'])
def test_a_batch_of_another_form_is_transient(body: bytes) -> None:
    with LoopbackServer() as server:
        server.batches.hiccups += [Fault(name="odd", body=body, content_type="text/plain")]
        with pytest.raises(Transient, match="cannot be read"):
            asking(server, lambda client: client.batch("msgbatch_0000"))


# ------------------------------------------------------------------------------------------------ secrets and noise
def test_no_message_has_the_key_in_it_whoever_says_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Gateway: open sesame\nCf-Access: plain-words")
    said = f"key {KEY} with open sesame and plain-words at https://me:pw@gateway.test/v1?key=1"
    leak = Fault(name="leak", status=401, kind="authentication_error", said=said)
    with faulty(leak) as server, pytest.raises(Permanent) as caught:
        ask(server)
    message = str(caught.value)
    for secret in (KEY, KEY[8:], "sesame", "plain-words", "me:pw", "?key=1"):
        assert secret not in message
    assert "gateway.test" in message


def test_the_sdk_logs_nothing_of_ours_and_all_of_others(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with LoopbackServer(plan=lambda index, asked: named("500") if asked.attempt else None) as server:
        ask(server)
        with pytest.raises(Transient):
            ask(server)
        assert not [record for record in caplog.records if record.name != "asyncio"]

        async def others() -> None:
            async with anthropic.AsyncAnthropic(base_url=server.base_url, max_retries=0) as sdk:
                await sdk.messages.create(model="m", max_tokens=50, messages=[{"role": "user", "content": "hello"}])

        with pytest.raises(anthropic.InternalServerError):
            for _ in range(2):
                asyncio.run(others())
    assert {"anthropic._base_client", "httpx2", "httpcore2.connection"} <= {record.name for record in caplog.records}


def test_a_model_that_the_sdk_warns_of_can_be_asked_where_warnings_are_errors() -> None:
    from anthropic.resources.messages.messages import DEPRECATED_MODELS

    model = next(iter(DEPRECATED_MODELS))
    with LoopbackServer() as server, warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ask(server, model=model).model == model
