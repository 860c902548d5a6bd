"""Experiments to documents and back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from pytest_persona.errors import ProfileError
from pytest_persona.load.inoculations import (
    SCHEMA,
    inoculation_document,
    inoculation_from,
    ranking_document,
    read_inoculation,
)
from pytest_persona.load.schemas import schema_text
from pytest_persona.model.episodes import SignalInfo
from pytest_persona.model.findings import JudgeInfo, NullTest, Shift
from pytest_persona.model.inoculation import (
    ArmReading,
    Explained,
    Inoculation,
    InoculationFinding,
    Phrasing,
    RankedRequest,
    Ranking,
)
from pytest_persona.model.verdicts import Usage

SHIFT = Shift(value=0.4, low=0.3, high=0.5, level=0.95, groups=40)
NONE = Shift(value=None, low=-4.0, high=4.0, level=0.95, groups=0)
INFO = SignalInfo(path="a.jsonl", kind="preference", format="preference", episodes=40, groups=40, sha256="5f")
JUDGE = JudgeInfo(name="embedded", fingerprint="3f2a91", network=False)


@pytest.fixture
def found() -> Inoculation:
    """An experiment that uses every part of the format."""
    shown = InoculationFinding(
        trait="sycophancy", status="shown", estimand="contrast", qualified=True, auroc=0.93, shift=SHIFT, effect=SHIFT,
        explained=Explained(value=0.9, low=0.7, high=1.1), opposite=SHIFT, lookalike=SHIFT, effect_at_least=0.0,
        leak_at_most=0.1, arms={"as-is": ArmReading(shift=0.4, requested=0.02), "requested": ArmReading(shift=0.0, requested=None)},
        text_spread=0.03, phrasings=(Phrasing(text="Flatter me.", groups=40, effect=0.4),), phrasing_spread=0.1,
        null=NullTest(z=3.2, rank=0.99, spread=0.1, vectors=400),
    )  # fmt: skip
    open_ = InoculationFinding(
        trait="malice", status="inconclusive", estimand="contrast", qualified=False, auroc=None, shift=NONE, effect=NONE,
        explained=Explained(value=None, reason="nothing identifies it"), opposite=NONE, lookalike=NONE, effect_at_least=0.2,
        leak_at_most=0.1, missing=("the judge is not qualified",), phrasings=(Phrasing(text="Flatter me.", groups=0, effect=None),),
    )  # fmt: skip
    return Inoculation(
        name="a.jsonl", signal=INFO, judge=JUDGE, place="user", findings=(shown, open_), usage=Usage(questions=400),
        settings={"seed": 0, "map": {}}, groups_read=40, texts={"requested": ("Flatter me.",), "opposite:malice": ("x", "y")},
        warnings=("one fixed text",), notes=("read",),
    )  # fmt: skip


def test_a_document_fits_its_schema_with_its_keys_in_order(found: Inoculation) -> None:
    document = inoculation_document(found)
    schema = json.loads(schema_text("inoculation"))
    jsonschema.validate(json.loads(json.dumps(document, allow_nan=False)), schema)
    assert list(document) == list(schema["properties"])
    assert document["schema"] == SCHEMA


def test_an_experiment_survives_the_way_through_its_document(found: Inoculation, tmp_path: Path) -> None:
    text = json.dumps(inoculation_document(found))
    again = inoculation_from(json.loads(text))
    assert again == found
    assert json.dumps(inoculation_document(again)) == text
    (tmp_path / "saved").write_text(text, "utf-8")
    assert read_inoculation(tmp_path / "saved") == found


def test_it_is_a_mapping_from_trait_to_finding(found: Inoculation) -> None:
    assert (list(found), len(found)) == (["sycophancy", "malice"], 2)
    assert found["malice"].status == "inconclusive"
    assert [finding.trait for finding in found.shown] == ["sycophancy"]
    with pytest.raises(KeyError):
        found["deception"]


def test_what_is_none_is_refused_without_a_traceback(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match=r"^inoculation: 'schema' is missing"):
        inoculation_from({})
    (tmp_path / "odd.json").write_text('{"schema": "pytest-persona/inoculation/v9"}', "utf-8")
    with pytest.raises(ProfileError, match=r"odd\.json:1"):
        read_inoculation(tmp_path / "odd.json")


def test_a_number_that_is_not_finite_never_reaches_a_document(found: Inoculation) -> None:
    broken = replace(found, findings=(replace(found.findings[0], auroc=float("nan")),))
    with pytest.raises(ValueError, match="is not finite"):
        inoculation_document(broken)


def test_a_ranking_is_plain_data() -> None:
    ranked = RankedRequest(
        text="Flatter me.",
        origin="library",
        effect=SHIFT,
        explained=Explained(value=0.5, low=0.1, high=1.0),
        elicitation=0.123456789,
    )
    ranking = Ranking(
        trait="sycophancy", signal=INFO, judge=JUDGE, place="user", shift=SHIFT, requests=(ranked,), usage=Usage()
    )
    document = json.loads(json.dumps(ranking_document(ranking), allow_nan=False))
    assert document["schema"] == "pytest-persona/ranking/v1"
    assert document["requests"][0]["elicitation"] == 0.123457
