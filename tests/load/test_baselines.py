"""Which profile of a baseline a new one is compared with, and how the baseline is written."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema

from pytest_persona.load.baselines import baseline_document, counterpart, read_baseline, stripped
from pytest_persona.load.profiles import profile_document
from pytest_persona.load.schemas import schema_text
from pytest_persona.model.findings import Profile
from pytest_persona.model.units import Units


def called(profile: Profile, name: str, path: str = "x") -> Profile:
    return replace(profile, name=name, signal=replace(profile.signal, path=path))


def test_the_likest_is_the_one(profile: Profile) -> None:
    fewer = replace(called(profile, "a", "1"), findings=profile.findings[:1])
    known = [called(profile, "a", "2"), fewer, called(profile, "a", "1"), called(profile, "b", "1")]
    assert counterpart(known, called(profile, "a", "1")) is known[2]
    assert counterpart(known, replace(called(profile, "a", "1"), findings=profile.findings[:1])) in known[1:3]
    assert counterpart(known, called(profile, "b", "9")) is known[3]
    assert counterpart(known, called(profile, "z", "2")) is known[0]
    assert counterpart(known, called(profile, "z", "9")) is None


def test_a_kind_counts_for_more_than_a_name(profile: Profile) -> None:
    product = replace(called(profile, "a", "1"), signal=replace(profile.signal, path="1", kind="probe"))
    known = [product, called(profile, "b", "1")]
    assert counterpart(known, called(profile, "a", "2")) is product  # the only one of that name
    assert counterpart([product, called(profile, "a", "7")], called(profile, "a", "2")) is not product


def test_one_profile_is_itself_and_several_are_a_list_by_name(profile: Profile, tmp_path: Path) -> None:
    one, other = stripped(called(profile, "b")), stripped(called(profile, "a"))
    assert baseline_document([one]) == profile_document(one)
    document = baseline_document([one, other])
    jsonschema.validate(document, json.loads(schema_text("profiles")))
    path = tmp_path / "base.json"
    path.write_text(json.dumps(document))
    assert read_baseline(path) == (other, one)


def test_a_baseline_of_many_groups_can_be_read_back(profile: Profile, tmp_path: Path) -> None:
    names = tuple(f"{k:012x}" for k in range(4000))
    wide = Units(
        groups=names, asked=names, content=names, lines=(1,) * 4000, read=(True,) * 4000, of=10_000,
        values={f"t{k}": (1.2345,) * 4000 for k in range(24)}, reach={f"t{k}": 2.0 for k in range(24)},
        definitions={f"t{k}": "d" for k in range(24)},
    )  # fmt: skip
    profiles = [stripped(replace(called(profile, str(number)), units=wide)) for number in range(8)]
    path = tmp_path / "base.json"
    path.write_text(json.dumps(baseline_document(profiles)))
    assert path.stat().st_size > 5_000_000
    assert read_baseline(path)[0].units == wide


def test_a_baseline_forgets_what_a_run_cost_and_what_had_changed(profile: Profile) -> None:
    found = stripped(profile)
    assert (found.usage.questions, found.drift) == (0, None)
    assert found.units == profile.units
