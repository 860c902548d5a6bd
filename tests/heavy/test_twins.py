"""The sixty twins as the embedded judge reads them: floors a little under what docs/explanation/embedded-judge.md says.

Three hundred readings of a language model, a minute and a half: `tox -e heavy` takes them, the other environments leave them out.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(not os.environ.get("PERSONA_HEAVY"), reason="tox -e heavy")

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def twins() -> Any:
    """What benchmarks/inoculation.py reads, of twins on traits that the judge qualifies for."""
    spec = importlib.util.spec_from_file_location("inoculation", ROOT / "benchmarks" / "inoculation.py")
    assert spec is not None and spec.loader is not None
    module = sys.modules["inoculation"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    bench = module.Bench(ROOT, rows=60)  # what was read before is kept in .persona
    return module.read_twins(bench).of({trait.name for trait in bench.traits})


def test_most_twins_are_of_traits_that_the_judge_qualifies_for(twins: Any) -> None:
    assert len(twins.traits) >= 50


def test_a_reply_stands_above_its_reference(twins: Any) -> None:
    assert np.mean(twins.implied["as-is"] > twins.reference) >= 0.95


def test_an_irrelevant_text_moves_hardly_anything(twins: Any) -> None:
    assert abs(twins.below("as-is").mean()) <= 0.06
    assert twins.heard["placebo"].mean() <= 0.05


def test_a_request_is_heard_and_discounts(twins: Any) -> None:
    assert np.mean(twins.below("request") > 0.0) >= 0.95
    assert twins.below("request").mean() >= 0.33
    assert twins.heard["request"].mean() >= 0.38


@pytest.mark.parametrize(("arm", "share"), [("opposite", 0.78), ("lookalike", 0.70)])
def test_what_has_the_words_of_the_request_discounts_less_than_the_request(twins: Any, arm: str, share: float) -> None:
    """And yet too much: a small judge hears words. Its leak is bounded here, and said in the docs."""
    further = twins.implied[arm] - twins.implied["request"]
    assert np.mean(further > 0.0) >= share
    assert further.mean() - 2.0 * further.std(ddof=1) / np.sqrt(len(further)) > 0.0
    assert twins.below(arm).mean() <= 0.38
