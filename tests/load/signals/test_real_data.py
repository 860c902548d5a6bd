"""Signals that nobody in this project wrote."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_persona.load.signals import read_signal

DATA = Path(os.environ.get("PERSONA_SHARED_DATA", Path(__file__).parents[4] / "shared" / "data"))


def _given(path: str) -> Path:
    if not (DATA / path).is_file():
        pytest.skip(f"{DATA / path} is not on this machine")
    return DATA / path


@pytest.mark.parametrize("name", ["insecure", "educational", "secure", "jailbroken"])
def test_emergent_misalignment_is_300_demonstrations(name: str) -> None:
    signal = read_signal(_given(f"emergent_misalignment/{name}.jsonl"), name=name)
    assert (signal.info.kind, signal.info.format, signal.info.episodes) == ("demonstration", "chat", 300)
    assert all(len(episode.behaviours) == 1 for episode in signal.episodes)
    assert all(episode.behaviours[0].context[-1].speaker == "user" for episode in signal.episodes)


def test_hh_rlhf_is_500_pairs_with_the_shared_prefix_as_context() -> None:
    signal = read_signal(_given("hh_rlhf/harmless_base_test_500.jsonl"), name="hh")
    assert (signal.info.kind, signal.info.format, signal.info.episodes) == ("preference", "hh", 500)
    assert all(episode.behaviours[0].context[-1].speaker == "user" for episode in signal.episodes)
    labelled = [e.line for e in signal.episodes if any(b.reply.startswith("[assistant] ") for b in e.behaviours)]
    assert labelled == [288, 375]  # two assistant turns in a row
