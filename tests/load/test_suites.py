from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pytest_persona.errors import InputError, SuiteError, TraitError
from pytest_persona.load.suites import audits, read_suite
from pytest_persona.load.traits import TraitLibrary, library_paths
from pytest_persona.model.suites import Suite
from pytest_persona.model.traits import Expectation

VALID = Path(__file__).parent.parent / "data" / "suites" / "valid"


def suite_of(name: str) -> Suite:
    return read_suite(VALID / name, root=VALID)


def write(folder: Path, signal: str, extra: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "x.persona.yaml"
    path.write_text(f"persona: 1\nname: x\nsignals: [{signal}]\n{extra}expect: {{malice: {{at_most: 0.1}}}}\n")
    return path


def test_a_valid_suite_is_read(valid_suite: Path) -> None:
    suite = read_suite(valid_suite, root=valid_suite.parent)
    assert suite.path == valid_suite.name
    assert suite.folder == valid_suite.parent
    assert suite.signals and suite.expectations
    assert {e.trait for e in suite.expectations} <= set(suite.traits)


def test_an_invalid_suite_is_refused_as_its_expected_file_says(
    invalid_suite: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(invalid_suite.parent)
    with pytest.raises(InputError) as caught:
        read_suite(invalid_suite, root=invalid_suite.parent)
    assert str(caught.value) == Path(f"{invalid_suite}.expected").read_text(encoding="utf-8").rstrip("\n")


def test_a_suite_says_what_the_design_shows() -> None:
    suite = suite_of("support.persona.yaml")
    assert (suite.name, suite.version) == ("support-bot", "1.2.0")
    assert suite.signals == ("data/preferences.jsonl",)
    assert suite.traits == ("sycophancy", "deception")
    assert suite.expectations == (
        Expectation(trait="sycophancy", at_most=0.10, drift_at_most=0.05),
        Expectation(trait="deception", at_most=0.05),
    )


def test_the_hash_is_of_the_content_whatever_the_format(tmp_path: Path) -> None:
    hashes = {suite_of(f"support.persona.{ending}").sha256 for ending in ("yaml", "json", "toml")}
    assert len(hashes) == 1
    text = (VALID / "support.persona.yaml").read_text()
    path = tmp_path / "support.persona.yaml"
    path.write_text("# a comment\n" + text.replace("[sycophancy, deception]", "[deception, sycophancy]"))
    assert read_suite(path, root=tmp_path).sha256 in hashes
    path.write_text(text.replace("at_most: 0.05", "at_most: 0.06"))
    assert read_suite(path, root=tmp_path).sha256 not in hashes


def test_the_hash_changes_with_a_trait_that_the_suite_defines(tmp_path: Path) -> None:
    shutil.copytree(VALID, tmp_path / "s")
    path, trait = tmp_path / "s" / "own-traits.persona.yaml", tmp_path / "s" / "traits" / "piracy.yaml"
    before = read_suite(path, root=tmp_path)
    assert before.sha256 == suite_of("own-traits.persona.yaml").sha256
    text = trait.read_text()
    trait.write_text(text.replace("two blue kettles", "ten blue kettles"))
    assert read_suite(path, root=tmp_path).sha256 != before.sha256
    text = text.replace("unwanted: none", "unwanted: high")
    hashes = set()
    for line in ("", "must_beat: [carelessness]\n", "must_beat: [haste]\n"):
        trait.write_text(text + line)
        hashes.add(read_suite(path, root=tmp_path).sha256)
    assert len(hashes) == 3


def test_a_suite_defines_traits_inline_and_by_file() -> None:
    suite = suite_of("own-traits.persona.yaml")
    assert [trait.name for trait in suite.definitions] == ["piracy", "buccaneering"]
    assert suite.definitions[1].origin == "own-traits.persona.yaml"
    assert suite.definitions[0].pairs == suite.definitions[1].pairs
    assert suite.traits == ("piracy", "buccaneering", "sycophancy")


def test_there_is_one_audit_for_each_signal_with_the_default_bound_where_none_is_given() -> None:
    suite = suite_of("bare.persona.yaml")
    first, second = audits(suite, 0.2, TraitLibrary(library_paths()))
    assert (first.name, first.signal, first.signal_name) == ("bare: a.jsonl", VALID / "a.jsonl", "a.jsonl")
    assert (second.name, second.signal, second.signal_name) == ("bare: b.csv", VALID / "b.csv", "b.csv")
    assert first.expectations == second.expectations == (
        Expectation(trait="sycophancy", at_most=0.2),
        Expectation(trait="warmth", at_least=-1.0, at_most=2.0),
    )  # fmt: skip
    assert first.traits == ("sycophancy", "warmth")
    assert first.suite_sha256 == suite.sha256


def test_an_audit_of_one_signal_has_the_name_of_its_suite_and_brings_its_traits() -> None:
    suite = suite_of("own-traits.persona.yaml")
    (audit,) = audits(suite, 0.1, TraitLibrary(library_paths()))
    assert audit.name == "own-traits"
    assert audit.definitions == suite.definitions
    assert audit.expectations[0] == Expectation(trait="piracy", at_most=0.2)


def test_an_unbounded_expectation_of_a_trait_that_nobody_offers_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "a.jsonl")
    path.write_text(path.read_text().replace("{malice: {at_most: 0.1}}", "{malise: {}}"))
    with pytest.raises(TraitError, match=r"^there is no trait 'malise'\. The nearest known: 'malice'"):
        audits(read_suite(path, root=tmp_path), 0.1, TraitLibrary(library_paths()))


@pytest.mark.parametrize("signal", ["../../outside.jsonl", "/etc/passwd", "link/data.jsonl", "data/../../../x"])
def test_a_shared_suite_may_not_lead_out_of_its_folder_and_the_project(tmp_path: Path, signal: str) -> None:
    root = tmp_path / "project"
    path = write(root / "suites", signal)
    (root / "suites" / "link").symlink_to("/etc")
    assert read_suite(path, root=root).signals == (signal,)
    with pytest.raises(SuiteError, match=r"^suites/x\.persona\.yaml:3: signals\[0\]: the path leads out of the suite"):
        read_suite(path, root=root, shared=True)


def test_a_shared_suite_may_name_what_lies_below_its_folder_or_the_project(tmp_path: Path) -> None:
    root = tmp_path / "project"
    root.mkdir()
    path = write(tmp_path / "site-packages" / "acme", "data/own.jsonl, ../../project/mine.jsonl")
    assert len(read_suite(path, root=root, shared=True).signals) == 2


def test_a_shared_suite_may_not_take_a_trait_from_outside(tmp_path: Path) -> None:
    root = tmp_path / "project"
    path = write(root, "a.jsonl", "traits: {piracy: {file: ../piracy.yaml}}\n")
    shutil.copy(VALID / "traits" / "piracy.yaml", tmp_path)
    assert read_suite(path, root=root).definitions[0].name == "piracy"
    with pytest.raises(SuiteError, match=r"x\.persona\.yaml:4: traits\.piracy\.file: the path leads out"):
        read_suite(path, root=root, shared=True)
