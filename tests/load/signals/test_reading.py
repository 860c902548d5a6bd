from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pluggy
import pytest

from pytest_persona import hookspecs
from pytest_persona.errors import SignalError
from pytest_persona.infer.plan import order_key
from pytest_persona.load.signals import FORMATS, Signal, iter_episodes, read_signal
from pytest_persona.load.signals.problems import quote, quote_all
from pytest_persona.model.episodes import Behaviour, Episode

Read = Callable[..., Signal]
PAIR = {"prompt": "Is it?", "chosen": "Yes.", "rejected": "No."}


def hooks(plugin: object) -> Any:
    manager = pluggy.PluginManager("pytest")
    manager.add_hookspecs(hookspecs)
    manager.register(plugin)
    return manager.hook


class Plugin:
    """Reads .acme files."""

    def __init__(self, episodes: Iterable[Any]) -> None:
        self.episodes = episodes

    @pluggy.HookimplMarker("pytest")
    def pytest_persona_load_signal(self, path: Path) -> Iterable[Any] | None:
        return self.episodes if path.suffix == ".acme" else None


def acme(line: int) -> Episode:
    behaviour = Behaviour(role="shown", context=(), reply="\ud800")
    return Episode(kind="demonstration", source="x", line=line, group=f"\ud800{line}", behaviours=(behaviour,))


def test_a_plugin_reads_a_file_of_its_own_format(read: Read, write: Callable[..., Path]) -> None:
    signal = read("binary", "x.acme", hooks=hooks(Plugin([acme(1), acme(2)])))
    assert (signal.info.format, signal.info.episodes, signal.info.groups) == ("plugin", 2, 2)
    assert read([PAIR], "x.jsonl", hooks=hooks(Plugin([acme(1)]))).info.format == "preference"


def test_a_plugin_may_read_what_is_no_file() -> None:
    relay = hooks(Plugin([acme(1)]))
    first, second = (read_signal(Path("no-such.acme"), name="x", hooks=relay) for _ in range(2))
    assert len(first.info.sha256) == 64
    assert first.info == second.info


def test_a_plugin_that_gives_no_episodes_is_named() -> None:
    with pytest.raises(SignalError, match=r"^x: a plugin's pytest_persona_load_signal gave a 'dict'"):
        read_signal(Path("no-such.acme"), name="x", hooks=hooks(Plugin([{}])))
    with pytest.raises(SignalError, match="there is no row"):
        read_signal(Path("no-such.acme"), name="x", hooks=hooks(Plugin([])))


def test_skipped_rows_are_counted_and_reading_goes_on(read: Read) -> None:
    rows = [PAIR, {"promt": "a"}, PAIR, {**PAIR, "chosen": ""}, PAIR]
    with pytest.raises(SignalError, match=r"^signal.jsonl:2: "):
        read(rows)
    signal = read(rows, on_bad_row="skip")
    assert (signal.info.skipped, [e.line for e in signal.episodes]) == (2, [1, 3, 5])


def test_parts_of_skipped_rows_are_not_counted() -> None:
    image = {"role": "user", "content": [{"type": "image"}]}
    rows: list[dict[str, Any]] = [{"messages": [image]}, {"messages": [image, {"role": "assistant", "content": "a"}]}]
    assert read_signal(rows, name="rows", on_bad_row="skip").info.parts == {"image": 1}


def test_a_file_of_which_nothing_remains_is_an_error_with_the_first_problem(read: Read) -> None:
    with pytest.raises(SignalError) as caught:
        read('{"prompt"\n[1]\n', on_bad_row="skip")
    assert str(caught.value).startswith("signal.jsonl:1: none of its 2 rows can be read; the first: not valid JSON")


def test_skipped_rows_in_memory_do_not_spoil_the_hash() -> None:
    whole = read_signal([PAIR], name="rows").info
    assert read_signal(["x", PAIR], name="rows", on_bad_row="skip").info.sha256 == whole.sha256  # type: ignore[list-item]


def test_mixed_kinds_are_refused_even_when_bad_rows_are_skipped(read: Read) -> None:
    with pytest.raises(SignalError, match=r"^signal.jsonl:2: this row is a rollout, but line 1 is a preference\."):
        read([PAIR, {"prompt": "a", "response": "b", "reward": 1}], on_bad_row="skip")


