from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from pytest_persona.errors import ProfileError
from pytest_persona.load.profiles import profile_document, profile_from, read_profile, row_document
from pytest_persona.load.schemas import schema_text
from pytest_persona.model.findings import Profile, Reading

READING = Reading(
    source="a.jsonl", line=3, role="chosen", trait="malice", expressed=0.123456789, requested=None, implied=-0.0, reason=None
)  # fmt: skip


def test_a_profile_document_fits_its_schema_with_its_keys_in_order(profile: Profile) -> None:
    document = profile_document(profile)
    schema = json.loads(schema_text("profile"))
    jsonschema.validate(json.loads(json.dumps(document, allow_nan=False)), schema)
    assert list(document) == list(schema["properties"])
    assert list(document)[:1] == ["schema"]
    shown = [key for key in document if key in ("schema", "signal", "judge", "findings", "usage")]
    assert shown == ["schema", "signal", "judge", "findings", "usage"]  # as DESIGN section 5 has them
    assert document["findings"][0]["expectation"] == {"at_most": 0.1}
    assert document["findings"][1]["expectation"] is None
    assert document["findings"][1]["shift"]["value"] is None


def test_a_profile_survives_the_way_through_its_document(profile: Profile) -> None:
    text = json.dumps(profile_document(profile))
    assert profile_from(json.loads(text)) == profile
    assert json.dumps(profile_document(profile_from(json.loads(text)))) == text


def test_a_finding_of_nothing_but_what_it_must_have_is_read(profile: Profile) -> None:
    document = profile_document(profile)
    needed = json.loads(schema_text("profile"))["$defs"]["Finding"]["required"]
    document["findings"] = [{key: found[key] for key in needed} for found in document["findings"]]
    bare = profile_from(document)
    assert [f.shift for f in bare.findings] == [f.shift for f in profile.findings]
    assert {(f.counterfactual, f.explanations, f.null, f.evidence) for f in bare.findings} == {(None, None, None, ())}


def test_what_is_measured_is_rounded_and_what_is_given_is_not(profile: Profile) -> None:
    finding = profile.findings[0]
    assert finding.expectation is not None
    odd = replace(
        profile,
        findings=(
            replace(
                finding,
                shift=replace(finding.shift, value=0.41234567, low=-1e-9, high=123456.789),
                auroc=-0.0,
                expectation=replace(finding.expectation, at_most=0.123456789),
            ),
        ),
        settings={"level": 0.123456789, "names": ("a",)},
    )
    document = profile_document(odd)
    found = document["findings"][0]
    assert (found["shift"]["value"], found["shift"]["low"], found["shift"]["high"]) == (0.412346, -1e-9, 123457.0)
    assert str(found["auroc"]) == "0.0"
    assert found["expectation"] == {"at_most": 0.123456789}
    assert document["settings"] == {"level": 0.123456789, "names": ["a"]}


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_is_not_finite_never_reaches_a_document(profile: Profile, number: float) -> None:
    broken = replace(profile, findings=(replace(profile.findings[0], auroc=number),))
    with pytest.raises(ValueError, match="is not finite"):
        profile_document(broken)


def test_what_is_no_json_never_reaches_a_document(profile: Profile) -> None:
    with pytest.raises(TypeError, match="object has no place in a document"):
        profile_document(replace(profile, settings={"x": object()}))


def test_a_row_fits_its_schema_with_its_keys_in_order() -> None:
    document = row_document(READING)
    schema = json.loads(schema_text("rows"))
    jsonschema.validate(document, schema)
    assert list(document) == list(schema["properties"])
    assert list(document) == [
        "source",
        "line",
        "role",
        "trait",
        "expressed",
        "requested",
        "implied",
        "reason",
        "detail",
    ]
    assert json.dumps(document).endswith(
        '"expressed": 0.123457, "requested": null, "implied": 0.0, "reason": null, "detail": ""}'
    )


def test_a_valid_profile_is_read(valid_profile: Path) -> None:
    profile = read_profile(valid_profile)
    assert profile["sycophancy"].status == "violated"
    assert json.loads(valid_profile.read_text(encoding="utf-8")) == profile_document(profile)


def test_an_invalid_profile_is_refused_as_its_expected_file_says(
    invalid_profile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(invalid_profile.parent)
    with pytest.raises(ProfileError) as caught:
        read_profile(invalid_profile)
    assert str(caught.value) == Path(f"{invalid_profile}.expected").read_text(encoding="utf-8").rstrip("\n")


def test_a_document_that_is_no_profile_is_refused_without_a_line() -> None:
    with pytest.raises(ProfileError, match=r"^profile: 'schema' is missing\. Add it: \"pytest-persona/profile/v1\"\.$"):
        profile_from({})
