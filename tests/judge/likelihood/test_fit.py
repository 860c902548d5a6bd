"""The scale between contrasts and scores."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_persona.judge.likelihood.fit import fit_scale


def drawn(shift: float, pairs: int = 24, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0.0, 0.05, (pairs, 2))
    return noise + np.array([shift / 2, -shift / 2])


DOMAINS = [f"d{i % 6}" for i in range(24)]
NEUTRAL = np.random.default_rng(9).normal(0.3, 0.05, 16)


def test_poles_that_lie_apart_qualify_and_are_scored_on_their_sides() -> None:
    anchors = drawn(0.4) + 0.3
    scale = fit_scale(anchors, DOMAINS, NEUTRAL)
    assert scale.qualification.qualified and scale.qualification.pairs == 24
    assert (scale.score(anchors[:, 0]) > 0.2).mean() > 0.9 and (scale.score(anchors[:, 1]) < -0.2).mean() > 0.9


def test_neutral_replies_read_zero_on_average() -> None:
    scale = fit_scale(drawn(0.2), DOMAINS, NEUTRAL)
    assert scale.score(NEUTRAL).mean() == pytest.approx(0.0, abs=1e-9)


def test_without_neutral_replies_no_contrast_is_the_zero() -> None:
    assert fit_scale(drawn(0.2), DOMAINS, np.array([])).zero == 0.0


def test_a_contrast_that_is_turned_round_reads_nothing_and_is_not_qualified() -> None:
    scale = fit_scale(drawn(-0.4), DOMAINS, NEUTRAL)
    assert scale.slope == 0.0 and not scale.qualification.qualified
    assert np.all(scale.score(NEUTRAL) == 0.0)
    assert scale.qualification.auroc == 0.5, "ties, not wins turned round"


def test_a_contrast_that_never_varies_reads_nothing() -> None:
    assert fit_scale(np.zeros((24, 2)), DOMAINS, NEUTRAL).slope == 0.0


def test_no_pair_is_scaled_by_its_own_domain() -> None:
    anchors = drawn(0.3)
    anchors[[i for i, domain in enumerate(DOMAINS) if domain != "d0"]] *= -1.0
    # All other domains are turned round: without d0 the slope is 0, so that d0 reads nothing although it is right.
    assert fit_scale(anchors, DOMAINS, NEUTRAL).qualification.auroc == pytest.approx(0.5, abs=0.15)


def test_with_few_domains_each_pair_is_left_out_by_itself() -> None:
    assert fit_scale(drawn(0.4), ["one"] * 24, NEUTRAL).qualification.qualified


def test_the_scale_does_not_depend_on_the_unit() -> None:
    small, large = (fit_scale(unit * drawn(0.3), DOMAINS, unit * NEUTRAL) for unit in (0.01, 100.0))
    assert small.qualification.auroc == pytest.approx(large.qualification.auroc or 0.0)
    assert small.score(0.01 * drawn(0.3)) == pytest.approx(large.score(100.0 * drawn(0.3)), abs=1e-3)
