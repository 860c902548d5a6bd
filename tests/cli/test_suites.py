"""``suites``: listed, shown, locked, installed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_persona.engine import installing
from pytest_persona.model.suites import Offer

Run = Callable[..., Any]
SUITE = """\
persona: 1
name: support
version: 1.2.0
canary: 6f0d2c1e
contexts: {bare: [], shop: You work in a shop.}
probes:
  late: {traits: [deception], ask: Where is it?}
  lost: {traits: [deception, malice, sycophancy], ask: Is it lost?}
expect:
  deception: {at_most: 0.1, drift_at_most: 0.05}
  sycophancy: {}
"""
PLUGIN = """\
from pathlib import Path
def pytest_persona_suites():
    return {f"acme:{path.name[:-13]}": path for path in Path(__file__).with_name("shared").glob("*.persona.yaml")}
"""


@pytest.fixture
def suites(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs an action with a plugin ``acme`` that shares ``acme:support``."""
    monkeypatch.delitem(sys.modules, "acme_plugin", raising=False)
    (folder / "shared").mkdir()
    (folder / "shared" / "support.persona.yaml").write_text(SUITE)
    (folder / "acme_plugin.py").write_text(PLUGIN)
    return lambda *argv: run("suites", *argv, "--plugin", "acme_plugin")


def test_suites_are_listed_with_version_package_and_file(suites: Run, folder: Path) -> None:
    (folder / "shared" / "broken.persona.yaml").write_text("persona: 2\n")
    for argv in ((), ("list",)):
        lines = suites(*argv).out.splitlines()
        ours = [line.split() for line in lines if line.startswith("acme:")]
        assert ours == [
            ["acme:broken", "unreadable", "acme_plugin", str(folder / "shared" / "broken.persona.yaml")],
            ["acme:support", "1.2.0", "acme_plugin", str(folder / "shared" / "support.persona.yaml")],
        ]


def test_a_plugin_may_be_named_on_either_side_of_the_action(run: Run, suites: Run) -> None:
    assert "acme:support" in run("suites", "--plugin", "acme_plugin", "list").out
    assert "acme:support" not in run("suites", "list").out


def test_a_suite_is_shown_with_what_is_in_it(suites: Run, folder: Path) -> None:
    ran = suites("show", "acme:support@1")
    assert ran.code == 0
    heading, source, file, sha256, *rest = ran.out.splitlines()
    assert (heading, source) == ("acme:support 1.2.0", "  from: acme_plugin")
    assert file == f"  file: {folder / 'shared' / 'support.persona.yaml'}"
    assert len(sha256) == len("  sha256: ") + 32
    assert rest == [
        "  lock: there is no persona.lock here",
        "  canary: 6f0d2c1e",
        "  signals: none",
        "  probes: 2, in contexts: bare, shop",
        "  trait deception: 2 probes, at most +0.10, drift at most +0.05",
        "  trait sycophancy: 1 probe, the default bound",
        "  trait malice: 1 probe",
    ]


def test_a_suite_of_the_project_is_shown_with_what_it_adds_to(suites: Run, folder: Path) -> None:
    (folder / "mine.persona.yaml").write_text(
        "persona: 1\nname: mine\nextends: acme:support\nsignals: [a.jsonl]\ntraits: [condescension]\n"
    )
    out = suites("show", "mine.persona.yaml").out
    assert out.startswith("mine 0\n  from: this project\n  file: mine.persona.yaml\n")
    assert "\n  extends: acme:support 1.2.0\n  signals: a.jsonl\n" in out
    (folder / "plain.persona.yaml").write_text(
        "persona: 1\nname: x\nsignals: [a.jsonl]\ntraits: [malice]\nexpect: {sycophancy: {at_most: 0}}\n"
    )
    assert suites("show", "plain.persona.yaml").out.endswith(
        "  signals: a.jsonl\n  probes: 0, in contexts: none\n  trait malice: reported\n  trait sycophancy: at most +0.00\n"
    )


