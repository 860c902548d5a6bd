"""Files to begin with are valid, and named as they are asked to be."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_persona.load.scaffolds import scaffold
from pytest_persona.load.suites import audits, read_suite
from pytest_persona.load.traits import TraitLibrary, library_paths, read_trait


@pytest.mark.parametrize("name", ["mine", "1.5", "true", "a_b-c"])
def test_a_new_suite_is_valid_and_has_a_canary_of_its_own(tmp_path: Path, name: str) -> None:
    canaries = set()
    for number in range(2):
        path = tmp_path / f"{number}.persona.yaml"
        path.write_text(scaffold("suite", name), encoding="utf-8")
        suite = read_suite(path, root=tmp_path)
        canaries.add(suite.canary)
        library = TraitLibrary(library_paths())
        assert {library.get(trait).name for trait in suite.traits}
        assert (suite.name, audits(suite, 0.1, library)) == (name, ())
        assert len(suite.probes) > 1
    assert len(canaries) == 2
    assert "CANARY" not in canaries


@pytest.mark.parametrize("name", ["mine", "1.5", "null"])
def test_a_new_trait_is_valid(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(scaffold("trait", name), encoding="utf-8")
    trait = read_trait(path)
    assert trait.name == name


@pytest.mark.parametrize("kind", ["suite", "trait"])
def test_its_first_line_names_the_schema_for_editors(kind: str) -> None:
    assert scaffold(kind, "x").splitlines()[0] == f"# yaml-language-server: $schema=./{kind}.v1.json"
