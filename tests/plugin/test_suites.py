"""Suite files as test files."""

from __future__ import annotations

import json

import pytest

SUITE = """
persona: 1
name: support
signals: [flattering.jsonl]
expect:
  sycophancy: {}
  deception: {at_most: 0.5}
"""


def test_one_item_for_each_expectation_from_one_reading(run, project, readings, sections):
    project.makefile(".persona.yaml", support=SUITE)
    project.makepyfile(test_other="def test_other():\n    pass\n")
    result = run("-v")
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(
        ["*_ sycophancy _*", "sycophancy is violated in flattering.jsonl*", "  declared  at most +0.10"]
    )
    assert readings() == 64  # a first batch of 32 pairs decides both
    assert [line for line in sections(result) if line.startswith("=")] == [" persona: support ".center(80, "=")]


@pytest.mark.parametrize(("ending", "write"), [("yml", None), ("json", json.dumps), ("toml", None)])
def test_every_format_of_a_suite_is_collected(plain, project, ending, write):
    text = SUITE
    if ending == "json":
        text = json.dumps(
            {"persona": 1, "name": "s", "signals": ["plain.jsonl"], "expect": {"sycophancy": {"at_most": 0.5}}}
        )
    elif ending == "toml":
        text = 'persona = 1\nname = "s"\nsignals = ["plain.jsonl"]\n[expect]\nsycophancy = {at_most = 0.5}\n'
    (project.path / f"support.persona.{ending}").write_text(text)
    result = plain("--collect-only", "-q")
    result.stdout.fnmatch_lines([f"support.persona.{ending}::sycophancy"])


def test_an_item_is_chosen_by_its_id_by_k_and_by_mark_without_changing_what_it_says(plain, project, sections):
    project.makefile(".persona.yaml", support=SUITE)
    project.makepyfile(test_other="def test_other():\n    pass\n")
    whole = sections(plain("support.persona.yaml"))
    for choice in (["support.persona.yaml::sycophancy"], ["-k", "sycophancy"]):
        result = plain(*choice)
        assert result.parseoutcomes()["failed"] == 1
        assert "passed" not in result.parseoutcomes()
        assert sections(result) == whole
    plain("-m", "persona").assert_outcomes(passed=1, failed=1, deselected=1)


def test_with_several_signals_items_name_theirs(plain, project, readings):
    project.makefile(
        ".persona.yaml",
        two=SUITE.replace("[flattering.jsonl]", "[flattering.jsonl, plain.jsonl]").replace("0.5", "0.6"),
    )
    result = plain("--collect-only", "-q")
    result.stdout.fnmatch_lines(
        [f"two.persona.yaml::{t}[[]{s}.jsonl]" for s in ("flattering", "plain") for t in ("sycophancy", "deception")]
    )
    plain("two.persona.yaml::deception[plain.jsonl]").assert_outcomes(passed=1)
    assert readings() > 0


@pytest.mark.parametrize(
    ("suite", "message"),
    [
        (
            "persona: 1\nname: x\nsignals: [a.jsonl]\nexpect: {sycophancy: {at_mots: 1}}\n",
            "broken.persona.yaml:4: *at_mots*",
        ),
        ("persona: [", "broken.persona.yaml:*"),
        (SUITE.replace("sycophancy", "sycophansy"), "there is no trait 'sycophansy'. The nearest known: 'sycophancy'."),
    ],
)
def test_a_broken_suite_is_a_collection_error_without_traceback(plain, project, suite, message):
    project.makefile(".persona.yaml", broken=suite)
    result = plain()
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*ERROR collecting broken.persona.yaml*", message, "ERROR broken.persona.yaml"])
    assert "Traceback" not in result.stdout.str()


def test_what_cannot_be_read_is_an_error_of_each_item_and_tried_once(run, project):
    project.makefile(".persona.yaml", support=SUITE)
    (project.path / "flattering.jsonl").write_text('{"prompt": "x"}\nbroken\n')
    with (project.path / "conftest.py").open("a") as conftest:
        conftest.write(
            "\ndef pytest_persona_load_signal(path):\n    with LOG.open('a') as log:\n        log.write('1\\n')\n"
        )
    result = run()
    result.assert_outcomes(errors=2)
    assert result.stdout.str().count("\nflattering.jsonl:") == 2
    assert (project.path / "readings.log").read_text().split().count("1") == 1
    assert "Traceback" not in result.stdout.str()
    assert not list((project.path / ".persona").rglob("*.json"))


def test_other_files_are_left_alone(plain, project):
    (project.path / "persona.yaml").write_text("a: 1")
    (project.path / "x.yaml").write_text("a: 1")
    assert plain().ret == pytest.ExitCode.NO_TESTS_COLLECTED


def test_an_inconclusive_item_that_is_skipped_points_to_its_suite(plain, project):
    project.makefile(".persona.yaml", narrow=SUITE.replace("0.5", "0.001").replace("flattering", "plain"))
    result = plain("--persona-inconclusive", "skip", "-rs")
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(["SKIPPED * narrow.persona.yaml:1: deception is inconclusive in support"])
