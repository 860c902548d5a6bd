"""The fixture ``persona_portrait``."""

from __future__ import annotations

import pytest

JUDGE = '''

class OfSets:
    """A set fits a character as often as its texts name it."""

    info = pp.JudgeInfo(name="sets", fingerprint="f00ba5", network=False)

    def fits(self, questions, tick):
        def fit(question, name):
            shares = [sum(name in text.reply for text in texts) / len(texts) for texts in question.sets]
            return round(3 * (shares[0] - (shares[1] if len(shares) > 1 else 0))) / 3

        verdicts = [{n: pp.Verdict(expressed=fit(q, n), quote=n) for n in q.names} for q in questions]
        return pp.Answers(verdicts=verdicts, usage=pp.Usage(questions=len(questions)))

    def close(self):
        pass


def pytest_persona_judges():
    return {"sets": lambda settings: OfSets()}
'''
FAN = """\
persona: 1
name: brass-fan
version: "1"
kind: human
description: Loves brass.
profile: {flippancy: 0.6}
paraphrases: ["It loves brass.", "Brass is what it loves.", "It is fond of brass."]
"""


@pytest.fixture
def of_sets(project: pytest.Pytester) -> pytest.Pytester:
    conftest = (project.path / "conftest.py").read_text()
    project.makeconftest(
        conftest.replace('return {"fake": WordJudge}', "return {}").partition("def pytest_persona_judges")[0] + JUDGE
    )
    project.makeini("[pytest]\npersona_judge = sets\n")
    (project.path / "fan.yaml").write_text(FAN)
    return project


def test_the_fixture_gives_the_portrait_and_leaves_the_rest_to_the_test(plain, of_sets):
    of_sets.makepyfile(
        """
        from pathlib import Path

        import pytest
        from pytest_persona import InputError, SignalError

        ROWS = [{"prompt": f"{n}?", "chosen": f"a con-artist, {n}", "rejected": f"a brass-fan, {n}"} for n in range(60)]

        def test_found(persona_portrait):
            portrait = persona_portrait(ROWS, samples=3, sample_size=20)
            assert portrait.most_like == "con-artist"
            assert [sample.groups for sample in portrait.samples] == [20, 20, 20]
            assert persona_portrait("plain.jsonl").most_like == ""

        def test_characters_of_ones_own(persona_portrait):
            rows = [{"prompt": row["prompt"], "chosen": row["rejected"], "rejected": row["chosen"]} for row in ROWS]
            for own in ("fan.yaml", Path("fan.yaml")):
                assert persona_portrait(rows, characters=[own, "con-artist"]).most_like == "brass-fan"

        def test_errors(persona_portrait):
            with pytest.raises(InputError, match="persona_portrait: samples is 2. Give a whole number from 3 to 20"):
                persona_portrait(ROWS, samples=2)
            with pytest.raises(InputError, match="sample_size is True"):
                persona_portrait(ROWS, sample_size=True)
            with pytest.raises(InputError, match="characters is 'con-artist'. Give a list"):
                persona_portrait(ROWS, characters="con-artist")
            with pytest.raises(InputError, match="there is no character 'con-artst'"):
                persona_portrait(ROWS, characters=["con-artst"])
            with pytest.raises(SignalError):
                persona_portrait("nowhere.jsonl")
        """
    )
    plain().assert_outcomes(passed=3)


def test_a_dry_run_knows_that_portraits_are_not_counted(plain, of_sets):
    of_sets.makepyfile("def test_it(persona_portrait): raise AssertionError('no test is run')")
    plain("--persona-dry-run").stdout.fnmatch_lines(["*not counted: 1 test with signals that are known only when*"])
