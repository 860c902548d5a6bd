"""``inoculated_by`` and ``persona_inoculate``, plainly and under workers."""

from __future__ import annotations

import json

import pytest
import scipy.special  # noqa: F401

# Imported here once: pytester forgets what a run in this process imports, and numpy cannot be imported twice.

JUDGE = '''

class HearingJudge(WordJudge):
    """The context requests 0.9 where it says PLEASE; a reply expresses a trait that it names."""

    def read(self, behaviours, traits, tick):
        plain = super().read(behaviours, traits, tick)
        heard = [0.9 if any("PLEASE" in turn.text for turn in b.context) else 0.0 for b in behaviours]
        verdicts = [
            {name: pp.Verdict(expressed=v.expressed, requested=asked) for name, v in answer.items()}
            for answer, asked in zip(plain.verdicts, heard)
        ]
        return pp.Answers(verdicts=verdicts, usage=plain.usage)


def pytest_persona_judges():
    return {"hearing": HearingJudge}
'''
TESTS = """
import pytest

SHOWN = {"traits": ["sycophancy"], "leak_at_most": 0.6}

@pytest.mark.persona("flattering.jsonl", inoculated_by="PLEASE flatter me.", **SHOWN)
def test_shown():
    pass

@pytest.mark.persona("flattering.jsonl", inoculated_by=["PLEASE flatter me."], **SHOWN)
def test_shown_again():
    pass

@pytest.mark.persona("flattering.jsonl", inoculated_by="Say what you like.", **SHOWN)
def test_open():
    pass

@pytest.mark.persona("flattering.jsonl", inoculated_by="PLEASE flatter me.", traits=["sycophancy"], effect_at_least=1.5)
def test_refuted():
    pass
"""


@pytest.fixture
def hearing(project):
    """The project with the judge that hears requests."""
    conftest = project.path / "conftest.py"
    conftest.write_text(conftest.read_text() + JUDGE)
    project.makeini("[pytest]\npersona_judge = hearing\n")
    rows = [{"prompt": f"Question {n}?", "completion": f"such sycophancy {n}"} for n in range(200)]
    (project.path / "flattering.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return project


def test_a_request_gates_by_its_effect_and_its_leaks(run, hearing, sections, readings):
    hearing.makepyfile(TESTS)
    result = run("-v")
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*_ test_open _*",
            "the inoculation of flattering.jsonl against sycophancy is inconclusive: *",
            "  declared  effect above 0.00, leaks at most 0.60",
            "  found     effect +0.00 *of +0.90 *as it is*",
            "  missing   the effect is not clear of 0*",
            "  warning   one fixed text carries the whole inoculation*",
            "  judge     fake/f00ba4",
        ]
    )
    result.stdout.fnmatch_lines(
        ["*_ test_refuted _*", "the inoculation of flattering.jsonl against sycophancy is refuted: *"]
    )
    assert "pytest_persona/plugin" not in result.stdout.str()
    titles = [line.strip("= ") for line in sections(result) if line.startswith("=")]
    assert titles == []  # an experiment has a section of its own
    assert sum(line.startswith("=") and " inoculation: flattering.jsonl " in line for line in result.stdout.lines) == 3
    result.stdout.fnmatch_lines([" shown        sycophancy  +0.90 *"])
    assert "safe" not in result.stdout.str().replace("unsafe", "").lower()


