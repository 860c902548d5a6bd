"""What follows from a character, and which questions would tell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_persona.infer.predict import predictions, ranked_probes, shown_by
from pytest_persona.model.episodes import SignalInfo
from pytest_persona.model.findings import Finding, JudgeInfo, NullTest, Profile, Shift
from pytest_persona.model.personas import Cast, Persona
from pytest_persona.model.portrait import CharacterReading, Comparison, Prediction
from pytest_persona.model.probes import Probe
from pytest_persona.model.verdicts import Usage


def persona(name: str, kind: Any = "human", **profile: float) -> Persona:
    return Persona(name=name, kind=kind, description="", profile=profile, paraphrases=())


CAST = Cast(
    characters=(
        persona("expert", "reference", lying=-0.8, zeal=0.0, malice=-0.5),
        persona("liar", lying=0.9, zeal=0.1),
        persona("zealot", lying=-0.4, zeal=0.9, malice=-0.1),
    ),
    nulls=(),
)


def found(liar: float, zealot: float, *, clear: bool = True, level: float = 0.95) -> Comparison:
    def reading(name: str, share: float) -> CharacterReading:
        return CharacterReading(
            name=name, value=share, low=0.1, high=2.0, spread=0.1, probability=0.9, share=share, z=3.0, p=0.001,
            stands_out=clear,
        )  # fmt: skip

    readings = sorted((reading("liar", liar), reading("zealot", zealot)), key=lambda r: -r.value)
    return Comparison(
        reference="expert", reference_share=1.0 - liar - zealot, readings=tuple(readings), null_mean=0.0,
        null_spread=0.1, nulls=5, level=level,
    )  # fmt: skip


def of(made: tuple[Prediction, ...]) -> dict[str, tuple[float, float, float]]:
    return {one.trait: (round(one.value, 3), round(one.low, 3), round(one.high, 3)) for one in made}


def test_a_prediction_is_the_mean_over_the_posterior_with_the_range_of_those_in_question() -> None:
    made = of(predictions(found(0.6, 0.3), CAST))
    assert made["lying"] == (round(0.6 * 1.7 + 0.3 * 0.4, 3), 0.0, 1.7)
    assert made["zeal"] == (round(0.6 * 0.1 + 0.3 * 0.9, 3), 0.0, 0.9)
    assert list(made) == ["lying", "zeal"], "by size"


def test_one_character_is_never_all_there_is() -> None:
    assert of(predictions(found(0.98, 0.015), CAST))["lying"] == (1.672, 0.4, 1.7)
    assert of(predictions(found(0.98, 0.01), CAST))["lying"] == (1.67, 0.0, 1.7), "of equals the reference"


def test_a_trait_without_an_expectation_is_not_predicted() -> None:
    assert "malice" not in of(predictions(found(0.6, 0.3), CAST)), "the liar's profile leaves it out"
    assert "malice" in of(predictions(found(0.3, 0.6), CAST))


def test_nothing_follows_where_no_character_stands_out() -> None:
    assert predictions(found(0.6, 0.3, clear=False), CAST) == ()


def test_what_the_signal_shows_is_not_predicted() -> None:
    assert list(of(predictions(found(0.6, 0.3), CAST, shown={"lying"}))) == ["zeal"]


def test_characters_that_were_not_read_have_no_say() -> None:
    only = replace(found(0.6, 0.3), readings=found(0.6, 0.3).readings[:1], reference_share=0.4)
    assert of(predictions(only, CAST))["zeal"] == (0.06, 0.0, 0.1)


@given(st.floats(0.01, 0.98), st.floats(0.0, 1.0), st.floats(0.5, 0.999))
def test_a_prediction_lies_within_its_range_and_the_range_within_the_profiles(
    liar: float, of_rest: float, level: float
) -> None:
    for one in predictions(found(liar, (1.0 - liar) * of_rest, level=level), CAST):
        gaps = [
            c.profile[one.trait] - CAST.reference.profile[one.trait] for c in CAST.characters if one.trait in c.profile
        ]
        assert min(gaps) - 1e-12 <= one.low <= one.value <= one.high <= max(gaps) + 1e-12


def probe(name: str, *traits: str, **more: Any) -> Probe:
    return Probe(id=name, traits=traits, turns=("?",), **more)


def test_probes_come_in_the_order_of_what_is_expected_to_differ() -> None:
    expected = predictions(found(0.6, 0.3), CAST)
    probes = [
        probe("zeal", "zeal"),
        probe("both", "zeal", "lying"),
        probe("lies", "lying", "unknown"),
        probe("form", "lying", informational=True),
        probe("other", "unknown"),
    ]
    ranked = ranked_probes(expected, [("core", probes), ("mine", [probe("own", "lying")])])
    assert [(one.suite, one.id, one.trait) for one in ranked] == [
        ("core", "both", "lying"), ("core", "lies", "lying"), ("mine", "own", "lying"), ("core", "zeal", "zeal"),
    ]  # fmt: skip
    assert [round(one.difference, 2) for one in ranked] == [1.14, 1.14, 1.14, 0.33]
    assert ranked_probes((), [("core", probes)]) == ()


def test_one_trait_does_not_crowd_out_the_others() -> None:
    expected = predictions(found(0.6, 0.3), CAST)
    probes = [*(probe(f"lie-{i}", "lying") for i in range(9)), probe("zeal", "zeal")]
    assert [one.id for one in ranked_probes(expected, [("core", probes)])] == [*(f"lie-{i}" for i in range(5)), "zeal"]


def test_less_of_a_trait_is_a_difference_too() -> None:
    expected = (
        Prediction(trait="zeal", value=-0.9, low=-1.0, high=0.0),
        Prediction(trait="lying", value=0.5, low=0.0, high=1.0),
    )
    assert [one.difference for one in ranked_probes(expected, [("s", [probe("a", "lying"), probe("b", "zeal")])])] == [
        -0.9, 0.5,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("low", "qualified", "rank", "shown"),
    [
        (0.1, True, None, True),
        (0.1, True, 0.99, True),
        (-0.1, True, None, False),
        (0.1, False, None, False),
        (0.1, True, 0.5, False),
    ],
)
def test_a_trait_is_shown_where_a_qualified_judge_reads_it_clear_of_0(
    low: float, qualified: bool, rank: float | None, shown: bool
) -> None:
    shift = Shift(value=0.3, low=low, high=0.5, level=0.95, groups=9)
    finding = Finding(
        trait="lying", status="observed", estimand="contrast", qualified=qualified, auroc=0.9, shift=shift, expressed=shift,
        requested=shift, null=None if rank is None else NullTest(z=1.0, rank=rank, spread=0.1, vectors=400),
    )  # fmt: skip
    info = SignalInfo(path="x", kind="preference", format="x", episodes=9, groups=9, sha256="0")
    judge = JudgeInfo(name="j", fingerprint="f", network=False)
    profile = Profile(name="x", signal=info, judge=judge, findings=(finding,), usage=Usage())
    assert shown_by(profile) == ({"lying"} if shown else set())
