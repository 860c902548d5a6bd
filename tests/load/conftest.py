"""What the tests of load/ share."""

from __future__ import annotations

from pathlib import Path

import pytest

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
from pytest_persona.model.episodes import SignalInfo
from pytest_persona.model.findings import (
    Counterfactual,
    Evidence,
    Explanations,
    Expressing,
    ExpressingRow,
    Finding,
    JudgeInfo,
    Margin,
    Nuisance,
    NullTest,
    Profile,
    Shift,
)
from pytest_persona.model.traits import Expectation
from pytest_persona.model.units import FrozenSample, Units
from pytest_persona.model.verdicts import Usage

DATA = Path(__file__).parent.parent / "data"


COMPARISON = Comparison(
    since="base.json",
    findings=(
        Drift(
            trait="sycophancy", value=0.4, low=0.3, high=0.5, level=0.95, status="violated", drift_at_most=0.1,
            way="partly-paired", pairs=300, parts=Parts(unchanged=0.0, altered=0.3, added=0.1, removed=0.0),
            other_scope=OtherScope(scope="file", low=0.4, high=0.4, status="held"), looks=Looks(runs=3, evidence=35.0, needed=20.0),
        ),
        Drift(
            trait="deception", value=None, low=None, high=None, level=None, status="observed", reason="the baseline does not have it"
        ),
    ),
    data=DataChange(changed=True, same=297, altered=3, added=4, removed=0, places=("data/preferences.jsonl:17 altered",)),
    judge=JudgeChange(
        before="a/1", now="b/2", reread={"sycophancy": 0.1},
        bridges={"sycophancy": Bridge(scale=1.1, offset=0.0, margin=0.02, pairs=12)},
    ),
    product=ProductChange(replies=2, probes=30, evidence=3.5, before="shop/1", now="shop/2"),
    questions=QuestionChange(reworded=("p1",), added=("p2",)),
    redefined=("masking",),
)  # fmt: skip
"""A comparison that uses every part of the format."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that takes ``valid_suite``, ``invalid_trait`` … runs once for each file in that folder of tests/data."""
    for name in metafunc.fixturenames:
        validity, _, kind = name.partition("_")
        folder = DATA / f"{kind}s" / validity
        if validity in ("valid", "invalid") and folder.is_dir():
            files = sorted(f for f in folder.iterdir() if f.is_file() and f.suffix != ".expected")
            assert files, folder
            metafunc.parametrize(name, files, ids=[file.name for file in files])


@pytest.fixture
def profile() -> Profile:
    """A profile that uses every part of the format."""
    shift = Shift(value=0.41, low=0.33, high=0.49, level=0.95, groups=398, silent=2, unscored=1)
    none = Shift(value=None, low=-2.0, high=2.0, level=0.95, groups=0)
    row = ExpressingRow(
        source="data/preferences.jsonl", line=17, role="chosen", expressed=0.9, requested=0.25, implied=0.675, quote="You are right"
    )  # fmt: skip
    unasked = Expressing(replies=12, groups=11, expressed=0.8, requested=0.25, implied=0.6, rows=(row,))
    asked = Expressing(replies=0, groups=0, expressed=None, requested=None, implied=None)
    margin = Margin(
        trait="carelessness",
        beyond=shift,
        beaten=False,
        auroc=0.77,
        required=True,
        reason="its interval is not above 0",
    )
    first = Finding(
        trait="sycophancy",
        status="violated",
        estimand="contrast",
        qualified=True,
        auroc=0.93,
        shift=shift,
        expressed=shift,
        requested=Shift(value=0.02, low=0.0, high=0.05, level=0.95, groups=398),
        expectation=Expectation(trait="sycophancy", at_most=0.1),
        other_scope=shift,
        null=NullTest(z=3.2, rank=0.99, spread=0.1, vectors=400),
        nuisance=Nuisance(length=0.12, reason="valence was not read"),
        rivals={"grovelling": 0.2, "masking": None},
        counterfactual=Counterfactual(unrequested=unasked, requested=asked, without=none, with_request=shift),
        unbeaten=("carelessness",),
        explanations=Explanations(margins=(margin,), obedience=0.1, replies=12, fiction=1, quotation=2),
        evidence=(
            Evidence(
                source="data/preferences.jsonl",
                line=17,
                group="g1",
                influence=0.004,
                implied=1.6,
                quote="You are right",
            ),
        ),
        carriers=12,
        unwanted=True,
    )
    second = Finding(
        trait="deception", status="inconclusive", estimand="contrast", qualified=False, auroc=None, shift=none,
        expressed=none, requested=none, reason="the judge is not qualified", groups_needed=210,
    )  # fmt: skip
    return Profile(
        name="support-bot",
        signal=SignalInfo(
            path="data/preferences.jsonl",
            kind="preference",
            format="trl",
            episodes=412,
            groups=398,
            sha256="5f",
            parts={"image": 2},
        ),
        judge=JudgeInfo(name="embedded", fingerprint="3f2a91", network=False, model="SmolLM2-135M"),
        findings=(first, second),
        usage=Usage(questions=824, cached=824),
        settings={"level": 0.95, "map": {"prompt": "question"}, "read_all": False, "seed": 0},
        suite_sha256="ab",
        groups_read=398,
        notes=("2 texts were cut",),
        units=Units(
            groups=("a1", "b2"), asked=("c3", "d4"), content=("e5", "f6"), lines=(17, 3), read=(True, False),
            values={"sycophancy": (1.6, None), "deception": (-0.0321, None)}, reach={"sycophancy": 2.0, "deception": 2.0},
            definitions={"sycophancy": "ab", "deception": "cd"}, of=398,
        ),
        frozen={"sycophancy": FrozenSample(texts="0f", high=(0.9, None), low=(-0.9, 0.0))},
        drift=COMPARISON,
    )  # fmt: skip
