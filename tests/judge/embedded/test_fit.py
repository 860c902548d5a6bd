"""Fitting, and measuring without having seen what is measured."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_persona.infer.auroc import auroc
from pytest_persona.judge.embedded.fit import REQUEST_RATE, fit_request, fit_space, fit_trait, held_out
from pytest_persona.judge.embedded.heads import Space

WIDTH = 12


def anchors(rng: np.random.Generator, pairs: int = 40, signal: float = 1.0) -> np.ndarray:
    """(pairs, 2, width) states whose first axis tells the poles apart."""
    states = rng.standard_normal((pairs, 2, WIDTH))
    states[:, 0, 0] += signal
    states[:, 1, 0] -= signal
    return states


def by_domain(pairs: int, domains: int = 8) -> list[str]:
    return [f"d{i % domains}" for i in range(pairs)]


def flat_space() -> Space:
    """Nothing is standardised or turned down."""
    return Space(mean=np.zeros(WIDTH), scale=np.ones(WIDTH), whiten=np.eye(WIDTH), neutral=np.zeros((4, WIDTH)))


def test_a_pair_is_read_by_a_direction_that_never_saw_its_domain() -> None:
    rng, domains = np.random.default_rng(0), by_domain(40)
    states = anchors(rng, signal=0.0)
    for i, domain in enumerate(
        domains
    ):  # each domain has an axis of its own that gives the pole away there, and only there
        states[i, 0, int(domain[1:]) + 1] += 6.0
        states[i, 1, int(domain[1:]) + 1] -= 6.0
    blind = held_out(flat_space(), states, domains)
    assert auroc(blind[:, 0], blind[:, 1])[0] < 0.65
    # Were the domain seen, the same pairs would be told apart with ease: here each is a domain of its own.
    seen = held_out(flat_space(), states, [str(i) for i in range(40)])
    assert auroc(seen[:, 0], seen[:, 1])[0] > 0.9


@pytest.mark.parametrize("domains", [["a"] * 10, ["a", "b"] * 5])
def test_with_fewer_than_three_domains_each_pair_is_left_out_by_itself(domains: list[str]) -> None:
    states = anchors(np.random.default_rng(0), pairs=10)
    alone = held_out(flat_space(), states, [str(i) for i in range(10)])
    assert (held_out(flat_space(), states, domains) == alone).all()


def test_labels_at_random_are_told_apart_by_chance_and_do_not_qualify() -> None:
    rng, areas = np.random.default_rng(3), []
    for _ in range(20):
        states = anchors(rng, signal=1.5)
        turned = rng.random(len(states)) < 0.5
        states[turned] = states[turned][:, ::-1]
        space = fit_space([anchors(rng)], rng.standard_normal((20, WIDTH)))
        head = fit_trait(space, states, by_domain(40), "0")
        areas.append(head.auroc)
        assert not head.qualification.qualified
    assert np.mean(areas) == pytest.approx(0.5, abs=0.1)


def test_a_trait_that_can_be_read_qualifies_and_its_zero_is_that_of_neutral_texts() -> None:
    rng = np.random.default_rng(4)
    states, neutral = anchors(rng, signal=2.0), rng.standard_normal((60, WIDTH)) + 0.7
    space = fit_space([states], neutral)
    head = fit_trait(space, states, by_domain(40), "0")
    assert head.qualification.qualified
    assert head.slope > 0.0
    assert head.score(head.project(space, space.neutral)).mean() == pytest.approx(0.0, abs=1e-9)


def test_a_blind_space_is_what_is_measured_in_and_not_what_is_read_with() -> None:
    rng = np.random.default_rng(5)
    states, others, neutral = anchors(rng), anchors(rng), rng.standard_normal((20, WIDTH))
    space, blind = fit_space([states, others], neutral), fit_space([others], neutral)
    seen, unseen = (fit_trait(space, states, by_domain(40), "0", blind=b) for b in (None, blind))
    assert (seen.differences == unseen.differences).all()
    expected = held_out(blind, blind.place(states.reshape(-1, WIDTH)).reshape(states.shape), by_domain(40))
    assert unseen.auroc == auroc(expected[:, 0], expected[:, 1])[0]


def test_a_head_that_reads_worse_than_chance_reads_nothing_instead_of_the_reverse() -> None:
    states = 0.1 * np.random.default_rng(6).standard_normal((30, 2, WIDTH))
    for i, domain in enumerate(
        by_domain(30, domains=3)
    ):  # three directions in a plane: each is against the sum of the others
        turn = 2.0 * np.pi * int(domain[1:]) / 3.0
        states[i, 0, :2] += np.cos(turn), np.sin(turn)
    space = flat_space()
    head = fit_trait(space, states, by_domain(30, domains=3), "0")
    assert head.auroc < 0.5
    assert head.slope == 0.0
    assert (head.score(head.project(space, space.neutral)) == 0.0).all()
    assert not head.qualification.qualified


def test_a_space_standardises_and_leaves_alone_what_does_not_vary() -> None:
    rng = np.random.default_rng(7)
    states = 5.0 * anchors(rng) + 3.0
    states[:, :, -1] = 9.0  # statements all share one context
    space = fit_space([states], np.full((3, WIDTH), 9.0))
    placed = space.place(states.reshape(-1, WIDTH))
    np.testing.assert_allclose(placed.mean(axis=0), 0.0, atol=1e-9)
    np.testing.assert_allclose(placed[:, :-1].std(axis=0), 1.0)
    assert (placed[:, -1] == 0.0).all()
    assert np.isfinite(space.whiten).all()
    assert (space.whiten == space.whiten.T).all()


def test_directions_are_unit_vectors_and_turn_down_what_texts_differ_in_anyway() -> None:
    rng = np.random.default_rng(8)
    states = anchors(rng, pairs=200, signal=1.0)
    states[:, :, 1] = (
        10.0 * rng.standard_normal((200, 1)) + 0.1 * states[:, :, 1]
    )  # topic: shared by both replies of a pair
    states[:, 0, 2] += states[:, 0, 1] / 10.0
    space = fit_space([states], rng.standard_normal((20, WIDTH)))
    direction = fit_trait(space, states, by_domain(200), "0").project(space, np.eye(WIDTH))
    assert np.linalg.norm(direction) == pytest.approx(1.0)
    assert abs(direction[0]) > 5.0 * abs(direction[1])


def test_the_request_head_reads_what_was_asked_for_in_domains_that_it_never_saw() -> None:
    rng = np.random.default_rng(9)
    labels = rng.random(80) < 0.4
    contexts = rng.standard_normal((80, WIDTH)) + 5.0
    contexts[:, 0] += 6.0 * labels
    head = fit_request(contexts, labels, by_domain(80), layer=3)
    assert head.layer == 3
    assert head.auroc > 0.95
    assert head.low <= head.auroc <= head.high
    assert head.score(contexts[labels]).mean() > 0.8
    assert head.score(contexts[~labels]).mean() < 0.2


def test_the_request_head_measures_chance_where_the_label_is_known_by_the_domain_alone() -> None:
    rng, areas = np.random.default_rng(10), []
    for _ in range(10):
        domains = by_domain(80)
        labels = rng.random(80) < 0.5
        contexts = 0.5 * rng.standard_normal((80, WIDTH))
        for i, domain in enumerate(domains):
            contexts[i, int(domain[1:])] += 3.0 if labels[i] else -3.0
        areas.append(fit_request(contexts, labels, domains, layer=0).auroc)
    assert np.mean(areas) < 0.65


def test_requests_are_read_as_rare_as_they_are_outside_of_the_anchors() -> None:
    rng = np.random.default_rng(11)
    labels = np.arange(400) // 8 % 2 == 0  # in each domain every other one asks, and nothing tells which
    contexts = rng.standard_normal((400, WIDTH))
    head = fit_request(contexts, labels, by_domain(400), layer=0)
    assert head.score(contexts).mean() == pytest.approx(REQUEST_RATE, abs=0.03)
