"""``pip install``: the command that runs, and what came with it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_persona.engine import installing
from pytest_persona.errors import SettingsError

Pip = Callable[..., list[list[str]]]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder of packages in a virtual environment with a pip."""
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.setattr(installing, "find_spec", lambda name: object())
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    return site


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch, environment: Path) -> Pip:
    """Lets pip end as it is told, with or without a package ``acme-suites`` that shares ``acme:x``; gives what was run."""
    ran: list[list[str]] = []

    def install(*, code: int = 0, brings: bool = True) -> list[list[str]]:
        def run(command: list[str], **how: Any) -> subprocess.CompletedProcess[bytes]:
            assert how == {"check": False}  # no shell, nothing hidden
            ran.append(command)
            if brings:
                info = environment / "acme_suites-1.0.dist-info"
                info.mkdir()
                (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-suites\nVersion: 1.0\n")
                (info / "entry_points.txt").write_text("[pytest_persona]\nacme = acme_suites_of_tests\n")
                (environment / "acme_suites_of_tests.py").write_text(
                    "def pytest_persona_suites():\n    return {'acme:x': 'x.persona.yaml'}\n"
                )
            return subprocess.CompletedProcess(command, code)

        monkeypatch.setattr(installing.subprocess, "run", run)
        monkeypatch.delitem(sys.modules, "acme_suites_of_tests", raising=False)
        return ran

    return install


def test_what_is_run_is_said_first_and_what_came_is_given(pip: Pip) -> None:
    ran, said = pip(), list[str]()
    (offer,) = installing.install(["acme-suites==1.0", "./a b.whl"], said.append)
    assert ran == [[sys.executable, "-m", "pip", "install", "acme-suites==1.0", "./a b.whl"]]
    assert said == [f"$ {sys.executable} -m pip install acme-suites==1.0 './a b.whl'"]
    assert (offer.name, offer.package, offer.package_version) == ("acme:x", "acme-suites", "1.0")


def test_a_password_in_an_address_is_not_shown(pip: Pip) -> None:
    ran, said = pip(), list[str]()
    installing.install(["https://me:secret@example.com/a.whl"], said.append)
    assert ran[0][-1] == "https://me:secret@example.com/a.whl"
    assert said[0].endswith(" install https://***@example.com/a.whl")


@pytest.mark.parametrize(
    ("spec", "meant"),
    [("acme_suites>=1", True), ("dist/Acme.Suites-1.0-py3-none-any.whl", True), ("acme-suites[all]", True), ("other", False)],
)  # fmt: skip
def test_what_was_there_already_is_given_where_it_is_named(pip: Pip, spec: str, meant: bool) -> None:
    pip()
    installing.install(["x"], lambda text: None)
    pip(brings=False)
    assert [offer.name for offer in installing.install([spec], lambda text: None)] == (["acme:x"] if meant else [])


def test_a_failure_of_pip_is_ours(pip: Pip) -> None:
    pip(code=1, brings=False)
    with pytest.raises(
        SettingsError, match=r"^install: pip ended with 1; what it said is above\. Nothing was locked\.$"
    ):
        installing.install(["acme-suites"], lambda text: None)


def test_options_of_pip_are_refused(pip: Pip) -> None:
    ran = pip()
    with pytest.raises(SettingsError, match="install: '--index-url=http://evil' is an option of pip"):
        installing.install(["--index-url=http://evil"], lambda text: None)
    assert ran == []


def test_outside_a_virtual_environment_nothing_is_installed(pip: Pip, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = pip()
    monkeypatch.setattr(sys, "base_prefix", sys.prefix)
    with pytest.raises(SettingsError) as caught:
        installing.install(["acme-suites"], lambda text: None)
    assert str(caught.value) == (
        "install: this Python is in no virtual environment, and is left alone. Make one (python -m venv .venv), or run it "
        f"yourself: {sys.executable} -m pip install acme-suites; then: pytest-persona suites lock"
    )
    assert ran == []
    Path(sys.prefix, "conda-meta").mkdir()
    installing.install(["acme-suites"], lambda text: None)
    assert len(ran) == 1


def test_an_environment_without_pip_is_told_so(pip: Pip, monkeypatch: pytest.MonkeyPatch) -> None:
    ran = pip()
    monkeypatch.setattr(installing, "find_spec", lambda name: None)
    with pytest.raises(SettingsError, match="install: there is no pip in this environment"):
        installing.install(["acme-suites"], lambda text: None)
    assert ran == []