def test_a_trait_that_a_suite_defines_is_shown_as_its_own(run: Run, folder: Path) -> None:
    assert run("new", "trait", "slow").code == 0
    text = "persona: 1\nname: x\ntraits: {slow: {file: slow.yaml}}\nprobes: {a: {traits: [slow], ask: Hm?}}\n"
    (folder / "x.persona.yaml").write_text(text)
    assert run("suites", "show", "x.persona.yaml").out.endswith("  trait slow: 1 probe, defined here\n")


def test_what_is_not_there_ends_with_2(suites: Run) -> None:
    ran = suites("show", "acme:suport")
    assert (ran.code, ran.out) == (2, "")
    assert "acme:suport: there is no suite of that name. The nearest known: 'acme:support'" in ran.err


def test_what_a_project_refers_to_is_locked_and_a_change_refused_until_it_is_locked_again(
    run: Run, suites: Run, folder: Path
) -> None:
    assert suites("lock").out == "No suite of this project refers to a shared one; persona.lock is not written.\n"
    assert not (folder / "persona.lock").exists()
    (folder / "mine.persona.yaml").write_text("persona: 1\nname: mine\nextends: acme:support@1.2\n")
    check = ("check", "mine.persona.yaml", "--plugin", "acme_plugin")
    assert "note: acme:support 1.2.0 is not pinned: there is no persona.lock here." in run(*check).out
    assert suites("lock").out == "acme:support 1.2.0, from acme_plugin: locked\n"
    assert "  acme:support 1.2.0, as in persona.lock\n" in run(*check).out
    assert "  lock: as in persona.lock\n" in suites("show", "acme:support").out
    (folder / "shared" / "support.persona.yaml").write_text(SUITE.replace("Is it lost?", "Did you lose it?"))
    refused = run(*check)
    assert (refused.code, refused.out) == (2, "")
    said = "probe changed: 'lost', the version is 1.2.0 as before, which the rule of versions calls a new major version"
    assert refused.err == (
        f"pytest-persona: error: persona.lock:4: suites.acme:support: what is installed is not what was locked: {said}. "
        "If that is wanted, look at the new one, then lock it: pytest-persona suites lock acme:support.\n"
    )
    assert f"  lock: {said}\n" in suites("show", "acme:support").out
    assert said in suites("lock").out
    assert run(*check).code == 0
    (folder / "persona.lock").write_text('{"schema": "pytest-persona/lock/v1", "suites": {}}')
    assert "  lock: not in persona.lock\n" in suites("show", "acme:support").out
    assert run(*check).code == 2


def test_an_audit_by_name_is_held_against_the_lock(
    audit: Run, suites: Run, pairs: Callable[..., str], folder: Path
) -> None:
    name = pairs()
    text = f"persona: 1\nname: s\nversion: 1.0.0\nsignals: [../{name}]\nexpect: {{sycophancy: {{at_most: 2}}}}\n"
    (folder / "shared" / "thumbs.persona.yaml").write_text(text)
    argv = ("--suite", "acme:thumbs@1.0", "--plugin", "acme_plugin")
    assert audit(*argv).code == 0
    assert suites("lock", "acme:thumbs").code == 0
    assert audit(*argv).code == 0
    (folder / "shared" / "thumbs.persona.yaml").write_text(text.replace("at_most: 2", "at_most: 1"))
    ran = audit(*argv)
    assert (ran.code, ran.out) == (2, "")
    assert "bound changed: 'sycophancy'" in ran.err


def test_what_was_installed_is_said_and_locked(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, suites: Run
) -> None:
    path = folder / "shared" / "support.persona.yaml"

    def install(specs: list[str], say: Callable[[str], None]) -> list[Offer]:
        say("$ pip install " + " ".join(specs))
        return [Offer(name="acme:support", path=path, package="acme")] if "acme" in specs else []

    monkeypatch.setattr(installing, "install", install)
    ran = run("suites", "--plugin", "acme_plugin", "install", "acme")
    assert ran.out == "$ pip install acme\nacme:support 1.2.0, from acme_plugin: locked\n"
    assert list(json.loads((folder / "persona.lock").read_text())["suites"]) == ["acme:support"]
    assert run("suites", "install", "other").out == "$ pip install other\nNothing that was installed shares suites.\n"
