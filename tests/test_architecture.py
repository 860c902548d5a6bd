"""The house rules that no linter knows."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pytest_persona

ROOT = Path(__file__).parent.parent
SOURCES = sorted(path for folder in ("pytest_persona", "benchmarks", "tests") for path in (ROOT / folder).rglob("*.py"))
HEAVY = {
    "anthropic", "anyio", "asyncio", "gguf", "jsonschema", "numpy", "pyarrow", "pydantic", "requests", "rich", "scipy", "sqlite3",
    "tokenizers", "yaml",
}  # fmt: skip


def test_no_file_is_longer_than_400_lines() -> None:
    assert {str(p): n for p in SOURCES if (n := len(p.read_text("utf-8").splitlines())) > 400} == {}


def test_no_module_is_a_drawer_for_anything() -> None:
    drawers = {"utils", "util", "helpers", "misc", "common"}
    assert [path for path in SOURCES if path.stem in drawers] == []


def test_nothing_private_of_pytest_is_imported() -> None:
    assert [path for path in SOURCES if any(name.split(".")[0] == "_pytest" for name in _imports(path))] == []


@pytest.mark.parametrize("folder", ["cli", "engine", "infer", "model", "plugin", "report"])
def test_no_text_that_may_be_printed_calls_anything_safe(folder: str) -> None:
    """A finding is about readers of a signal; that something is safe is never for this package to say."""
    said = {
        f"{path.relative_to(ROOT)}:{node.lineno}": node.value
        for path in sorted((ROOT / "pytest_persona" / folder).rglob("*.py"))
        for node in _texts(path)
        if re.search(r"\b(?:un)?safe(?:ly|ty)?\b|\bharmless\b", node.value, re.IGNORECASE)
    }
    assert said == {}


def test_the_public_names_are_frozen() -> None:
    assert pytest_persona.__all__ == [
        "Anchor", "Answers", "Asked", "AuditSpec", "Behaviour", "CacheError", "Comparison", "Confirmation", "Controls",
        "Drift", "Engine", "Episode", "Evidence", "Exemplar", "Expectation", "Finding", "HttpTarget", "InputError", "Judge",
        "JudgeError", "JudgeInfo", "ModelTarget", "PairJudge", "PersonaError", "Pole", "Probe", "ProbingSpec", "Profile",
        "ProfileError", "PythonTarget", "Qualification", "Rate", "Settings", "SettingsError", "Shift", "SignalError",
        "Suite", "SuiteError", "TargetError", "TargetInfo", "Trait", "TraitError", "Turn", "Usage", "Verdict",
        "__version__", "confirm", "read_profile", "read_signal", "read_suite",
    ]  # fmt: skip


@pytest.mark.parametrize("name", pytest_persona.__all__)
def test_every_public_name_is_found_and_listed(name: str) -> None:
    assert getattr(pytest_persona, name) is not None
    assert name in dir(pytest_persona)


def test_a_name_that_is_not_public_is_refused_as_python_does() -> None:
    with pytest.raises(AttributeError, match="module 'pytest_persona' has no attribute 'nonsense'"):
        _ = pytest_persona.nonsense  # type: ignore[attr-defined]


def test_importing_the_package_imports_nothing_else_of_it() -> None:
    assert {name for name in _loaded_by("pytest_persona") if name.startswith("pytest_persona.")} == set()


def test_importing_the_plugin_pulls_in_nothing_heavy() -> None:
    # pytest itself is already there wherever the plugin is imported.
    assert (_loaded_by("pytest", "pytest_persona.plugin") - _loaded_by("pytest")) & HEAVY == set()


def test_importing_the_console_pulls_in_neither_pytest_nor_anything_heavy() -> None:
    # Under coverage, something is there before we are.
    assert (_loaded_by("pytest_persona.cli") - _loaded_by("sys")) & (HEAVY | {"pytest"}) == set()


def _imports(path: Path) -> list[str]:
    names = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.append(node.module or "")
    return names


def _loaded_by(*modules: str) -> set[str]:
    code = f"import sys, json, {', '.join(modules)}; print(json.dumps(sorted(sys.modules)))"
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    return set(json.loads(done.stdout))


def _texts(path: Path) -> Iterator[ast.Constant]:
    """The texts of a module: those that are no docstring and no public name."""
    tree = ast.parse(path.read_text("utf-8"))
    unsaid = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets):
            unsaid |= {id(name) for name in ast.walk(node.value)}
    for text in ast.walk(tree):
        if isinstance(text, ast.Constant) and isinstance(text.value, str) and id(text) not in unsaid:
            yield text