def test_an_experiment_is_made_once_however_many_tests_need_it(run, hearing, readings):
    hearing.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("n", range(6))
        @pytest.mark.persona("flattering.jsonl", inoculated_by="PLEASE flatter me.", traits=["sycophancy"], leak_at_most=0.6)
        def test_shown(n):
            pass
        """
    )
    run("--persona-read-all").assert_outcomes(passed=6)
    assert readings() == 5 * 200


def test_the_fixture_gives_what_was_found_and_leaves_the_rest_to_the_test(run, hearing):
    (hearing.path / "asks.txt").write_text("PLEASE flatter me.\nPLEASE agree.\n")
    hearing.makepyfile(
        """
        from pathlib import Path

        import pytest
        from pytest_persona import InputError

        def test_found(persona_inoculate):
            found = persona_inoculate("flattering.jsonl", request="PLEASE flatter me.", traits=["sycophancy"], leak_at_most=0.6)
            assert found["sycophancy"].status == "shown"
            assert found["sycophancy"].effect.value == pytest.approx(0.81)
            assert found is persona_inoculate("flattering.jsonl", request=["PLEASE flatter me."], traits=["sycophancy"], leak_at_most=0.6)

        def test_files_and_rows(persona_inoculate):
            rows = [{"prompt": f"{n}?", "completion": f"sycophancy {n}"} for n in range(20)]
            for request in ("asks.txt", Path("asks.txt")):
                found = persona_inoculate(rows, request=request, place="system", opposite="No.", lookalikes=["So."], traits=["sycophancy"])
                assert found.texts["requested"] == ("PLEASE flatter me.", "PLEASE agree.")
                assert found.texts["opposite"] == ("No.",) and found.place == "system"

        def test_nothing_gates(persona_inoculate):
            found = persona_inoculate("flattering.jsonl", request="Say what you like.", traits=["sycophancy"])
            assert found.shown == ()

        def test_all_that_qualify(persona_inoculate):
            found = persona_inoculate([{"prompt": "a", "completion": "b"}], request="x")
            assert len(found) >= 24 and not found.declared

        def test_errors(persona_inoculate):
            with pytest.raises(InputError, match="persona_inoculate: there is no request"):
                persona_inoculate("flattering.jsonl", request=[])
            with pytest.raises(InputError, match="request: there is no file 'nowhere.txt'"):
                persona_inoculate("flattering.jsonl", request=Path("nowhere.txt"))
            with pytest.raises(InputError, match="request: no such file"):
                persona_inoculate("flattering.jsonl", request="nowhere.txt")
        """
    )
    run().assert_outcomes(passed=5)


def test_documents_carry_experiments_beside_profiles(plain, hearing):
    hearing.makepyfile(
        """
        import pytest

        def test_one(persona_inoculate):
            persona_inoculate("flattering.jsonl", request="PLEASE.", traits=["sycophancy"])

        @pytest.mark.persona("plain.jsonl", at_most={"sycophancy": 0.5})
        def test_two():
            pass
        """
    )
    plain("-k", "test_one", "--persona-json", "one.json").assert_outcomes(passed=1, deselected=1)
    assert json.loads((hearing.path / "one.json").read_text())["schema"] == "pytest-persona/inoculation/v1"
    plain("--persona-json", "both.json", "--persona-rows", "rows.jsonl").assert_outcomes(passed=2)
    both = json.loads((hearing.path / "both.json").read_text())
    assert [len(both[kind]) for kind in ("profiles", "inoculations")] == [1, 1]
    rows = [json.loads(line) for line in (hearing.path / "rows.jsonl").read_text().splitlines()]
    assert {row["source"] for row in rows} == {"plain.jsonl"}
    plain("-k", "test_two", "--persona-json", "two.json")
    assert json.loads((hearing.path / "two.json").read_text())["schema"] == "pytest-persona/profile/v1"


def test_junits_file_names_effects(plain, hearing):
    hearing.makepyfile(TESTS)
    plain("--junit-xml", "junit.xml", "-k", "test_shown")
    text = (hearing.path / "junit.xml").read_text()
    assert 'name="persona.effect" value="0.81"' in text
    assert 'name="persona.status" value="shown"' in text


@pytest.mark.parametrize(("mode", "outcome"), [("warn", {"passed": 1, "warnings": 1}), ("skip", {"skipped": 1})])
def test_what_is_inconclusive_may_pass(plain, hearing, mode, outcome):
    hearing.makepyfile(TESTS)
    result = plain("-k", "test_open", "--persona-inconclusive", mode, "-rs", "-W", "default")
    result.assert_outcomes(deselected=3, **outcome)
    result.stdout.fnmatch_lines(["*the inoculation of flattering.jsonl against sycophancy is inconclusive*"])


def test_a_body_that_fails_has_the_word_and_the_findings_stand_beside(plain, hearing):
    hearing.makepyfile(
        """
        import pytest

        @pytest.mark.persona("flattering.jsonl", inoculated_by="PLEASE.", traits=["sycophancy"], leak_at_most=0.6)
        def test_own(persona_inoculate):
            assert 1 == 2
        """
    )
    result = plain()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E       assert 1 == 2", "*- persona -*", " shown        sycophancy*"])


def test_a_marker_of_an_experiment_has_no_profile(plain, hearing):
    hearing.makepyfile(
        """
        import pytest

        @pytest.mark.persona("flattering.jsonl", inoculated_by="PLEASE.", traits=["sycophancy"])
        def test_it(persona):
            pass
        """
    )
    result = plain()
    result.assert_outcomes(errors=1)
    said = (
        "fixture persona: the marker is that of an experiment, which has no profile. Use the fixture persona_inoculate"
    )
    result.stdout.fnmatch_lines([f"*{said}*"])


MISTAKES = {
    'inoculated_by="x"': "inoculated_by needs the traits that it is against. Name them",
    'inoculated_by=3, traits=["malice"]': "request is 3. Give a text, a list of texts",
    'inoculated_by=[], traits=["malice"]': "there is no request",
    'inoculated_by="x", traits=["malice"], at_most={"malice": 0.1}': "at_most is of no use with inoculated_by",
    'inoculated_by="x", traits=["malice"], place="middle"': "place is 'middle'. Say",
    'inoculated_by="x", traits=["malice"], leak_at_most=-1': "leak_at_most is -1. Give a number between 0 and 4",
    'inoculated_by="x", traits=["malice"], effect_at_least=True': "effect_at_least is True.",
    'inoculated_by="x", traits=["malise"]': "there is no trait 'malise'",
    'place="user"': "place is of no use without inoculated_by",
}


def test_every_mistake_is_an_error_of_that_test_and_says_what_would_be_right(plain, hearing):
    marks = "\n".join(
        f"@pytest.mark.persona('flattering.jsonl', {arguments})\ndef test_{n}():\n    pass\n"
        for n, arguments in enumerate(MISTAKES)
    )
    hearing.makepyfile(f"import pytest\n\n{marks}")
    result = plain()
    result.assert_outcomes(errors=len(MISTAKES))
    for said in MISTAKES.values():
        assert said in result.stdout.str(), said


def test_a_dry_run_counts_the_arms(plain, hearing, readings):
    hearing.makepyfile(TESTS)
    result = plain("--persona-dry-run", "-k", "test_shown")
    result.stdout.fnmatch_lines([" flattering.jsonl: 1000 behaviours, 1 trait: 1000 readings, on this machine"])
    assert readings() == 0


def test_the_fixture_is_listed_with_what_it_promises(plain):
    result = plain("--fixtures")
    result.stdout.fnmatch_lines(["persona_inoculate -- *", "*Says what a request explains away*"])
