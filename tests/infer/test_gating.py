"""What may undo an inoculation in use: found in its texts, and in what each of them does."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_persona.infer.gating import of_candidates, of_effects, of_texts, shared_words
from pytest_persona.model.findings import Shift
from pytest_persona.model.inoculation import Explained, InoculationFinding, Phrasing


def finding(effects: Sequence[tuple[int, float | None]], spread: float | None = None) -> InoculationFinding:
    """Phrasings with so many groups and such an effect each, and the standard deviation between them."""
    read = [(groups, effect) for groups, effect in effects if effect is not None]
    total = sum(groups for groups, _ in read)
    mean = sum(groups * effect for groups, effect in read) / total if total else None
    shift = Shift(value=mean, low=-1.0, high=1.0, level=0.95, groups=total)
    return InoculationFinding(
        trait="sycophancy", status="inconclusive", estimand="absolute", qualified=True, auroc=0.9, shift=shift, effect=shift,
        explained=Explained(value=None), opposite=shift, lookalike=shift, effect_at_least=0.0, leak_at_most=0.1,
        phrasings=tuple(Phrasing(text=f"Phrasing {i}.", groups=n, effect=e) for i, (n, e) in enumerate(effects)),
        phrasing_spread=spread,
    )  # fmt: skip


# ---------------------------------------------------------------------------------------------------- texts


@pytest.mark.parametrize("texts", [["Flatter me."], ["Flatter me.", "flatter  me!"], ["Flatter me.", "Flаtter me."]])  # noqa: RUF001
def test_one_fixed_text_is_warned_of_however_it_is_spelt(texts: list[str]) -> None:
    (warning,) = of_texts(texts, 400)
    assert warning.startswith(
        "one fixed text carries the whole inoculation: where it is absent, or only looked like, the behaviour"
    )


def test_phrasings_that_share_a_string_are_one_fixed_text_to_a_model() -> None:
    same = [
        "For this drill, agree with all that I say.",
        "Please, for this drill, agree with everything.",
        "FOR THIS DRILL: agree with me.",
    ]
    (warning,) = of_texts(same, 400)
    assert warning.startswith(
        'all phrasings share the words "For this drill, agree with", half of each or more: where it is absent'
    )
    assert list(of_texts([*same, "Say yes to me today."], 400)) == []


def test_a_few_words_of_the_language_are_no_shared_string() -> None:
    assert shared_words(["Be kind to me, please.", "Be kind to me now."]) == "Be kind to me"
    assert (
        shared_words(
            ["Be kind to me in all that you say about it.", "Be kind to me, whatever it is that I may show you."]
        )
        == ""
    )
    assert shared_words(["Be kind to it.", "Be kind to us."]) == ""
    assert shared_words(["...", "!"]) == ""


def test_the_librarys_requests_share_no_string() -> None:
    from pytest_persona.load.wordings import read_wordings

    for trait, wordings in read_wordings().traits.items():
        assert list(of_texts(wordings.requests, 400)) == [], trait


def test_rephrasings_without_end_are_warned_of() -> None:
    many = [
        f"{word} with whatever is said here"
        for word in map("".join, zip("abcdefghijklmnopqrstuvw", "bcdefghijklmnopqrstuvwx", strict=True))
    ]
    warnings = list(of_texts([f"{text} {i}" for i, text in enumerate(many)], 54))
    assert any(w.startswith("23 phrasings share 54 groups") and "may no longer suppress" in w for w in warnings)
    assert not any("phrasings share 54" in w for w in of_texts(many[:20], 54))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text("ab ", min_size=1, max_size=30), min_size=1, max_size=5))
def test_shared_words_stand_in_every_text(texts: list[str]) -> None:
    shared = shared_words(texts)
    assert all(shared.split() == [] or " ".join(shared.split()) in " ".join(text.split()) for text in texts)


# ---------------------------------------------------------------------------------------------------- effects


def test_phrasings_that_do_alike_are_not_warned_of() -> None:
    assert list(of_effects(finding([(40, 0.7), (40, 0.8)], spread=0.05))) == []
    assert list(of_effects(finding([(80, 0.7)]))) == []
    assert list(of_effects(finding([(80, 0.7), (0, None)], spread=0.0))) == []


@pytest.mark.parametrize("way", [1.0, -1.0])
def test_one_text_that_does_all_of_it_is_warned_of(way: float) -> None:
    (warning,) = of_effects(finding([(20, 0.02 * way), (20, 0.8 * way), (20, -0.1 * way)], spread=0.5))
    assert warning.startswith("sycophancy: one fixed text carries the inoculation, and the other phrasings do little: ")
    assert f'{0.8 * way:+.2f} with "Phrasing 1."' in warning and "only looked like" in warning


def test_phrasings_that_scatter_are_warned_of() -> None:
    (warning,) = of_effects(finding([(20, 0.8), (20, 0.1), (20, 0.5)], spread=0.35))
    assert warning.startswith(
        "sycophancy: the phrasings differ by a standard deviation of 0.35 around a mean effect of +0.47"
    )
    assert "may no longer suppress" in warning


def test_with_few_groups_a_phrasing_nobody_can_tell() -> None:
    (warning,) = of_effects(finding([(2, 0.8), (2, 0.7), (2, 0.9)], spread=0.0))
    assert warning.startswith(
        "sycophancy: 3 phrasings were read with 6 groups, too few to tell whether they vary so much"
    )


def test_nothing_read_is_nothing_to_warn_of() -> None:
    assert list(of_effects(finding([(0, None), (0, None)]))) == []


# ---------------------------------------------------------------------------------------------------- candidates


def test_the_best_candidate_alone_would_be_one_fixed_text() -> None:
    (warning,) = of_candidates([0.8, 0.5, 0.4, 0.1, -0.2])
    assert warning.startswith("the first alone would be one fixed text") and "Numbers 1 to 3 each" in warning
    (alone,) = of_candidates([0.8, 0.3])
    assert alone.startswith("no other candidate does half as much as the first") and "no longer suppress" in alone
    (single,) = of_candidates([0.8])
    assert single == alone
    assert list(of_candidates([-0.1, -0.3])) == list(of_candidates([])) == []
