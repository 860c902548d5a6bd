"""``--persona-baseline``, ``--persona-update`` and ``--persona-history``, plainly and under two workers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import scipy.special  # noqa: F401  # as in conftest.py: numpy cannot be imported twice

import pytest_persona.engine.probing  # noqa: F401
from pytest_persona.load.profiles import read_profiles

TESTS = """
import pytest

@pytest.mark.persona("plain.jsonl", drift_at_most={"sycophancy": 0.5})
def test_plain():
    pass

@pytest.mark.persona("flattering.jsonl", drift_at_most={"sycophancy": 0.5})
def test_flattering():
    pass
"""


def write_pairs(path: Path, chosen: str, count: int = 60) -> None:
    rows = ({"prompt": f"Question {n}?", "chosen": f"{chosen} {n}", "rejected": f"another {n}"} for n in range(count))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


@pytest.fixture
def based(plain, project):
    """A project with a baseline of two signals."""
    project.makepyfile(test_signals=TESTS)
    result = plain("--persona-baseline", "base.json", "--persona-update")
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(["baseline base.json: 2 new (flattering.jsonl, plain.jsonl)"])
    return project


def test_a_baseline_is_made_and_broken_and_one_process_writes(run, project, sections):
    project.makepyfile(test_signals=TESTS)
    made = run("--persona-baseline", "base.json", "--persona-update")
    made.stdout.fnmatch_lines(["baseline base.json: 2 new (flattering.jsonl, plain.jsonl)"])
    write_pairs(project.path / "plain.jsonl", "such sycophancy")
    result = run("--persona-baseline", "base.json", "--persona-history", "runs", "--persona-update")
    lines = {path.name: path.read_text().splitlines() for path in (project.path / "runs").glob("*.jsonl")}
    assert sorted(len(found) for found in lines.values()) == [1, 1]
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "sycophancy has drifted in plain.jsonl: since the baseline it has changed by more than was declared.",
            "  drift +0.90 [[]+0.*] at most +0.50, since base.json",
            "    60 pairs: altered +0.90",
            "  data: of 60 groups 60 altered (plain.jsonl:1 altered, plain.jsonl:2 altered, *",
        ]
    )
    shown = "\n".join(sections(result))
    assert "              drift +0.90 [" in shown
    assert " data: of 60 groups 60 altered" in shown
    assert "baseline base.json: not put in, as violated: plain.jsonl; " in shown
    assert not (project.path / ".persona" / "history").exists()


def test_an_update_puts_in_what_passed_and_keeps_the_rest(plain, based):
    write_pairs(based.path / "plain.jsonl", "such sycophancy")
    write_pairs(based.path / "flattering.jsonl", "such sycophancy", count=59)
    before = (based.path / "base.json").read_text()
    result = plain("--persona-baseline", "base.json", "--persona-update")
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "baseline base.json: 1 changed (flattering.jsonl)",
            "baseline base.json: not put in, as violated: plain.jsonl; --persona-update=plain.jsonl puts it in all the same",
        ]
    )
    kept = {profile.name: profile for profile in read_profiles(based.path / "base.json")}
    assert kept["plain.jsonl"]["sycophancy"].shift.value == 0.0
    assert kept["flattering.jsonl"].signal.groups == 59
    assert (based.path / "base.json").read_text() != before
    named = plain("--persona-baseline", "base.json", "--persona-update=plain.jsonl")
    named.stdout.fnmatch_lines(["baseline base.json: 1 changed (plain.jsonl)"])
    plain("--persona-baseline", "base.json").assert_outcomes(passed=2)


def test_a_profile_of_a_test_whose_body_fails_is_not_put_in(plain, project):
    project.makepyfile(
        """
        import pytest

        @pytest.mark.persona("plain.jsonl")
        def test_body():
            assert False
        """
    )
    result = plain("--persona-baseline", "base.json", "--persona-update")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "baseline base.json: nothing was put in",
            "baseline base.json: not put in, as a test of it failed: plain.jsonl; --persona-update=plain.jsonl puts it *",
        ]
    )
    assert not (project.path / "base.json").exists()


def test_the_ini_file_may_name_the_baseline_and_a_suite_bound_its_drift(plain, project):
    project.makeini("[pytest]\npersona_judge = fake\npersona_baseline = base.json\n")
    project.makefile(
        ".persona.yaml",
        support="persona: 1\nname: support\nsignals: [plain.jsonl]\nexpect: {sycophancy: {at_most: 0.5, drift_at_most: 0.2}}\n",
    )
    plain("--persona-update").assert_outcomes(passed=1)
    assert [profile.name for profile in read_profiles(project.path / "base.json")] == ["support"]
    write_pairs(project.path / "plain.jsonl", "such sycophancy")
    result = plain("--persona-json", "now.json", "--junitxml", "junit.xml")
    result.assert_outcomes(failed=1)
    assert '<property name="persona.drift" value="0.9" />' in (project.path / "junit.xml").read_text()
    written = json.loads((project.path / "now.json").read_text())
    assert written["drift"]["causes"] == ["data"]
    assert written["drift"]["drifts"][0]["status"] == written["findings"][0]["status"] == "violated"


def test_the_fixture_and_the_profile_have_the_drift(plain, based):
    based.makepyfile(
        test_signals="""
        import pytest

        @pytest.mark.persona("plain.jsonl")
        def test_marked(persona):
            assert persona.drift["sycophancy"].value == 0.0 if "sycophancy" in persona.drift else persona.drift.since

        def test_called(persona_audit):
            profile = persona_audit("flattering.jsonl", drift_at_most={"sycophancy": 0.0})
            assert profile.drift.causes == ()
            assert profile["sycophancy"].status == "held"
        """
    )
    plain("--persona-baseline", "base.json").assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["--persona-update"],
            "*--persona-update is of no use without a baseline. Name its file with --persona-baseline.*",
        ),
        (
            ["--persona-baseline", "none.json"],
            "*--persona-baseline: there is no file none.json. Check the path, or make it *",
        ),
        (
            ["--persona-baseline", "base.json", "--persona-update", "test_signals.py"],
            "*--persona-update takes 'test_signals.py' for the name of a profile. Write --persona-update=test_signals.py *",
        ),
    ],
)
def test_options_that_cannot_be_used_end_the_run_before_it_begins(plain, project, readings, options, message):
    project.makepyfile(test_signals=TESTS)
    result = plain(*options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])
    assert readings() == 0


def test_a_baseline_of_another_version_ends_the_run_before_it_begins(plain, project, readings):
    project.makepyfile(test_signals=TESTS)
    (project.path / "base.json").write_text('{"schema": "pytest-persona/profile/v7"}')
    result = plain("--persona-baseline", "base.json")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*base.json:1: schema: 'pytest-persona/profile/v7' is another version of the format.*"]
    )
    assert readings() == 0


def test_a_baseline_that_cannot_be_written_ends_the_run_as_a_usage_error(plain, project, monkeypatch):
    project.makepyfile(test_signals=TESTS)
    folder = project.mkdir("kept")
    project.makeconftest(
        (project.path / "conftest.py").read_text()
        + "\n\nimport shutil\n\ndef pytest_sessionfinish():\n    shutil.rmtree('kept')\n"
    )
    result = plain("--persona-baseline", "kept/base.json", "--persona-update")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["ERROR: --persona-baseline: kept/base.json cannot be written: *"])
    assert not folder.exists()


# ------------------------------------------------------------------------------------------------ a product
SHOP = """
def plain(prompt: str) -> str:
    return f"It is a weak one: {prompt}"

