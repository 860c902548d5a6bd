from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytest_persona.load.signals import read_signal
from pytest_persona.model.episodes import Episode, Turn

ReadRow = Callable[..., Episode]
ASKED = {"role": "user", "content": "Find it."}


def _reply(message: dict[str, Any]) -> tuple[str, dict[str, int]]:
    row = {"messages": [ASKED, {"role": "assistant", **message}]}
    signal = read_signal([row], name="rows")
    return signal.episodes[0].behaviours[0].reply, dict(signal.info.parts)


def test_calls_of_tools_are_kept_as_labels() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "search", "arguments": '{"q": "x"}'}}
    assert _reply({"content": "Looking.", "tool_calls": [call]}) == (
        'Looking.\n[tool_call search {"q": "x"}]', {"tool_call": 1},
    )  # fmt: skip
    assert _reply({"content": None, "function_call": {"name": "search", "arguments": {"q": "é"}}}) == (
        '[tool_call search {"q": "é"}]', {"tool_call": 1},
    )  # fmt: skip
    assert _reply({"tool_calls": [{"arguments": "x"}]})[0] == "[tool_call x]"


def test_blocks_are_kept_as_text_and_labels() -> None:
    blocks = [
        "plain", {"text": "untyped"}, {"type": "output_text", "text": "typed"},
        {"type": "image_url", "image_url": {"url": "data:…"}}, {"type": "input_audio", "input_audio": {}},
        {"type": "file", "filename": "a.pdf"}, {"type": "thinking", "thinking": "hm"},
        {"type": "tool_use", "name": "go", "input": {}}, {"type": "odd type!\x1b", "text": "x"}, {"type": "\x1b"},
    ]  # fmt: skip
    assert _reply({"content": blocks}) == (
        "plain\nuntyped\ntyped\n[image]\n[audio]\n[file a.pdf]\n[thinking hm]\n[tool_call go {}]\n[odd_type_ x]\n[_]",
        {"_": 1, "audio": 1, "file": 1, "image": 1, "odd_type_": 1, "thinking": 1, "tool_call": 1},
    )


def test_thoughts_refusals_and_audio_beside_the_content_are_kept() -> None:
    assert (
        _reply({"content": "11", "reasoning_content": "a prime", "reasoning": "a prime"})[0] == "[thinking a prime]\n11"
    )
    assert _reply({"content": None, "refusal": "I will not."})[0] == "[refusal I will not.]"
    assert _reply({"content": None, "audio": {"id": "a"}}) == ("[audio]", {"audio": 1})


def test_results_of_tools_in_a_users_message_are_a_tool_turn(read_row: ReadRow) -> None:
    result = {"type": "tool_result", "content": "3 hits"}
    messages = [ASKED, {"role": "assistant", "content": "a"}, {"role": "user", "content": [result]}]
    episode = read_row({"messages": [*messages, {"role": "assistant", "content": "b"}]})
    assert [b.reply for b in episode.behaviours] == ["[assistant] a\n\n[tool] [tool_result]\n3 hits\n\n[assistant] b"]
    mixed = {"role": "user", "content": [result, {"type": "text", "text": "Now?"}]}
    episode = read_row({"messages": [*messages[:2], mixed, {"role": "assistant", "content": "b"}]})
    assert [b.reply for b in episode.behaviours] == ["a", "b"]


def test_roles_of_other_spellings_are_known(read_row: ReadRow) -> None:
    roles = ["developer", "human", "function_call", "observation", "gpt"]
    episode = read_row({"conversations": [{"from": role, "value": role} for role in roles]})
    (shown,) = episode.behaviours
    assert shown.context == (Turn(speaker="system", text="developer"), Turn(speaker="user", text="human"))
    assert shown.reply == "[assistant] [tool_call function_call]\n\n[tool] observation\n\n[assistant] gpt"


def test_empty_results_of_tools_and_empty_system_turns_are_kept(read_row: ReadRow) -> None:
    messages = [{"role": "system", "content": ""}, ASKED, {"role": "tool", "content": ""}]
    episode = read_row({"messages": [*messages, {"role": "assistant", "content": "b"}]})
    assert [turn.speaker for turn in episode.behaviours[0].context] == ["system", "user", "tool"]
