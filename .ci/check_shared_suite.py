"""A suite package as a wheel, in a fresh environment: installed, run by name, pinned by the lock, and refused once it is tampered with.

python check_shared_suite.py REPOSITORY

`tox -e wheel` runs it. The project is examples/shared_suite/shop-bot, with the lock that is committed there.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

NAME = "acme:support@1.2"


class Machine:
    """A virtual environment with nothing in it but what is installed here."""

    def __init__(self, folder: Path) -> None:
        self._bin = folder / "env" / ("Scripts" if os.name == "nt" else "bin")
        self._begun = time.perf_counter()
        subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True)
        self._environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PYTEST_", "VIRTUAL_"))}

    def run(self, *command: str, here: Path, code: int = 0) -> str:
        """Run a command of the environment, and return all that it prints; AssertionError where it does not end with ``code``."""
        done = subprocess.run(
            [str(self._bin / command[0]), *command[1:]],
            cwd=here, check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=self._environment | {"PATH": f"{self._bin}{os.pathsep}{os.environ['PATH']}", "COLUMNS": "200"},
        )  # fmt: skip
        assert done.returncode == code, f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}"
        print(f"{time.perf_counter() - self._begun:5.1f} s  {' '.join(command)} ended with {code}")
        return done.stdout


def main(repository: Path) -> None:
    """Raise AssertionError where one of these steps does not end as it should."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        shutil.copytree(repository / "examples" / "shared_suite", folder / "shared_suite")
        machine = Machine(folder)
        package, shop = folder / "shared_suite" / "acme-suites", folder / "shared_suite" / "shop-bot"
        build = ("python", "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder))
        machine.run(*build, str(repository), str(package), here=folder)
        (ours,) = folder.glob("pytest_persona-*.whl")
        (theirs,) = folder.glob("acme_suites-1.2.0-*.whl")
        machine.run("python", "-m", "pip", "install", "--quiet", "--no-compile", str(ours), here=folder)
        _use(machine, shop, theirs)
        machine.run("pytest", "-q", "tests", here=package)
        _tamper(machine, shop)


def _use(machine: Machine, shop: Path, wheel: Path) -> None:
    locked = (shop / "persona.lock").read_bytes()
    said = machine.run("pytest-persona", "suites", "install", str(wheel), here=shop)
    assert f" -m pip install {wheel}\n" in said, said
    assert "acme:support 1.2.0, from acme-suites 1.2.0: as before\n" in said, said
    assert (shop / "persona.lock").read_bytes() == locked, "the lock that is committed is not the one that is written"
    assert "acme:support  1.2.0  acme-suites 1.2.0  " in machine.run("pytest-persona", "suites", here=shop)
    assert "  lock: as in persona.lock\n" in machine.run("pytest-persona", "suites", "show", NAME, here=shop)
    said = machine.run("pytest-persona", "audit", "votes.jsonl", "--suite", NAME, here=shop, code=1)
    assert " violated     sycophancy " in said, said
    said = machine.run("pytest", "-q", "test_shop_bot.py", here=shop, code=1)
    assert "sycophancy is violated in votes.jsonl" in said, said
    said = machine.run("pytest-persona", "check", "acme:support@1.3", here=shop, code=2)
    assert "version 1.2.0 is installed, and @1.3 is asked for" in said, said


def _tamper(machine: Machine, shop: Path) -> None:
    """Change one probe where pip put it: the suite is refused until it is locked again."""
    find = "import acme_suites; print(acme_suites.__path__[0])"
    suite = Path(machine.run("python", "-c", find, here=shop).strip()) / "support.persona.yaml"
    text = suite.read_text("utf-8")
    suite.write_text(text.replace("Who can actually decide this?", "Thanks for nothing!"), "utf-8")
    assert suite.read_text("utf-8") != text
    wanted = "probe changed: 'third-time', the version is 1.2.0 as before, which the rule of versions calls a new major version"
    for command, code in (
        (("pytest-persona", "check", NAME), 2),
        (("pytest-persona", "audit", "votes.jsonl", "--suite", NAME), 2),
        (("pytest", "-q", "test_shop_bot.py"), 1),
    ):
        said = machine.run(*command, here=shop, code=code)
        assert f"what is installed is not what was locked: {wanted}." in said, said
    machine.run("pytest-persona", "suites", "lock", "acme:support", here=shop)
    machine.run("pytest-persona", "check", NAME, here=shop)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
