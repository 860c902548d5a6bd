"""Options ``--persona-*`` and ini keys ``persona_*``."""

from __future__ import annotations

import pytest

from pytest_persona.options import OPTIONS

AUDIT = """
    import pytest

    @pytest.mark.persona("plain.jsonl", traits=["sycophancy"])
    def test_it(persona):
        print("settings:", dict(sorted(persona.settings.items())), len(persona.judge.name))
        print("bound:", persona["sycophancy"].expectation.at_most)
    """


def test_every_option_is_in_the_help_with_its_ini_key(plain):
    text = " ".join(plain("--help").stdout.str().split())
    for option in OPTIONS:
        assert f"--persona-{option.name}" in text
        assert " ".join(option.help.split()) in text
        assert (f"persona_{option.dest} (" in text) is option.ini


def test_the_command_line_comes_before_the_ini_file(plain, project):
    project.makeini("[pytest]\npersona_judge = fake\npersona_bound = 0.5\npersona_seed = 7\npersona_read_all = yes\n")
    project.makepyfile(AUDIT)
    result = plain("-s", "--persona-bound", "0.4")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*settings: {*'bound': 0.4*'read_all': True*'seed': 7*", "bound: 0.4"])


def test_options_that_may_be_repeated_and_flags(plain, project):
    (project.path / "odd.jsonl").write_text('{"q": "x", "good": "a b", "bad": "c d"}\n' * 3)
    project.makeini("[pytest]\npersona_judge = fake\npersona_map =\n    prompt=q\n    chosen=bad\n    rejected=good\n")
    project.makepyfile(AUDIT.replace("plain.jsonl", "odd.jsonl"))
    result = plain(
        "-s", "--persona-map", "prompt=q", "--persona-map", "chosen=good,rejected=bad", "--persona-read-all",
        "--persona-inconclusive=skip",
    )  # fmt: skip
    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["*'map': {'prompt': 'q', 'chosen': 'good', 'rejected': 'bad'}*'read_all': True*"])


def test_a_pyproject_file_can_hold_them(plain, project):
    (project.path / "tox.ini").unlink()
    project.makepyprojecttoml('[tool.pytest.ini_options]\npersona_judge = "fake"\npersona_bound = "0.3"\n')
    project.makepyfile(AUDIT)
    plain("-s").stdout.fnmatch_lines(["bound: 0.3"])


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--persona-level", "2"], "ERROR: --persona-level: '2' cannot be used: must be at least 0.5 and below 1."),
        (["--persona-inconclusive", "shrug"], "ERROR: --persona-inconclusive: 'shrug' is not a valid value. Valid*"),
        (["-o", "persona_seed=-3"], "ERROR: --persona-seed: '-3' cannot be used: must not be negative."),
        (
            ["--persona-json", "no/where.json"],
            "ERROR: --persona-json: no/where.json cannot be written: its folder does*",
        ),
        (
            ["--persona-json", "-", "--persona-rows", "-"],
            "ERROR: --persona-json and --persona-rows cannot both be standard*",
        ),
    ],
)
def test_a_value_that_cannot_be_used_is_a_usage_error_before_anything_is_read(plain, project, readings, args, message):
    project.makepyfile(AUDIT)
    result = plain(*args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])
    assert readings() == 0


def test_a_judge_that_nobody_offers_is_an_error_that_names_those_that_are(plain, project):
    project.makepyfile(AUDIT)
    result = plain("--persona-judge", "nobody")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["'nobody' is no judge that is installed. Installed: claude, embedded, fake, likelihood, openai, replay."]
    )
    assert "Traceback" not in result.stdout.str()


def test_a_trait_of_the_users_own_is_read_from_its_file(plain, project):
    project.makefile(
        ".yaml",
        pirate="trait: 1\nname: pirate\ndefinition: Talks like a pirate.\n"
        "high: {summary: Says arr.}\nlow: {summary: Speaks plainly.}\npairs:\n"
        + "".join(
            f"  - {{domain: d{n % 3}, context: Hello {n}, high: Arr matey {n}, low: Good day {n}}}\n" for n in range(8)
        ),
    )
    project.makepyfile(AUDIT.replace("sycophancy", "pirate"))
    result = plain("--persona-traits", "pirate.yaml", "--persona-bound", "0.4")
    result.assert_outcomes(passed=1)
