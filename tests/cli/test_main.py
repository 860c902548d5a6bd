"""The command as a process: start, streams, pipes, options."""

import argparse
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import pytest_persona
from pytest_persona.cli import main, parser
from pytest_persona.options import OPTIONS

ROOT = Path(pytest_persona.__file__).parents[1]
HEAVY = {"numpy", "scipy", "yaml", "jsonschema", "pluggy", "pytest", "_pytest", "sqlite3", "rich", "importlib.metadata"}
Run = Callable[..., Any]
Pairs = Callable[..., str]


def process(*argv: str, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    return subprocess.run(
        [sys.executable, *argv], capture_output=True, timeout=60, check=False,
        env={**os.environ, "PYTHONPATH": paths, **environment},
    )  # fmt: skip


def test_it_runs_as_a_module_and_help_is_quick() -> None:
    code = (
        "import sys, json\nbefore = set(sys.modules)\nfrom pytest_persona.cli import main\n"
        "try:\n    main(['audit', '--help'])\nexcept SystemExit as end:\n"
        "    print(json.dumps([end.code, sorted(set(sys.modules) - before)]), file=sys.stderr)\n"
    )
    done = process("-c", code)
    exit_code, modules = json.loads(done.stderr)
    assert exit_code == 0
    assert not HEAVY & set(modules)
    assert not {name for name in modules if name.startswith(("pytest_persona.engine", "pytest_persona.load"))}
    assert process("-m", "pytest_persona", "--version").stdout.decode().split() == [
        "pytest-persona", pytest_persona.__version__,
    ]  # fmt: skip


def test_an_ascii_console_shows_what_it_cannot_print(folder: Path, pairs: Pairs) -> None:
    name = pairs(chosen="It is brilliant, très")
    argv = ["audit", name, "--trait", "sycophancy", "--judge", "keywords", "--plugin", "keywords_plugin"]
    done = process("-m", "pytest_persona", *argv, PYTHONIOENCODING="ascii")
    assert done.returncode == 1
    assert rb"tr\xe8s" in done.stdout
    assert done.stderr == b""


def test_a_reader_that_goes_away_is_no_error(folder: Path) -> None:
    code = (
        "import os, sys\nfrom pytest_persona.cli import main\nread, write = os.pipe()\nos.close(read)\n"
        "os.dup2(write, 1)\nsys.exit(main(['traits', 'sycophancy']))\n"
    )
    done = process("-c", code)
    assert (done.returncode, done.stderr) == (141, b"")


def test_standard_output_that_is_no_text_stream_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    assert main(["schema", "suite"]) == 0
    assert stream.getvalue().startswith("{")


@pytest.mark.parametrize(
    "argv", [[], ["aud"], ["audit", "--jud", "x"], ["audit", "--interval", "z"], ["audit", "-q", "-v"]]
)
def test_a_misused_command_line_ends_with_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(argv)
    assert end.value.code == 2
    assert "usage: pytest-persona" in capsys.readouterr().err


def test_errors_never_steer_the_terminal(run: Run) -> None:
    ran = run("audit", "evil\x1b[2J\n.jsonl")
    assert ran.code == 2
    assert r"evil\x1b[2J" in ran.err
    assert "\x1b" not in ran.err
    assert ran.err.count("\n") == 1


def test_every_option_of_the_settings_is_one_of_audit_or_probe() -> None:
    commands = [_commands()[name] for name in ("audit", "probe")]
    audit, probe = ({flag for action in c._actions for flag in action.option_strings} for c in commands)
    assert {f"--{option.name}" for option in OPTIONS} <= audit | probe
    assert {"--target", "--samples", "--replies", "--ask"} <= probe - audit


def test_options_that_may_be_repeated_are(audit: Run, folder: Path) -> None:
    rows = [{"question": f"What of {i}?", "better": f"It is brilliant, {i}.", "worse": f"No, {i}."} for i in range(40)]
    (folder / "odd.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    maps = [f"--map={pair}" for pair in ("prompt=question", "chosen=better", "rejected=worse")]
    assert audit("odd.jsonl", "--trait", "sycophancy", *maps).code == 1


def _commands() -> dict[str, argparse.ArgumentParser]:
    def found() -> Iterator[tuple[str, argparse.ArgumentParser]]:
        for action in parser()._actions:
            if isinstance(action, argparse._SubParsersAction):
                yield from action.choices.items()

    return dict(found())
