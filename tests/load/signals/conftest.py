from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_persona.load.signals import Signal, read_signal
from pytest_persona.model.episodes import Episode

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file: bytes, text, or rows as JSON lines."""

    def write(content: bytes | str | list[Any], name: str = "signal.jsonl") -> Path:
        if isinstance(content, list):
            content = "".join(json.dumps(row) + "\n" for row in content)
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


@pytest.fixture
def read(write: Write) -> Callable[..., Signal]:
    """Write a file and read it."""

    def read(content: bytes | str | list[Any], name: str = "signal.jsonl", **options: Any) -> Signal:
        return read_signal(write(content, name), name=name, **options)

    return read


@pytest.fixture
def read_row() -> Callable[..., Episode]:
    """Read one row from memory as its one episode."""

    def read_row(row: dict[str, Any], **options: Any) -> Episode:
        (episode,) = read_signal([row], name="rows", **options).episodes
        return episode

    return read_row
