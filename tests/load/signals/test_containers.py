from __future__ import annotations

import gzip
import hashlib
import json
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, TracebackType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_persona.errors import SignalError
from pytest_persona.load.signals import Signal, iter_episodes, read_signal
from pytest_persona.load.signals import decode as decode_module
from pytest_persona.load.signals.json_array import array_elements

Read = Callable[..., Signal]
ROW = {"prompt": "Is it?", "chosen": "Yes.", "rejected": "No."}
LINE = json.dumps(ROW) + "\n"


class Pieces:
    """A stream cut at other places than a file's."""

    name = "pieces"

    def __init__(self, data: bytes, size: int) -> None:
        self.pieces = [data[i : i + size] for i in range(0, len(data), size)]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.pieces)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(st.lists(JSON, max_size=4), st.integers(1, 9), st.sampled_from([None, 1]), st.booleans())
def test_elements_of_an_array_are_cut_out_wherever_the_pieces_end(
    values: list[Any], size: int, indent: int | None, ascii: bool
) -> None:
    data = json.dumps(values, indent=indent, ensure_ascii=ascii).encode("utf-8", "surrogatepass")
    found = list(array_elements(Pieces(data, size)))  # type: ignore[arg-type]
    assert [json.loads(raw) for _, raw in found if isinstance(raw, bytes)] == values
    lines = data.split(b"\n")
    assert all(isinstance(raw, bytes) and raw.split(b"\n")[0].strip() in lines[n - 1] for n, raw in found)


def test_each_container_gives_the_same_episodes(read: Read) -> None:
    table = "prompt,chosen,rejected\nIs it?,Yes.,No.\n"
    lines = {
        "json lines": LINE, "array": json.dumps([ROW], indent=2), "csv": table,
        "zipped lines": gzip.compress(LINE.encode()), "zipped csv": gzip.compress(table.encode()),
        "zipped array": gzip.compress(json.dumps([ROW]).encode()), "bom": b"\xef\xbb\xbf" + table.encode(),
        "memory": None,
    }  # fmt: skip
    for name, content in lines.items():
        signal = read_signal([ROW], name="x") if content is None else read(content, name="x")
        assert [b.key for e in signal.episodes for b in e.behaviours] == [
            b.key for e in read(LINE).episodes for b in e.behaviours
        ], name


def test_the_hash_is_of_the_bytes_as_stored(read: Read) -> None:
    for content in (LINE.encode(), gzip.compress(LINE.encode()), (json.dumps([ROW]) + " " * 200_000).encode()):
        assert read(content).info.sha256 == hashlib.sha256(content).hexdigest()


def test_rows_in_memory_are_hashed_as_canonical_json() -> None:
    rows = [dict(reversed(ROW.items())), ROW]
    expected = json.dumps(rows, sort_keys=True, separators=(",", ":")).encode()
    assert read_signal(rows, name="rows").info.sha256 == hashlib.sha256(expected).hexdigest()


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ("text", "rows:1: 'str' is not a row"),
        ({"prompt": object()}, "rows:1: is not plain JSON: 'a value of type object'"),
        ({("a",): 1}, "rows:1: is not plain JSON"),
        ({1: "a", "1": "b"}, "rows:1: "),
        ({"prompt": "\ud800"}, "rows:1: prompt: there is a lone surrogate"),
        ({"odd key": ["\ud800"]}, "rows:1: 'odd key'[0]: there is a lone surrogate"),
        ({"\ud800": 1}, r"rows:1: '\ud800': there is a lone surrogate"),
    ],
)
def test_a_row_in_memory_that_is_no_json_is_refused(row: Any, problem: str) -> None:
    with pytest.raises(SignalError) as caught:
        read_signal([row], name="rows")
    assert str(caught.value).startswith(problem)


def test_a_row_in_memory_that_holds_itself_or_is_deep_is_refused() -> None:
    row: dict[str, Any] = {}
    row["x"] = row
    deep: Any = []
    for _ in range(5_000):
        deep = [deep]
    for bad in (row, {"x": deep}):
        with pytest.raises(SignalError, match=r"^rows:1: "):
            read_signal([bad], name="rows")


def test_mappings_that_are_no_dicts_are_rows() -> None:
    from types import MappingProxyType as View

    row = View({"messages": [View({"role": "user", "content": "a"}), View({"role": "assistant", "content": "b"})]})
    assert read_signal([row], name="rows").info.kind == "demonstration"


