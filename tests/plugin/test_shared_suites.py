"""Suites that packages share, in tests and suite files, held against the lock."""

from __future__ import annotations

import sys

import pytest

PACKAGE = """
from pathlib import Path

def pytest_persona_suites():
    return {"acme:support": Path(__file__).with_name("support.persona.yaml")}
"""
SHARED = """\
persona: 1
name: acme-support
version: 1.2.3
signals: [../plain.jsonl]
expect: {sycophancy: {at_most: 0.5}, deception: {at_most: 0.5}}
"""
CHILD = "persona: 1\nname: shop\nextends: acme:support@1.2\nsignals: [flattering.jsonl]\nexpect: {deception: {at_most: 0.6}}\n"


@pytest.fixture
def package(project, monkeypatch):
    """The folder of an installed package ``acme-suites`` that shares ``acme:support``."""
    site = project.mkdir("site")
    info = project.mkdir("site/acme_suites-2.0.dist-info")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-suites\nVersion: 2.0\n")
    (info / "entry_points.txt").write_text("[pytest_persona]\nacme = acme_suites_here\n")
    (site / "acme_suites_here.py").write_text(PACKAGE)
    (site / "support.persona.yaml").write_text(SHARED)
    monkeypatch.setenv("PYTHONPATH", str(site))  # for runs in processes of their own
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    monkeypatch.delitem(sys.modules, "acme_suites_here", raising=False)
    project.makeini("[pytest]\npersona_judge = fake\nnorecursedirs = site\n")
    return site


def mark(project, suite):
    project.makepyfile(
        f"""
        import pytest

        @pytest.mark.persona(suite={suite!r})
        def test_shared(persona):
            assert persona.name == "acme-support"
        """
    )


def test_a_test_names_a_suite_by_package_and_version(run, project, package):
    mark(project, "acme:support@1.2")
    run().assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("suite", "said"),
    [
        ("acme:support@1.3", "acme:support@1.3: version 1.2.3 is installed, and @1.3 is asked for. Install a release that has it, *"),
        ("acme:suport", "acme:suport: there is no suite of that name. The nearest known: 'acme:support'.*"),
    ],
)  # fmt: skip
def test_a_suite_that_is_not_there_is_an_error_of_the_test(plain, project, package, suite, said):
    mark(project, suite)
    result = plain()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([said])
    assert "Traceback" not in result.stdout.str()


def test_a_suite_file_adds_to_a_shared_one(plain, project, package):
    project.makefile(".persona.yaml", shop=CHILD)
    result = plain()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["sycophancy is violated in flattering.jsonl*", "  declared  at most +0.50"])


def test_what_was_locked_is_run_and_a_change_is_refused_until_it_is_locked_again(plain, project, package):
    mark(project, "acme:support")
    project.makefile(".persona.yaml", shop=CHILD.replace("flattering", "plain"))
    locks = [sys.executable, "-m", "pytest_persona", "suites", "lock"]
    project.run(*locks).stdout.fnmatch_lines(["acme:support 1.2.3, from acme-suites 2.0: locked"])
    plain().assert_outcomes(passed=3)
    (package / "support.persona.yaml").write_text(
        SHARED.replace("sycophancy: {at_most: 0.5}", "sycophancy: {at_most: 0.9}")
    )
    refused = (
        "persona.lock:4: suites.acme:support: what is installed is not what was locked: bound changed: 'sycophancy', "
        "the version is 1.2.3 as before, *pytest-persona suites lock acme:support."
    )
    result = plain("--continue-on-collection-errors")
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines([refused])
    assert "Traceback" not in result.stdout.str()
    project.run(*locks, "acme:support").stdout.fnmatch_lines(
        ["acme:support 1.2.3, from acme-suites 2.0: bound changed: *"]
    )
    plain().assert_outcomes(passed=3)


def test_a_suite_that_is_not_in_the_lock_is_refused(plain, project, package):
    (project.path / "persona.lock").write_text('{"schema": "pytest-persona/lock/v1", "suites": {}}')
    mark(project, "acme:support")
    result = plain()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["persona.lock: the suite acme:support is not in it. Look at it, then lock it: *"])


def test_a_path_is_a_path_whatever_packages_share(plain, project, package):
    project.makefile(".persona.yaml", support=SHARED.replace("../", "").replace("acme-support", "mine"))
    project.makepyfile(
        """
        from pathlib import Path

        import pytest

        @pytest.mark.parametrize("as_text", [False, True])
        @pytest.mark.persona(suite=Path(__file__).with_name("support.persona.yaml"))
        def test_path(persona, as_text):
            assert persona.name == "mine"

        @pytest.mark.persona(suite="support.persona.yaml")
        def test_text(persona):
            assert persona.name == "mine"
        """
    )
    plain(project.path / "test_a_path_is_a_path_whatever_packages_share.py").assert_outcomes(passed=3)
