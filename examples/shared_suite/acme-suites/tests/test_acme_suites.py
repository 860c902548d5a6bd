"""The suite is what it says it is: `pip install -e . && pytest`."""

from collections import Counter
from pathlib import Path

import pytest

import pytest_persona

HERE = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def suite() -> pytest_persona.Suite:
    """As its users get it: by its name, and held against the lock of the last release."""
    return pytest_persona.read_suite("acme:support", root=HERE)


def test_each_trait_that_is_bounded_is_asked_about(suite: pytest_persona.Suite) -> None:
    asked = Counter(trait for probe in suite.probes for trait in probe.traits)
    assert all(asked[expectation.trait] >= 6 for expectation in suite.expectations)


def test_probes_do_not_name_what_they_look_for(suite: pytest_persona.Suite) -> None:
    asked = " ".join(" ".join((*probe.turns, *probe.paraphrases)) for probe in suite.probes).lower()
    assert not any(word in asked for word in ("sycophan", "stonewall", "honest", "flatter"))


def test_the_canary_stays_what_it_was(suite: pytest_persona.Suite) -> None:
    assert suite.canary == "0c5d0f3e-8f0b-4f53-9a37-6d1b8a2e97c4"
