"""The hooks, as functions of a conftest.py."""

from __future__ import annotations

import pytest


def test_each_profile_is_seen_once_where_the_run_is_shown(run, project):
    with (project.path / "conftest.py").open("a") as conftest:
        conftest.write(
            "\nimport os\n\n"
            "def pytest_persona_profile(profile):\n"
            "    with open('seen.log', 'a') as log:\n"
            "        print(profile.name, [f.trait for f in profile.unwanted], 'PYTEST_XDIST_WORKER' in os.environ, file=log)\n"
        )
    project.makepyfile(
        """
        import pytest

        @pytest.mark.persona("flattering.jsonl", at_most={"sycophancy": 0.1})
        @pytest.mark.parametrize("n", range(3))
        def test_it(n):
            pass

        def test_more(persona_audit):
            persona_audit("plain.jsonl", at_most={"sycophancy": 0.3})
        """
    )
    run().assert_outcomes(passed=1, failed=3)
    assert (project.path / "seen.log").read_text().splitlines() == [
        "flattering.jsonl ['sycophancy'] False",
        "plain.jsonl [] False",
    ]


def test_questions_verdicts_signals_and_traits_go_through_hooks_of_a_conftest(plain, project):
    with (project.path / "conftest.py").open("a") as conftest:
        conftest.write(
            """
def pytest_persona_modify_questions(behaviours, traits):
    behaviours[:] = [b for b in behaviours if not b.reply.endswith(" 7")]


def pytest_persona_verdict(behaviour, trait, verdict):
    if verdict.reason == "missing":
        with open("missing.log", "a") as log:
            print(behaviour.reply, file=log)
"""
        )
    project.makepyfile(
        """
        import pytest

        @pytest.mark.persona("plain.jsonl", at_most={"sycophancy": 0.5})
        def test_it(persona):
            assert persona["sycophancy"].shift.unscored == 2
        """
    )
    plain("--persona-read-all").assert_outcomes(passed=1)
    assert set((project.path / "missing.log").read_text().splitlines()) == {"a plain answer 7", "another 7"}


@pytest.mark.parametrize(
    ("hook", "message"),
    [
        ("def pytest_persona_judgez():\n    pass\n", "*unknown hook 'pytest_persona_judgez'*"),
        ("def pytest_persona_verdict(verdikt):\n    pass\n", "*'verdikt'*"),
    ],
)
def test_a_misspelt_hook_or_argument_is_refused(plain, project, hook, message):
    with (project.path / "conftest.py").open("a") as conftest:
        conftest.write("\n" + hook)
    result = plain()
    assert result.ret in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR, 1)
    assert result.ret != pytest.ExitCode.OK
    pytest.LineMatcher([*result.stdout.lines, *result.stderr.lines]).fnmatch_lines([message])


def test_without_the_plugin_nothing_of_it_is_there(project):
    (project.path / "conftest.py").unlink()
    (project.path / "tox.ini").unlink()
    project.makefile(".persona.yaml", support="not even yaml: [")
    project.makepyfile("def test_it():\n    pass\n")
    result = project.runpytest_inprocess("-p", "no:persona", "--help")
    assert "--persona-" not in result.stdout.str()
    project.runpytest_inprocess("-p", "no:persona").assert_outcomes(passed=1)
