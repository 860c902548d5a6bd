"""Directions as plain data: what they read, and that they come back from a file as they went."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_persona.errors import JudgeError
from pytest_persona.judge.embedded.heads import NULL_VECTORS, Heads, Space, TraitHead


@pytest.fixture
def space(heads: Heads) -> Space:
    return heads.spaces["reply"]


@pytest.fixture
def alpha(heads: Heads) -> TraitHead:
    return heads.traits["reply"]["alpha"]


def null_vectors(head: TraitHead, space: Space) -> np.ndarray:
    """(vectors, width): what the identity projects to are the vectors themselves."""
    return head.nulls(space, np.eye(len(space.mean))).T


def test_heads_come_back_from_a_file_byte_for_byte(heads: Heads, tmp_path: Path) -> None:
    heads.save(tmp_path / "one.npz")
    heads.save(tmp_path / "two.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    Heads.load(tmp_path / "one.npz").save(tmp_path / "three.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "three.npz").read_bytes()


def test_what_is_loaded_reads_as_what_was_saved(heads: Heads, tmp_path: Path) -> None:
    heads.save(tmp_path / "heads.npz")
    loaded = Heads.load(tmp_path / "heads.npz")
    assert (loaded.weights_sha256, loaded.frame_version, loaded.layer, loaded.signs) == (
        heads.weights_sha256, heads.frame_version, heads.layer, heads.signs,
    )  # fmt: skip
    states = np.random.default_rng(0).standard_normal((5, len(heads.spaces["reply"].mean)))
    for mode, space in heads.spaces.items():
        for name, head in heads.traits[mode].items():
            again = loaded.traits[mode][name]
            assert again.qualification == head.qualification
            before = head.score(head.project(space, space.place(states)))
            after = again.score(again.project(loaded.spaces[mode], loaded.spaces[mode].place(states)))
            np.testing.assert_allclose(after, before, atol=0.02)
    assert loaded.request.layer == heads.request.layer
    np.testing.assert_allclose(loaded.request.score(states), heads.request.score(states), atol=1e-4)


@pytest.mark.parametrize("damage", ["empty", "text", "cut", "flipped", "array", "other format", "no meta", "missing"])
def test_a_damaged_file_is_a_judge_error_in_words(heads: Heads, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "heads.npz"
    heads.save(path)
    whole = path.read_bytes()
    if damage == "other format":
        with np.load(path) as file:
            arrays = {key: file[key] for key in file.files}
        arrays["meta"] = np.frombuffer(arrays["meta"].tobytes().replace(b'"format": 1', b'"format": 9'), np.uint8)
        np.savez(path, **arrays)
    elif damage == "no meta":
        np.savez(path, a=np.zeros(3))
    elif damage == "array":
        with path.open("wb") as stream:
            np.save(stream, np.zeros(3))
    elif damage == "missing":
        path.unlink()
    else:
        middle = len(whole) // 2
        flipped = whole[:middle] + bytes(b ^ 0xFF for b in whole[middle : middle + 64]) + whole[middle + 64 :]
        path.write_bytes({"empty": b"", "text": b"hello", "cut": whole[: len(whole) // 2], "flipped": flipped}[damage])
    with pytest.raises(JudgeError) as caught:
        Heads.load(path)
    assert str(caught.value).startswith("heads.npz: the fitted heads cannot be read: ")
    assert str(caught.value).endswith("Reinstall pytest-persona.")
    if damage == "other format":
        assert "its format is 9, where 1 is right" in str(caught.value)


def test_neutral_texts_read_zero_on_average(heads: Heads) -> None:
    for mode, space in heads.spaces.items():
        for head in heads.traits[mode].values():
            assert head.score(head.project(space, space.neutral)).mean() == pytest.approx(0.0, abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(-1e4, 1e4), min_size=2, max_size=20).map(sorted),
    st.floats(0.0, 10.0),
    st.floats(-5.0, 5.0),
)
def test_scores_lie_in_range_and_never_fall_as_the_projection_rises(xs: list[float], slope: float, zero: float) -> None:
    head = TraitHead(
        differences=np.zeros((1, 1)), valence=np.zeros(1), slope=slope, zero=zero, auroc=1.0, low=1.0, high=1.0, trait_sha256=""
    )  # fmt: skip
    scores = head.score(np.array(xs))
    assert (np.diff(scores) >= 0).all()
    assert (np.abs(scores) <= 1.0).all()


def test_the_poles_read_their_signs(heads: Heads, space: Space, alpha: TraitHead) -> None:
    high, low = space.neutral.copy(), space.neutral.copy()
    high[:, 0], low[:, 0] = high[:, 0] + 2.0, low[:, 0] - 2.0
    assert (alpha.score(alpha.project(space, high)) > 0.5).all()
    assert (alpha.score(alpha.project(space, low)) < -0.5).all()


def test_null_vectors_are_unit_vectors_and_the_same_each_time(space: Space, alpha: TraitHead) -> None:
    vectors = null_vectors(alpha, space)
    assert vectors.shape == (NULL_VECTORS, len(space.mean))
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0)
    assert (null_vectors(alpha, space) == vectors).all()
    assert len(np.unique(vectors, axis=0)) > NULL_VECTORS // 2


def test_null_vectors_differ_by_trait_even_from_the_same_pairs(space: Space, alpha: TraitHead) -> None:
    other = dataclasses.replace(alpha, trait_sha256="another")
    assert not np.allclose(null_vectors(other, space), null_vectors(alpha, space))


def test_null_vectors_do_not_depend_on_what_is_read_along_with_a_text(space: Space, alpha: TraitHead) -> None:
    texts = space.neutral
    one_by_one = np.concatenate([alpha.nulls(space, texts[i : i + 1]) for i in range(len(texts))])
    np.testing.assert_allclose(alpha.nulls(space, texts), one_by_one, atol=1e-12)


def test_null_vectors_mean_nothing_where_the_traits_own_means_something(space: Space, alpha: TraitHead) -> None:
    high = space.neutral.copy()
    high[:, 0] += 2.0
    own = (alpha.project(space, high) - alpha.project(space, space.neutral)).mean()
    nulls = (alpha.nulls(space, high) - alpha.nulls(space, space.neutral)).mean(axis=0)
    assert abs(nulls.mean()) < 0.2 * own
    assert (np.abs(nulls) < own).mean() > 0.95


def test_pairs_turned_round_turn_the_direction_round_exactly(space: Space, alpha: TraitHead) -> None:
    turned = dataclasses.replace(alpha, differences=-alpha.differences)
    assert (turned.project(space, space.neutral) == -alpha.project(space, space.neutral)).all()
    assert (null_vectors(turned, space) == -null_vectors(alpha, space)).all()


@pytest.mark.parametrize(
    ("auroc", "low", "qualified", "reason"),
    [
        (0.95, 0.85, True, ""),
        (0.80, 0.71, True, ""),
        (0.79, 0.75, False, "AUROC 0.79 on held-out anchors, below 0.80"),
        (0.90, 0.70, False, "AUROC 0.90 on held-out anchors, but its interval reaches down to 0.70"),
    ],
)
def test_qualified_is_an_auroc_of_080_whose_interval_stays_above_070(
    alpha: TraitHead, auroc: float, low: float, qualified: bool, reason: str
) -> None:
    known = dataclasses.replace(alpha, auroc=auroc, low=low).qualification
    assert (known.qualified, known.reason, known.auroc, known.pairs) == (qualified, reason, auroc, 12)


@pytest.mark.parametrize("mode", ["reply", "statement"])
def test_valence_points_to_the_bad_poles(heads: Heads, mode: str) -> None:
    # alpha's high pole is unwanted (+), and beta's low one (*): the marks that move the first two axes up.
    vector = heads.valence(mode)
    assert np.linalg.norm(vector) == pytest.approx(1.0)
    assert vector[0] > 0.1
    assert vector[1] > 0.1


def test_requests_read_high_and_other_contexts_low(heads: Heads) -> None:
    width = len(heads.request.weights)
    asked, plain = np.zeros((1, width)), np.zeros((1, width))
    asked[0, [2, width // 2 + 2]] = 4.0
    assert heads.request.score(asked)[0] > 0.8
    assert heads.request.score(plain)[0] < 0.1
