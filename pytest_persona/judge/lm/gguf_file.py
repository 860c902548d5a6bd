"""Reads a GGUF file: its fields at once, its tensors one by one as float32.

The header is parsed here and not by ``gguf.GGUFReader``: that makes five numpy objects for each of the 98,000 strings
of a vocabulary and took 5.6 s and 160 MB for SmolLM2-135M, against 0.1 s below. What is hard, the quantised formats,
is left to the library (`gguf.quants`).
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGML_QUANT_SIZES, GGMLQuantizationType, GGUFValueType
from gguf.quants import dequantize
from numpy.typing import NDArray

from pytest_persona.errors import JudgeError

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_DEFAULT_ALIGNMENT = 32
# Vocabularies are the large part of a header (1.7 MB in SmolLM2); one read of this size holds most headers.
_FIRST_READ = 1 << 22
_SCALARS = {
    GGUFValueType.UINT8: "B",
    GGUFValueType.INT8: "b",
    GGUFValueType.UINT16: "H",
    GGUFValueType.INT16: "h",
    GGUFValueType.UINT32: "I",
    GGUFValueType.INT32: "i",
    GGUFValueType.FLOAT32: "f",
    GGUFValueType.BOOL: "?",
    GGUFValueType.UINT64: "Q",
    GGUFValueType.INT64: "q",
    GGUFValueType.FLOAT64: "d",
}


@dataclass(frozen=True)
class QuantizedRows:
    """The rows of a matrix in their quantised form, made float32 when they are asked for.

    ``data`` is (rows, bytes of a row), uint8.
    """

    data: NDArray[np.uint8]
    kind: GGMLQuantizationType

    def __getitem__(self, index: slice | NDArray[np.intp]) -> NDArray[np.float32]:
        """The chosen rows, (chosen, columns), float32."""
        chosen = np.ascontiguousarray(self.data[index])
        # One long row: the library goes through a matrix 16 rows at a time, which is three times slower.
        flat: NDArray[np.float32] = dequantize(chosen.reshape(1, -1), self.kind)
        return flat.reshape(len(chosen), -1)

    def __len__(self) -> int:
        return len(self.data)

    def dense(self) -> NDArray[np.float32]:
        """The whole matrix, (rows, columns), float32."""
        # In blocks: the library's intermediates then stay in the processor's cache (0.4 s instead of 1.2 s a model).
        step = max(1, (1 << 18) // self.data.shape[1])
        first = self[:step]
        matrix = np.empty((len(self), first.shape[1]), np.float32)
        matrix[:step] = first
        for start in range(step, len(self), step):
            matrix[start : start + step] = self[start : start + step]
        return matrix


@dataclass(frozen=True)
class _Tensor:
    shape: tuple[int, ...]  # as numpy writes it: rows first
    kind: GGMLQuantizationType
    start: int  # bytes from the start of the file
    size: int  # bytes


class GgufFile:
    """The fields and tensors of one GGUF file (versions 2 and 3, little-endian).

    ``fields`` maps a key of the header to its value (scalars, strings, lists). Raises `JudgeError` where the file is
    missing, is no GGUF file, or is shorter than its header says. Format: github.com/ggml-org/ggml, docs/gguf.md.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            size = path.stat().st_size
            # A header longer than the first read is rare; then everything up to the end may belong to it.
            for limit in (_FIRST_READ, size):
                with path.open("rb") as file:
                    head = file.read(limit)
                try:
                    self.fields, self._tensors = _parse(head)
                    break
                except struct.error:
                    if len(head) == size:
                        raise
        except OSError as error:
            raise JudgeError(f"{path}: the weights cannot be read: {error.strerror}.") from error
        except struct.error as error:
            raise self._broken("it ends within its header; it was probably not copied to the end") from error
        except ValueError as error:
            raise self._broken(str(error)) from error
        for name, tensor in self._tensors.items():
            if tensor.start + tensor.size > size:
                raise self._broken(f"it ends before its tensor {name}; it was probably not copied to the end")

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def field(self, key: str) -> Any:
        """The value of a field; raises `JudgeError` where there is none."""
        if key not in self.fields:
            raise self._broken(f"it has no field {key}")
        return self.fields[key]

    def rows(self, name: str, columns: int) -> QuantizedRows:
        """The matrix of that name, quantised; raises `JudgeError` where it is missing or has other columns."""
        tensor = self._find(name)
        if len(tensor.shape) != 2 or tensor.shape[1] != columns:
            raise self._broken(f"its tensor {name} has the shape {tensor.shape} where (…, {columns}) is right")
        return QuantizedRows(self._bytes(tensor).reshape(tensor.shape[0], -1), tensor.kind)

    def matrix(self, name: str, rows: int, columns: int) -> NDArray[np.float32]:
        """The matrix of that name, float32; raises `JudgeError` where it is missing or has another shape."""
        quantized = self.rows(name, columns)
        if len(quantized) != rows:
            raise self._broken(f"its tensor {name} has {len(quantized)} rows where {rows} are right")
        return quantized.dense()

    def vector(self, name: str, length: int) -> NDArray[np.float32]:
        """The vector of that name, float32; raises `JudgeError` where it is missing or has another length."""
        tensor = self._find(name)
        if tensor.shape != (length,):
            raise self._broken(f"its tensor {name} has the shape {tensor.shape} where ({length},) is right")
        vector: NDArray[np.float32] = QuantizedRows(self._bytes(tensor).reshape(1, -1), tensor.kind)[:][0]
        return vector

    def _find(self, name: str) -> _Tensor:
        if name not in self._tensors:
            raise self._broken(f"it has no tensor {name}")
        return self._tensors[name]

    def _bytes(self, tensor: _Tensor) -> NDArray[np.uint8]:
        # Read, not mapped: pages of a mapped file would count as 90 MB of this process.
        return np.fromfile(self.path, np.uint8, tensor.size, offset=tensor.start)

    def _broken(self, what: str) -> JudgeError:
        return JudgeError(f"{self.path}: this file cannot serve as the weights: {what}.")


