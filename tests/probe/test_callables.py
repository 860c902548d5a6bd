"""Products as callables: what they are given, what they may return, and how they go wrong."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from pytest_persona.errors import TargetError
from pytest_persona.model.episodes import Turn
from pytest_persona.net.faults import Fault, Permanent, Transient
from pytest_persona.probe.base import Hung
from pytest_persona.probe.callables import CallableTarget
from pytest_persona.probe.identity import info_of

USER = [Turn(speaker="user", text="Is it good?")]
LONG = [
    Turn(speaker="system", text="You sell shoes."),
    *USER,
    Turn(speaker="assistant", text="Yes."),
    Turn(speaker="tool", text="stock: 0"),
    Turn(speaker="user", text="Sure?"),
]


def target_of(product: Any) -> CallableTarget:
    return CallableTarget(product, info_of(product))


def ask(product: Any, *dialogues: Sequence[Turn], timeout: float = 5.0) -> list[str]:
    """The replies to dialogues, one after another in one session."""

    async def run() -> list[str]:
        session = await target_of(product).open(timeout)
        try:
            return [(await session.reply(turns, timeout)).text for turns in dialogues]
        finally:
            await session.close()

    return asyncio.run(run())


def takes_prompt(prompt):  # type: ignore[no-untyped-def]
    return f"{type(prompt).__name__}: {prompt}"


def takes_messages(messages):  # type: ignore[no-untyped-def]
    return f"{type(messages).__name__} of {len(messages)}: {messages[-1]['role']} {messages[-1]['content']}"


def says_text(x: str) -> str:
    return f"{type(x).__name__}"


def says_list(prompt: list[dict[str, str]]) -> str:
    return f"{type(prompt).__name__}"


def says_odd(prompt: Absent) -> str:  # type: ignore[name-defined]  # noqa: F821
    return f"{type(prompt).__name__}"


async def waits(prompt: str) -> str:
    await asyncio.sleep(0)
    return f"async {prompt}"


class Bot:
    def __call__(self, messages: list[dict[str, str]]) -> dict[str, str]:
        return {"role": "assistant", "content": f"bot heard {len(messages)}"}


class Unsigned:
    """Says of itself what it is not."""

    __signature__ = 3

    def __call__(self, asked: object) -> str:
        return type(asked).__name__


class Shop:
    def chat(self, prompt: str) -> str:
        return f"shop {prompt}"


# ---------------------------------------------------------------------------------------------------- what goes in
@pytest.mark.parametrize(
    ("product", "reply"),
    [
        (takes_prompt, "str: Is it good?"),
        (takes_messages, "list of 1: user Is it good?"),
        (says_text, "str"),
        (says_list, "list"),
        (says_odd, "list"),
        (waits, "async Is it good?"),
        (Bot(), "bot heard 1"),
        (Shop().chat, "shop Is it good?"),
        (functools.partial(lambda style, prompt: f"{style} {prompt}", "kind"), "kind Is it good?"),
        (lambda *words: " ".join(words), "Is it good?"),
        (str.upper, "IS IT GOOD?"),
        (Unsigned(), "str"),
    ],
)
def test_a_text_or_messages_by_annotation_else_by_name(product: Any, reply: str) -> None:
    assert ask(product, USER) == [reply]


def test_a_text_is_the_whole_dialogue_where_there_is_more_of_it() -> None:
    (reply,) = ask(lambda prompt: prompt, LONG)
    assert reply == "System: You sell shoes.\n\nUser: Is it good?\n\nAssistant: Yes.\n\nTool: stock: 0\n\nUser: Sure?"
    assert ask(lambda prompt: prompt, [LONG[0], LONG[1]]) == ["You sell shoes.\n\nIs it good?"]


# ---------------------------------------------------------------------------------------------------- what comes out
@pytest.mark.parametrize(
    ("value", "reply"),
    [
        ("", ""),
        ({"content": "a"}, "a"),
        ({"role": "assistant", "content": [{"type": "text", "text": "a"}, {"type": "image_url"}]}, "a\n[image_url]"),
        ([{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}], "a"),
        (({"role": "assistant", "content": "a"},), "a"),
        (
            [
                {"role": "user", "content": "q"},
                {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "rm", "arguments": "{}"}}]},
                {"role": "tool", "content": "done"},
                {"role": "assistant", "content": "I cleaned up."},
            ],
            "[assistant] [tool_call rm {}]\n\n[tool] done\n\n[assistant] I cleaned up.",
        ),
        ({"content": [{"type": "tool_use", "name": "ls", "input": {"path": "/"}}]}, '[tool_call ls {"path": "/"}]'),
        ([], ""),
        ("a\ud800", "a\ufffd"),
        ("\U0001f600", "\U0001f600"),
    ],
)
def test_a_text_a_message_or_messages(value: Any, reply: str) -> None:
    assert ask(lambda prompt: value, USER) == [reply]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (3, "it returned an int. Return a text, a message, or a list of messages"),
        (None, "it returned None."),
        (b"\x00\xff", "it returned a bytes."),
        (["a", "b"], "it returned a list that is no list of messages."),
        ({"text": "a"}, "it returned a message whose content is None."),
        ({"content": ["a"]}, "it returned a message whose content is a list that is no list of messages."),
        ("x" * 5_000_001, "the reply has 5,000,001 characters; 5,000,000 are the most"),
    ],
)
def test_anything_else_is_a_fault(value: Any, said: str) -> None:
    with pytest.raises(Permanent) as caught:
        ask(lambda prompt: value, USER)
    assert str(caught.value).startswith(said)
    assert not caught.value.fatal


# ---------------------------------------------------------------------------------------------------- going wrong
def raising(error: BaseException) -> Callable[[str], str]:
    def product(prompt: str) -> str:
        raise error

    return product


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (ValueError("boom"), Permanent, "it raised ValueError: boom"),
        (KeyError(), Permanent, "it raised KeyError"),
        (ConnectionResetError("gone"), Transient, "it raised ConnectionResetError: gone"),
        (TimeoutError("late"), Transient, "it raised TimeoutError: late"),
        (StopIteration("odd"), Permanent, "it raised RuntimeError: StopIteration: odd"),
        (SystemExit(1), Permanent, "it raised RuntimeError: SystemExit(1)"),
        (ValueError("key sk-proj-abcdefghijk\nsecond line"), Permanent, "it raised ValueError: key … second line"),
        (Transient("busy", retry_after=3.0), Transient, "busy"),
    ],
)
def test_what_it_raises_is_a_fault_in_one_line_without_secrets(
    error: BaseException, kind: type[Fault], said: str
) -> None:
    with pytest.raises(kind) as caught:
        ask(raising(error), USER)
    assert str(caught.value) == said


def test_a_plain_function_that_hangs_is_left_behind() -> None:
    event = threading.Event()
    began = time.monotonic()
    with pytest.raises(Hung, match=r"no reply within 0\.1 s"):
        ask(lambda prompt: event.wait(20), USER, timeout=0.1)
    assert time.monotonic() - began < 5
    event.set()


def test_an_async_one_that_hangs_is_called_off() -> None:
    ended = []

    async def product(prompt: str) -> str:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(True)
        return ""

    with pytest.raises(Transient, match=r"no reply within 0\.1 s"):
        ask(product, USER, timeout=0.1)
    assert ended == [True]


def test_a_plain_function_may_run_a_loop_of_its_own() -> None:
    assert ask(lambda prompt: asyncio.run(waits(prompt)), USER) == ["async Is it good?"]


def test_it_sees_the_callers_context_variables() -> None:
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("user", default="nobody")
    variable.set("ann")
    assert ask(lambda prompt: variable.get(), USER) == ["ann"]


# ---------------------------------------------------------------------------------------------------- dialogues
class Remembers:
    """A class is opened for each dialogue."""

    ended = 0

    def __init__(self) -> None:
        self.heard: list[str] = []

    def __call__(self, prompt: str) -> str:
        self.heard.append(prompt)
        return " | ".join(self.heard)

    def close(self) -> None:
        type(self).ended += 1


class Opens:
    """So is an object with ``open()``, which may be awaited, as may ``close()`` of what it opens."""

    async def open(self) -> Any:
        ended = self.ended = [0]

        class Session:
            async def __call__(self, messages: list[dict[str, str]]) -> str:
                return f"heard {len(messages)}"

            async def close(self) -> None:
                ended[0] += 1

        return Session()


def test_what_is_opened_hears_what_is_new_as_text_or_all_as_messages() -> None:
    second = [*USER, Turn(speaker="assistant", text="x"), Turn(speaker="user", text="Sure?")]
    assert ask(Remembers, [LONG[0], *USER], second) == [
        "You sell shoes.\n\nIs it good?",
        "You sell shoes.\n\nIs it good? | Sure?",
    ]
    assert Remembers.ended == 1
    product = Opens()
    assert ask(product, USER, second) == ["heard 1", "heard 3"]
    assert product.ended == [1]


@pytest.mark.parametrize(
    ("product", "at_once", "keeps_state"),
    [(takes_prompt, 1, False), (waits, None, False), (Remembers, 1, True), (Opens(), None, True), (Bot(), 1, False)],
)
def test_plain_ones_are_called_one_at_a_time(product: Any, at_once: int | None, keeps_state: bool) -> None:
    target = target_of(product)
    assert (target.at_once, target.keeps_state) == (at_once, keeps_state)


def test_a_product_may_say_how_many_it_bears() -> None:
    def product(prompt: str) -> str:
        return prompt

    product.persona_concurrency = 8  # type: ignore[attr-defined]
    assert target_of(product).at_once == 8


def test_one_that_takes_nothing_says_so() -> None:
    with pytest.raises(Permanent, match=r"it raised TypeError: .*takes 0 positional arguments but 1 was given"):
        ask(lambda: "x", USER)


def test_what_cannot_be_called_is_refused() -> None:
    with pytest.raises(TargetError, match=r"the target builtins:int is of type int, which cannot be called"):
        target_of(3)

    class OpensNothing:
        def open(self) -> int:
            return 3

    with pytest.raises(Permanent, match="it opened int, which cannot be called"):
        ask(OpensNothing(), USER)

    class Fails:
        def __init__(self) -> None:
            raise ValueError("no model")

    with pytest.raises(Permanent, match="its dialogue could not be opened: it raised ValueError: no model"):
        ask(Fails, USER)
