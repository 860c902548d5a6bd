"""What a target is called, and what tells it from another of that name."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_persona.errors import TargetError
from pytest_persona.probe.identity import info_of, load_object


def plain(prompt: str) -> str:
    return prompt


def bot(style: Any, api_key: str = "") -> Callable[[str], str]:
    def answer(prompt: str) -> str:
        return f"{style} {api_key} {prompt}"

    return answer


class Bot:
    def __init__(self, **held: Any) -> None:
        self.__dict__.update(held)

    def __call__(self, prompt: str) -> str:
        return prompt


def mark(target: Any) -> str:
    return info_of(target).fingerprint


def test_a_function_is_its_module_and_name() -> None:
    info = info_of(plain)
    assert (info.name, info.kind) == (f"{__name__}:plain", "python")
    assert mark(plain) == mark(plain) != mark(bot)
    assert info_of(Bot()).name == f"{__name__}:Bot"
    assert info_of(Bot().__call__).name == f"{__name__}:Bot.__call__"
    assert info_of(functools.partial(plain, "x")).name == f"{__name__}:plain"
    assert info_of(plain, "shop:reply").name == "shop:reply"


def test_lambdas_are_told_apart_by_their_lines() -> None:
    one, two = lambda prompt: "a", [
        lambda prompt: "b",
    ][0]  # fmt: skip
    assert mark(one) != mark(two)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (bot("kind"), bot("cold")),
        (bot(3), bot(4)),
        (bot(["a", {"b": 1}]), bot(["a", {"b": 2}])),
        (bot(plain), bot(bot)),
        (Bot(style="kind"), Bot(style="cold")),
        (Bot(style="kind").__call__, Bot(style="cold").__call__),
        (Bot(inner=Bot(style="kind")), Bot(inner=Bot(style="cold"))),
        (functools.partial(plain, "a"), functools.partial(plain, "b")),
        (functools.partial(plain, prompt="a"), functools.partial(plain, prompt="b")),
    ],
)
def test_what_they_hold_tells_them_apart(one: Any, two: Any) -> None:
    assert mark(one) != mark(two)


def test_the_same_again_is_the_same() -> None:
    assert mark(bot("kind")) == mark(bot("kind"))
    assert mark(Bot(style="kind", sizes=[1, 2])) == mark(Bot(style="kind", sizes=[1, 2]))


def test_what_sounds_like_a_secret_has_no_part_in_it() -> None:
    assert mark(bot("kind", api_key="one")) == mark(bot("kind", api_key="two"))
    assert mark(Bot(auth_token="one", Password="a")) == mark(Bot(auth_token="two", Password="b"))


def test_objects_that_hold_themselves_end() -> None:
    one, two = Bot(style="kind"), Bot(style="cold")
    one.me, two.me = one, two  # type: ignore[attr-defined]
    assert mark(one) != mark(two)


def test_a_name_of_its_own_is_all_there_is() -> None:
    info = info_of(Bot(persona_name="shop 2.1", style="kind"))
    assert info.name == "shop 2.1"
    assert info.fingerprint == mark(Bot(persona_name="shop 2.1", style="cold"))


def test_a_closure_that_is_not_filled_yet_has_an_identity() -> None:
    def outer() -> str:
        def inner(prompt: str) -> str:
            return later

        found = mark(inner)
        later = "x"
        return found

    assert outer()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("shop", "--persona-target: 'shop' names no target. Write module:attribute, such as shop.bot:reply."),
        (":reply", "--persona-target: ':reply' names no target."),
        (
            "absent_shop:reply",
            "--persona-target: the module absent_shop of the target cannot be imported: ModuleNotFoundError: ",
        ),
        (
            "broken_shop:reply",
            "--persona-target: the module broken_shop of the target cannot be imported: ZeroDivisionError: ",
        ),
        (
            "whole_shop:Bot.nothing",
            "--persona-target: whole_shop has no Bot.nothing. Name a function or an object of it.",
        ),
    ],
)
def test_what_cannot_be_loaded_says_why(name: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_shop.py").write_text("1 / 0\n")
    (tmp_path / "whole_shop.py").write_text("class Bot:\n    reply = 'x'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    with pytest.raises(TargetError) as caught:
        load_object(name, "--persona-target")
    assert str(caught.value).startswith(said)
    assert load_object("whole_shop:Bot.reply") == "x"
