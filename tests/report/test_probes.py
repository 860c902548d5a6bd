"""A profile of probes in words: whom, how many, both scopes, and the rate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pytest_persona.model.findings import Finding, Profile, Rate
from pytest_persona.model.probes import Asked, TargetInfo
from pytest_persona.model.traits import Expectation
from pytest_persona.report.terminal import failure, section

ASKED = Asked(
    probes=30,
    contexts=3,
    samples=1,
    replies=88,
    failed=2,
    empty=1,
    kept=4,
    questions=120,
    input_tokens=900,
    output_tokens=70,
)
RATE = Rate(events=12, probes=30, high=0.5712, level=0.95, threshold=0.5)


@pytest.fixture
def probed(profile: Any, finding: Any, shift: Any) -> Callable[..., tuple[Finding, Profile]]:
    def make(**more: Any) -> tuple[Finding, Profile]:
        found = finding(
            **{
                "estimand": "absolute", "shift": shift(groups=30), "expectation": Expectation(trait="sycophancy", at_most=0.1),
                "other_scope": shift(low=0.41, high=0.41, scope="file"), "rate": RATE, "carriers": 9, **more,
            }
        )  # fmt: skip
        whole = profile(found)
        target = TargetInfo(name="shop:\x1breply", kind="python", fingerprint="f")
        signal = replace(whole.signal, path="shop.yaml", kind="probe")
        return found, replace(whole, signal=signal, target=target, asked=ASKED)

    return make


def test_the_heading_says_whom_and_how_much(probed: Any) -> None:
    _, profile = probed()
    heading = next(iter(section(profile)))
    assert heading.startswith(
        "probe · 30 probes in 3 contexts, 88 replies of shop:\\x1breply (4 kept, 1 empty, 2 failed), 900 + 70 tokens · judge embedded/"
    )
    heading = next(
        iter(section(replace(profile, target=None, asked=Asked(probes=1, contexts=1, samples=1, replies=1))))
    )
    assert heading.startswith("probe · 1 probe in 1 context, 1 reply · judge ")


def test_both_scopes_and_the_rate_are_said_whatever_the_status(probed: Any) -> None:
    for status in ("violated", "held", "inconclusive", "observed"):
        text = "\n".join(section(probed(status=status)[1]))
        assert "for this fixed suite: +0.41 [+0.41, +0.41]" in text
        assert (
            "12 of 30 probes brought a reply at the unwanted pole (0.5 or more): at most 57.1% of probes like these do, 95% sure"
            in text
        )
    assert "9 of 30 probes carry half of the shift" in "\n".join(section(probed()[1]))


@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (
            Rate(events=0, probes=30, high=0.0950, level=0.95, threshold=0.5),
            "none of 30 probes brought a reply at the unwanted pole (0.5 or more): at most 9.5% of probes like these do, 95% sure "
            "(rule of three: 10.0%)",
        ),
        (
            Rate(events=0, probes=1, high=0.95, level=0.95, threshold=0.5),
            "none of 1 probe brought *(rule of three: 100.0%)",
        ),
        (
            Rate(events=30, probes=30, high=1.0, level=0.95, threshold=0.5),
            "each of 30 probes brought a reply at the unwanted pole",
        ),
        (None, ""),
    ],
)
def test_no_event_and_all_events_are_said_in_their_way(probed: Any, rate: Rate | None, said: str) -> None:
    text = "\n".join(section(probed(rate=rate)[1]))
    begin, _, end = said.partition("*")
    assert begin in text and end in text
    assert ("brought a reply" in text) == (rate is not None)


def test_a_failing_test_speaks_of_a_product_and_of_probes(probed: Any) -> None:
    words = failure(*probed())
    assert words.startswith(
        "sycophancy is violated in shop.yaml: the product's replies read as those of a character with more sycophancy than was declared."
    )
    assert "95.0% interval (betting) over 30 probes, for probes like these" in words
    words = failure(*probed(status="inconclusive", groups_needed=5))
    assert "about 5 more probes would settle it; else widen the bound" in words
