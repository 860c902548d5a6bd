from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_persona.errors import TraitError
from pytest_persona.load import traits
from pytest_persona.load.documents import read_document
from pytest_persona.load.schemas.check import check
from pytest_persona.load.traits import TraitLibrary, library_paths, read_neutral, read_requests, read_trait
from pytest_persona.model.episodes import Turn
from pytest_persona.model.traits import Expectation, bounded

LIBRARY = library_paths()
PIRACY = Path(__file__).parent.parent / "data" / "traits" / "valid" / "piracy.yaml"


def test_a_valid_trait_is_read(valid_trait: Path) -> None:
    trait = read_trait(valid_trait)
    assert len(trait.pairs) == 8
    assert trait.pairs[0].context == (Turn(speaker="user", text="Is the blue kettle in stock?"),)
    assert [turn.speaker for turn in trait.pairs[3].context] == ["system", "user", "tool"]
    assert trait.high.summary == "It speaks as a pirate."


def test_an_invalid_trait_is_refused_as_its_expected_file_says(
    invalid_trait: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(invalid_trait.parent)
    with pytest.raises(TraitError) as caught:
        read_trait(invalid_trait)
    assert str(caught.value) == Path(f"{invalid_trait}.expected").read_text(encoding="utf-8").rstrip("\n")


def test_what_a_trait_file_leaves_out_has_defaults() -> None:
    trait = read_trait(PIRACY.with_name("only-what-is-needed.json"))
    assert (trait.name, trait.version, trait.unwanted, trait.rivals) == ("acme:piracy", "0", "high", ())
    assert (trait.statements_high, trait.statements_low, trait.source) == ((), (), "")
    assert read_trait(PIRACY).low.exemplars[0].reply == "Good morning."
    assert read_trait(PIRACY).statements_high == ("I talk of decks and bells.",)


@pytest.mark.parametrize("path", LIBRARY, ids=[path.stem for path in LIBRARY])
def test_a_built_in_trait_is_complete(path: Path) -> None:
    document = read_document(path, TraitError)
    check(document, "trait", TraitError)
    trait = read_trait(path)
    assert trait.name == path.stem
    assert trait.source
    assert trait.rivals and set(trait.rivals) <= {other.stem for other in LIBRARY} - {trait.name}
    assert len(trait.pairs) >= 24
    assert len({pair.domain for pair in trait.pairs}) >= 6
    assert len(set(trait.statements_high)) >= 12 and len(set(trait.statements_low)) >= 12
    assert len(set(trait.criteria_high)) == len(set(trait.criteria_low)) >= 20
    for pole in (trait.high, trait.low):
        assert len(set(pole.paraphrases)) >= 5
        assert len(set(pole.exemplars)) >= 5
    assert all(pair.context[-1].speaker != "assistant" for pair in trait.pairs)


def test_the_library_has_its_traits() -> None:
    assert len(LIBRARY) >= 24


def test_the_shared_sets_fit_their_schemas_and_are_large_enough() -> None:
    for name in ("requests", "neutral"):
        path = LIBRARY[0].parent.parent / f"{name}.yaml"
        check(read_document(path, TraitError), name, TraitError)
    requests, neutral = read_requests(), read_neutral()
    assert min(Counter(r.requested for r in requests).values()) >= 100
    assert {r.trait for r in requests} <= {path.stem for path in LIBRARY}
    asks = {"plain", "reason", "role-play", "system"}
    assert all((r.kind in asks) == r.requested for r in requests)
    assert len(neutral) >= 60
    assert all(isinstance(turn, Turn) for r in (*requests, *neutral) for turn in r.context)
    assert len({(r.context, r.requested) for r in requests}) == len(requests)
    assert len({r.reply for r in neutral}) == len(neutral)


def test_what_a_trait_must_beat_decides_and_is_no_part_of_what_judges_know_it_by(tmp_path: Path) -> None:
    text = PIRACY.read_text("utf-8").replace("unwanted: none", "unwanted: high")
    path = tmp_path / "piracy.yaml"
    path.write_text(text, "utf-8")
    plain = read_trait(path)
    path.write_text(f"{text}must_beat: [carelessness, haste, carelessness]\n", "utf-8")
    trait = read_trait(path)
    assert (plain.must_beat, trait.must_beat) == ((), ("carelessness", "haste"))
    assert trait.sha256 == plain.sha256
    assert trait.identity != plain.identity
    assert (trait.way, replace(trait, unwanted="low").way, replace(trait, unwanted="none").way) == (1.0, -1.0, 1.0)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("must_beat: [piracy]", "must_beat: no trait can beat itself. Name another one, or none."),
        ("must_beat: []", "must_beat: "),
        ("must_beat: carelessness", "must_beat: "),
        (
            "must_beat: [haste]\nunwanted: none",
            "must_beat: neither pole of the trait is unwanted. Say which pole is unwanted, or leave must_beat out.",
        ),
    ],
)
def test_what_makes_no_sense_to_beat_is_refused_with_its_line(tmp_path: Path, line: str, problem: str) -> None:
    path = tmp_path / "piracy.yaml"
    kept = [row for row in PIRACY.read_text("utf-8").splitlines() if not row.startswith("unwanted:")]
    path.write_text("\n".join([*kept, line, ""]), "utf-8")
    with pytest.raises(TraitError) as caught:
        read_trait(path)
    assert f":{len(kept) + 1}: {problem}" in str(caught.value)


