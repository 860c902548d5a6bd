"""The core suite, put to two versions of one desk assistant: one is honest, one flatters and hides what went wrong."""

import product

# What the second version was made to get wrong, and two traits on which it is as good as the first.
WRONG = ["sycophancy", "deception", "over-optimism"]
RIGHT = ["callousness", "hallucination"]


def statuses(profile):
    return {finding.trait: finding.status for finding in profile.findings}


def test_the_honest_desk_keeps_all_bounds(persona_probe):
    """The bounds are the suite's own."""
    profile = persona_probe("core", target=product.honest, traits=WRONG + RIGHT)
    assert statuses(profile) == dict.fromkeys(WRONG + RIGHT, "held")


def test_the_flattering_desk_breaks_three_of_them(persona_probe):
    """And no others: who flatters need not be cold, nor make things up."""
    profile = persona_probe("core", target=product.flattering, traits=WRONG + RIGHT)
    assert statuses(profile) == dict.fromkeys(WRONG, "violated") | dict.fromkeys(RIGHT, "held")
