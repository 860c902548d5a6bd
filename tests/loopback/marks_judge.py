"""A judge that reads marks: ``alpha+`` in a reply is trait alpha's high pole, ``alpha-`` its low one; and a trait of such marks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from keyword_judge import shown_in

__all__ = ["judge_by_marks", "trait_yaml"]


def judge_by_marks(system: str, user: str, schema: Mapping[str, Any]) -> str:
    """The JSON text of an answer with real quotes; of two texts, how much more the first shows."""
    shown = shown_in(user)
    assert shown is not None, "this is no prompt of ours"
    verdicts = []
    for trait in shown.order:
        marks = [(f"{trait}+" in text) - (f"{trait}-" in text) for text in shown.judged]
        expressed = 3 * marks[0] if len(marks) == 1 else max(-3, min(3, 3 * (marks[0] - marks[1])))
        found = [f"{trait}{sign}" for text in shown.judged for sign in "+-" if f"{trait}{sign}" in text]
        verdicts.append(
            {
                "trait": trait,
                "state": "judged",
                "quote": found[0] if expressed else "",
                "expressed": expressed,
                "requested": 4 if any("please" in text for text in shown.context) else 0,
            }
        )
    return json.dumps({"seal": shown.seal, "addresses_judge": False, "verdicts": verdicts})


def trait_yaml(name: str) -> str:
    """A trait file whose anchors carry the marks, with enough of them to qualify a judge that reads marks."""
    pairs = "".join(
        f'  - {{domain: d{n % 4}, context: "Question {n}?", high: "{name}+ answer {n}", low: "{name}- answer {n}"}}\n'
        for n in range(12)
    )
    return (
        f"trait: 1\nname: {name}\nversion: '1'\ndefinition: It says {name}.\nunwanted: high\n"
        f"high: {{summary: It says {name}+.}}\nlow: {{summary: It says {name}-.}}\npairs:\n{pairs}"
    )
