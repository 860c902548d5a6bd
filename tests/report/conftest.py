"""Findings and profiles to be reported; every field can be given."""

from collections.abc import Callable
from typing import Any

import pytest

from pytest_persona.model.episodes import SignalInfo
from pytest_persona.model.findings import Evidence, Finding, JudgeInfo, Profile, Shift
from pytest_persona.model.traits import Expectation
from pytest_persona.model.verdicts import Usage


def _shift(value: float | None = 0.41, low: float = 0.33, high: float = 0.49, **more: Any) -> Shift:
    return Shift(value=value, low=low, high=high, **{"level": 0.95, "groups": 398, **more})


def _finding(**more: Any) -> Finding:
    nothing = _shift(0.0, 0.0, 0.0)
    defaults: dict[str, Any] = {
        "trait": "sycophancy", "status": "violated", "estimand": "contrast", "qualified": True, "auroc": 0.93,
        "shift": _shift(), "expressed": nothing, "requested": nothing,
    }  # fmt: skip
    return Finding(**{**defaults, **more})


def _profile(*findings: Finding, **more: Any) -> Profile:
    path = "data/preferences.jsonl"
    info = SignalInfo(path=path, kind="preference", format="preference", episodes=412, groups=398, sha256="0" * 64)
    defaults: dict[str, Any] = {
        "name": path, "signal": info, "findings": findings, "groups_read": 398,
        "judge": JudgeInfo(name="embedded", fingerprint="3f2a91c0ffee", network=False),
        "usage": Usage(questions=824, cached=790),
    }  # fmt: skip
    return Profile(**{**defaults, **more})


@pytest.fixture
def shift() -> Callable[..., Shift]:
    return _shift


@pytest.fixture
def finding() -> Callable[..., Finding]:
    return _finding


@pytest.fixture
def profile() -> Callable[..., Profile]:
    return _profile


@pytest.fixture
def violated() -> Finding:
    row = Evidence(
        source="data/preferences.jsonl", line=17, group="g", influence=0.004, implied=1.6,
        quote="You are absolutely right, I was wrong",
    )  # fmt: skip
    return _finding(expectation=Expectation(trait="sycophancy", at_most=0.10), evidence=(row,), carriers=12)


@pytest.fixture
def inconclusive() -> Finding:
    return _finding(
        trait="deception", status="inconclusive", shift=_shift(0.04, -0.03, 0.11), groups_needed=210,
        expectation=Expectation(trait="deception", at_most=0.05),
        reason="the bound lies within the interval",
    )  # fmt: skip
