"""A product behind HTTP on the loopback interface, with everything that can go wrong there."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from loopback_faults import Fault, faults_at, named
from loopback_product import ProductServer, echo

from pytest_persona.errors import TargetError
from pytest_persona.model.episodes import Turn
from pytest_persona.model.probes import HttpTarget
from pytest_persona.net.faults import Permanent, Transient
from pytest_persona.probe.base import Answer, Unreadable
from pytest_persona.probe.desk import interview
from pytest_persona.probe.http import HttpEndpoint, http_info
from pytest_persona.probe.scripts import Outcome

TOKEN = "tok-s3cret-0123456789"


def user(*texts: str) -> list[Turn]:
    """A dialogue in which the product said ``re TEXT`` to each text but the last."""
    turns = []
    for text in texts:
        turns += [Turn(speaker="user", text=text), Turn(speaker="assistant", text=f"re {text}")]
    return turns[:-1]


def ask(spec: HttpTarget, *dialogues: Sequence[Turn], timeout: float = 5.0, **environment: str) -> list[Answer]:
    """The replies to dialogues, one after another in one session."""

    async def run() -> list[Answer]:
        endpoint = HttpEndpoint(spec, environment)
        try:
            session = await endpoint.open(timeout)
            return [await session.reply(turns, timeout) for turns in dialogues]
        finally:
            await endpoint.close()

    return asyncio.run(run())


def faulty(fault: Fault | str, **changes: Any) -> ProductServer:
    planned = named(fault, **changes) if isinstance(fault, str) else fault
    return ProductServer(plan=lambda index, body: planned)


def says(document: Any) -> ProductServer:
    return ProductServer(lambda body: document)


# ---------------------------------------------------------------------------------------------------- what is sent
def test_by_default_the_whole_dialogue_is_sent_as_messages() -> None:
    system = Turn(speaker="system", text="You sell shoes.")
    with ProductServer() as server:
        (answer,) = ask(HttpTarget(url=server.url), [system, *user("a", "b")])
    assert answer == Answer(text="You asked: b")
    assert server.bodies == [
        {
            "messages": [
                {"role": "system", "content": "You sell shoes."},
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": "re a"},
                {"role": "user", "content": "b"},
            ]
        }
    ]


def test_the_body_and_the_place_of_the_reply_are_the_suites() -> None:
    body = {
        "input": {"text": "{{ prompt }}", "all": ["{{ messages }}"]},
        "k": 3,
        "note": "from {{ prompt }}!",
        "on": True,
    }
    product = lambda body: {"out": [{"it's": "no"}, {"it's": body["input"]["text"]}]}  # noqa: E731
    with ProductServer(product) as server:
        spec = HttpTarget(url=server.url, body=body, reply='$.out[-1]["it\'s"]')
        (answer,) = ask(spec, user("Is {{ it }} good?"))
    assert answer.text == "Is {{ it }} good?"
    message = {"role": "user", "content": "Is {{ it }} good?"}
    assert server.bodies == [
        {
            "input": {"text": "Is {{ it }} good?", "all": [[message]]},
            "k": 3,
            "note": "from Is {{ it }} good?!",
            "on": True,
        }
    ]


def test_a_body_without_messages_gets_a_longer_dialogue_as_a_transcript() -> None:
    with ProductServer(lambda body: {"reply": body["q"]}) as server:
        spec = HttpTarget(url=server.url, body={"q": "{{ prompt }}"})
        short, system, long = (
            ask(spec, turns)[0].text
            for turns in (user("a"), [Turn(speaker="system", text="Be kind."), *user("a")], user("a", "b"))
        )
    assert (short, system) == ("a", "Be kind.\n\na")
    assert long == "User: a\n\nAssistant: re a\n\nUser: b"


def test_a_session_is_sent_back_and_only_what_is_new() -> None:
    def product(body: Any) -> Any:
        return {"reply": f"re {body['text']}", "session": {"id": (body["session"] or 0) + 1}}

    with ProductServer(product) as server:
        spec = HttpTarget(
            url=server.url, body={"text": "{{ prompt }}", "session": "{{ session }}"}, session="$.session.id"
        )
        answers = ask(spec, user("a"), user("a", "b"), user("a", "b", "c"))
    assert [answer.text for answer in answers] == ["re a", "re b", "re c"]
    assert server.bodies == [{"text": "a", "session": None}, {"text": "b", "session": 1}, {"text": "c", "session": 2}]
    assert HttpEndpoint(spec).keeps_state


def test_headers_and_url_take_variables_whose_values_show_nowhere() -> None:
    with ProductServer(token=TOKEN) as server:
        host = server.base_url
        spec = HttpTarget(url="${SHOP}/chat?k=${KEY}", headers={"authorization": "Bearer ${KEY}", "x-plain": "1"})
        (answer,) = ask(spec, user("a"), SHOP=host, KEY=TOKEN)
        assert (server.headers[0]["authorization"], server.headers[0]["x-plain"]) == (f"Bearer {TOKEN}", "1")
        server.token = "another"
        with pytest.raises(Permanent, match="it lets nobody in") as caught:
            ask(spec, user("a"), SHOP=host, KEY=TOKEN)
    assert answer.text == "You asked: a"
    assert caught.value.fatal
    assert TOKEN not in str(caught.value) and TOKEN not in repr(http_info(spec))
    assert http_info(spec).name == "${SHOP}/chat"


def test_a_url_is_shown_without_user_and_query() -> None:
    info = http_info(HttpTarget(url="https://me:pw@shop.example/chat?key=abc"))
    assert info.name == "https://shop.example/chat"
    same = http_info(HttpTarget(url="https://you:other@shop.example/chat?key=def", headers={"a": "b"}))
    assert info.fingerprint == same.fingerprint
    assert info.fingerprint != http_info(HttpTarget(url="https://shop.example/chat", body={"k": 1})).fingerprint


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (
            HttpTarget(url="https://x.example", headers={"a": "${ABSENT}"}),
            "target.http.headers.a: the environment variable ABSENT is not set. Set it, or write the value.",
        ),
        (HttpTarget(url="${ABSENT}/chat"), "target.http.url: the environment variable ABSENT is not set. Set it, "),
        (
            HttpTarget(url="${ODD}/chat"),
            "target.http.url: ${ODD}/chat is no URL of http or https once it is filled in.",
        ),
        (
            HttpTarget(url="https://x.example", headers={"a": "${SPLIT}"}),
            "target.http.headers.a: the value has line ends or special characters in it.",
        ),
    ],
)
def test_what_cannot_be_set_up_is_said_before_anything_is_asked(spec: HttpTarget, said: str) -> None:
    with pytest.raises(TargetError) as caught:
        HttpEndpoint(spec, {"ODD": "ftp://secret", "SPLIT": "a\nb"})
    assert str(caught.value).startswith(said)
    assert "secret" not in str(caught.value)


def test_without_httpx2_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(TargetError, match=r"pip install 'pytest-persona\[http\]'"):
        HttpEndpoint(HttpTarget(url="https://x.example"))


# ---------------------------------------------------------------------------------------------------- what comes back
@pytest.mark.parametrize(
    ("server", "kind", "said"),
    [
        (faulty("401"), Permanent, "it lets nobody in (HTTP 401"),
        (faulty("404"), Permanent, "nobody answers at that URL (HTTP 404"),
        (faulty(Fault(name="302", status=302)), Permanent, "it sends elsewhere (HTTP 302"),
        (faulty("400"), Permanent, "HTTP 400"),
        (faulty("422"), Permanent, "HTTP 422"),
        (faulty("429"), Transient, "HTTP 429"),
        (faulty("500"), Transient, "HTTP 500"),
        (faulty("html 502"), Transient, "HTTP 502"),
        (faulty("dropped"), Transient, "no connection, or it broke: "),
        (faulty("cut"), Transient, "no connection, or it broke: "),
        (faulty("slow", delay=2.0), Transient, "no reply within 0.5 s"),
        (faulty("truncated"), Unreadable, "a reply that is no JSON: "),
        (faulty("html"), Unreadable, "a reply that is no JSON: "),
        (faulty(Fault(name="deep", body=b"[" * 200_000)), Unreadable, "a reply that is no JSON: "),
        (
            says({"answer": "x"}),
            Permanent,
            "the answer holds no reply: $ has no ['reply']; it is an object with answer",
        ),
        (says(["x"]), Permanent, "the answer holds no reply: $ has no ['reply']; it is a list of 1"),
        (says({"reply": 3}), Permanent, "the reply in the answer is no text but a number"),
        (says({"reply": None}), Permanent, "the reply in the answer is no text but null"),
        (says({"reply": ["a"]}), Permanent, "the reply in the answer is no text but a list of 1"),
        (says({"reply": "x" * 5_000_001}), Permanent, "the answer is larger than 5 MB"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_goes_wrong_is_a_fault_in_words(server: ProductServer, kind: type[Exception], said: str) -> None:
    with server, pytest.raises(kind) as caught:
        ask(HttpTarget(url=server.url), user("a"), timeout=0.5 if "within" in said else 5.0)
    assert type(caught.value) is kind
    assert str(caught.value).startswith(said)
    if isinstance(caught.value, Permanent):
        assert caught.value.fatal == any(word in said for word in ("401", "404", "302"))


def test_crowding_and_the_time_to_wait_are_passed_on() -> None:
    with faulty("429", headers={"retry-after": "7"}) as server, pytest.raises(Transient) as caught:
        ask(HttpTarget(url=server.url), user("a"))
    assert (caught.value.crowded, caught.value.retry_after) == (True, 7.0)


def test_an_empty_reply_is_a_reply() -> None:
    with says({"reply": ""}) as server:
        assert ask(HttpTarget(url=server.url), user("a")) == [Answer(text="")]


def test_halves_of_characters_are_replaced() -> None:
    with says({"reply": "a\ud800b"}) as server:
        assert ask(HttpTarget(url=server.url), user("a"))[0].text == "a\ufffdb"


def test_a_session_that_is_not_there_is_a_fault() -> None:
    with says({"reply": "x"}) as server, pytest.raises(Permanent, match="the answer holds no session: "):
        ask(HttpTarget(url=server.url, session="$.id"), user("a"))


def test_nothing_of_it_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with ProductServer(token=TOKEN) as server:
        ask(
            HttpTarget(url=f"{server.url}?k={TOKEN}", headers={"authorization": f"Bearer {TOKEN}"}),
            user("private words"),
        )
    assert TOKEN not in caplog.text and "private words" not in caplog.text


# ---------------------------------------------------------------------------------------------------- all together
def held(server: ProductServer, scripts: Any, memory: Any, *, concurrency: int = 16) -> list[Outcome]:
    endpoint = HttpEndpoint(HttpTarget(url=server.url))
    return interview(endpoint, scripts, memory, concurrency=concurrency, deadline=30.0, tick=lambda count: None)


def test_a_product_with_faults_is_asked_until_it_answers(
    scripts: Callable[..., Any], memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_persona.probe.interview.backoff", lambda key, attempt, retry_after=None: 0.01)
    names = ["429", "500", "503", "dropped", "cut", "truncated"]

    def plan(index: int, body: Any) -> Fault | None:
        asked = type("Asked", (), {"identity": json.dumps(body), "attempt": seen.count(json.dumps(body))})
        seen.append(json.dumps(body))
        fault = faults_at(0.2, names, seed=1)(index, asked)  # type: ignore[arg-type]
        return named(fault.name, headers={}) if fault else None

    seen: list[str] = []
    with ProductServer(plan=plan, latency=0.01) as server:
        outcomes = held(server, scripts(60, "q{n}", "You said {{ reply }}"), memory)
        assert server.most_in_flight <= 16
    assert [o.reply for o in outcomes] == [f"You asked: You said You asked: q{n}" for n in range(60)]
    assert sum(o.questions for o in outcomes) == len(server.bodies) > 120


def test_a_product_whose_key_is_refused_is_asked_a_few_times_and_said_once(scripts: Any, memory: Any) -> None:
    with ProductServer(token="right") as server, pytest.raises(TargetError, match="it lets nobody in"):
        held(server, scripts(200), memory)
    assert len(server.bodies) <= 16


def test_echo_is_what_the_server_does_unless_told() -> None:
    assert echo({"messages": [{"content": "x"}]}) == {"reply": "You asked: x"}
