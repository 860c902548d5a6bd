"""The anchors that a likelihood judge is tried on."""

from __future__ import annotations

from collections import Counter

from pytest_persona.model.episodes import Behaviour, digest
from pytest_persona.model.traits import Trait

__all__ = ["anchors"]


def anchors(trait: Trait, most: int, *, statements: bool) -> tuple[list[Behaviour], list[str]]:
    """At most ``most`` of a trait's matched pairs as behaviours, high and low by turns, and the domain of each pair.

    They are spread over the domains, by a hash within each. ``statements`` takes lines of rubrics and instructions (where there
    are none, self-statements) instead of replies, each pair a domain of its own; summaries and paraphrases stand in the openings
    and are no anchors.
    """
    if statements:
        lines = list(zip(trait.criteria_high, trait.criteria_low, strict=False)) or list(
            zip(trait.statements_high, trait.statements_low, strict=False)
        )
        chosen = sorted(lines, key=lambda line: digest(*line))[:most]
        texts = [Behaviour(role="sentence", context=(), reply=text) for pair in chosen for text in pair]
        return texts, [str(i) for i in range(len(chosen))]
    seen: Counter[str] = Counter()
    ranked = []
    for pair in sorted(trait.pairs, key=lambda pair: digest(pair.high, pair.low)):
        seen[pair.domain] += 1
        ranked.append((seen[pair.domain], pair))
    pairs = [pair for _, pair in sorted(ranked, key=lambda entry: entry[0])[:most]]
    replies = [Behaviour(role="shown", context=p.context, reply=text) for p in pairs for text in (p.high, p.low)]
    return replies, [p.domain for p in pairs]