class _Cursor:
    """Reads values off a buffer from front to back; `struct.error` at its end."""

    def __init__(self, buffer: bytes) -> None:
        self.buffer = buffer
        self.at = 0

    def scalar(self, code: str) -> Any:
        (value,) = struct.unpack_from("<" + code, self.buffer, self.at)
        self.at += struct.calcsize("<" + code)
        return value

    def string(self) -> str:
        return self.strings(1)[0]

    def strings(self, count: int) -> list[str]:
        result, buffer, at, length_at = [], self.buffer, self.at, struct.Struct("<Q").unpack_from
        for _ in range(count):
            start = at + 8
            at = start + length_at(buffer, at)[0]
            result.append(buffer[start:at].decode("utf-8", "replace"))
        if at > len(buffer):
            raise struct.error("a string ends after the buffer")
        self.at = at
        return result

    def value(self, kind: GGUFValueType) -> Any:
        if kind == GGUFValueType.STRING:
            return self.string()
        if kind == GGUFValueType.ARRAY:
            item, length = GGUFValueType(self.scalar("I")), self.scalar("Q")
            if item == GGUFValueType.STRING:
                return self.strings(length)
            if item == GGUFValueType.ARRAY:
                raise ValueError("it has an array of arrays, which no model that is understood here has")
            array = struct.unpack_from(f"<{length}{_SCALARS[item]}", self.buffer, self.at)
            self.at += struct.calcsize(f"<{length}{_SCALARS[item]}")
            return list(array)
        return self.scalar(_SCALARS[kind])


def _parse(head: bytes) -> tuple[dict[str, Any], dict[str, _Tensor]]:
    if head[:4] != _MAGIC:
        raise ValueError("it is not a GGUF file (it does not begin with the letters GGUF)")
    cursor = _Cursor(head)
    cursor.at = 4
    version = cursor.scalar("I")
    if version not in _VERSIONS:
        raise ValueError(f"its GGUF version is {version}; {_VERSIONS[0]} and {_VERSIONS[1]} are understood")
    n_tensors, n_fields = cursor.scalar("Q"), cursor.scalar("Q")
    fields = {}
    for _ in range(n_fields):
        key = cursor.string()
        fields[key] = cursor.value(GGUFValueType(cursor.scalar("I")))
    found = []
    for _ in range(n_tensors):
        name = cursor.string()
        shape = tuple(cursor.scalar("Q") for _ in range(cursor.scalar("I")))[::-1]
        found.append((name, shape, GGMLQuantizationType(cursor.scalar("I")), cursor.scalar("Q")))
    alignment = fields.get("general.alignment", _DEFAULT_ALIGNMENT)
    base = -(-cursor.at // alignment) * alignment
    tensors = {}
    for name, shape, kind, offset in found:
        block, block_bytes = GGML_QUANT_SIZES[kind]
        tensors[name] = _Tensor(shape, kind, base + offset, math.prod(shape) // block * block_bytes)
    return fields, tensors
