"""The rule of versions."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pytest_persona.load.versions import changes, ends_comparisons, rule
from pytest_persona.model.locks import Locked

PARTS = {"probes": {"a": "1", "b": "1"}, "expect": {"malice": "1"}}


def state(version: str = "1.2.3", parts: Mapping[str, Mapping[str, str]] = PARTS, sha256: str = "") -> Locked:
    return Locked(
        name="acme:x", version=version, package="acme", package_version="", parts=parts, sha256=sha256 or f"{version}{parts}"
    )  # fmt: skip


REWORDED = PARTS | {"probes": {"a": "2", "b": "1"}}
GONE = PARTS | {"probes": {"a": "1"}}
ADDED = PARTS | {"contexts": {"c": "1"}}
BOUNDED = PARTS | {"expect": {"malice": "2"}}


@pytest.mark.parametrize(
    ("parts", "sha256", "versions"),
    [
        (REWORDED, "", {"1.2.3": "major", "1.2.4": "major", "1.3.0": "major", "2.0.0": ""}),
        (GONE, "", {"1.3.0": "major", "2.0.0": "", "0.9.0": ""}),
        (ADDED, "", {"1.2.3": "minor", "1.2.4": "minor", "1.3.0": "", "2.0.0": ""}),
        (BOUNDED, "", {"1.2.4": "minor", "1.3.0": ""}),
        (PARTS, "other", {"1.2.3": "patch", "1.2.4": ""}),
        (PARTS, "", {"1.2.3": "", "1.2.4": "", "2.0.0": ""}),
    ],
)  # fmt: skip
def test_what_changes_asks_for_a_version_that_says_so(
    parts: Mapping[str, Mapping[str, str]], sha256: str, versions: Mapping[str, str]
) -> None:
    for version, needed in versions.items():
        said = rule(state(), state(version, parts, sha256))
        assert said == (f"which the rule of versions calls a new {needed} version" if needed else ""), version


@pytest.mark.parametrize(
    ("before", "after", "keeps"),
    [
        ("0.2.3", "0.3.0", True), ("0.2.3", "0.2.4", False), ("0.2.3", "1.0.0", True), ("1.2.3", "1.3.0", False),
        ("2.0.0-rc.1", "2.0.0-rc.2", True), ("2.0.0-rc.1", "2.0.0", True), ("spring", "summer", True),
    ],
)  # fmt: skip
def test_before_the_first_release_the_minor_number_says_that_wording_changed(
    before: str, after: str, keeps: bool
) -> None:
    assert (rule(state(before), state(after, REWORDED)) == "") is keeps


def test_before_the_first_release_the_patch_number_says_that_something_is_new() -> None:
    assert rule(state("0.2.3"), state("0.2.4", ADDED)) == ""
    assert "minor" in rule(state("0.2.3"), state("0.2.3", ADDED))


def test_only_what_was_there_ends_comparisons() -> None:
    assert [ends_comparisons(state(), state("9.0.0", parts)) for parts in (REWORDED, GONE, ADDED, BOUNDED, PARTS)] == [
        True, True, False, False, False,
    ]  # fmt: skip


def test_changes_are_named_up_to_three() -> None:
    then = state(parts={"probes": dict.fromkeys("abcdef", "1"), "traits": {"x": "1"}})
    now = state(parts={"probes": dict.fromkeys("abcde", "2") | {"g": "1"}})
    assert list(changes(then, now)) == [
        "probes changed: 'a', 'b', 'c' and 2 more",
        "probe new: 'g'",
        "probe gone: 'f'",
        "definition of a trait gone: 'x'",
    ]
    assert list(changes(then, then)) == []
