"""Characters from files: the library's are sound, and what is wrong in others is said with its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_persona.errors import InputError
from pytest_persona.load.personas import null_path, persona_paths, read_cast, read_nulls, read_persona, read_personas
from pytest_persona.load.traits import library_paths

PERSONA = """\
persona: 1
name: NAME
version: "1"
kind: KIND
description: >-
  Says it.
profile: {sycophancy: 0.5}
paraphrases:
  - "One."
  - "Two."
  - "Three."
source: own
"""
NULLS = """\
nulls: 1
version: "1"
characters:
  - {name: tea, paraphrases: [a, b, c]}
  - {name: NAME, paraphrases: [a, b, c]}
  - {name: maps, paraphrases: [a, b, c]}
"""


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Writes a character's file, words replaced."""
    monkeypatch.chdir(tmp_path)

    def make(name: str = "clerk", kind: str = "human", *, text: str = PERSONA, old: str = "\0", new: str = "") -> Path:
        path = tmp_path / f"{name}-{kind}.yaml"
        path.write_text(text.replace("NAME", name).replace("KIND", kind).replace(old, new), encoding="utf-8")
        return path

    return make


def test_the_library_has_enough_characters_and_one_reference() -> None:
    personas = read_personas()
    assert len(personas) >= 14 and {p.kind for p in personas} == {"human", "fiction", "reference"}
    assert [p.name for p in personas if p.kind == "reference"] == ["honest-expert"]


def test_the_librarys_characters_are_files_of_their_names_with_known_traits() -> None:
    traits = {path.stem for path in library_paths()}
    for path, persona in zip(persona_paths(), read_personas(), strict=True):
        assert persona.name == path.stem
        assert set(persona.profile) <= traits and persona.profile, persona.name
        assert all(-1.0 <= value <= 1.0 for value in persona.profile.values())


def test_the_librarys_wordings_are_length_matched() -> None:
    texts = [text for character in (*read_personas(), *read_nulls()) for text in character.paraphrases]
    lengths = sorted(len(text.split()) for text in texts)
    assert lengths[-1] <= 1.7 * lengths[0]
    assert len(set(texts)) == len(texts)
    assert {len(character.paraphrases) for character in (*read_personas(), *read_nulls())} == {6}


def test_the_librarys_null_characters_are_no_characters() -> None:
    names = {null.name for null in read_nulls()}
    assert len(names) >= 8 and names.isdisjoint(persona.name for persona in read_personas())
    assert null_path() not in persona_paths()


def test_a_file_is_read_as_it_is_written(write: Callable[..., Path]) -> None:
    persona = read_persona(write("clerk", "fiction"))
    assert (persona.name, persona.kind, persona.version, persona.source) == ("clerk", "fiction", "1", "own")
    assert persona.description == "Says it." and dict(persona.profile) == {"sycophancy": 0.5}
    assert persona.paraphrases == ("One.", "Two.", "Three.")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("sycophancy: 0.5", "sycophancy: 1.5", "clerk-human.yaml:7: profile.sycophancy: 1.5 is out of range. Give a number from -1 to 1."),
        ('  - "Three."\n', "", "clerk-human.yaml:8: paraphrases: only 2 entries are there. At least 3 are needed."),
        ("kind: human", "kind: robot", "clerk-human.yaml:4: kind: there is no \"robot\" here. Known: 'human', 'fiction', 'reference'."),
        ("source: own", "sauce: own", "clerk-human.yaml:12: sauce: no such key. The nearest known: 'source'."),
        ('version: "1"', "version: 1", "clerk-human.yaml:3: version: must be text, not 1. Put it in quotes."),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(write: Callable[..., Path], old: str, new: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_persona(write(old=old, new=new))
    assert (
        str(caught.value).replace("Known: human, fiction, reference", "Known: 'human', 'fiction', 'reference'") == said
    )


def test_a_name_is_taken_once(write: Callable[..., Path]) -> None:
    paths = [write("expert", "reference"), write("clerk"), write("clerk", "fiction")]
    with pytest.raises(InputError) as caught:
        read_personas(paths)
    assert str(caught.value) == (
        "clerk-fiction.yaml:2: name: the character 'clerk' is defined twice: also in clerk-human.yaml. Rename one of them."
    )


def test_there_is_just_one_reference(write: Callable[..., Path]) -> None:
    assert len(read_personas([write("expert", "reference"), write("clerk")])) == 2
    with pytest.raises(InputError, match="here are 0: none"):
        read_personas([write("clerk")])
    with pytest.raises(InputError, match="here are 2: 'expert', 'clerk'"):
        read_personas([write("expert", "reference"), write("clerk", "reference")])


def test_null_characters_are_read_and_named_once(write: Callable[..., Path]) -> None:
    assert [null.name for null in read_nulls(write("green", text=NULLS))] == ["tea", "green", "maps"]
    with pytest.raises(InputError, match=r"tea-human\.yaml:5: characters\[1\]\.name: 'tea' is there twice\."):
        read_nulls(write("tea", text=NULLS))


def test_a_cast_is_the_library_or_what_is_named_beside_the_reference(write: Callable[..., Path]) -> None:
    whole = read_cast()
    assert (len(whole.characters), len(whole.nulls)) == (20, 12) and whole.reference.name == "honest-expert"
    assert whole.everyone[-1].name == whole.nulls[-1].name
    some = read_cast(["con-artist", "power-seeker", "con-artist"])
    assert [c.name for c in some.characters] == ["con-artist", "power-seeker", "honest-expert"]
    path = write("clerk")
    own = read_cast([path.name, "con-artist"], root=path.parent)
    assert {c.name for c in own.characters} == {"clerk", "con-artist", "honest-expert"}
    assert len({whole.sha256, some.sha256, own.sha256}) == 3 and read_cast().sha256 == whole.sha256


def test_a_reference_of_ones_own_takes_the_place_of_the_librarys(write: Callable[..., Path]) -> None:
    path = write("judge-hercules", "reference")
    found = read_cast([path.name, "con-artist"], root=path.parent)
    assert found.reference.name == "judge-hercules" and len(found.characters) == 2


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (["con-artst"], "there is no character 'con-artst'. The nearest known: 'con-artist'."),
        (["honest-expert"], "there is nobody to compare with 'honest-expert'. Name another character, or none at all."),
        (["likes-trains-human.yaml"], "the name 'likes-trains' is that of a null character. Rename yours."),
        (["con-artist", "con-artist-human.yaml"], "the character 'con-artist' is there twice. Rename yours."),
        (
            ["honest-expert", "likes-trains-reference.yaml"],
            "'honest-expert' and 'likes-trains' are both of the kind 'reference'. Name one of them.",
        ),
    ],
)
def test_a_cast_that_cannot_be_is_refused(write: Callable[..., Path], names: list[str], said: str) -> None:
    path = write("likes-trains")
    write("con-artist")
    write("likes-trains", "reference")
    with pytest.raises(InputError) as caught:
        read_cast(names, root=path.parent)
    assert str(caught.value) == said
