"""Which traits the embedded judge tells from which others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_persona.judge.embedded.apart import Anchored, told_apart
from pytest_persona.judge.embedded.heads import Space, TraitHead
from pytest_persona.judge.embedded.judge import EmbeddedJudge
from pytest_persona.load.traits import TraitLibrary, library_paths
from pytest_persona.model.traits import HONEST_MISTAKE, Trait

Make = Callable[..., Any]
DOMAINS = ("cooking", "code", "travel", "law")


@pytest.mark.parametrize("statements", [False, True])
def test_traits_of_different_marks_are_told_apart_and_of_the_same_marks_not(
    judge: EmbeddedJudge, library: tuple[Trait, ...], trait: Make, statements: bool
) -> None:
    alpha, beta, _ = library
    known = judge.tells_apart(alpha, beta, statements=statements)
    assert known.qualified and known.auroc is not None and known.auroc > 0.95 and known.pairs == 12 + statements
    twin = trait("twin", "+-")
    assert not judge.tells_apart(alpha, twin, statements=statements).qualified


def test_to_see_the_marks_of_one_is_enough_whichever_it_is(judge: EmbeddedJudge, library: tuple[Trait, ...]) -> None:
    alpha, _, gamma = library
    assert not judge.qualify([gamma])["gamma"].qualified
    assert judge.tells_apart(alpha, gamma).qualified
    assert judge.tells_apart(gamma, alpha).auroc == judge.tells_apart(alpha, gamma).auroc


def test_the_way_to_the_unwanted_pole_counts(judge: EmbeddedJudge, trait: Make) -> None:
    bad, good = trait("bad", "+-"), trait("good", "-+", unwanted="low")
    assert not judge.tells_apart(bad, good).qualified  # the same pole of the same marks
    turned = trait("turned", "-+")
    assert judge.tells_apart(bad, turned).qualified


def test_where_the_other_trait_alone_would_seem_to_be_the_one_they_are_not_told_apart() -> None:
    def anchored(slope: float, along: float, across: float) -> Anchored:
        differences = np.array([[along, across]]) + 0.1 * np.random.default_rng(0).standard_normal((12, 2))
        head = TraitHead(
            differences=differences, valence=np.zeros(2), slope=slope, zero=0.0, auroc=1.0, low=1.0, high=1.0, trait_sha256=""
        )  # fmt: skip
        return Anchored(head=head, domains=DOMAINS * 3, way=1.0)

    space = Space(mean=np.zeros(2), scale=np.ones(2), whiten=np.eye(2), neutral=np.zeros((1, 2)))
    loud = anchored(3.0, 4.0, 0.0)
    known = told_apart(space, loud, anchored(1.0, 2.0, 0.5))
    assert (known.qualified, known.auroc) == (False, 1.0)
    assert known.reason == "it reads the one in the other's anchors more than the other"
    assert told_apart(space, loud, anchored(1.0, 0.0, 2.0)).qualified


def test_a_trait_that_cannot_be_fitted_is_told_from_nothing(
    judge: EmbeddedJudge, library: tuple[Trait, ...], trait: Make
) -> None:
    few = trait("few", "+-", pairs=7)
    for pair in ((few, library[0]), (library[0], few)):
        assert judge.tells_apart(*pair).reason == "it has 7 matched pairs, where 8 are the least"


def test_what_was_found_is_kept(judge: EmbeddedJudge, library: tuple[Trait, ...]) -> None:
    assert judge.tells_apart(*library[:2]) is judge.tells_apart(*library[:2])


def test_each_trait_of_the_library_that_must_beat_another_names_one_of_the_library() -> None:
    library = TraitLibrary(library_paths())
    must = {trait.name: trait.must_beat for trait in library.all() if trait.must_beat}
    assert must == dict.fromkeys(("deception", "malice", "sabotage"), (HONEST_MISTAKE,))
    assert HONEST_MISTAKE in library.names()
