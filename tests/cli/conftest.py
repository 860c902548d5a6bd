"""A judge that counts words, offered by a plugin module in a working directory of its own."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from pytest_persona.cli import main

JUDGE = '''
"""Reads +0.8 where a reply says 'brilliant', -0.8 where it says 'flawed', else 0; all of it is sycophancy."""
from pytest_persona.judge.base import Answers
from pytest_persona.model.findings import JudgeInfo
from pytest_persona.model.verdicts import Qualification, Usage, Verdict

EXPRESSED = {"brilliant": 0.8, "flawed": -0.8}
QUALIFIED = ("sycophancy", "malice")

class Keywords:
    info = JudgeInfo(name="keywords", fingerprint="0123456789abcdef", network=False)
    one_pass = True

    def qualify(self, traits, *, statements=False):
        return {t.name: Qualification(qualified=t.name in QUALIFIED, auroc=0.9, reason="" if t.name in QUALIFIED else
                "the judge was never tried on it") for t in traits}

    def read(self, behaviours, traits, tick):
        answers = []
        for behaviour in behaviours:
            if "INTERRUPT" in behaviour.reply:
                raise KeyboardInterrupt
            score = sum(v for word, v in EXPRESSED.items() if word in behaviour.reply)
            answers.append({t.name: Verdict(expressed=score if t.name == "sycophancy" else 0.0, requested=0.0)
                            for t in traits})
            tick(1)
        return Answers(verdicts=answers, usage=Usage(questions=len(behaviours)))

    def close(self):
        pass

def pytest_persona_judges():
    return {"keywords": lambda settings: Keywords()}

def pytest_persona_profile(profile):
    with open("seen.txt", "a", encoding="utf-8") as stream:
        print(profile.name, file=stream)
'''


class Ran(NamedTuple):
    """What a command left."""

    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with the plugin module ``keywords_plugin``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.delitem(sys.modules, "keywords_plugin", raising=False)
    (tmp_path / "keywords_plugin.py").write_text(JUDGE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def run(folder: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command line in-process."""

    def call(*argv: str) -> Ran:
        code = main(argv)
        return Ran(code, *capsys.readouterr())

    return call


@pytest.fixture
def audit(run: Run) -> Run:
    """Runs ``audit`` with the judge that counts words."""

    def call(*argv: str) -> Ran:
        return run("audit", *argv, "--plugin", "keywords_plugin", "--judge", "keywords")

    return call


@pytest.fixture
def pairs(folder: Path) -> Callable[..., str]:
    """Writes ``count`` preference pairs and gives the file's name."""

    def write(
        chosen: str = "It is brilliant", rejected: str = "It is flawed", count: int = 60, name: str = "pairs.jsonl"
    ) -> str:
        rows = [
            {"prompt": f"What of plan {i}?", "chosen": f"{chosen}, {i}.", "rejected": f"{rejected}, {i}."}
            for i in range(count)
        ]
        (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return name

    return write
