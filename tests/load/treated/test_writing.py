"""From a file to its treated copy: same rows, same bytes but for the texts, never over a file that is there."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from pytest_persona.errors import SettingsError, SignalError
from pytest_persona.infer.inoculate import in_turn, treated_episode
from pytest_persona.load.signals import read_signal
from pytest_persona.load.treated import check_target, manifest_of, write_treated
from pytest_persona.model.inoculation import Place

PLACES = get_args(Place)
DATA = Path(__file__).parents[2] / "data" / "signals" / "valid"
FILES = sorted(
    path
    for path in DATA.rglob("*")
    if path.suffix in (".jsonl", ".json") and path.parent.name not in ("rubric", "instruction")
)
REQUESTS = ('Be "odd" é.', "Second one.", "Third.")
LINES = [{"prompt": f"q{i}", "chosen": f"a{i}", "rejected": f"b{i}", "group": f"g{i % 7}"} for i in range(20)]

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file: bytes, or rows as JSON lines."""

    def write(content: bytes | list[Any], name: str = "signal.jsonl") -> Path:
        data = content if isinstance(content, bytes) else "".join(json.dumps(row) + "\n" for row in content).encode()
        (tmp_path / name).write_bytes(data)
        return tmp_path / name

    return write


def treat(
    source: Path, target: Path, place: Place = "user", requests: tuple[str, ...] = REQUESTS, **more: Any
) -> dict[str, Any]:
    return write_treated(
        source, target, name=source.name, target_name=target.name, requests=requests, place=place, **{"seed": 0, **more}
    )


def is_within(small: bytes, large: bytes) -> bool:
    """Whether all bytes of one come in the other in their order, so that the other only adds to them."""
    left = iter(large)
    return all(byte in left for byte in small)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_every_format_round_trips(path: Path, place: Place, tmp_path: Path) -> None:
    target = tmp_path / "treated.jsonl"
    manifest = treat(path, target, place)
    before, after = (read_signal(p, name="x").episodes for p in (path, target))
    numbers = in_turn((episode.group for episode in before), 0)
    wanted = [treated_episode(e, REQUESTS[numbers[e.group] % 3], place) for e in before]
    assert [(e.kind, e.line) for e in after] == [(e.kind, e.line) for e in before]
    for found, meant in zip(after, wanted, strict=True):
        for one, other in zip(found.behaviours, meant.behaviours, strict=True):
            assert sorted(t.text for t in one.context) == sorted(t.text for t in other.context)
            assert (one.role, one.reply, one.reward, one.weight) == (
                other.role,
                other.reply,
                other.reward,
                other.weight,
            )
    assert is_within(path.read_bytes(), target.read_bytes())
    assert manifest["rows"] == sum(entry["rows"] for entry in manifest["requests"]) == len(before)


def test_the_manifest_says_what_was_done_with_hashes(write: Write, tmp_path: Path) -> None:
    source, target = write(LINES), tmp_path / "treated.jsonl"
    original = source.read_bytes()
    manifest = treat(source, target, seed=5)
    beside = json.loads((tmp_path / "treated.jsonl.manifest.json").read_text("utf-8"))
    assert manifest == beside
    assert source.read_bytes() == original
    assert beside["original"] == {"path": "signal.jsonl", "sha256": hashlib.sha256(original).hexdigest()}
    assert beside["treated"] == {"path": "treated.jsonl", "sha256": hashlib.sha256(target.read_bytes()).hexdigest()}
    assert (beside["place"], beside["seed"], beside["rows"], beside["rows_left_as_they_are"]) == ("user", 5, 20, 0)
    assert [entry["text"] for entry in beside["requests"]] == list(REQUESTS)
    assert beside["rows_with_new_field_system"] == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "signal.jsonl",
        "treated.jsonl",
        "treated.jsonl.manifest.json",
    ]


def test_a_group_takes_one_text_and_groups_take_them_in_turn_by_the_seed(write: Write, tmp_path: Path) -> None:
    source = write(LINES)
    used = []
    for seed in (0, 1):
        treat(source, tmp_path / f"{seed}.jsonl", seed=seed)
        rows = [json.loads(line) for line in (tmp_path / f"{seed}.jsonl").read_text("utf-8").splitlines()]
        by_group = {row["group"]: row["prompt"].partition("\n\n")[0] for row in rows}
        assert all(row["prompt"].startswith(by_group[row["group"]]) for row in rows)
        assert sorted([*by_group.values()].count(text) for text in REQUESTS) == [2, 2, 3]
        used.append(by_group)
    assert used[0] != used[1]


def test_a_new_field_is_counted(write: Write, tmp_path: Path) -> None:
    rows = [*LINES[:2], {**LINES[2], "system": "s"}, {**LINES[3], "system": ""}]
    assert treat(write(rows), tmp_path / "t.jsonl", "system")["rows_with_new_field_system"] == 2


def test_marks_blank_lines_and_a_missing_last_line_end_stay(write: Write, tmp_path: Path) -> None:
    line = json.dumps(LINES[0]).encode()
    source = write(b"\xef\xbb\xbf" + line + b"\r\n\n  \r\n" + line)
    treat(source, tmp_path / "t.jsonl", requests=("T",))
    treated = line.replace(b'"q0"', b'"T\\n\\nq0"')
    assert (tmp_path / "t.jsonl").read_bytes() == b"\xef\xbb\xbf" + treated + b"\r\n\n  \r\n" + treated


