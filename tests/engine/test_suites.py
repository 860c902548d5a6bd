"""Suites read by name, found in a project, and locked."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

import pytest_persona
from pytest_persona.engine.suites import project_suites, relock
from pytest_persona.errors import SuiteError
from pytest_persona.load.locks import LOCK, lock_document
from pytest_persona.load.suites import Shelf
from pytest_persona.model.suites import Offer

SUITE = "persona: 1\nname: %s\nversion: %s\nprobes: {late: {traits: [deception], ask: %s}}\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project beside two shared suites, ``acme:a`` and ``acme:b``, which adds to ``acme:a``."""
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "a.persona.yaml").write_text(SUITE % ("a", "1.0.0", "Where?"))
    (shared / "b.persona.yaml").write_text("persona: 1\nname: b\nversion: 2.0.0\nextends: acme:a\n")
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def shelf(project: Path, names: str = "ab") -> Shelf:
    offers = {
        f"acme:{n}": Offer(
            name=f"acme:{n}", path=project.parent / "shared" / f"{n}.persona.yaml", package="acme", package_version="3"
        )
        for n in names
    }
    return Shelf(project, lambda: offers, pinned=False)


def write(project: Path, text: str, name: str = "x.persona.yaml") -> None:
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_text(text)


def lock(project: Path, *names: str, of: str = "ab") -> dict[str, str]:
    """Locks, and gives what was said of each suite."""
    found = relock(shelf(project, of), names)
    (project / LOCK).write_text(json.dumps(lock_document(found.entries.values())))
    return dict(found.said)


def test_suite_files_are_found_below_the_root_but_not_in_environments(tmp_path: Path) -> None:
    files = ["b.persona.yml", "a.persona.json", "deep/er/c.persona.toml", "deep/d.persona.yaml"]
    others = ["x.yaml", ".venv/a.persona.yaml", "env/lib/a.persona.yaml", "build/a.persona.yaml", "persona.yaml"]
    for name in (*files, *others, "env/pyvenv.cfg"):
        write(tmp_path, "", name)
    assert [path.relative_to(tmp_path).as_posix() for path in project_suites(tmp_path)] == [
        "a.persona.json", "b.persona.yml", "deep/d.persona.yaml", "deep/er/c.persona.toml",
    ]  # fmt: skip


def test_all_that_suite_files_are_made_of_is_locked(project: Path) -> None:
    write(project, "persona: 1\nname: x\nextends: acme:b@2\n", "deep/x.persona.yaml")
    write(project, "persona: 1\nname: y\nextends: ../deep/x.persona.yaml\n", "more/y.persona.yaml")
    assert lock(project) == {"acme:a": "1.0.0, from acme 3: locked", "acme:b": "2.0.0, from acme 3: locked"}
    assert lock(project) == {"acme:a": "1.0.0, from acme 3: as before", "acme:b": "2.0.0, from acme 3: as before"}


def test_a_project_that_uses_nothing_has_nothing_to_lock(project: Path) -> None:
    write(project, SUITE % ("x", "1.0.0", "Who?"))
    found = relock(shelf(project), ())
    assert (found.entries, found.said) == ({}, [])


def test_a_change_is_told_with_what_it_means_for_profiles(project: Path) -> None:
    write(project, "persona: 1\nname: x\nextends: acme:a\n")
    lock(project)
    (project.parent / "shared" / "a.persona.yaml").write_text(SUITE % ("a", "1.1.0", "Where now?"))
    assert lock(project) == {
        "acme:a": (
            "1.1.0, from acme 3: probe changed: 'late', version 1.1.0 instead of 1.0.0, which the rule of versions calls a new major "
            "version. Profiles from before cannot be compared with new ones"
        )
    }
    assert lock(project) == {"acme:a": "1.1.0, from acme 3: as before"}
    (project.parent / "shared" / "a.persona.yaml").write_text(
        SUITE % ("a", "1.2.0", "Where now?") + "contexts: {shop: []}\nexpect: {malice: {}}\n"
    )
    assert "Profiles" in lock(project)["acme:a"]  # every probe is asked in the new context
    (project.parent / "shared" / "a.persona.yaml").write_text(
        SUITE % ("a", "1.3.0", "Where now?") + "contexts: {shop: []}\nexpect: {malice: {at_most: 0}}\n"
    )
    assert lock(project)["acme:a"] == "1.3.0, from acme 3: bound changed: 'malice', version 1.3.0 instead of 1.2.0"


def test_named_suites_alone_are_locked_anew(project: Path) -> None:
    assert lock(project, "acme:b") == {"acme:a": "1.0.0, from acme 3: locked", "acme:b": "2.0.0, from acme 3: locked"}
    for name in "ab":
        path = project.parent / "shared" / f"{name}.persona.yaml"
        path.write_text(path.read_text().replace("version: ", "version: 1"))
    assert list(lock(project, "acme:a")) == ["acme:a"]
    entries = json.loads((project / LOCK).read_text())["suites"]
    assert {name: entry["version"] for name, entry in entries.items()} == {"acme:a": "11.0.0", "acme:b": "2.0.0"}


def test_what_a_test_may_name_is_kept_and_what_nobody_offers_is_dropped(project: Path) -> None:
    lock(project, "acme:b")
    assert lock(project, of="a") == {
        "acme:a": "1.0.0, from acme 3: as before",
        "acme:b": "dropped: nothing that is installed offers it",
    }
    assert list(json.loads((project / LOCK).read_text())["suites"]) == ["acme:a"]


def test_a_suite_file_that_refers_to_nothing_is_refused(project: Path) -> None:
    write(project, "persona: 1\nname: x\nextends: acme:c\n")
    with pytest.raises(SuiteError, match=r"^x\.persona\.yaml:3: extends: acme:c: there is no suite of that name"):
        relock(shelf(project), ())


def test_the_public_reader_knows_installed_packages_and_the_lock(
    project: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    (site / "acme-3.dist-info").mkdir(parents=True)
    (site / "acme-3.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 3\n")
    (site / "acme-3.dist-info" / "entry_points.txt").write_text("[pytest_persona]\nacme = acme_of_this_test\n")
    (site / "acme_of_this_test.py").write_text(
        "from pathlib import Path\ndef pytest_persona_suites():\n"
        f"    return {{f'acme:{{n}}': Path({str(tmp_path)!r}, 'shared', f'{{n}}.persona.yaml') for n in 'ab'}}\n"
    )
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    write(project, "persona: 1\nname: x\nextends: acme:b@2\n")
    suite = pytest_persona.read_suite(project / "x.persona.yaml", root=project)
    assert [probe.id for probe in suite.probes] == ["late"]
    assert pytest_persona.read_suite("acme:a", root=project).offer == suite.shared()[0].offer
    lock(project)
    assert pytest_persona.read_suite("acme:a", root=project).version == "1.0.0"
    (project.parent / "shared" / "a.persona.yaml").write_text(SUITE % ("a", "1.0.0", "Tampered?"))
    with pytest.raises(SuiteError, match="probe changed: 'late'"):
        pytest_persona.read_suite(project / "x.persona.yaml", root=project)
    monkeypatch.delitem(sys.modules, "acme_of_this_test")
