"""Portraits to documents and back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from pytest_persona.errors import ProfileError
from pytest_persona.load.portraits import SCHEMA, portrait_document, portrait_from, read_portrait
from pytest_persona.load.schemas import schema_text
from pytest_persona.model.episodes import SignalInfo
from pytest_persona.model.findings import JudgeInfo
from pytest_persona.model.portrait import (
    CharacterReading,
    Comparison,
    Passage,
    Portrait,
    Prediction,
    ProbeForecast,
    Sampled,
)
from pytest_persona.model.verdicts import Usage


@pytest.fixture
def portrait() -> Portrait:
    """A portrait that uses every part of the format."""
    reading = CharacterReading(
        name="con-artist", value=0.75, low=0.5, high=1.0, spread=0.25, probability=0.998, share=0.875, z=5.0, p=0.001,
        stands_out=True, log_odds=3.5, temper=0.5, evidence=(Passage(sample=1, quote="Trust me."),),
    )  # fmt: skip
    found = Comparison(
        reference="honest-expert", reference_share=0.125, readings=(reading,), unread={"clerk": "no score"}, null_mean=0.0,
        null_spread=0.0625, nulls=12, level=0.95,
    )  # fmt: skip
    return Portrait(
        name="a.jsonl", basis="set", estimand="contrast", characters=found, groups_read=150, tokens=80,
        signal=SignalInfo(path="a.jsonl", kind="preference", format="preference", episodes=400, groups=398, sha256="5f"),
        judge=JudgeInfo(name="claude", fingerprint="3f2a91", network=True, model="m"),
        samples=(Sampled(groups=30, texts=60, best="con-artist"), Sampled(groups=30, texts=60, best="", reason="HTTP 500")),
        consistency=0.875, predictions=(Prediction(trait="deception", value=1.5, low=0.0, high=1.75),),
        probes=(ProbeForecast(suite="core", id="refund", trait="deception", difference=1.5),), characters_sha256="ab",
        usage=Usage(questions=160, calls=5), settings={"seed": 0, "map": {}}, notes=("read",),
    )  # fmt: skip


def test_a_document_comes_back_as_the_portrait_it_was_made_of(portrait: Portrait, tmp_path: Path) -> None:
    document = portrait_document(portrait)
    assert document["schema"] == SCHEMA and document["most_like"] == "con-artist"
    assert portrait_from(json.loads(json.dumps(document))) == portrait
    (tmp_path / "p.json").write_text(json.dumps(document), "utf-8")
    assert read_portrait(tmp_path / "p.json") == portrait


def test_a_portrait_of_nothing_is_a_document_too(portrait: Portrait) -> None:
    nothing = replace(
        portrait, characters=None, reason="too few", consistency=None, predictions=(), probes=(), samples=()
    )
    document = portrait_document(nothing)
    jsonschema.validate(document, json.loads(schema_text("portrait")))
    assert portrait_from(document) == nothing and nothing.most_like == document["most_like"] == ""


def test_documents_are_of_their_schema(portrait: Portrait) -> None:
    schema = json.loads(schema_text("portrait"))
    jsonschema.validate(portrait_document(portrait), schema)
    for key in ("most_like", "predictions"):
        broken = portrait_document(portrait)
        del broken[key]
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, schema)


def test_shares_of_a_document_are_never_whole() -> None:
    # 6 digits of the largest share there is.
    assert json.loads(json.dumps(float(f"{1.0 - 1e-6:.6g}"))) < 1.0


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("schema", "pytest-persona/portrait/v2", "is not a version that is read here"),
        ("basis", "guess", "there is no"),
        ("samples", None, "must be a list"),
    ],
)
def test_what_is_no_portrait_is_refused(portrait: Portrait, key: str, value: object, said: str) -> None:
    with pytest.raises(ProfileError, match=said):
        portrait_from(portrait_document(portrait) | {key: value})
