"""Drop a file into tests/data/signals, get a test."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_persona.errors import SignalError
from pytest_persona.load.signals import FORMATS, read_signal

DATA = Path(__file__).parents[2] / "data" / "signals"
VALID = sorted(path for path in (DATA / "valid").rglob("*") if path.is_file())
INVALID = sorted(path for path in (DATA / "invalid").iterdir() if path.suffix != ".error")


@pytest.mark.parametrize("path", VALID, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_valid_file_is_recognised_as_the_format_of_its_folder(path: Path) -> None:
    signal = read_signal(path, name=path.name)
    assert signal.info.format == path.parent.name
    assert signal.info.kind == FORMATS[path.parent.name].kind
    assert signal.info.episodes == len(signal.episodes) > 0
    assert signal.info.skipped == 0
    assert all(episode.source == path.name and episode.kind == signal.info.kind for episode in signal.episodes)


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.name)
def test_an_invalid_file_is_refused_with_the_message_beside_it(path: Path) -> None:
    expected = path.with_name(path.name + ".error").read_text(encoding="utf-8").strip()
    with pytest.raises(SignalError) as caught:
        read_signal(path, name=path.name)
    assert str(caught.value).startswith(expected)
    assert str(caught.value).isprintable()


def test_every_format_has_a_valid_file() -> None:
    assert {path.parent.name for path in VALID} == set(FORMATS)
