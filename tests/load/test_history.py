"""The history of runs: only ever added to, and read back whatever has happened to it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from pytest_persona.errors import ProfileError, SettingsError
from pytest_persona.load.baselines import baseline_id
from pytest_persona.load.history import history_path, read_history, remember
from pytest_persona.load.schemas import schema_text
from pytest_persona.model.findings import Profile
from pytest_persona.model.history import PastRun

ONE = PastRun(run="r1", values={"t": (0.5, None, -0.25)})
TWO = PastRun(run="r2", values={"t": (0.1, 0.2, 0.3)})


def add(path: Path, run: PastRun, baseline: str = "b1") -> None:
    remember(path, baseline, "shop", run, option="--history")


def test_runs_come_back_in_their_order_and_fit_the_schema(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "runs" / "shop.jsonl"
    for run in (ONE, TWO):
        add(path, run)
    assert read_history(path, "b1") == (ONE, TWO)
    for line in path.read_text().splitlines():
        jsonschema.validate(json.loads(line), json.loads(schema_text("history")))


def test_the_last_run_once_more_is_not_added_but_an_earlier_one_is(tmp_path: Path) -> None:
    path = tmp_path / "shop.jsonl"
    for run in (ONE, ONE, TWO, ONE):
        add(path, run)
    assert [run.run for run in read_history(path, "b1")] == ["r1", "r2", "r1"]


def test_runs_against_another_baseline_have_no_part(tmp_path: Path) -> None:
    path = tmp_path / "shop.jsonl"
    add(path, ONE)
    add(path, ONE, "b2")
    assert read_history(path, "b2") == (ONE,)
    assert read_history(path, "b3") == ()
    assert read_history(tmp_path / "none.jsonl", "b1") == ()


def test_what_a_crash_has_cut_off_is_passed_over_and_written_over(tmp_path: Path) -> None:
    path = tmp_path / "shop.jsonl"
    add(path, ONE)
    with path.open("a") as stream:
        stream.write('{"schema": "pytest-persona/his')
    assert read_history(path, "b1") == (ONE,)
    add(path, TWO)
    assert read_history(path, "b1") == (ONE, TWO)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "nonsense",
            "shop.jsonl:2: is not JSON. Delete the line, or move the file away: the history then begins anew.",
        ),
        (
            '{"schema": "pytest-persona/history/v9"}',
            "shop.jsonl:2: schema: 'pytest-persona/history/v9' is another version",
        ),
        ('{"schema": "pytest-persona/history/v1"}', "shop.jsonl:2: 'name' is missing"),
        ("[]", "shop.jsonl:2: must be a mapping, not a list"),
    ],
)
def test_any_other_line_that_cannot_be_read_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "shop.jsonl"
    add(path, ONE)
    with path.open("a") as stream:
        stream.write(line + "\n")
    with pytest.raises(ProfileError) as raised:
        read_history(path, "b1", root=tmp_path)
    assert str(raised.value).startswith(message)


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "shop.jsonl").mkdir()
    with pytest.raises(ProfileError, match=r"shop\.jsonl: cannot be read: "):
        read_history(tmp_path / "shop.jsonl", "b1", root=tmp_path)
    (tmp_path / "odd.jsonl").write_bytes(b"\xff\n")
    with pytest.raises(ProfileError, match="it is not UTF-8"):
        read_history(tmp_path / "odd.jsonl", "b1", root=tmp_path)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("in the way")
    with pytest.raises(SettingsError, match=r"^--history: .*runs cannot be written: "):
        add(tmp_path / "runs" / "shop.jsonl", ONE)


def test_each_profile_has_a_file_of_its_own(tmp_path: Path, profile: Profile) -> None:
    names = {history_path(tmp_path, replace(profile, name=name)).name for name in ("a/b", "a b", "../up", "")}
    assert len(names) == 4
    assert all(name.endswith(".jsonl") and "/" not in name and ".." not in name for name in names)


def test_a_baseline_is_known_by_its_groups_and_its_judge(profile: Profile) -> None:
    assert profile.units is not None
    ids = {
        baseline_id(profile),
        baseline_id(replace(profile, judge=replace(profile.judge, fingerprint="other"))),
        baseline_id(replace(profile, units=replace(profile.units, content=("00", "f6")))),
        baseline_id(replace(profile, units=None)),
    }
    assert len(ids) == 4
    assert baseline_id(replace(profile, notes=())) == baseline_id(profile)
