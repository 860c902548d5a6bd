"""Characters from scores of whole samples: how seldom something is said of nothing, and how sure it may be."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_persona.infer.fits import by_fit, consistency
from pytest_persona.model.portrait import Comparison, Passage

NULLS = [f"null-{i}" for i in range(12)]
REAL = 19


def judged(
    seed: int,
    truth: tuple[float, ...] = (),
    *,
    samples: int = 5,
    noise: float = 0.25,
    restless: int = REAL,
    reference: float = 0.0,
) -> np.ndarray:
    """Scores on the scale's steps; ``restless`` characters vary between samples, the others hardly, null ones seldom."""
    rng = np.random.default_rng(seed)
    means = np.concatenate([[reference], truth, np.zeros(REAL - len(truth)), np.zeros(len(NULLS))])
    spread = np.concatenate([[noise], np.where(np.arange(REAL) < restless, noise, 0.03), np.full(len(NULLS), 0.05)])
    scores = means + spread * rng.standard_normal((samples, len(means)))
    scores[:, : 1 + REAL] += 0.1 * rng.standard_normal((samples, 1))  # a mood
    return np.clip(np.round(3 * scores), -3, 3) / 3


def read(scores: np.ndarray, **how: object) -> Comparison:
    names = ["expert", *(f"c{i}" for i in range(REAL)), *NULLS]
    return by_fit(scores, names, reference="expert", nulls=NULLS, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize("samples", [3, 5, 8])
@pytest.mark.parametrize(("noise", "restless"), [(0.25, REAL), (0.6, 4), (0.4, 10)])
def test_a_null_signal_seldom_reads_like_anything(samples: int, noise: float, restless: int) -> None:
    found = [read(judged(seed, samples=samples, noise=noise, restless=restless)) for seed in range(200)]
    assert np.mean([made.most_like != "" for made in found]) <= 0.025
    if restless == REAL:
        assert np.mean([r.low <= 0.0 <= r.high for made in found for r in made.readings]) >= 0.94


def test_a_character_that_is_there_is_found_sooner_with_more_samples() -> None:
    shares = [
        np.mean([read(judged(seed, (0.7,), samples=samples, noise=0.2)).most_like == "c0" for seed in range(60)])
        for samples in (3, 5, 8)
    ]
    assert shares[0] < shares[1] < shares[2] and shares[1] > 0.6 and shares[2] > 0.9


def test_agreement_of_all_samples_is_no_certainty() -> None:
    scores = np.zeros((5, 1 + REAL + len(NULLS)))
    scores[:, 1] = 2 / 3
    made = read(scores)
    first = made.readings[0]
    assert (made.most_like, first.value) == ("c0", pytest.approx(2 / 3))
    assert 0.3 < first.low < 0.6 and 0.75 < first.high < 1.0, "steps of a third cannot say more"
    assert 0.9 < first.share < 0.999 and 0.5 < first.probability < 1.0
    assert sum(made.shares.values()) == pytest.approx(1.0)
    assert made.null_spread > 0.0


def test_what_any_null_character_gets_is_nobodys_credit() -> None:
    scores = np.zeros((5, 1 + REAL + len(NULLS)))
    scores[:, 0] = -1.0  # all but the reference fit alike
    made = read(scores)
    assert made.null_mean == pytest.approx(1.0)
    assert made.most_like == "" and not any(r.stands_out for r in made.readings)
    assert max(made.shares.values()) == pytest.approx(1 / 20)


def test_a_character_that_fits_worse_than_the_reference_is_not_what_it_reads_like() -> None:
    scores = np.zeros((5, 1 + REAL + len(NULLS)))
    scores[:, 0], scores[:, 1] = 1.0, 2 / 3
    made = read(scores)
    assert made.readings[0].z > 3.0 and made.readings[0].high < 0.0
    assert not made.readings[0].stands_out and made.most_like == ""


def test_samples_that_share_groups_say_less() -> None:
    scores = judged(3, (0.7,))
    apart, shared = (read(scores, overlap=overlap).readings[0] for overlap in (0.0, 1.0))
    assert shared.high - shared.low == pytest.approx((apart.high - apart.low) * np.sqrt(6.0), rel=0.01)


def test_missing_scores_are_no_zeros() -> None:
    scores = judged(1, (0.7, 0.7))
    scores[0, :] = np.nan  # a sample that was not answered
    scores[1:3, 2] = np.nan  # and a character without a quote in two others
    made = read(scores)
    assert made.unread == {"c1": "2 of 5 samples have a score; 3 are the least"}
    assert "c1" not in made.shares and made.readings[0].name == "c0"
    assert made.readings[0].value == pytest.approx((scores[1:, 1] - scores[1:, 0]).mean())


@pytest.mark.parametrize(
    ("lost", "said"), [(0, "2 samples; 3 are the least"), (20, "0 null characters; 3 are the least")]
)
def test_too_little_is_refused(lost: int, said: str) -> None:
    scores = judged(2)
    scores[:3, lost if lost == 0 else slice(lost, None)] = np.nan
    with pytest.raises(ValueError, match=said):
        read(scores)


def test_a_single_character_can_be_compared() -> None:
    names = ["expert", "c0", *NULLS]
    scores = np.zeros((3, len(names)))
    scores[:, 1] = 1.0
    made = by_fit(scores, names, reference="expert", nulls=NULLS)
    assert [r.name for r in made.readings] == ["c0"] and made.most_like == "c0"


def test_without_characters_there_is_nothing_to_say() -> None:
    names = ["expert", *NULLS]
    assert by_fit(np.zeros((3, len(names))), names, reference="expert", nulls=NULLS).readings == ()


def test_evidence_stands_by_its_character() -> None:
    quoted = {"c3": [Passage(sample=2, quote="as if")]}
    made = read(judged(0), evidence=quoted)
    assert {r.name: r.evidence for r in made.readings if r.evidence} == {"c3": (Passage(sample=2, quote="as if"),)}


def test_consistency_is_the_mean_correlation_between_samples() -> None:
    pattern = np.array([0.0, 1.0, -1.0, 1 / 3])
    assert consistency(np.stack([pattern] * 3)) == pytest.approx(1.0)
    assert consistency(np.stack([pattern, -pattern])) == pytest.approx(-1.0)
    assert consistency(np.zeros((3, 4))) is None, "where nothing varies nothing agrees"
    assert consistency(np.full((3, 4), np.nan)) is None
    holed = np.stack([pattern] * 3)
    holed[0, 0] = np.nan
    assert consistency(holed) == pytest.approx(1.0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 999), st.permutations(range(5)))
def test_the_order_of_samples_means_nothing(seed: int, order: list[int]) -> None:
    scores = judged(seed, (0.5,))
    there, back = read(scores), read(scores[order])
    assert there.most_like == back.most_like
    assert [r.value for r in there.readings] == pytest.approx([r.value for r in back.readings])
