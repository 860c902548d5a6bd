"""Suites by path, by name and by version."""

from __future__ import annotations

import pytest

from pytest_persona.errors import SuiteError
from pytest_persona.load.references import Reference, check_version, fits, is_plain, reference_of, semantic


@pytest.mark.parametrize(
    ("text", "name", "wanted"),
    [
        ("core", "core", None),
        ("core@1", "core", "1"),
        ("acme:support", "acme:support", None),
        ("acme:support@1.2", "acme:support", "1.2"),
        ("acme-2.x:support_bot@1.2.3-rc.1", "acme-2.x:support_bot", "1.2.3-rc.1"),
        ("acme:support@latest", "acme:support", "latest"),
        ("acme:support@", "acme:support", ""),
    ],
)
def test_a_name_with_or_without_a_version_is_a_reference(text: str, name: str, wanted: str | None) -> None:
    assert reference_of(text) == Reference(name=name, wanted=wanted)


@pytest.mark.parametrize(
    "text",
    [
        "support.persona.yaml",
        "a/b.JSON",
        "suites/core",
        "./core",
        "C:\\x.yaml",
        "acme:a:b",
        "a b",
        ":b",
        "a:",
        "a@1.yml",
        "é",
    ],
)
def test_anything_else_is_a_path(text: str) -> None:
    assert reference_of(text) is None


def test_only_one_word_may_be_a_file_as_well() -> None:
    names = ("core", "core@1", "acme:support")
    assert [reference.is_bare for reference in map(reference_of, names) if reference] == [True, False, False]


@pytest.mark.parametrize(
    ("version", "wanted", "does"),
    [
        ("1.2.3", "1", True), ("1.2.3", "1.2", True), ("1.2.3", "1.2.3", True),
        ("1.20.3", "1.2", False), ("2.2.3", "1", False), ("11.2.3", "1", False), ("1.2.4", "1.2.3", False),
        ("0.2.0", "0.2", True), ("0.3.0", "0.2", False),
        ("1.2.0-rc.1", "1.2", False), ("1.2.0-rc.1", "1", False), ("1.2.0-rc.1", "1.2.0", False), ("1.2.0-rc.1", "1.2.0-rc.1", True),
    ],
)  # fmt: skip
def test_a_version_fits_what_it_begins_with(version: str, wanted: str, does: bool) -> None:
    assert fits(version, wanted) is does


@pytest.mark.parametrize("text", ["1.2.3", "0.0.1", "10.20.30-alpha.1"])
def test_semantic_versions_are_told(text: str) -> None:
    assert semantic(text) is not None


@pytest.mark.parametrize("text", ["1", "1.2", "01.2.3", "1.2.3.4", "v1.2.3", "", "1.2.3+build", "1.2.x"])
def test_other_texts_are_no_semantic_version(text: str) -> None:
    assert semantic(text) is None


@pytest.mark.parametrize(
    ("wanted", "version", "said"),
    [
        ("1.2", "1.3.0", "version 1.3.0 is installed, and @1.2 is asked for. Install a release that has it, or ask for @1.3.0."),
        ("latest", "1.3.0", "'latest' is no version. Write @1, @1.2 or @1.2.3."),
        ("1.02", "1.2.0", "'1.02' is no version. Write @1, @1.2 or @1.2.3."),
        ("", "1.2.0", "'' is no version. Write @1, @1.2 or @1.2.3."),
        ("1", "spring", "its version is 'spring', which cannot be held against @1. Leave the version out of the reference;"),
    ],
)  # fmt: skip
def test_a_version_that_does_not_do_is_refused(wanted: str, version: str, said: str) -> None:
    with pytest.raises(SuiteError) as caught:
        check_version(Reference(name="acme:support", wanted=wanted), version)
    assert str(caught.value).startswith(said)


def test_a_version_that_does_passes() -> None:
    check_version(Reference(name="acme:support", wanted="1.2"), "1.2.9")
    check_version(Reference(name="acme:support"), "spring")


@pytest.mark.parametrize(("name", "plain"), [("support", True), ("a.b-c_2", True), ("a:b", False), ("", False), ("-x", False),
                                             ("x.yaml", False), ("x" * 81, False), ("a b", False)])  # fmt: skip
def test_halves_of_a_name_are_plain(name: str, plain: bool) -> None:
    assert is_plain(name) is plain
