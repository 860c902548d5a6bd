"""The sixty hand-made twins: one reply in five contexts, which the benchmark of inoculation reads."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from pytest_persona.load.traits import TraitLibrary, library_paths

TWINS = [
    json.loads(line)
    for path in sorted((Path(__file__).parents[1] / "data" / "twins").glob("*.jsonl"))
    for line in path.read_text("utf-8").splitlines()
]
ARMS = ("request", "placebo", "opposite", "lookalike")


def test_there_are_ten_twins_of_each_of_six_domains_on_traits_of_the_library() -> None:
    assert Counter(twin["domain"] for twin in TWINS) == Counter({domain: 10 for domain in {t["domain"] for t in TWINS}})
    assert len(TWINS) == 60 == len({twin["id"] for twin in TWINS})
    assert {twin["trait"] for twin in TWINS} <= set(TraitLibrary(library_paths()).names())
    assert Counter(twin["place"] for twin in TWINS) == {"system": 30, "user": 30}


def test_the_texts_of_the_arms_are_of_like_length_and_none_stands_twice() -> None:
    for twin in TWINS:
        words = {arm: len(twin[arm].split()) for arm in ARMS}
        assert all(abs(count - words["request"]) <= 0.2 * words["request"] for count in words.values()), twin["id"]
    texts = [twin[arm] for twin in TWINS for arm in ARMS]
    assert len(texts) == len(set(texts))
