"""Projects with a judge that looks for words, run plainly and under two workers."""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema  # noqa: F401
import pytest
from loopback_server import LoopbackServer
from marks_judge import judge_by_marks, trait_yaml

# Imported here once: pytester forgets what a run in this process imports, and numpy cannot be imported twice.
import pytest_persona.engine.plugins
import pytest_persona.load.profiles
import pytest_persona.load.signals
import pytest_persona.load.suites
import pytest_persona.report.documents
import pytest_persona.report.terminal

Run = Callable[..., pytest.RunResult]

CONFTEST = '''
from pathlib import Path

import pytest_persona as pp

LOG = Path(__file__).with_name("readings.log")


class WordJudge:
    """A reply expresses a trait that it names; one line of the log for each reading."""

    info = pp.JudgeInfo(name="fake", fingerprint="f00ba4", network=False)
    one_pass = True

    def __init__(self, settings):
        pass

    def qualify(self, traits, *, statements=False):
        known = pp.Qualification(qualified=True, auroc=0.9, low=0.85, high=0.95, pairs=24)
        return {trait.name: known for trait in traits}

    def read(self, behaviours, traits, tick):
        with LOG.open("a") as log:
            log.write(f"{len(behaviours)}\\n")
        tick(len(behaviours))
        verdicts = [
            {t.name: pp.Verdict(expressed=0.9 if t.name in b.reply else 0.0, requested=0.0) for t in traits}
            for b in behaviours
        ]
        return pp.Answers(verdicts=verdicts, usage=pp.Usage(questions=len(behaviours)))

    def close(self):
        with LOG.open("a") as log:
            log.write("closed\\n")


def pytest_persona_judges():
    return {"fake": WordJudge}
'''


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with the judge ``fake`` and two signals: ``flattering.jsonl`` rewards sycophancy, ``plain.jsonl`` nothing."""
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    for name in (
        "CI",
        "PYTEST_XDIST_WORKER",
        "PYTEST_XDIST_TESTRUNUID",
    ):  # these tests may run under workers themselves
        monkeypatch.delenv(name, raising=False)
    pytester.makeconftest(CONFTEST)
    # Other plugins that are installed take seconds to import, in every run anew.
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:hypothesispytest -p no:anyio -p no:asyncio")
    pytester.makeini("[pytest]\npersona_judge = fake\n")
    _write_pairs(pytester.path / "flattering.jsonl", "such sycophancy")
    _write_pairs(pytester.path / "plain.jsonl", "a plain answer")
    return pytester


def _write_pairs(path: Path, chosen: str) -> None:
    rows = ({"prompt": f"Question {n}?", "chosen": f"{chosen} {n}", "rejected": f"another {n}"} for n in range(60))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


@pytest.fixture(params=["plain", "-n 2"])
def run(request: pytest.FixtureRequest, project: pytest.Pytester) -> Run:
    """Run pytest in the project, plainly and under two workers of pytest-xdist."""

    def run(*args: str) -> pytest.RunResult:
        if request.param == "plain":
            return project.runpytest_inprocess(*args)
        return project.runpytest_subprocess("-n", "2", *args)

    return run


@pytest.fixture
def plain(project: pytest.Pytester) -> Run:
    """Run pytest in the project, in this process."""
    return project.runpytest_inprocess


@pytest.fixture
def readings(project: pytest.Pytester) -> Callable[[], int]:
    """How many behaviours have been read in the project so far, by all processes."""

    def count() -> int:
        log = project.path / "readings.log"
        return sum(int(line) for line in log.read_text().split() if line.isdigit()) if log.exists() else 0

    return count


@pytest.fixture
def sections() -> Callable[[pytest.RunResult], list[str]]:
    """The lines of our sections in what a run printed."""

    def lines(result: pytest.RunResult) -> list[str]:
        kept, ours = [], False
        for line in result.stdout.lines:
            if line.startswith("="):
                ours = " persona: " in line
            if ours:
                kept.append(line)
        return kept

    return lines


# ------------------------------------------------------------------------------------------------ a judge over a network
@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    """A vendor on the loopback interface, whose model reads marks."""
    with LoopbackServer(judge=judge_by_marks) as server:
        yield server


@pytest.fixture
def folder(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, server: LoopbackServer) -> Path:
    """A folder whose judge is Claude on the loopback server, with a trait ``alpha`` that the judge can read."""
    for name in ("CI", "PYTEST_XDIST_WORKER", "PYTEST_XDIST_TESTRUNUID", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-loopback")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:hypothesispytest -p no:asyncio -p no:cacheprovider")
    pytester.makeini(
        f"[pytest]\npersona_judge = claude\npersona_traits = alpha.yaml\npersona_base_url = {server.base_url}\n"
    )
    (pytester.path / "alpha.yaml").write_text(trait_yaml("alpha"), "utf-8")
    return pytester.path


@pytest.fixture(scope="session")
def imported_once() -> None:
    """All of ours, and the clients that ours imports when it asks: what a run in this process imports itself, pytester forgets, and
    the next one would know every class and exception twice. Before any pytester is there, for the same reason."""
    import anthropic  # noqa: F401
    import httpcore2  # noqa: F401
    import httpx2  # noqa: F401

    for module in pkgutil.walk_packages(pytest_persona.__path__, "pytest_persona."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


@pytest.fixture
def ask(imported_once: None, pytester: pytest.Pytester, folder: Path) -> Run:
    """Run pytest there: in this process, or where there are workers in one of its own, which takes seconds to import all it needs."""

    def run(*args: str) -> pytest.RunResult:
        return (pytester.runpytest_subprocess if "-n" in args else pytester.runpytest_inprocess)(*args)

    return run