def test_one_broken_row_on_top_does_not_make_a_text_of_json_lines(read: Read) -> None:
    with pytest.raises(SignalError, match=r"^signal.jsonl:1: not valid JSON"):
        read("oops\n" + LINE * 2)


def test_a_table_is_recognised_by_a_mapped_column(read: Read) -> None:
    signal = read("question,answer\nIs it?,Yes.\n", fields={"prompt": "question", "completion": "answer"})
    assert signal.info.format == "prompt-completion"
    with pytest.raises(SignalError, match="rubric or instruction"):
        read("question,answer\nIs it?,Yes.\n")


def test_empty_cells_stand_for_no_value_and_blank_lines_for_no_row(read: Read) -> None:
    signal = read("instruction,input,output,reference\n\na,,b,\n\nc,d,e,f\n")
    assert [(e.line, len(e.behaviours)) for e in signal.episodes] == [(3, 1), (5, 2)]


def test_a_structured_cell_that_is_no_array_is_a_text(read: Read) -> None:
    (episode,) = read("prompt,responses,reward\na,b,1\n").episodes
    assert episode.behaviours[0].reply == "b"
    with pytest.raises(SignalError, match="messages: is not a list of messages"):
        read("messages,reference\na,b\n")


def test_reading_a_table_leaves_the_csv_module_as_it_was(read: Read) -> None:
    import csv

    limit = csv.field_size_limit()
    assert read(f"prompt,response,reward\n{'a' * 300_000},b,1\n").info.episodes == 1
    assert csv.field_size_limit() == limit


@pytest.mark.parametrize(("name", "end"), [("lines", ""), ("array", "]"), ("text-rubric", "")])
def test_a_row_of_50_mb_is_refused_or_skipped_in_little_memory(tmp_path: Path, name: str, end: str) -> None:
    path = tmp_path / name
    before, after = {
        "lines": (LINE + '{"prompt": "', '"}\n' + LINE), "array": (f'[{LINE},\n{{"prompt": "\n', f'"}},{LINE}'),
        "text-rubric": ("- Is kind.\n- ", "\n- Is brief.\n"),
    }[name]  # fmt: skip
    with path.open("w") as file:
        file.write(before)
        for _ in range(50):
            file.write("x" * 1_000_000)
        file.write(after + end)
    tracemalloc.start()
    try:
        with pytest.raises(SignalError, match=rf"^{name}:[23]: the row is longer than 10 MB\. Shorten or split it\.$"):
            read_signal(path, name=name)
        signal = read_signal(path, name=name, on_bad_row="skip")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (signal.info.skipped, signal.info.episodes) == (1, 2)
    assert peak < 25_000_000


def test_a_table_row_that_never_ends_is_refused_even_when_bad_rows_are_skipped(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_persona.load.signals.containers.MAX_ROW", 1000)
    for row in ('"never,1\n' + "a,b,1\n" * 500, "x" * 5000 + "\n"):
        with pytest.raises(SignalError, match=r"^signal.jsonl:2: the row is longer than"):
            read("prompt,response,reward\n" + row, on_bad_row="skip")


def test_a_headers_fault_is_refused_even_when_bad_rows_are_skipped(read: Read) -> None:
    for header, problem in ((b'prompt,"x"y\n', "not valid CSV"), (b"prompt,caf\xe9\n", "is not UTF-8")):
        with pytest.raises(SignalError, match=f"^signal.jsonl:1: .*{problem}"):
            read(header + b"a,b\n", on_bad_row="skip")


def test_bad_table_rows_are_skipped_one_by_one(read: Read) -> None:
    rows = b'a,b,1\na,"b"x,1\na,b\na,caf\xe9,1\na,b,nan\na,c,0\n'
    signal = read(b"prompt,response,reward\n" + rows, on_bad_row="skip")
    assert (signal.info.skipped, [e.line for e in signal.episodes]) == (4, [2, 7])


@pytest.mark.parametrize(
    ("start", "between", "end", "rows"), [("", "\n", "\n", 1_000), ("[", ",", "]", 400)], ids=["lines", "array"]
)
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, start: str, between: str, end: str, rows: int) -> None:
    path = tmp_path / "large"
    words = "word " * 4_000
    with path.open("w") as file:
        file.write(start)
        for i in range(rows):
            file.write(f'{between if i else ""}{{"prompt": "p{i}", "completion": "{words}"}}')
        file.write(end)
    assert path.stat().st_size > 20_000 * rows
    tracemalloc.start()
    try:
        assert sum(1 for _ in iter_episodes(path, name="large")) == rows
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_a_directory_is_refused_with_the_files_in_it(write: Callable[..., Path], tmp_path: Path) -> None:
    write("x", "a.jsonl")
    with pytest.raises(SignalError, match=r"^here: is a directory\. Name a file; in it are 'a.jsonl'\.$"):
        read_signal(tmp_path, name="here")


