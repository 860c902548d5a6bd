"""A model by itself as the product, over the vendors' own clients against a loopback server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest
from loopback_faults import named
from loopback_server import LoopbackServer
from loopback_vendors import Refused

from pytest_persona.engine.targets import Targets
from pytest_persona.errors import TargetError
from pytest_persona.model.episodes import Turn
from pytest_persona.model.probes import ModelTarget
from pytest_persona.net.faults import Permanent, Transient
from pytest_persona.probe.base import Answer
from pytest_persona.probe.model import model_info
from pytest_persona.settings import Settings

DIALOGUE = [
    Turn(speaker="system", text="A context."), Turn(speaker="user", text="Good?"),
    Turn(speaker="assistant", text="Yes."), Turn(speaker="user", text="Sure?"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL", "OPENAI_BASE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-loopback")


class Talks(LoopbackServer):
    """Answers dialogues of any length, and keeps what it was sent."""

    def __init__(self, says: str | None = "Indeed.", **how: Any) -> None:
        super().__init__(**how)
        self.says, self.sent = says, []  # type: ignore[var-annotated]

    def answer(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
        self.sent.append(body)
        plain = {"max_tokens": 1, "model": body["model"], "messages": [{"role": "user", "content": "x"}]}
        if path == "/v1/chat/completions":
            if self.always_thinks and "max_tokens" in body:
                raise Refused(400, "invalid_request_error", "Unsupported parameter: use 'max_completion_tokens'")
            plain["messages"].insert(0, {"role": "system", "content": "y"})
        document, entry, fault = super().answer(path, plain, headers)
        text = json.dumps(document).replace(json.dumps(self._text(document)), json.dumps(self.says))
        return json.loads(text), entry, fault

    @staticmethod
    def _text(document: Any) -> str:
        content = document.get("content") or document["choices"]
        first = content[0]
        return first["text"] if "text" in first else first["message"]["content"]


def spec(server: LoopbackServer, vendor: Any, **more: Any) -> ModelTarget:
    url = server.base_url if vendor == "claude" else server.openai_url
    return ModelTarget(vendor=vendor, model="m-1", base_url=url, **more)


def ask(target: ModelTarget, timeout: float = 5.0) -> Answer:
    async def run() -> Answer:
        opened = Targets(Settings()).open(target)
        try:
            return await (await opened.open(timeout)).reply(DIALOGUE, timeout)
        finally:
            await opened.close()

    return asyncio.run(run())


@pytest.mark.parametrize("vendor", ["claude", "openai"])
def test_the_products_prompt_goes_before_the_contexts_and_tokens_are_counted(vendor: str) -> None:
    with Talks(judge=lambda *asked: "{}") as server:
        answer = ask(spec(server, vendor, system="You sell shoes.", max_tokens=77))
        (body,) = server.sent
    assert answer.text == "Indeed."
    assert answer.input_tokens > 0 and answer.output_tokens > 0
    system = "You sell shoes.\n\nA context."
    messages = [
        {"role": "user", "content": "Good?"},
        {"role": "assistant", "content": "Yes."},
        {"role": "user", "content": "Sure?"},
    ]
    if vendor == "claude":
        assert (body["system"], body["messages"]) == (system, messages)
    else:
        assert body["messages"] == [{"role": "system", "content": system}, *messages]
    assert (body["model"], body["max_tokens"]) == ("m-1", 77)
    assert not {"temperature", "thinking", "response_format", "output_config"} & body.keys()


@pytest.mark.parametrize("vendor", ["claude", "openai"])
def test_an_empty_message_is_a_reply_and_not_a_fault(vendor: str) -> None:
    with Talks("", judge=lambda *asked: "{}") as server:
        assert ask(spec(server, vendor)).text == ""


def test_an_endpoint_that_knows_another_name_for_the_limit_is_asked_again() -> None:
    with Talks(judge=lambda *asked: "{}", always_thinks=True) as server:
        assert ask(spec(server, "openai", max_tokens=9)).text == "Indeed."
        assert [sorted(body) for body in server.sent] == [
            ["max_tokens", "messages", "model"],
            ["max_completion_tokens", "messages", "model"],
        ]


@pytest.mark.parametrize("vendor", ["claude", "openai"])
@pytest.mark.parametrize(("fault", "kind"), [("429", Transient), ("truncated", Transient), ("400", Permanent)])
def test_faults_are_the_vendors_own(vendor: str, fault: str, kind: type[Exception]) -> None:
    with Talks(judge=lambda *asked: "{}", plan=lambda index, asked: named(fault)) as server, pytest.raises(kind):
        ask(spec(server, vendor))


def test_a_model_that_is_not_there_is_named_by_the_suite() -> None:
    with (
        Talks(judge=lambda *asked: "{}", plan=lambda index, asked: named("404")) as server,
        pytest.raises(
            Permanent, match=r"the model m-1 is not offered .* Name another with target\.\*\.model in the suite"
        ) as caught,
    ):
        ask(spec(server, "claude"))
    assert caught.value.fatal


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (ModelTarget(vendor="claude", model="m"), "The target claude found no credential. Set ANTHROPIC_API_KEY "),
        (
            ModelTarget(vendor="openai", model="m"),
            "The target openai does not know whom to ask. Name a server with target.",
        ),
        (
            ModelTarget(vendor="claude", model="m", base_url="nonsense"),
            "target.*.base_url in the suite: 'nonsense' is not a URL of http or https",
        ),
    ],
)
def test_what_cannot_be_set_up_is_an_error_of_the_target(
    target: ModelTarget, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(TargetError) as caught:
        Targets(Settings()).open(target)
    assert str(caught.value).startswith(said)
    assert "judge" not in str(caught.value)


def test_a_model_is_known_by_what_it_is_told() -> None:
    base = ModelTarget(vendor="claude", model="m", system="a")
    info = model_info(base)
    assert (info.name, info.kind) == ("m", "claude")
    others = [ModelTarget(vendor="claude", model="m", system="b"), ModelTarget(vendor="openai", model="m", system="a")]
    assert len({info.fingerprint, *(model_info(other).fingerprint for other in others)}) == 3
