"""The fixtures ``persona`` and ``persona_audit``."""

from __future__ import annotations

import pytest


def test_persona_is_a_mapping_from_trait_to_finding(plain, project):
    project.makepyfile(
        """
        import pytest

        @pytest.mark.persona("flattering.jsonl", at_least={"sycophancy": 0.3}, traits=["deception"])
        def test_it(persona):
            assert list(persona) == ["deception", "sycophancy"]
            assert persona["sycophancy"].shift.value == 0.9
            assert persona["sycophancy"].status == "held"
            with pytest.raises(TypeError):
                persona["sycophancy"] = None
        """
    )
    plain("--persona-bound", "0.4").assert_outcomes(passed=1)


def test_persona_without_a_marker_says_what_is_missing(plain, project):
    project.makepyfile(test_bare="def test_bare(persona):\n    pass\n")
    result = plain()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["test_bare.py:1: fixture persona: the test has no persona marker. Add one: @pytest.mark.persona(*"]
    )
    assert "def persona" not in result.stdout.str()


def test_a_project_may_have_a_fixture_of_that_name(plain, project):
    project.makepyfile(
        """
        import pytest

        @pytest.fixture
        def persona():
            return "mine"

        def test_mine(persona):
            assert persona == "mine"

        @pytest.mark.persona("flattering.jsonl", at_most={"sycophancy": 0.1})
        def test_gate(persona):
            assert persona == "mine"
        """
    )
    result = plain()
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["sycophancy is violated*"])


def test_async_tests_have_their_findings_before_any_loop_runs(plain, project):
    with (project.path / "conftest.py").open("a") as conftest:
        conftest.write(
            "\nimport asyncio, inspect\n\n"
            "def pytest_pyfunc_call(pyfuncitem):\n"
            "    if inspect.iscoroutinefunction(pyfuncitem.obj):\n"
            "        names = inspect.signature(pyfuncitem.obj).parameters\n"
            "        asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names}))\n"
            "        return True\n"
        )
    project.makepyfile(
        """
        import pytest

        @pytest.mark.persona("flattering.jsonl", at_most={"sycophancy": 0.1})
        async def test_gate():
            pass

        @pytest.mark.persona("plain.jsonl", at_most={"sycophancy": 0.3})
        async def test_fixture(persona, persona_audit):
            assert persona["sycophancy"].status == "held"
            assert persona_audit("flattering.jsonl", at_most={"sycophancy": 0.1}).unwanted
        """
    )
    plain().assert_outcomes(passed=1, failed=1)


@pytest.mark.parametrize(("plugin", "mark"), [("anyio", "anyio"), ("pytest_asyncio", "asyncio")])
def test_it_works_beside_plugins_for_async_tests(project, monkeypatch, plugin, mark):
    pytest.importorskip(plugin)
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:hypothesispytest")
    project.makepyfile(
        f"""
        import pytest

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        @pytest.fixture
        async def rows():
            return [{{"prompt": f"{{n}}?", "chosen": f"sycophancy {{n}}", "rejected": f"no {{n}}"}} for n in range(60)]

        @pytest.mark.{mark}
        @pytest.mark.persona("flattering.jsonl", at_most={{"sycophancy": 0.1}})
        async def test_gate(persona):
            assert persona["sycophancy"].status == "violated"
        """
    )
    result = project.runpytest_subprocess("-W", "default")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["sycophancy is violated*"])


def test_persona_audit_leaves_what_follows_to_the_test(run, project, sections):
    project.makepyfile(
        """
        import pytest
        from pytest_persona import SignalError

        @pytest.fixture
        def made():
            return [{"prompt": f"{n}?", "chosen": f"sycophancy {n}", "rejected": f"no {n}"} for n in range(60)]

        def test_calls(persona_audit, made):
            profile = persona_audit("flattering.jsonl", at_most={"sycophancy": 0.1})
            assert profile["sycophancy"].status == "violated"
            assert persona_audit("made", traits=["sycophancy"])["sycophancy"].expectation.at_most == 0.1
            assert persona_audit(made, at_least={"sycophancy": 0.2})["sycophancy"].status == "held"

        def test_errors_can_be_caught(persona_audit):
            with pytest.raises(SignalError, match="nope.jsonl: no such file"):
                persona_audit("nope.jsonl", at_most={"sycophancy": 0.1})

        def test_errors_have_no_traceback(persona_audit):
            persona_audit("nope.jsonl", at_most={"sycophancy": 0.1})
        """
    )
    result = run()
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["nope.jsonl: no such file. Check the path."])
    assert "def audit" not in result.stdout.str()
    titles = [line.strip("= ") for line in sections(result) if line.startswith("=")]
    assert titles == ["persona: flattering.jsonl", "persona: made", "persona: rows-" + titles[2][-6:]]


def test_both_are_listed_with_what_they_promise(plain):
    result = plain("--fixtures")
    result.stdout.fnmatch_lines_random(
        [
            "persona -- *",
            "*The profile of the signal*",
            "persona_audit -- *",
            "*Audits signals*",
            "persona_probe -- *",
            "*Puts a suite's probes to the product*",
            "persona_target [[]session scope[]] -- *",
            "*The product that probes are put to*",
        ]
    )
    assert "_persona_marked" not in result.stdout.str()


def test_an_error_that_would_steer_the_terminal_is_shown_harmless(plain, project):
    project.makepyfile("def test_it(persona_audit):\n    persona_audit('\\x1b[31mred.jsonl')\n")
    result = plain()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*\\x1b[[]31mred.jsonl: no such file*"])
    assert "\x1b[31m" not in result.stdout.str()