def test_a_text_with_bad_lines_can_be_read_without_them(read: Read) -> None:
    signal = read(b"- Is kind.\n- Is na\xefve.\n- Is brief.\n", "rubric.txt", on_bad_row="skip")
    assert (signal.info.skipped, [e.line for e in signal.episodes]) == (1, [1, 3])
    signal = read(b"Be kind.\r\n\xff\r\nBe brief.\r\n", "prompt.txt", on_bad_row="skip")
    assert (signal.info.skipped, [e.behaviours[0].reply for e in signal.episodes]) == (1, ["Be kind.", "Be brief."])


@pytest.mark.parametrize(
    ("fields", "row"),
    [
        ({"prompt": "question"}, {"question": "a", "completion": "b"}),
        ({"prompt": "meta.question"}, {"meta": {"question": "a"}, "completion": "b"}),
        ({"prompt": "meta.question"}, {"meta.question": "a", "completion": "b"}),
        ({"prompt": "question", "completion": "prompt"}, {"question": "a", "prompt": "b"}),
    ],
)
def test_a_mapped_field_is_read_from_its_column(fields: dict[str, str], row: dict[str, Any]) -> None:
    (episode,) = read_signal([row], name="rows", fields=fields).episodes
    assert (episode.behaviours[0].context[0].text, episode.behaviours[0].reply) == ("a", "b")


def test_a_map_decides_between_synonyms() -> None:
    row = {"prompt": "a", "response": "b", "reward": 1, "score": 2}
    (episode,) = read_signal([row], name="rows", fields={"reward": "score"}).episodes
    assert episode.behaviours[0].reward == 2.0


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {"prompt": "promt"},
            "rows:1: prompt: there is no column 'promt'. Did you mean 'prompt'? Fields seen: 'prompt', 'chosen', ",
        ),
        ({"prompt": "a.b"}, "rows:1: prompt: there is no column 'a.b'. Fields seen: "),
        ({"promt": "x"}, "rows: map: 'promt' is no field. Did you mean 'prompt'?."),
        ({"zzzz": "x"}, "rows: map: 'zzzz' is no field. Fields: chosen, "),
    ],
)
def test_an_unknown_column_or_field_in_a_map_is_refused(fields: dict[str, str], message: str) -> None:
    with pytest.raises(SignalError) as caught:
        read_signal([PAIR], name="rows", fields=fields)
    assert str(caught.value).startswith(message)


def test_an_unknown_format_is_refused_with_the_formats() -> None:
    with pytest.raises(SignalError) as caught:
        read_signal([PAIR], name="rows", format="preferense")
    assert str(caught.value) == (
        f"rows: format: 'preferense' is no format. Did you mean 'preference'? Formats: auto, {', '.join(FORMATS)}."
    )


ROLLOUTS = [
    {"prompt": f"p{i % 40}", "response": f"r{i}", "reward": i} for i in range(120)
]  # fmt: skip


@pytest.mark.parametrize("most", [1, 7, 40, 1000])
def test_most_groups_keeps_the_groups_that_come_first_in_the_seeded_order(most: int) -> None:
    whole = read_signal(ROLLOUTS, name="rows")
    some = read_signal(ROLLOUTS, name="rows", most_groups=most, seed=3)
    first = set(sorted({e.group for e in whole.episodes}, key=lambda group: order_key(group, 3))[:most])
    assert some.episodes == tuple(e for e in whole.episodes if e.group in first)
    assert some.info == whole.info
    assert whole.info.groups == 40


def test_another_seed_keeps_other_groups() -> None:
    kept = [{e.group for e in read_signal(ROLLOUTS, name="r", most_groups=5, seed=s).episodes} for s in (0, 0, 1)]
    assert kept[0] == kept[1] != kept[2]


def test_episodes_come_one_by_one() -> None:
    rows: list[dict[str, Any]] = [PAIR, {}]
    episodes = iter_episodes(rows, name="rows")
    assert next(episodes).line == 1
    with pytest.raises(SignalError, match=r"^rows:2: no format is recognised"):
        next(episodes)


def test_quotes_are_printable_and_short() -> None:
    assert quote("plain é") == "'plain é'"
    assert quote("\x1b[31m\n\ud800\u202e") == r"'\x1b[31m\n\ud800\u202e'"
    for text in ("a" * 78, "a" * 79, "a" * 1000, "\0" * 1000):
        assert len(quote(text)) <= 80
    assert quote("a" * 79).endswith("…'")
    assert quote_all("abc", 2) == "'a', 'b' and 1 more"
