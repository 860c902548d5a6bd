"""What a profile keeps for a later one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pytest_persona.engine.sample import Audit
from pytest_persona.infer.units import Scores, units
from pytest_persona.model.episodes import Episode
from pytest_persona.model.units import MOST_UNITS

__all__ = ["with_units"]


def with_units(
    audit: Audit, episodes: Sequence[Episode], groups: Mapping[str, Sequence[int]], order: Sequence[str]
) -> Audit:
    """The audit with its groups, in the ``order`` of reading; ``groups`` are the places of each one's ``episodes``."""
    sample = audit.sample
    scores = Scores(
        episodes=sample.episodes,
        implied={trait.name: sample.implied(trait.name) for trait in sample.wanted},
        traits=sample.wanted,
    )
    rows = {group: [episodes[i] for i in groups[group]] for group in order[:MOST_UNITS]}
    kept = units(scores, order, rows, sample.info.groups)
    return replace(audit, profile=replace(audit.profile, units=kept))
