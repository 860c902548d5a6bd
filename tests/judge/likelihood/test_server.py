"""A server of vLLM's form on the loopback interface: what is asked, what is read, and what goes wrong."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
from loopback_faults import Fault, named
from loopback_logprobs import LogprobServer, pieces, toy_logprobs

from pytest_persona.errors import JudgeError
from pytest_persona.judge.likelihood import LikelihoodJudge, Reader
from pytest_persona.judge.likelihood import server as module
from pytest_persona.judge.likelihood.prefix import Asked
from pytest_persona.judge.likelihood.server import ServerSource
from pytest_persona.judge.likelihood.source import Source, open_source
from pytest_persona.judge.store import Store
from pytest_persona.model.episodes import Behaviour
from pytest_persona.settings import Settings

Plan = Callable[[int, Mapping[str, Any]], "Fault | None"]


@pytest.fixture
def server() -> Iterator[LogprobServer]:
    with LogprobServer() as server:
        yield server


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE", (0.01, 0.02))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def opened(server: LogprobServer, **more: Any) -> Source:
    return open_source(Settings(base_url=server.openai_url, model="toy", **more))


def ask(reply: str, before: str = "User: hello\nAssistant:") -> Asked:
    return Asked(before=before, reply=f" {reply}", cut=False)


ASKED = [ask("hello hello"), ask("naïve 猫 — 🙂 text"), ask("a splendid thing", "User: what\nAssistant:")]


def only(fault: Fault, *indices: int) -> Plan:
    return lambda index, body: fault if not indices or index in indices else None


@pytest.mark.parametrize("start", [True, False])
def test_a_replys_log_probability_is_that_of_its_own_tokens(start: bool) -> None:
    with LogprobServer(start=start) as server:
        found = opened(server).score("A splendid one.\n\n", ASKED)
    for scored, one in zip(found, ASKED, strict=True):
        own = toy_logprobs("A splendid one.\n\n" + one.before + one.reply)[-len(pieces(one.reply)) :]
        assert scored.logprob == pytest.approx(sum(own)) and scored.tokens == len(own)


def test_requests_are_of_vllms_form(server: LogprobServer) -> None:
    source = opened(server)
    source.score("A.\n\n", ASKED)
    *_, last = server.requests
    assert last["prompt"] == ["A.\n\n" + one.before + one.reply for one in ASKED]
    assert {k: v for k, v in last.items() if k != "prompt"} == {
        "model": "toy", "echo": True, "logprobs": 1, "max_tokens": 1, "temperature": 0,
    }  # fmt: skip
    assert source.calls == 3 and len(server.requests) == 3, "two to count the replies' tokens, once"
    source.score("B.\n\n", ASKED)
    assert source.calls == 4


def test_many_are_asked_in_several_requests(server: LogprobServer) -> None:
    asked = [ask(f"reply {i}") for i in range(40)]
    assert all(scored.logprob is not None for scored in opened(server).score("", asked))
    assert max(len(body["prompt"]) for body in server.requests) == 16


def test_the_key_is_sent_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-123456")
    with LogprobServer(key="sk-secret-123456") as server:
        opened(server).score("", ASKED)
        assert server.headers[0]["authorization"] == "Bearer sk-secret-123456"


def test_a_key_that_is_refused_ends_the_run_without_being_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret-123456")
    with LogprobServer(key="another") as server, pytest.raises(JudgeError, match="the API key was refused") as caught:
        opened(server).score("", ASKED)
    assert "sk-secret" not in str(caught.value) and "OPENAI_API_KEY" in str(caught.value)


@pytest.mark.parametrize("name", ["429", "500", "503", "dropped", "cut", "truncated", "html"])
def test_a_passing_fault_is_asked_again(server: LogprobServer, name: str) -> None:
    fault = named(name, headers={"retry-after": "0.01"}) if name == "429" else named(name)
    server.plan_completions = only(fault, 0, 2)
    assert all(scored.logprob is not None for scored in opened(server).score("", ASKED))
    assert len(server.requests) == 5


def test_a_fault_that_does_not_pass_is_data(server: LogprobServer) -> None:
    server.plan_completions = only(named("503", said="warming up"))
    found = opened(server, deadline=0.2).score("", ASKED)
    assert [scored.logprob for scored in found] == [None] * 3
    assert found[0].detail.startswith("HTTP 503")


def test_an_answer_that_does_not_come_is_data(server: LogprobServer) -> None:
    server.plan_completions = only(Fault(name="slow", delay=5.0))
    found = opened(server, deadline=0.3).score("", ASKED)
    assert found[0].logprob is None and "no reply within" in found[0].detail


def test_a_connection_that_is_not_made_in_time_is_data(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: object, **__: object) -> None:
        raise URLError(TimeoutError("timed out"))

    source = ServerSource("http://127.0.0.1:9/v1", "toy", deadline=0.1)
    monkeypatch.setattr(source._opener, "open", slow)
    assert "no reply within" in source.score("", ASKED)[0].detail


def test_a_server_that_is_not_there_is_data() -> None:
    found = ServerSource("http://127.0.0.1:9/v1", "toy", deadline=0.1).score("", ASKED)
    assert found[0].detail.startswith("no connection")


def test_one_that_is_too_long_does_not_take_the_others_along() -> None:
    with LogprobServer(longest=60) as server:
        short, long, other = opened(server).score("", [ask("well"), ask("word " * 100), ask("so")])
    assert short.logprob is not None and other.logprob is not None
    assert long.logprob is None and "maximum context length is 60 tokens" in long.detail


def test_a_model_that_is_not_offered_ends_the_run(server: LogprobServer) -> None:
    body = json.dumps(
        {"object": "error", "message": "The model `toy` does not exist.", "type": "NotFoundError", "code": 404}
    )
    server.plan_completions = only(Fault(name="404", status=404, body=body.encode()))
    with pytest.raises(JudgeError, match=r"the model toy is not offered .*does not exist"):
        opened(server).score("", ASKED)


def test_a_server_without_prompt_log_probabilities_is_found_out() -> None:
    with LogprobServer(echoes=False) as server, pytest.raises(JudgeError, match="only of what it generates") as caught:
        opened(server).score("", ASKED)
    assert "vLLM's /v1/completions gives them" in str(caught.value)


def test_a_redirect_is_not_followed(server: LogprobServer) -> None:
    server.plan_completions = only(
        Fault(name="moved", status=307, headers={"location": "http://127.0.0.1:9/"}, body=b"[]")
    )
    with pytest.raises(JudgeError, match=r"sends requests elsewhere \(HTTP 307\)"):
        opened(server).score("", ASKED)


@pytest.mark.parametrize(
    "document",
    [
        {"choices": []},
        {"choices": [{"index": 0, "logprobs": {"token_logprobs": ["x", 1]}}] * 3},
        {"choices": [{}] * 3},
        ["no object"],
    ],
)
def test_an_answer_of_another_form_is_data(server: LogprobServer, document: object) -> None:
    server.plan_completions = only(Fault(name="odd", body=json.dumps(document).encode()))
    found = opened(server, deadline=0.05).score("", ASKED)
    assert found[0].logprob is None and "a reply that cannot be read" in found[0].detail


def test_a_log_probability_that_is_missing_in_a_reply_is_data(server: LogprobServer) -> None:
    gap = {"choices": [{"index": 0, "logprobs": {"token_logprobs": [None, -1.0, None, -1.0]}}]}
    server.plan_completions = only(Fault(name="gap", body=json.dumps(gap).encode()), 2)
    (scored,) = opened(server).score("", [ASKED[0]])
    assert (scored.logprob, scored.detail) == (None, "the server's answer lacks log-probabilities of the reply")


def test_no_log_probabilities_at_all_are_found_out(server: LogprobServer) -> None:
    body = json.dumps({"choices": [{"index": i, "logprobs": None} for i in range(3)]}).encode()
    server.plan_completions = only(Fault(name="none", body=body))
    with pytest.raises(JudgeError, match="gives no log-probabilities of the prompt"):
        opened(server).score("", ASKED)


def test_a_model_and_a_usable_address_are_needed() -> None:
    with pytest.raises(JudgeError, match="Name one that the server offers with --persona-model"):
        open_source(Settings(base_url="http://127.0.0.1:9/v1"))
    with pytest.raises(JudgeError, match="is not a URL of http or https"):
        open_source(Settings(base_url="ftp://x", model="toy"))


def test_several_threads_may_ask_at_once_and_count_their_own_requests(server: LogprobServer) -> None:
    source = opened(server)
    counts: list[int] = []

    def work(k: int) -> None:
        source.score(f"{k}\n\n", [ask(f"reply {k} {i}") for i in range(8)])
        counts.append(source.calls)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [3] * 6 and source.calls == 0
    source.close()


def test_the_judge_reads_through_a_server(
    server: LogprobServer, tmp_path: Path, trait: Any, say: Callable[..., Behaviour], neutral: Any, nulls: Any
) -> None:
    judge = LikelihoodJudge(Reader(opened(server), Store(tmp_path / "r.sqlite"), "run"), neutral=neutral, nulls=nulls)
    made = trait(pairs=9)
    assert judge.info.network and judge.qualify([made])["gush"].qualified
    answers = judge.read([say("A glorious thing."), say("A sober thing.")], [made], lambda count: None)
    high, low = (verdicts["gush"].expressed or 0.0 for verdicts in answers.verdicts)
    assert high > 0.3 and low < -0.3
    assert answers.usage.calls == len(server.requests) and answers.usage.input_tokens > 0