def test_mapped_fields_and_a_named_format_are_heeded(write: Write, tmp_path: Path) -> None:
    source = write([{"q": "why?", "a": "b"}])
    treat(
        source,
        tmp_path / "t.jsonl",
        requests=("T",),
        format="prompt-completion",
        fields={"prompt": "q", "completion": "a"},
    )
    assert json.loads((tmp_path / "t.jsonl").read_text("utf-8")) == {"q": "T\n\nwhy?", "a": "b"}


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("s.csv", b"prompt,chosen,rejected\na,b,c\n", "a csv file cannot be treated"),
        ("s.txt", b"Be polite.\n", "a text file cannot be treated"),
        ("s.jsonl", b"\x1f\x8b\x08\x00", "the gzip file ends in the middle"),
        ("s.jsonl", b'{"criterion": "is polite"}\n', "s.jsonl:1: a signal of the kind rubric has no contexts"),
        (
            "s.jsonl",
            b'{"system": "Be polite. Be quick."}\n',
            "s.jsonl:1: a signal of the kind instruction has no contexts",
        ),
        ("s.jsonl", b'{"prompt": "a"}\n', "s.jsonl:1: completion: the field is missing"),
        ("s.json", b'[{"prompt": "a", "completion": "b"}, 3]', "s.json:1: a JSON number is not a row"),
        ("s.jsonl", b'{"prompt": "\xff"}\n', "is not UTF-8"),
        ("s.json", b'[{"prompt": "\xff"}]', "s.json:1: byte 14 .* is not UTF-8"),
        ("s.json", b'[{"prompt": "a", "completion": "b"},\n{"a"]', "s.json:1: not valid JSON after this line"),
        ("s.json", b'[{"prompt": "a", "completion": "b"}', "s.json:1: not valid JSON after this line"),
    ],
)
def test_what_cannot_be_treated_is_refused_and_nothing_is_written(
    write: Write, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    with pytest.raises(SignalError, match=said):
        treat(write(content, name), tmp_path / "t.jsonl")
    assert [p.name for p in tmp_path.iterdir()] == [name]


def test_a_gzipped_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SignalError, match=r"a gzipped file cannot be treated\. Unzip it first"):
        treat(DATA / "preference" / "pairs.jsonl.gz", tmp_path / "t.jsonl")


def test_bad_rows_are_left_as_they_are_and_counted_where_they_are_skipped(write: Write, tmp_path: Path) -> None:
    dialogue = {"chosen": "\n\nHuman: q\n\nAssistant: a", "rejected": "\n\nHuman: q\n\nAssistant: b"}
    good = json.dumps(dialogue)
    source = write(f'{good}\n{{"broken"\n[1]\n'.encode())
    with pytest.raises(SignalError, match=r"signal\.jsonl:2"):
        treat(source, tmp_path / "t.jsonl")
    manifest = treat(source, tmp_path / "t.jsonl", requests=("T",), on_bad_row="skip")
    lines = (tmp_path / "t.jsonl").read_text("utf-8").splitlines()
    assert lines[1:] == ['{"broken"', "[1]"]
    assert (manifest["rows"], manifest["rows_left_as_they_are"], manifest["lines_left_as_they_are"]) == (3, 2, [2, 3])
    unheld = treat(source, tmp_path / "u.jsonl", requests=("x\n\nHuman: y",), on_bad_row="skip")
    assert unheld["rows_left_as_they_are"] == 3
    with pytest.raises(SignalError, match="cannot be put into this row"):
        treat(write([dialogue], "good.jsonl"), tmp_path / "v.jsonl", requests=("x\n\nHuman: y",))


def test_no_file_is_ever_overwritten(write: Write, tmp_path: Path) -> None:
    source = write(LINES)
    (tmp_path / "there.jsonl").write_text("mine")
    (tmp_path / "half.jsonl.manifest.json").write_text("mine")
    (tmp_path / "dangling.jsonl").symlink_to(tmp_path / "nowhere")
    (tmp_path / "again.jsonl").symlink_to(source)
    for name, said in (
        ("signal.jsonl", "is the original, which is never overwritten"),
        ("again.jsonl", "is the original, which is never overwritten"),
        ("there.jsonl", "there.jsonl is there already"),
        ("half.jsonl", "half.jsonl.manifest.json is there already"),
        ("dangling.jsonl", "dangling.jsonl is there already"),
        ("no/where.jsonl", "its folder does not exist"),
    ):
        with pytest.raises(SettingsError, match=f"^--out: .*{said}"):
            treat(source, tmp_path / name)
    assert (tmp_path / "there.jsonl").read_text() == "mine"
    check_target(source, tmp_path / "new.jsonl")
    assert manifest_of(tmp_path / "new.jsonl").name == "new.jsonl.manifest.json"


@pytest.mark.parametrize("works", [0, 1])
def test_a_disk_that_fails_leaves_nothing_behind(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, works: int
) -> None:
    source, rename, done = write(LINES), os.rename, []

    def full(*paths: Any) -> None:
        if len(done) >= works:
            raise OSError(28, "No space left on device")
        done.append(rename(*paths))

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(SettingsError, match="cannot be written: No space left on device"):
        treat(source, tmp_path / "t.jsonl")
    assert [p.name for p in tmp_path.iterdir()] == ["signal.jsonl"]
