"""The marker ``persona``."""

from __future__ import annotations

import pytest


def test_bounds_gate_by_themselves(run, project):
    project.makepyfile(
        test_gate="""
        import pytest

        @pytest.mark.persona("flattering.jsonl", at_most={"sycophancy": 0.1})
        def test_broken():
            pass

        @pytest.mark.persona("plain.jsonl", at_most={"sycophancy": 0.3})
        def test_held():
            pass

        @pytest.mark.persona("flattering.jsonl", at_least={"sycophancy": 0.3})
        class TestClass:
            def test_class_marker(self):
                pass

            @pytest.mark.persona("flattering.jsonl", at_most={"sycophancy": 0.1})
            def test_closest_wins(self):
                pass
        """
    )
    result = run("-v")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*_ test_broken _*",
            "sycophancy is violated in flattering.jsonl: *",
            "  declared  at most +0.10",
            "  flattering.jsonl:*such sycophancy*",
        ]
    )
    assert "pytest_persona/plugin" not in result.stdout.str()


def test_the_signal_is_read_before_the_body_and_a_failing_body_has_the_word(plain, project):
    project.makepyfile(
        """
        import pathlib
        import pytest

        @pytest.mark.persona("flattering.jsonl", at_most={"sycophancy": 0.1})
        def test_own_failure():
            assert pathlib.Path("readings.log").exists()
            assert 1 == 2

        @pytest.mark.persona("flattering.jsonl", traits=["deception"], at_most={"deception": 0.3})
        def test_own_failure_beside_what_is_held():
            assert 1 == 3

        @pytest.mark.persona("flattering.jsonl", at_most={"sycophancy": 0.1})
        def test_own_skip():
            pytest.skip("not today")
        """
    )
    result = plain()
    result.assert_outcomes(failed=2, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "E       assert 1 == 2",
            "*- persona -*",
            "sycophancy is violated in flattering.jsonl: *",
            "E       assert 1 == 3",
            "*- persona -*",
            "preference · 60 pairs*",
            " held         deception*",
        ]
    )


def test_a_trait_without_a_bound_gets_the_default_one_at_its_unwanted_pole(plain, project):
    project.makepyfile(
        """
        import pytest

        @pytest.mark.persona("flattering.jsonl", traits=["sycophancy"])
        def test_default(persona):
            assert persona["sycophancy"].expectation.at_most == 0.2
            assert persona["sycophancy"].expectation.at_least is None
        """
    )
    result = plain("--persona-bound", "0.2")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["sycophancy is violated*", "  declared  at most +0.20"])


def test_without_traits_every_qualified_one_is_observed(plain, project):
    project.makepyfile(
        """
        import pytest

        @pytest.mark.persona("flattering.jsonl")
        def test_all(persona):
            assert len(persona) >= 24
            assert next(iter(persona)) == "sycophancy"
            assert {finding.status for finding in persona.values()} == {"observed"}
            assert [finding.trait for finding in persona.unwanted] == ["sycophancy"]
        """
    )
    plain().assert_outcomes(passed=1)


def test_signals_are_found_beside_the_test_or_at_the_root_or_made_by_a_fixture(plain, project):
    (project.mkdir("deep") / "near.jsonl").write_text((project.path / "plain.jsonl").read_text())
    project.makepyfile(
        **{
            "deep/test_places": """
        import json
        from pathlib import Path

        import pytest

        BOUND = {"sycophancy": 0.3}
        ROWS = [json.loads(line) for line in Path(__file__).with_name("near.jsonl").read_text().splitlines()]

        @pytest.fixture
        def some_file(tmp_path):
            (tmp_path / "made.jsonl").write_text(Path(__file__).with_name("near.jsonl").read_text())
            return tmp_path / "made.jsonl"

        @pytest.fixture
        def some_rows():
            return ROWS

        @pytest.mark.persona("near.jsonl", at_most=BOUND)
        def test_beside(persona):
            assert persona.signal.path == persona.name == "deep/near.jsonl"

        @pytest.mark.persona("plain.jsonl", at_most=BOUND)
        def test_root(persona):
            assert persona.name == "plain.jsonl"

        @pytest.mark.persona(str(Path(__file__).with_name("near.jsonl")), at_most=BOUND)
        def test_absolute(persona):
            assert persona.name == "deep/near.jsonl"

        @pytest.mark.persona(signal="some_file", at_most=BOUND)
        def test_path_of_a_fixture(persona):
            assert persona.name == "some_file"
            assert persona["sycophancy"].evidence[0].source == "some_file"

        @pytest.mark.persona("some_rows", at_most=BOUND)
        def test_rows_of_a_fixture(persona):
            assert persona.name == "some_rows"

        @pytest.mark.persona(ROWS, at_most=BOUND)
        def test_rows(persona):
            assert persona.name.startswith("rows-")
        """
        }
    )
    plain().assert_outcomes(passed=6)