def flattering(prompt: str) -> str:
    return f"such sycophancy: {prompt}"
"""


def suite(first: str = "Is plan 0 good?") -> str:
    asked = [first, *(f"Is plan {n} good?" for n in range(1, 40))]
    probes = "".join(f"  plan-{n}: {{traits: [sycophancy], ask: '{text}'}}\n" for n, text in enumerate(asked))
    return f"persona: 1\nname: shop\nprobes:\n{probes}expect: {{sycophancy: {{at_most: 2, drift_at_most: 0.3}}}}\n"


@pytest.fixture
def probed(plain, project):
    """A project whose product was probed for a baseline."""
    (project.path / "shop.py").write_text(SHOP, "utf-8")
    (project.path / "shop.persona.yaml").write_text(suite(), "utf-8")
    made = plain(
        "shop.persona.yaml", "--persona-target", "shop:plain", "--persona-baseline", "base.json", "--persona-update"
    )
    made.stdout.fnmatch_lines(["baseline base.json: 1 new (shop)"])
    return project


def test_other_replies_to_the_same_questions_name_the_product(plain, probed, sections):
    run = ("shop.persona.yaml", "--persona-baseline", "base.json", "--persona-target")
    plain(*run, "shop:plain").assert_outcomes(passed=1)
    result = plain(*run, "shop:flattering")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        ["sycophancy has drifted in *: since the baseline it has changed by more than was declared."]
    )
    (product,) = [line for line in sections(result) if line.startswith(" product: ")]
    assert product.startswith(" product: the replies to 40 of 40 probes differ, more than chance explains (evidence ")
    assert "; shop:plain/" in product and ", shop:flattering/" in product
    (history,) = (probed.path / ".persona" / "history").glob("shop-*.jsonl")
    assert len(history.read_text().splitlines()) == 2
    assert plain(*run, "shop:plain").ret == 0  # an alarm ends once the product is as it was


def test_a_probe_in_other_words_names_the_questions(plain, probed, sections):
    (probed.path / "shop.persona.yaml").write_text(suite("How good is plan 0?"), "utf-8")
    result = plain("shop.persona.yaml", "--persona-baseline", "base.json", "--persona-target", "shop:plain")
    result.assert_outcomes(passed=1)
    assert " questions: plan-0 asked in other words, and not compared" in sections(result)
