"""What has changed since a baseline, to documents and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_persona.load.plain import plain
from pytest_persona.model.drift import (
    Bridge,
    Comparison,
    DataChange,
    Drift,
    JudgeChange,
    Looks,
    OtherScope,
    Parts,
    ProductChange,
    QuestionChange,
)

__all__ = ["SCHEMA", "comparison_document", "comparison_from", "drift_document"]

SCHEMA = "pytest-persona/drift/v1"
"""The first value of every document of ``diff --json``."""


def comparison_document(found: Comparison) -> dict[str, Any]:
    """The comparison as plain JSON data, to 6 significant digits."""
    return {
        "since": found.since,
        "comparable": found.comparable,
        "why": list(found.why),
        "causes": list(found.causes),
        "data": plain(found.data),
        "judge": plain(found.judge),
        "product": plain(found.product),
        "questions": plain(found.questions),
        "redefined": list(found.redefined),
        "drifts": [_drift_document(drift) for drift in found.findings],
    }


def drift_document(found: Comparison, name: str) -> dict[str, Any]:
    """A document of its own: what ``diff --json`` writes of one pair of profiles. ``name`` is what the later one is called."""
    return {"schema": SCHEMA, "name": name, **comparison_document(found)}


def comparison_from(data: Mapping[str, Any]) -> Comparison:
    """The comparison that a document, or the part of a profile's, stands for."""
    judge, questions, about = data["judge"], data["questions"], data["data"]
    return Comparison(
        since=data["since"],
        findings=tuple(_drift(drift) for drift in data["drifts"]),
        comparable=data["comparable"],
        why=tuple(data["why"]),
        data=None if about is None else DataChange(**about | {"places": tuple(about["places"])}),
        judge=None
        if judge is None
        else JudgeChange(
            **judge | {"bridges": {trait: Bridge(**bridge) for trait, bridge in judge["bridges"].items()}}
        ),
        product=None if data["product"] is None else ProductChange(**data["product"]),
        questions=None
        if questions is None
        else QuestionChange(**{which: tuple(names) for which, names in questions.items()}),
        redefined=tuple(data["redefined"]),
    )


def _drift_document(drift: Drift) -> dict[str, Any]:
    document: dict[str, Any] = plain(drift)
    document["drift_at_most"] = drift.drift_at_most  # what was given is left as it is
    return document


def _drift(data: dict[str, Any]) -> Drift:
    inner = {"parts": Parts, "looks": Looks, "other_scope": OtherScope}
    return Drift(**data | {name: None if data[name] is None else kind(**data[name]) for name, kind in inner.items()})