def test_listing_the_built_in_traits_reads_none_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(traits, "read_document")
    assert TraitLibrary(LIBRARY).names() == tuple(sorted(path.stem for path in LIBRARY))


def test_a_trait_is_read_once_and_says_where_it_is_from() -> None:
    library = TraitLibrary([*LIBRARY, PIRACY])
    assert library.get("sycophancy") is library.get("sycophancy")
    assert library.get("sycophancy").origin == "library"
    assert library.get("piracy").origin.endswith("tests/data/traits/valid/piracy.yaml")
    assert "piracy" in library.names()


def test_a_users_file_is_known_by_the_name_inside(tmp_path: Path) -> None:
    shutil.copy(PIRACY, tmp_path / "brand-voice.yaml")
    library = TraitLibrary([tmp_path / "brand-voice.yaml", tmp_path / "brand-voice.yaml"])
    assert library.names() == ("piracy",)
    assert [trait.name for trait in library.all()] == ["piracy"]


def test_an_unknown_trait_is_refused_with_the_nearest_names() -> None:
    library = TraitLibrary(LIBRARY)
    with pytest.raises(TraitError, match=r"^there is no trait 'sycophency'\. The nearest known: 'sycophancy'\.$"):
        library.get("sycophency")
    with pytest.raises(TraitError, match=r"Known: callousness, carelessness"):
        library.get("xyzzy")


def test_a_name_that_is_taken_twice_is_refused_with_both_origins(tmp_path: Path) -> None:
    shutil.copy(PIRACY, tmp_path / "mine.yaml")
    library = TraitLibrary([PIRACY, tmp_path / "mine.yaml"])
    with pytest.raises(TraitError, match=r"'piracy' is defined twice: in .*piracy\.yaml and in .*mine\.yaml\. Rename"):
        library.names()
    with pytest.raises(TraitError, match="defined twice"):  # and again: the error does not wear off
        library.get("sycophancy")
    clash = replace(read_trait(PIRACY), name="sycophancy", origin="a.persona.yaml")
    with pytest.raises(TraitError, match=r"'sycophancy' is defined twice: in library and in a\.persona\.yaml\."):
        TraitLibrary(LIBRARY).extended([clash])


def test_a_library_is_extended_without_being_changed() -> None:
    library = TraitLibrary(LIBRARY)
    own = replace(read_trait(PIRACY), name="own")
    wider = library.extended([own])
    assert wider.get("own") is own
    assert set(wider.names()) - set(library.names()) == {"own"}
    assert wider.get("malice").name == "malice"
    assert library.extended([]) is library


@pytest.mark.parametrize(
    ("unwanted", "at_most", "at_least"), [("high", 0.1, None), ("low", None, -0.1), ("none", 0.1, -0.1)]
)
def test_the_default_bound_is_at_the_unwanted_pole(
    unwanted: str, at_most: float | None, at_least: float | None
) -> None:
    trait = replace(read_trait(PIRACY), unwanted=unwanted)  # type: ignore[arg-type]
    assert bounded(Expectation(trait="piracy"), trait, 0.1) == Expectation(
        trait="piracy", at_most=at_most, at_least=at_least
    )
    for given in (Expectation(trait="piracy", at_least=0.5), Expectation(trait="piracy", drift_at_most=0.0)):
        assert bounded(given, trait, 0.1) is given
