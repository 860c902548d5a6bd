"""The progress line beside pytest's own output."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pytest_persona.report import progress

TEST = """
    import pytest

    def test_before():
        print("captured")

    @pytest.mark.persona("plain.jsonl", at_most={"sycophancy": 0.3})
    def test_it():
        pass
    """


@pytest.fixture
def impatient(project, monkeypatch):
    """The line is drawn at once."""
    # Set to what it is: so that it is put back after a run in this very process has changed it.
    monkeypatch.setattr(progress, "_PATIENCE", progress._PATIENCE)
    with (project.path / "conftest.py").open("a") as conftest:
        conftest.write("\nfrom pytest_persona.report import progress\n\nprogress._PATIENCE = 0\n")
    project.makepyfile(test_it=TEST)
    return project


def test_nobody_watches_a_file_or_a_pipe(plain, impatient):
    result = plain()
    result.assert_outcomes(passed=2)
    assert "of 120 readings" not in result.stdout.str()


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(
    ("args", "drawn"),
    [((), True), (("-s",), True), (("-p", "no:capture"), True), (("-q",), False)],
)
def test_on_a_terminal_it_has_lines_of_its_own(impatient, monkeypatch, args, drawn):
    monkeypatch.setenv("TERM", "xterm")
    text = _on_a_terminal([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *args], impatient.path)
    assert "2 passed" in text
    assert ("64 of 120 readings" in text) is drawn
    if drawn and args != ("-s",):
        lines = [line for line in text.replace("\r\n", "\n").split("\n") if "of 120 readings" in line]
        assert all(line.startswith("\r") for line in lines)
        assert "test_it.py" in text


def _on_a_terminal(command, folder):
    import pty  # not on Windows

    main, side = pty.openpty()
    with subprocess.Popen(
        command, cwd=folder, stdin=side, stdout=side, stderr=side, env={**os.environ, "COLUMNS": "80"}
    ) as process:
        os.close(side)
        chunks = []
        while True:
            try:
                chunk = os.read(main, 65536)
            except OSError:  # Linux says so when the other side is closed
                break
            if not chunk:
                break
            chunks.append(chunk)
        process.wait()
    os.close(main)
    return b"".join(chunks).decode()