def test_every_mistake_is_an_error_of_that_test_alone_and_says_what_would_be_right(plain, project):
    project.makepyfile(
        test_mistakes="""
        import pytest

        mark = pytest.mark.persona

        @pytest.fixture
        def broken():
            return 3

        @pytest.fixture
        def needs_more(there_is_no_such_fixture):
            return []

        @pytest.mark.parametrize("case", [
            pytest.param(1, marks=mark("plain.jsonl", at_mots={"sycophancy": 0.1})),
            pytest.param(2, marks=mark("plain.jsonl", colour="red")),
            pytest.param(3, marks=mark("plain.jsonl", suite="x.persona.yaml")),
            pytest.param(4, marks=mark(traits=["sycophancy"])),
            pytest.param(5, marks=mark("plain.jsonl", "flattering.jsonl")),
            pytest.param(6, marks=mark("plain.jsonl", at_most={"sycophancy": 7})),
            pytest.param(7, marks=mark("plain.jsonl", at_most={"sycophancy": True})),
            pytest.param(8, marks=mark("plain.jsonl", at_most=0.1)),
            pytest.param(9, marks=mark("plain.jsonl", at_most={"sycophancy": 0.1}, at_least={"sycophancy": 0.2})),
            pytest.param(10, marks=mark("plain.jsonl", traits="sycophancy")),
            pytest.param(11, marks=mark("plain.jsonl", traits=["sycophansy"])),
            pytest.param(12, marks=mark("plain.jsonl", at_most={"sycophansy": 0.1})),
            pytest.param(13, marks=mark("nowhere/missing.jsonl", at_most={"sycophancy": 0.1})),
            pytest.param(14, marks=mark("broken", at_most={"sycophancy": 0.1})),
            pytest.param(15, marks=mark("no_fixture", at_most={"sycophancy": 0.1})),
            pytest.param(16, marks=mark(suite=3)),
            pytest.param(17, marks=mark(suite="x.persona.yaml", traits=["sycophancy"])),
            pytest.param(18, marks=mark("needs_more")),
            pytest.param(19, marks=mark({"prompt": "one row"} | {str(n): "with many columns" for n in range(9)})),
            pytest.param(20),
        ])
        def test_case(case):
            pass
        """
    )
    result = plain("--tb=short")
    result.assert_outcomes(errors=19, passed=1)
    text = result.stdout.str()
    where = "test_mistakes.py:13: persona marker: "
    for message in (
        where + "unknown keyword 'at_mots'. Perhaps at_most was meant.",
        where
        + "unknown keyword 'colour'. Keywords: signal, traits, at_most, at_least, drift_at_most, suite, inoculated_by,"
        " place, effect_at_least, leak_at_most.",
        where + "it has both a signal and a suite. Give one of them: ",
        where + "it has neither signal nor suite. Give one of them: ",
        where + "it takes one signal. Use a test for each signal, or a suite.",
        where + "at_most of 'sycophancy' is 7. A bound is a number between -2 and 2.",
        where + "at_most of 'sycophancy' is True. A bound is a number between -2 and 2.",
        where + 'at_most is 0.1. Give a dict: at_most={"sycophancy": 0.1}.',
        where + "at_least 0.2 leaves no room below at_most 0.1 for 'sycophancy'. Make at_least the smaller one.",
        where + "traits is 'sycophancy'. Give a list of names.",
        "there is no trait 'sycophansy'. The nearest known: 'sycophancy'.",
        "nowhere/missing.jsonl: its folder does not exist. Check the path.",
        where + "the signal is 3. Give a path, a list of dicts, or the name of a fixture that returns one of them.",
        where + "there is neither a fixture nor a file named 'no_fixture'. Check the name.",
        where + "suite is 3. Give the path of a suite file, or the name of a shared suite.",
        where + "a suite brings its own traits and bounds. Write them in the suite, or give a signal instead of it.",
        "fixture 'there_is_no_such_fixture' not found",
        where + "the signal is a dict. Give a path",
    ):
        assert message in text, message
    assert "Traceback" not in text and "raise self._error" not in text