def test_a_missing_file_is_refused_with_the_name_nearest_to_it(write: Callable[..., Path], tmp_path: Path) -> None:
    write("x", "preferences.jsonl")
    with pytest.raises(SignalError, match=r"^p: no such file\. Did you mean 'preferences.jsonl'\?"):
        read_signal(tmp_path / "preference.jsonl", name="p")
    with pytest.raises(SignalError, match=r"^p: no such file\. Check the path\.$"):
        read_signal(tmp_path / "zzz", name="p")
    with pytest.raises(SignalError, match=r"^p: its folder does not exist\. Check the path\.$"):
        read_signal(tmp_path / "no" / "x.jsonl", name="p")


def test_a_path_that_cannot_be_opened_is_refused(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(LINE)
    with pytest.raises(SignalError, match="cannot be opened"):
        read_signal(path.with_name("a\0b"), name="p")

    def refuse(*_: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.scandir", refuse)
    with pytest.raises(SignalError, match="in it are none"):
        read_signal(path.parent, name="p")
    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(SignalError, match=r"^p: cannot be opened: Permission denied\.$"):
        read_signal(path, name="p")


def test_a_failing_disk_is_told_with_its_line(write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("pytest_persona.load.signals.opening._Hashing.read", fail)
    with pytest.raises(SignalError, match=r"^p:1: cannot be read: Input/output error\.$"):
        read_signal(write(LINE), name="p")


def test_a_gzip_file_cut_off_late_is_refused_at_its_line_even_when_bad_rows_are_skipped(read: Read) -> None:
    import random

    noise = random.Random(0)
    rows = "".join(json.dumps({**ROW, "prompt": noise.randbytes(50).hex()}) + "\n" for _ in range(2_000))
    with pytest.raises(SignalError, match=r"^signal.jsonl:\d{3,4}: the gzip file ends in the middle"):
        read(gzip.compress(rows.encode())[:-9], on_bad_row="skip")


def test_nesting_is_refused_however_deep_the_caller_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def overflow(*_: Any) -> Any:
        raise RecursionError

    monkeypatch.setattr(decode_module, "_flaw", overflow)
    with pytest.raises(SignalError, match="nested deeper than 100 levels"):
        read_signal([ROW], name="rows")


class _Arrow:
    """As much of pyarrow as is used."""

    def __init__(self, rows: list[Any]) -> None:
        self.rows = rows

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        package, parquet = ModuleType("pyarrow"), ModuleType("pyarrow.parquet")
        package.ArrowException = LookupError  # type: ignore[attr-defined]
        package.parquet = parquet  # type: ignore[attr-defined]
        parquet.ParquetFile = lambda path: self  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "pyarrow", package)
        monkeypatch.setitem(sys.modules, "pyarrow.parquet", parquet)

    def __enter__(self) -> _Arrow:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def iter_batches(self, batch_size: int) -> Iterator[_Arrow]:
        if not self.rows:
            raise LookupError("no magic")
        for i in range(0, len(self.rows), 2):
            yield _Arrow(self.rows[i : i + 2])

    def to_pylist(self) -> list[Any]:
        return self.rows


def test_parquet_is_read_row_by_row(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    _Arrow([ROW, {"prompt": b"bytes"}, ROW]).install(monkeypatch)
    content = b"PAR1" + b"." * 100_000
    signal = read(content, on_bad_row="skip")
    assert [e.line for e in signal.episodes] == [1, 3]
    assert (signal.info.skipped, signal.info.sha256) == (1, hashlib.sha256(content).hexdigest())


def test_a_damaged_parquet_file_is_refused(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    _Arrow([]).install(monkeypatch)
    with pytest.raises(SignalError, match=r"^signal.jsonl: not a readable Parquet file: 'no magic'\.$"):
        read(b"PAR1...")


def test_without_pyarrow_the_error_names_the_command(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(SignalError, match=r"Install it with: pip install pytest-persona\[parquet\]"):
        read(b"PAR1...")
