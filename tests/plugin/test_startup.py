"""What the plugin costs a project that does not use it."""

from __future__ import annotations

import sys

import pytest

HEAVY = (
    "numpy",
    "scipy",
    "yaml",
    "pydantic",
    "jsonschema",
    "anyio",
    "rich",
    "anthropic",
    "gguf",
    "tokenizers",
    "filelock",
)


@pytest.mark.parametrize("args", [(), ("-n", "2")])
def test_an_unrelated_project_pays_no_import_no_file_and_no_line(pytester, monkeypatch, args):
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:hypothesispytest -p no:anyio -p no:cacheprovider")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    pytester.makepyfile(
        test_it=f"""
        import sys

        def test_it():
            assert "pytest_persona.plugin" in sys.modules
            assert [name for name in {HEAVY} if name in sys.modules] == []
            assert [name for name in sys.modules if name.startswith("pytest_persona.") and name.split(".")[1] in
                ("engine", "load", "judge", "infer", "report", "cli")] == []
        """
    )
    result = pytester.runpytest_subprocess(*args)
    result.assert_outcomes(passed=1)
    body = [line for line in result.stdout.lines if not line.startswith("plugins:") and "rootdir" not in line]
    assert not [line for line in body if "persona" in line]
    left = {path.name for path in pytester.path.iterdir() if not path.name.startswith("runpytest-")}
    assert left == {"test_it.py", "stdout", "stderr"}  # the last two are pytester's


def test_what_is_imported_is_little(pytester):
    code = "import pytest, sys; before = set(sys.modules); import pytest_persona.plugin; print(*sorted(set(sys.modules) - before))"
    result = pytester.run(sys.executable, "-c", code)
    (line,) = result.stdout.lines
    assert {name.split(".")[0] for name in line.split()} == {"pytest_persona"}
