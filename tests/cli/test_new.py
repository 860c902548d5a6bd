"""``new``: valid as it stands, and never over what is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_persona.load.schemas import schema_text

Run = Callable[..., Any]


@pytest.mark.parametrize(("kind", "file"), [("suite", "mine.persona.yaml"), ("trait", "mine.yaml")])
def test_what_is_new_passes_check_and_has_its_schema_beside_it(run: Run, folder: Path, kind: str, file: str) -> None:
    ran = run("new", kind, "mine", "--dir", "a/b")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == f"written: a/b/{file}\nwritten: a/b/{kind}.v1.json\nNext: pytest-persona check a/b/{file}\n"
    assert (folder / "a" / "b" / f"{kind}.v1.json").read_text(encoding="utf-8") == schema_text(kind)
    checked = run("check", f"a/b/{file}")
    assert (checked.code, checked.err) == (0, "")
    assert checked.out.startswith("mine 0.1.0: ")


def test_nothing_is_overwritten(run: Run, folder: Path) -> None:
    (folder / "mine.persona.yaml").write_text("mine")
    ran = run("new", "suite", "mine")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "pytest-persona: error: new: mine.persona.yaml is there already. Choose another name, or move it.\n"
    )
    assert [path.name for path in folder.glob("*m*")] == ["mine.persona.yaml"]
    assert (folder / "mine.persona.yaml").read_text() == "mine"


def test_a_schema_that_is_there_stays(run: Run, folder: Path) -> None:
    assert run("new", "suite", "one").code == 0
    assert "suite.v1.json" not in run("new", "suite", "two").out
    (folder / "suite.v1.json").write_text("{}")
    assert (
        "suite.v1.json is there already and is another; `pytest-persona schema suite` prints"
        in run("new", "suite", "x").out
    )
    assert (folder / "suite.v1.json").read_text() == "{}"


@pytest.mark.parametrize("name", ["a:b", "../x", "", "a b", "x" * 81, "x\x1b"])
def test_what_is_no_name_is_refused(run: Run, folder: Path, name: str) -> None:
    ran = run("new", "trait", name)
    assert (ran.code, ran.out) == (2, "")
    assert "is no name. Use at most 80 letters" in ran.err
    assert "\x1b" not in ran.err
    assert [path.name for path in folder.iterdir()] == ["keywords_plugin.py"]


def test_a_folder_that_cannot_be_made_ends_with_2(run: Run, folder: Path) -> None:
    (folder / "file").write_text("")
    ran = run("new", "suite", "x", "--dir", "file/sub")
    assert ran.code == 2
    assert "cannot be written" in ran.err
