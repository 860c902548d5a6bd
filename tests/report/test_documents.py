"""Documents appear whole or not at all, and what hinders them is said with the option's name."""

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_persona.errors import SettingsError
from pytest_persona.report.documents import check_destination, json_lines, json_text, one_or_several, write_document


def write(root: Path, target: str, *chunks: str, stdout: io.StringIO | None = None) -> None:
    write_document(target, chunks, option="--json", root=root, stdout=stdout or io.StringIO())


def test_a_document_is_written_below_the_root_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path, "out.json", "{}", "\n")
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]
    assert (tmp_path / "out.json").read_bytes() == b"{}\n"


def test_a_document_replaces_the_one_before(tmp_path: Path) -> None:
    (tmp_path / "out.json").write_text("old and longer", encoding="utf-8")
    write(tmp_path, "out.json", "new")
    assert (tmp_path / "out.json").read_text(encoding="utf-8") == "new"


def test_a_hyphen_is_standard_output(tmp_path: Path) -> None:
    stdout = io.StringIO()
    write(tmp_path, "-", "a", "b", stdout=stdout)
    assert stdout.getvalue() == "ab"
    assert list(tmp_path.iterdir()) == []


def test_a_writer_that_fails_leaves_the_old_document_and_no_litter(tmp_path: Path) -> None:
    def chunks() -> Iterator[str]:
        yield "half"
        raise KeyboardInterrupt

    (tmp_path / "out.json").write_text("old", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        write_document("out.json", chunks(), option="--json", root=tmp_path, stdout=io.StringIO())
    assert (tmp_path / "out.json").read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.json"]


def test_a_link_is_followed_and_kept(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("old", encoding="utf-8")
    (tmp_path / "link.json").symlink_to("real.json")
    write(tmp_path, "link.json", "new")
    assert (tmp_path / "link.json").is_symlink()
    assert (tmp_path / "real.json").read_text(encoding="utf-8") == "new"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_is_an_error_that_names_the_option(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--json: /dev/full cannot be written: No space left"):
        write(tmp_path, "/dev/full", "x" * 100_000)


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="needs a device")
def test_a_device_is_written_to_and_stays_a_device(tmp_path: Path) -> None:
    write(tmp_path, "/dev/null", "gone")
    assert not Path("/dev/null").is_file()


def test_a_missing_folder_is_an_error_that_names_the_option(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--json: no/out.json cannot be written: .*\. Name a file in a folder"):
        write(tmp_path, "no/out.json", "x")


@pytest.mark.parametrize(("target", "why"), [("no/out.json", "its folder does not exist"), (".", "it is a folder")])
def test_a_hopeless_destination_is_found_before_anything_is_read(tmp_path: Path, target: str, why: str) -> None:
    with pytest.raises(SettingsError, match=f"--rows: {target} cannot be written: {why}"):
        check_destination(target, option="--rows", root=tmp_path)


@pytest.mark.parametrize("target", ["-", "out.json"])
def test_a_destination_that_will_do_passes(tmp_path: Path, target: str) -> None:
    check_destination(target, option="--json", root=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_json_is_ascii_and_reads_back() -> None:
    document = {"quote": "é \x1b \u202e"}
    assert json_text(document).isascii()
    assert json.loads(json_text(document)) == document
    assert [json.loads(line) for line in json_lines([document, {}])] == [document, {}]


def test_numbers_that_json_has_not_are_refused() -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        json_text({"value": float("nan")})


def test_one_profile_is_its_own_document_and_others_are_listed() -> None:
    assert one_or_several([{"a": 1}]) == {"a": 1}
    assert one_or_several([{"a": 1}, {"b": 2}])["profiles"] == [{"a": 1}, {"b": 2}]
    assert one_or_several([]) == {"schema": "pytest-persona/profiles/v1", "profiles": []}
