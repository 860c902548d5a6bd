"""The texts of experiments: the library's, and those that a user names."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from pytest_persona.errors import InputError
from pytest_persona.load import wordings
from pytest_persona.load.schemas import schema_text
from pytest_persona.load.traits import library_paths
from pytest_persona.load.wordings import read_texts, read_wordings
from pytest_persona.model.inoculation import Wordings


def test_the_library_fits_its_schema_and_knows_the_built_in_traits() -> None:
    data = yaml.safe_load(Path(wordings._PATH).read_text("utf-8"))
    jsonschema.validate(data, json.loads(schema_text("inoculations")))
    library = read_wordings()
    assert set(library.traits) == {path.stem for path in library_paths()}
    assert len(library.placebos) >= 8
    for name in library.traits:
        own = library.of(name)
        assert len(own.requests) >= 3 and len(own.opposite) >= 2 and len(own.lookalikes) >= 2, name
        assert len({*own.requests, *own.opposite, *own.lookalikes}) == sum(
            map(len, (own.requests, own.opposite, own.lookalikes))
        )


def test_a_trait_that_the_library_does_not_know_has_no_texts() -> None:
    assert read_wordings().of("no-such-trait") == Wordings()


def test_a_text_is_itself_and_a_file_is_its_lines(tmp_path: Path) -> None:
    (tmp_path / "requests.txt").write_text("\ufeffFlatter me.\n\n  Agree with me.  \r\nFlatter me.\n", "utf-8")
    assert read_texts(["Be kind."], [tmp_path], field="--request") == ("Be kind.",)
    assert read_texts(["requests.txt", " Be kind. "], [tmp_path], field="--request") == (
        "Flatter me.",
        "Agree with me.",
        "Be kind.",
    )
    assert read_texts([], [tmp_path], field="--request") == ()


def test_files_are_looked_for_in_the_folders_in_order(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "r.txt").write_text(name, "utf-8")
    assert read_texts(["r.txt"], [tmp_path / "none", tmp_path / "two", tmp_path / "one"], field="x") == ("two",)


def test_a_text_that_is_no_name_of_a_file_is_a_text(tmp_path: Path) -> None:
    long = "word " * 2000
    assert read_texts([long, "nul \0", "see notes.txt"], [tmp_path], field="x") == (
        long.strip(),
        "nul \0",
        "see notes.txt",
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("nowhere.txt", "nowhere.txt: --request: no such file. Check the path, or write the text itself."),
        ("  ", "--request: the text is empty. Write what is to be asked for."),
        ("empty.txt", "empty.txt: --request: there is no text in it. Write one text a line."),
        ("latin.txt", "latin.txt: --request: is not UTF-8. Save it as UTF-8."),
    ],
)
def test_what_cannot_be_used_says_what_would_be(tmp_path: Path, given: str, said: str) -> None:
    (tmp_path / "empty.txt").write_text(" \n")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9")
    with pytest.raises(InputError) as caught:
        read_texts([given], [tmp_path], field="--request")
    assert str(caught.value) == said


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "locked.txt").write_text("x")

    def denied(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", denied)
    with pytest.raises(InputError, match=r"locked\.txt: x: cannot be read: Permission denied"):
        read_texts(["locked.txt"], [tmp_path], field="x")
