"""Reading GGUF files: as the `gguf` library does, and clear words for files that cannot serve."""

from __future__ import annotations

import struct
from pathlib import Path

import gguf
import numpy as np
import pytest
from lm_tiny import HIDDEN, WIDTH, tensors, write_gguf

from pytest_persona.errors import JudgeError
from pytest_persona.judge.lm import LanguageModel, gguf_file
from pytest_persona.judge.lm.gguf_file import GgufFile
from pytest_persona.judge.lm.llama import Shape


def test_fields_and_tensors_are_those_the_library_reads(tmp_path: Path) -> None:
    def extra(writer: gguf.GGUFWriter) -> None:
        writer.add_bool("x.flag", True)
        writer.add_array("x.numbers", [1, -2, 3])
        writer.add_float64("x.real", 0.25)

    kind = gguf.GGMLQuantizationType.Q4_1
    path = write_gguf(tmp_path / "q.gguf", tensors(), quantize=kind, extra=extra)
    ours, theirs = GgufFile(path), gguf.GGUFReader(path)
    for name, field in theirs.fields.items():
        if not name.startswith("GGUF."):
            assert ours.fields[name] == field.contents()
    for tensor in theirs.tensors:
        expected = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        assert tensor.name in ours
        if expected.ndim == 1:
            assert np.array_equal(ours.vector(tensor.name, len(expected)), expected)
        else:
            assert np.array_equal(ours.matrix(tensor.name, *expected.shape), expected)
            assert np.array_equal(ours.rows(tensor.name, expected.shape[1])[np.array([3, 0])], expected[[3, 0]])


def test_matrices_larger_than_a_block_are_whole(tmp_path: Path) -> None:
    large = np.random.default_rng(0).standard_normal((3000, WIDTH)).astype(np.float32)
    path = write_gguf(tmp_path / "large.gguf", {"large": large})
    assert np.array_equal(GgufFile(path).matrix("large", 3000, WIDTH), large)


def test_a_header_longer_than_the_first_read_is_read_whole(tiny_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = GgufFile(tiny_path).fields
    monkeypatch.setattr(gguf_file, "_FIRST_READ", 64)
    assert GgufFile(tiny_path).fields == whole


def test_no_file_and_no_gguf_file(tmp_path: Path) -> None:
    with pytest.raises(JudgeError, match=r"nothing\.gguf: the weights cannot be read: No such file"):
        LanguageModel.load(tmp_path / "nothing.gguf")
    (tmp_path / "text.gguf").write_text("just text")
    with pytest.raises(JudgeError, match="is not a GGUF file"):
        LanguageModel.load(tmp_path / "text.gguf")
    (tmp_path / "empty.gguf").write_bytes(b"")
    with pytest.raises(JudgeError, match="is not a GGUF file"):
        LanguageModel.load(tmp_path / "empty.gguf")


def test_every_truncated_file_is_refused_in_words(tiny_path: Path, tmp_path: Path) -> None:
    whole = tiny_path.read_bytes()
    for length in [4, 8, 20, 30, 100, 1000, 3000, 5000, len(whole) // 2, len(whole) - 64]:
        cut = tmp_path / f"cut-{length}.gguf"
        cut.write_bytes(whole[:length])
        with pytest.raises(JudgeError, match=r"it ends (within its header|before its tensor)"):
            GgufFile(cut)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (struct.pack("<4sIQQ", b"GGUF", 1, 0, 0), "its GGUF version is 1; 2 and 3 are understood"),
        (struct.pack("<4sIQQQ1sI", b"GGUF", 3, 0, 1, 1, b"a", 99), "99 is not a valid GGUFValueType"),
        (struct.pack("<4sIQQQ1sIIQ", b"GGUF", 3, 0, 1, 1, b"a", 9, 9, 1), "array of arrays"),
        (struct.pack("<4sIQQQ1sIIQ", b"GGUF", 3, 0, 1, 1, b"a", 9, 4, 1 << 62), "ends within its header|cannot serve"),
        (struct.pack("<4sIQQQ", b"GGUF", 3, 0, 1, 1 << 62), "ends within its header"),
        (struct.pack("<4sIQQ", b"GGUF", 3, 0, 0), "it has no field general.architecture"),
    ],
)
def test_damaged_headers(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "damaged.gguf"
    path.write_bytes(content)
    with pytest.raises(JudgeError, match=message):
        LanguageModel.load(path)


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JudgeError, match="its architecture is qwen2; only llama"):
        LanguageModel.load(write_gguf(tmp_path / "qwen.gguf", tensors(), architecture="qwen2"))
    with pytest.raises(JudgeError, match="rotates only a part"):
        Shape.of(GgufFile(write_gguf(tmp_path / "part.gguf", tensors(), rope_width=8)))


def test_missing_and_misshapen_tensors_are_named(tmp_path: Path) -> None:
    missing = tensors()
    del missing["blk.1.ffn_up.weight"]
    with pytest.raises(JudgeError, match=r"it has no tensor blk\.1\.ffn_up\.weight"):
        LanguageModel.load(write_gguf(tmp_path / "missing.gguf", missing))
    for name, shape, message in [
        ("blk.0.ffn_up.weight", (HIDDEN, 32), r"\(96, 32\) where \(…, 64\)"),
        ("blk.0.ffn_up.weight", (7, WIDTH), "has 7 rows where 96 are right"),
        ("blk.0.ffn_norm.weight", (9,), r"\(9,\) where \(64,\) is right"),
    ]:
        arrays = tensors() | {name: np.ones(shape, np.float32)}
        with pytest.raises(JudgeError, match=message):
            LanguageModel.load(write_gguf(tmp_path / "misshapen.gguf", arrays))
