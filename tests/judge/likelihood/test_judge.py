"""The judge: what it says, when it may be believed, and what stands beside it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_persona.judge.base import Controls, Judge
from pytest_persona.judge.likelihood import LikelihoodJudge, Reader
from pytest_persona.judge.likelihood import judge as module
from pytest_persona.model.episodes import Behaviour
from pytest_persona.model.personas import NullCharacter
from pytest_persona.model.traits import NeutralReply, Trait
from pytest_persona.model.verdicts import Verdict
from pytest_persona.settings import Settings

Say = Callable[..., Behaviour]
Make = Callable[..., Trait]


def ignore(count: int) -> None:
    pass


def read_one(judge: LikelihoodJudge, behaviour: Behaviour, trait: Trait) -> Verdict:
    return judge.read([behaviour], [trait], ignore).verdicts[0][trait.name]


def test_it_has_the_form_of_a_judge_with_controls(judge: LikelihoodJudge) -> None:
    as_judge: Judge = judge
    as_controls: Controls = judge
    assert as_judge is as_controls and not judge.one_pass


def test_a_reply_in_the_manner_of_a_pole_is_scored_on_its_side(judge: LikelihoodJudge, trait: Make, say: Say) -> None:
    assert (read_one(judge, say("A glorious thing."), trait()).expressed or 0.0) > 0.5
    assert (read_one(judge, say("A measured thing."), trait()).expressed or 0.0) < -0.5
    assert read_one(judge, say("It takes 77 minutes."), trait()).expressed == pytest.approx(0.0, abs=0.3)


def test_requested_is_left_to_the_contrast(judge: LikelihoodJudge, trait: Make, say: Say) -> None:
    # A context in the pole's own words makes them likelier under both poles.
    plain = read_one(judge, say("A glorious thing."), trait())
    asked = read_one(judge, say("A glorious thing.", asked="say something glorious and glorious"), trait())
    assert plain.requested is None is asked.requested
    assert 0.0 < (asked.expressed or 0.0) < (plain.expressed or 0.0)


def test_the_same_rule_qualifies_as_for_other_judges(judge: LikelihoodJudge, trait: Make) -> None:
    good, turned = judge.qualify([trait(), trait("turned", turned=True)]).values()
    assert good.qualified and good.auroc == 1.0 and good.pairs == 12
    assert not turned.qualified and turned.auroc == 0.5


def test_texts_about_behaviour_are_qualified_by_themselves(judge: LikelihoodJudge, trait: Make, say: Say) -> None:
    made = trait()
    assert judge.qualify([made], statements=True)[made.name].qualified
    answers = judge.read([say("The reply is glorious.", role="criterion", asked="")], [made], ignore)
    assert (answers.verdicts[0][made.name].expressed or 0.0) > 0.3


def test_a_trait_with_too_few_wordings_is_read_by_nobody(
    judge: LikelihoodJudge, source: Any, trait: Make, say: Say
) -> None:
    made = trait()
    bare = replace(made, high=replace(made.high, paraphrases=()), low=replace(made.low, paraphrases=()))
    known = judge.qualify([bare])[bare.name]
    assert not known.qualified and known.auroc is None
    assert known.reason == "it has 1 length-matched wordings of its poles, where 3 are the least"
    verdict = read_one(judge, say("A glorious thing."), bare)
    assert (verdict.expressed, verdict.reason, verdict.detail) == (None, "failed", known.reason)
    scores, panel = judge.panel([say("well")], bare)
    assert scores.tolist() == [0.0] and panel.shape == (1, 0)
    assert judge.wording([say("well")], bare) is None
    assert source.asked == []


def test_a_trait_with_too_few_anchors_is_not_qualified(judge: LikelihoodJudge, trait: Make) -> None:
    known = judge.qualify([trait(pairs=5)])["gush"]
    assert not known.qualified and known.pairs == 5
    assert known.reason == "it has been tried on 5 pairs of anchors, where 8 are the least"


def test_pairs_that_could_not_be_read_do_not_count(judge: LikelihoodJudge, source: Any, trait: Make) -> None:
    source.refuses = lambda opening, one: "glorious" in one.reply
    known = judge.qualify([trait()])["gush"]
    assert known.pairs == 8 and known.auroc is not None


def test_a_failure_on_all_anchors_names_its_cause(judge: LikelihoodJudge, source: Any, trait: Make) -> None:
    source.refuses = lambda opening, one: True
    known = judge.qualify([trait()])["gush"]
    assert known.reason.endswith("pairs of anchors, where 8 are the least: too long for the model") and known.pairs == 0


def test_what_cannot_be_read_has_a_reason(judge: LikelihoodJudge, source: Any, trait: Make, say: Say) -> None:
    judge.qualify([trait()])
    source.refuses = lambda opening, one: "lost" in one.reply
    empty, lost, fine = (
        v["gush"] for v in judge.read([say(" "), say("lost"), say("A glorious thing.")], [trait()], ignore).verdicts
    )
    assert (empty.reason, lost.reason, lost.detail) == ("empty", "failed", "too long for the model")
    assert fine.expressed is not None


def test_several_traits_are_read_one_after_another(judge: LikelihoodJudge, trait: Make, say: Say) -> None:
    done: list[int] = []
    behaviours = [say(f"A glorious thing {i}.") for i in range(20)]
    answers = judge.read(behaviours, [trait(), trait("turned", turned=True)], done.append)
    assert sum(done) == 20 and all(set(verdicts) == {"gush", "turned"} for verdicts in answers.verdicts)
    assert all(
        (verdicts["gush"].expressed or 0) > 0.5 and verdicts["turned"].expressed == 0.0 for verdicts in answers.verdicts
    )
    tried = 2 * (24 + 12)
    assert answers.usage.questions == 40 + tried, "a behaviour and a trait, and what qualifying has cost"
    assert judge.read([], [trait()], ignore).usage.questions == 0


def test_the_spread_between_wordings_is_kept(judge: LikelihoodJudge, trait: Make, say: Say) -> None:
    made = trait()
    behaviours = [say("A splendid thing."), say("A glorious thing.")]
    spread = judge.wording(behaviours, made)
    assert spread is not None and spread > 0.0
    same = tuple(
        replace(pole, paraphrases=(f"It is {pole.summary}",) * 3, exemplars=pole.exemplars[:1])
        for pole in (made.high, made.low)
    )
    assert judge.wording(behaviours, replace(made, name="same", high=same[0], low=same[1])) == pytest.approx(
        0.0, abs=1e-12
    )


def test_no_spread_where_nothing_could_be_read(judge: LikelihoodJudge, source: Any, trait: Make, say: Say) -> None:
    source.refuses = lambda opening, one: True
    assert judge.wording([say("well")], trait()) is None


def test_null_characters_read_the_same_behaviours(judge: LikelihoodJudge, trait: Make, say: Say) -> None:
    behaviours = [say("A glorious thing."), say("A sober thing."), say("It likes trains.")]
    scores, panel = judge.panel(behaviours, trait())
    assert scores.shape == (3,) and panel.shape == (3, 15), "all pairs of twice as many characters as wordings"
    assert scores[0] > 0.0 > scores[1]
    assert np.abs(panel[:2]).max() < abs(scores[0]), "who likes trains says no more and no less splendid things"
    assert np.abs(panel[2]).max() > np.abs(panel[:2]).max(), "but is likelier to speak of trains"


def test_what_the_null_characters_cost_is_told_with_the_next_reading(
    judge: LikelihoodJudge, trait: Make, say: Say
) -> None:
    judge.read([say("one")], [trait()], ignore)
    judge.panel([say("one")], trait())
    later = judge.read([say("one")], [trait()], ignore).usage
    assert later.input_tokens > 0 and later.questions == 1


def test_null_contrasts_are_zero_on_neutral_replies(judge: LikelihoodJudge, trait: Make) -> None:
    _, panel = judge.panel(judge._neutral, trait())
    assert panel.mean(axis=0) == pytest.approx(np.zeros(15), abs=1e-12)


def test_gaps_in_the_panel_stand_at_the_mean(judge: LikelihoodJudge, source: Any, trait: Make, say: Say) -> None:
    judge.qualify([trait()])
    source.refuses = lambda opening, one: "lost" in one.reply
    scores, panel = judge.panel([say("A glorious thing."), say("A sober thing."), say("lost")], trait())
    assert scores[2] == pytest.approx(scores[:2].mean()) and panel[2] == pytest.approx(panel[:2].mean(axis=0))


def test_without_null_characters_there_is_no_panel(
    reader: Callable[..., Reader], neutral: list[NeutralReply], trait: Make, say: Say
) -> None:
    judge = LikelihoodJudge(reader(), neutral=neutral, nulls=[])
    assert judge.panel([say("well")], trait())[1].shape == (1, 0)
    assert LikelihoodJudge(reader(), neutral=[], nulls=[]).qualify([trait()])["gush"].qualified


def test_the_fingerprint_follows_what_changes_readings(
    reader: Callable[..., Reader], source: Any, neutral: list[NeutralReply], nulls: list[NullCharacter]
) -> None:
    class Other(type(source)):  # type: ignore[misc]
        id = "toy/2"

    made = LikelihoodJudge(reader(), neutral=neutral, nulls=nulls).info
    assert made == LikelihoodJudge(reader("other"), neutral=neutral, nulls=nulls).info
    others = [
        LikelihoodJudge(reader(asks=Other()), neutral=neutral, nulls=nulls),
        LikelihoodJudge(reader(), neutral=neutral[1:], nulls=nulls),
        LikelihoodJudge(reader(), neutral=neutral, nulls=nulls[1:]),
    ]
    assert len({made.fingerprint, *(other.info.fingerprint for other in others)}) == 4
    assert (made.name, made.model, made.network) == ("likelihood", "toy", False)


def test_it_says_what_is_known_of_its_source(judge: LikelihoodJudge, source: Any) -> None:
    assert judge.problem == ""
    source.weakness = "it is small"
    assert judge.problem == "it is small"


def test_it_opens_with_the_source_of_the_settings(
    tmp_path: Path,
    source: Any,
    monkeypatch: pytest.MonkeyPatch,
    neutral: list[NeutralReply],
    nulls: list[NullCharacter],
) -> None:
    monkeypatch.setattr(module, "open_source", lambda settings: source)
    judge = LikelihoodJudge.open(Settings(root=tmp_path), neutral=neutral, nulls=nulls)
    assert (tmp_path / ".persona/cache/readings.sqlite").is_file()
    judge.close()
    judge.close()
    assert source.closed == 2
