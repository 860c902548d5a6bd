"""Data, judge, product, questions: which of them has changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pytest_persona.infer.drift import compare
from pytest_persona.model.drift import Comparison
from pytest_persona.model.findings import Profile
from pytest_persona.model.probes import TargetInfo
from pytest_persona.model.units import FrozenSample

Make = Callable[..., Profile]
HIGH, LOW = (0.9, 0.7, 0.8, 0.5, 0.9, 0.6, 0.8, 0.7), (-0.6, -0.9, -0.5, -0.8, -0.7, -0.6, -0.9, -0.4)
RNG = np.random.default_rng(0)
BEFORE = {f"g{k}": round(float(v), 4) for k, v in enumerate(RNG.uniform(-0.5, 0.5, 40))}


def frozen(scale: float = 1.0, noise: float = 0.0) -> FrozenSample:
    rng = np.random.default_rng(1)
    high, low = (tuple(scale * v + noise * float(rng.standard_normal()) for v in side) for side in (HIGH, LOW))
    return FrozenSample(texts="a", high=high, low=low)


def moved(values: dict[str, float], by: float, which: int = 40, scale: float = 1.0) -> dict[str, float]:
    return {name: scale * v + (by if k < which else 0.0) for k, (name, v) in enumerate(values.items())}


def test_where_nothing_differs_there_is_no_cause(profiled: Make) -> None:
    assert compare(profiled(BEFORE), profiled(BEFORE)).causes == ()


def test_one_row_that_differs_is_a_cause_in_the_data(profiled: Make) -> None:
    texts = dict.fromkeys(BEFORE, "x") | {"g3": "y"}
    found = compare(profiled(BEFORE, content="x"), profiled(BEFORE | {"g3": 1.5}, content=texts, bound=0.2))
    assert found.causes == ("data",)
    assert found.data is not None
    counts = found.data.same, found.data.altered, found.data.added, found.data.removed
    assert (counts, found.data.places, found.data.complete) == ((39, 1, 0, 0), ("p.jsonl:4 altered",), True)
    assert found["t"].parts is not None
    assert found["t"].parts.altered == pytest.approx(found["t"].value)


def test_rows_that_came_and_went_are_named(profiled: Make) -> None:
    now = dict(list(BEFORE.items())[1:]) | {"new": 0.5}
    data = compare(profiled(BEFORE), profiled(now)).data
    assert data is not None
    assert (data.added, data.removed, data.places) == (1, 1, ("p.jsonl:40 added", "p.jsonl:1 removed"))


def test_a_file_may_differ_and_its_groups_not(profiled: Make) -> None:
    data = compare(profiled(BEFORE, sha256="1"), profiled(BEFORE, sha256="2")).data
    assert data is not None
    assert (data.changed, data.same, data.altered + data.added + data.removed) == (True, 40, 0)


def test_of_a_sample_it_is_said_that_it_is_one(profiled: Make) -> None:
    data = compare(profiled(BEFORE, of=9999), profiled(BEFORE, sha256="2")).data
    assert data is not None
    assert not data.complete


# ------------------------------------------------------------------------------------------------ the judge
def test_another_judge_of_the_same_texts_is_no_drift_and_needs_no_bridge(profiled: Make) -> None:
    found = compare(profiled(BEFORE), profiled(moved(BEFORE, 0.3), judge="bb", bound=0.0))
    assert found.causes == ("judge",)
    assert found.judge is not None
    assert (found.judge.before, found.judge.now) == ("j/aa", "j/bb")
    assert found.judge.reread == {"t": pytest.approx(0.3)}
    assert (found["t"].value, found["t"].status, found.comparable) == (0.0, "held", True)


def both_changed(profiled: Make, one: Any, other: Any, **more: Any) -> Comparison:
    texts = {name: "y" if k < 20 else "x" for k, name in enumerate(BEFORE)}
    now = {name: 1.5 * (v + (0.4 if k < 20 else 0.0)) for k, (name, v) in enumerate(BEFORE.items())}
    return compare(
        profiled(BEFORE, content="x", frozen=one), profiled(now, content=texts, judge="bb", frozen=other, **more)
    )


def test_other_texts_are_brought_over_on_frozen_anchors(profiled: Make) -> None:
    found = both_changed(profiled, frozen(), frozen(1.5))
    assert found.causes == ("data", "judge")
    assert found.judge is not None
    bridge = found.judge.bridges["t"]
    assert (bridge.scale, bridge.pairs, bridge.margin) == (pytest.approx(1.5), 8, pytest.approx(0.0, abs=1e-9))
    assert found["t"].value == pytest.approx(1.5 * 0.4 / 2)
    assert found["t"].parts is not None
    assert found["t"].parts.unchanged == pytest.approx(0.0)


def test_what_the_bridge_leaves_open_widens_the_interval(profiled: Make) -> None:
    sure, unsure = both_changed(profiled, frozen(), frozen(1.5)), both_changed(profiled, frozen(), frozen(1.5, 0.08))
    assert unsure.comparable
    sides = [(f["t"].low, f["t"].high) for f in (sure, unsure)]
    assert sides[0][1] - sides[0][0] < sides[1][1] - sides[1][0]  # type: ignore[operator]


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (None, frozen(), "the judges differ, and no anchors were read by both that would bridge them"),
        (
            frozen(),
            frozen(-1.0),
            "the judges differ, and one of the judges does not tell the poles apart on the anchors",
        ),
    ],
)
def test_without_a_bridge_the_profiles_are_not_comparable(profiled: Make, one: Any, other: Any, why: str) -> None:
    found = both_changed(profiled, one, other, bound=0.1)
    assert (found.comparable, found.why) == (False, (why,))
    assert (found["t"].status, found["t"].value, found["t"].reason) == ("inconclusive", None, why)


def test_a_bridge_that_may_be_far_off_carries_nothing(profiled: Make) -> None:
    texts = dict.fromkeys(BEFORE, "y")
    high = moved(dict.fromkeys(BEFORE, 0.8), 0.0)
    base = profiled(high, content="x", frozen=frozen())
    found = compare(base, profiled(high, content=texts, judge="bb", frozen=frozen(1.0, noise=0.3)))
    assert not found.comparable
    assert found["t"].reason.startswith("the judges differ, and the bridge between them may be off by 0.")


def test_a_signal_that_is_all_new_is_brought_over_as_a_whole(profiled: Make) -> None:
    now = {f"new{k}": 1.5 * v for k, v in enumerate(BEFORE.values())}
    found = compare(profiled(BEFORE, frozen=frozen()), profiled(now, judge="bb", frozen=frozen(1.5)))
    assert (found["t"].way, found["t"].value) == ("separate", pytest.approx(0.0, abs=1e-9))
    assert found.comparable


def test_no_evidence_is_pooled_over_judges(profiled: Make) -> None:
    found = compare(profiled(BEFORE), profiled(BEFORE, judge="bb", bound=0.1), history=[])
    assert found["t"].looks is None


# ------------------------------------------------------------------------------------------------ the product
def probed(profiled: Make, values: dict[str, float], **more: Any) -> Profile:
    return profiled(values, kind="probe", **more)


def test_other_replies_to_the_same_questions_are_the_product(profiled: Make) -> None:
    found = compare(probed(profiled, BEFORE, content="x"), probed(profiled, moved(BEFORE, 0.4), content="y", bound=0.1))
    assert found.causes == ("product",)
    assert found.product is not None
    assert (found.product.replies, found.product.probes, found.product.before) == (40, 40, "")
    assert found.product.evidence is not None and found.product.evidence > 1e4
    assert found.data is None


def test_another_target_is_the_product_though_it_answers_the_same(profiled: Make) -> None:
    one = TargetInfo(name="shop:plain", kind="python", fingerprint="a" * 32)
    found = compare(
        probed(profiled, BEFORE, target=one), probed(profiled, BEFORE, target=replace(one, fingerprint="b" * 32))
    )
    assert found.product is not None
    assert (found.product.replies, found.product.before, found.product.now) == (
        0,
        "shop:plain/aaaaaa",
        "shop:plain/bbbbbb",
    )
    assert (found["t"].way, found["t"].value) == ("same", 0.0)


def test_replies_that_differ_by_chance_are_no_evidence_of_another_product(profiled: Make) -> None:
    noisy = {name: v + 0.1 * (-1) ** k for k, (name, v) in enumerate(BEFORE.items())}
    product = compare(probed(profiled, BEFORE, content="x"), probed(profiled, noisy, content="y")).product
    assert product is not None and product.evidence is not None
    assert product.evidence < 1.0


def test_the_same_replies_of_the_same_product_are_no_cause(profiled: Make) -> None:
    assert compare(probed(profiled, BEFORE), probed(profiled, BEFORE)).causes == ()


def test_a_trait_whose_probes_bring_the_same_replies_has_not_drifted_whatever_the_others_do(profiled: Make) -> None:
    silent = {name: None if k < 20 else v for k, (name, v) in enumerate(BEFORE.items())}
    texts = {name: "new" if k < 20 else "x" for k, name in enumerate(BEFORE)}
    found = compare(probed(profiled, silent, content="x"), probed(profiled, silent, content=texts, bound=0.0))  # type: ignore[arg-type]
    assert found.product is not None
    assert (found.product.replies, found["t"].way, found["t"].status) == (20, "same", "held")


def test_a_probe_in_other_words_is_another_question_and_is_left_out(profiled: Make) -> None:
    now = BEFORE | {"g0": 1.0}
    found = compare(
        probed(profiled, BEFORE),
        probed(profiled, now, asked={"g0": "reworded"}, content=dict.fromkeys(BEFORE, "") | {"g0": "n"}, bound=0.0),
    )
    assert found.causes == ("questions",)
    assert found.questions is not None
    assert (found.questions.reworded, found.questions.added, found.questions.removed) == (("g0",), (), ())
    assert (found["t"].pairs, found["t"].value, found["t"].status) == (39, 0.0, "held")


def test_probes_that_came_and_went_are_questions_too_and_move_nothing(profiled: Make) -> None:
    now = dict(list(BEFORE.items())[1:]) | {"new": 1.0}
    found = compare(probed(profiled, BEFORE), probed(profiled, now))
    assert found.questions is not None
    assert (found.questions.added, found.questions.removed) == (("new",), ("g0",))
    assert (found["t"].value, found["t"].pairs) == (0.0, 39)


def test_probes_that_are_all_new_leave_nothing_to_compare(profiled: Make) -> None:
    found = compare(probed(profiled, BEFORE), probed(profiled, {"new": 0.3}, bound=0.1))
    assert (found["t"].status, found["t"].value) == ("inconclusive", None)
    assert found["t"].reason == "no probe was asked in the same words and answered before"


def test_a_trait_that_is_defined_anew_is_another_question(profiled: Make) -> None:
    found = compare(profiled(BEFORE), profiled(BEFORE, definition="new", bound=0.5))
    assert (found.causes, found.redefined) == (("questions",), ("t",))
    assert found["t"].status == "inconclusive"
    assert found["t"].reason == "its definition has changed, so that the judge was asked another question"
