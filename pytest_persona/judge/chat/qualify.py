"""Trying a chat judge on anchors: texts of which it is known which pole they show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pytest_persona.infer.auroc import auroc
from pytest_persona.model.episodes import Behaviour, digest
from pytest_persona.model.traits import Trait
from pytest_persona.model.verdicts import Qualification, Verdict

__all__ = ["PAIRS", "anchor_pairs", "qualification"]

PAIRS = 12
"""Pairs that a trait is tried on: a judge that gets them right has an AUROC whose lower bound is 0.82, and 0.78 with one turned round."""
_LEAST = 8


def anchor_pairs(trait: Trait, *, statements: bool) -> list[tuple[Behaviour, Behaviour]]:
    """At most ``PAIRS`` of a trait's matched pairs, high before low, spread over its domains by a hash.

    ``statements`` takes lines of rubrics and instructions instead of replies. A chat judge is shown a trait's exemplars, never its
    anchors, so that all of them are held out.
    """
    if statements:
        lines = list(zip(trait.criteria_high, trait.criteria_low, strict=False)) or list(
            zip(trait.statements_high, trait.statements_low, strict=False)
        )
        texts = sorted(lines, key=lambda line: digest(*line))[:PAIRS]
        return [(_statement(high), _statement(low)) for high, low in texts]
    turns: dict[str, int] = {}
    ranked = []
    for pair in sorted(trait.pairs, key=lambda pair: digest(pair.high, pair.low)):
        turns[pair.domain] = turns.get(pair.domain, 0) + 1
        ranked.append((turns[pair.domain], pair))
    chosen = [pair for _, pair in sorted(ranked, key=lambda ranked: ranked[0])[:PAIRS]]
    return [
        (
            Behaviour(role="shown", context=pair.context, reply=pair.high),
            Behaviour(role="shown", context=pair.context, reply=pair.low),
        )
        for pair in chosen
    ]


def qualification(scores: Sequence[tuple[Verdict, Verdict]]) -> Qualification:
    """What the verdicts on pairs (high, low) say of the judge; pairs of which one has no score do not count."""
    judged = [
        (h.expressed, low.expressed) for h, low in scores if h.expressed is not None and low.expressed is not None
    ]
    if len(judged) < _LEAST:
        lost = next((v for pair in scores for v in pair if v.expressed is None), None)
        why = f": {lost.detail or lost.reason}" if lost is not None else ""
        return Qualification(
            qualified=False,
            pairs=len(judged),
            reason=f"the judge has been tried on {len(judged)} pairs of anchors, where {_LEAST} are the least{why}",
        )
    high, low = np.array(judged, np.float64).T
    return Qualification.of(*auroc(high, low), len(judged))


def _statement(text: str) -> Behaviour:
    return Behaviour(role="sentence", context=(), reply=text)