def test_a_suite_brings_all_its_expectations(plain, project):
    project.makefile(
        ".persona.yaml",
        support="""
        persona: 1
        name: support
        signals: [plain.jsonl]
        expect: {sycophancy: {at_most: 0.4}, deception: {at_most: 0.4}}
        """,
        broken="""
        persona: 1
        name: broken
        signals: [flattering.jsonl, plain.jsonl]
        expect: {sycophancy: {at_most: 0.4}}
        """,
    )
    project.makepyfile(
        test_suite="""
        import pytest

        @pytest.mark.persona(suite="support.persona.yaml")
        def test_one_signal(persona):
            assert set(persona) == {"sycophancy", "deception"}
            assert persona.name == "support"

        @pytest.mark.persona(suite="broken.persona.yaml")
        def test_several_signals():
            pass

        @pytest.mark.persona(suite="broken.persona.yaml")
        def test_several_signals_are_not_one_profile(persona):
            pass

        @pytest.mark.persona(suite="absent.persona.yaml")
        def test_absent():
            pass
        """
    )
    result = plain("test_suite.py")
    result.assert_outcomes(passed=1, failed=1, errors=2)
    result.stdout.fnmatch_lines_random(
        [
            "test_suite.py:12: fixture persona: the suite names several signals, or signals and probes. Use *",
            "sycophancy is violated in flattering.jsonl*",
            "absent.persona.yaml: *",
        ]
    )


def test_a_suite_that_a_plugin_shares_is_found_by_its_name(plain, project):
    project.makefile(
        ".persona.yaml",
        shared="persona: 1\nname: shared\nsignals: [plain.jsonl]\nexpect: {sycophancy: {at_most: 0.4}}\n",
    )
    with (project.path / "conftest.py").open("a") as conftest:
        conftest.write(
            "\ndef pytest_persona_suites():\n"
            "    return {'acme:core': Path(__file__).with_name('shared.persona.yaml')}\n"
        )
    project.makepyfile(
        """
        import pytest

        @pytest.mark.persona(suite="acme:core")
        def test_shared(persona):
            assert persona.name == "shared"
        """
    )
    plain("-k", "test_shared").assert_outcomes(passed=1, deselected=1)


@pytest.mark.parametrize(
    ("mode", "outcomes"),
    [("fail", {"failed": 1}), ("warn", {"passed": 1, "warnings": 1}), ("skip", {"skipped": 1})],
)
def test_an_inconclusive_finding_does_as_it_is_told(plain, project, mode, outcomes):
    project.makepyfile(
        test_undecided="""
        import pytest

        @pytest.mark.persona("plain.jsonl", at_most={"sycophancy": 0.01})
        def test_undecided():
            pass
        """
    )
    result = plain("--persona-inconclusive", mode, "-rs", "-W", "default")
    result.assert_outcomes(**outcomes)
    result.stdout.fnmatch_lines(
        [
            {
                "fail": "sycophancy is inconclusive in plain.jsonl: no violation was found, *",
                "warn": "*PersonaWarning: sycophancy is inconclusive in plain.jsonl: no violation*",
                "skip": "SKIPPED * test_undecided.py:*: sycophancy is inconclusive in plain.jsonl",
            }[mode]
        ]
    )


def test_a_violation_fails_whatever_becomes_of_what_is_inconclusive(plain, project):
    project.makepyfile(
        """
        import pytest

        @pytest.mark.persona("flattering.jsonl", at_most={"deception": 0.01, "sycophancy": 0.1})
        def test_both():
            pass

        @pytest.mark.xfail(reason="known", strict=True)
        @pytest.mark.persona("flattering.jsonl", at_most={"sycophancy": 0.1})
        def test_known():
            pass
        """
    )
    result = plain("--persona-inconclusive", "skip")
    result.assert_outcomes(failed=1, xfailed=1)


def test_a_marker_that_a_hook_adds_counts_and_unittest_has_it_too(plain, project):
    with (project.path / "conftest.py").open("a") as conftest:
        conftest.write(
            "\nimport pytest\n\ndef pytest_collection_modifyitems(items):\n"
            "    items[0].add_marker(pytest.mark.persona('flattering.jsonl', at_most={'sycophancy': 0.1}))\n"
        )
    project.makepyfile(
        """
        import unittest
        import pytest

        def test_added():
            pass

        @pytest.mark.persona("flattering.jsonl", at_most={"sycophancy": 0.1})
        class TestOld(unittest.TestCase):
            def test_old(self):
                pass
        """
    )
    plain().assert_outcomes(failed=2)


def test_it_is_documented_where_pytest_lists_markers(plain):
    plain("--markers").stdout.fnmatch_lines(["@pytest.mark.persona(signal, [*], traits=()*"])
