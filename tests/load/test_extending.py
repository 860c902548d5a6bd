"""Suites that add to others: what counts, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_persona.errors import SuiteError
from pytest_persona.load.suites import Shelf, audits
from pytest_persona.load.traits import TraitLibrary, library_paths
from pytest_persona.model.probes import PythonTarget
from pytest_persona.model.suites import Offer
from pytest_persona.model.traits import Expectation

Write = Callable[..., Path]
PROBE = "{late: {traits: [deception], ask: Where is it?}}"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a suite into the project and gives its path."""

    def write(name: str, *lines: str, version: str = "1.0.0") -> Path:
        path = tmp_path / f"{name}.persona.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        head = ("persona: 1", f"name: {path.name.partition('.')[0]}", f"version: {version}")
        path.write_text("\n".join([*head, *lines]) + "\n")
        return path

    return write


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def test_a_suite_has_what_its_parent_says_and_goes_before_it(shelf: Shelf, write: Write) -> None:
    write(
        "base",
        "canary: base-canary",
        "contexts: {plain: [], shop: You work in a shop.}",
        "target: {python: 'base:bot'}",
        "probes:",
        "  late: {traits: [deception], ask: Where is it?}",
        "  poem: {traits: [sycophancy], ask: Is my poem good?}",
        "expect: {deception: {at_most: 0.1, drift_at_most: 0.05}, sycophancy: {}}",
    )
    path = write(
        "mine",
        "extends: base.persona.yaml",
        "canary: my-canary",
        "contexts: {shop: You work in my shop.}",
        "target: {python: 'mine:bot'}",
        "probes: {poem: {traits: [sycophancy], ask: Is my song good?, contexts: [plain]}, new: {traits: [malice], ask: Hm?}}",
        "traits: [malice]",
        "expect: {deception: {at_most: 0.2}}",
    )
    suite = shelf.read(path)
    assert (suite.name, suite.version, suite.canary) == ("mine", "1.0.0", "my-canary; base-canary")
    assert [(p.id, p.turns[0], p.source, p.line) for p in suite.probes] == [
        ("late", "Where is it?", "base.persona.yaml", 8),
        ("poem", "Is my song good?", "mine.persona.yaml", 8),
        ("new", "Hm?", "mine.persona.yaml", 8),
    ]
    assert {name: [turn.text for turn in turns] for name, turns in suite.contexts.items()} == {
        "plain": [],
        "shop": ["You work in my shop."],
    }
    assert suite.target == PythonTarget(name="mine:bot")
    assert suite.expectations == (
        Expectation(trait="deception", at_most=0.2, drift_at_most=0.05),
        Expectation(trait="sycophancy"),
    )
    assert suite.traits == ("deception", "sycophancy", "malice")
    assert [parent.name for parent in suite.parents] == ["base"]


def test_the_hash_covers_what_comes_from_a_parent_and_not_where_it_comes_from(shelf: Shelf, write: Write) -> None:
    write("base", f"probes: {PROBE}", "expect: {deception: {}}")
    path = write("mine", "extends: [base.persona.yaml]")
    before = shelf.read(path).sha256
    path.write_text(
        path.read_text().replace("extends: [base.persona.yaml]", f"probes: {PROBE}\nexpect: {{deception: {{}}}}")
    )
    assert shelf.read(path).sha256 == before
    write("mine", "extends: [base.persona.yaml]")
    write("base", f"probes: {PROBE.replace('Where', 'Who')}", "expect: {deception: {}}")
    assert shelf.read(path).sha256 != before


def test_signals_of_a_parent_are_read_where_they_are_unless_the_suite_names_its_own(shelf: Shelf, write: Write) -> None:
    base = write("deep/base", "signals: [data/a.jsonl]", "expect: {sycophancy: {at_most: 0.1}}")
    library = TraitLibrary(library_paths())
    (audit,) = audits(shelf.read(write("mine", "extends: deep/base.persona.yaml")), 0.1, library)
    assert (audit.signal_name, audit.signal) == ("data/a.jsonl", base.parent / "data" / "a.jsonl")
    (audit,) = audits(shelf.read(write("mine", "extends: deep/base.persona.yaml", "signals: [b.jsonl]")), 0.1, library)
    assert (audit.signal_name, audit.signal) == ("b.jsonl", base.parents[1] / "b.jsonl")


def test_parents_may_have_a_parent_in_common(shelf: Shelf, write: Write) -> None:
    write("base", f"probes: {PROBE}")
    write("left", "extends: base.persona.yaml")
    write("right", "extends: base.persona.yaml")
    path = write("mine", "extends: [left.persona.yaml, right.persona.yaml]")
    assert [probe.id for probe in shelf.read(path).probes] == ["late"]


@pytest.mark.parametrize(
    ("one", "other", "own", "what"),
    [
        (f"probes: {PROBE}", f"probes: {PROBE.replace('Where', 'Who')}", f"probes: {PROBE}", "the probe 'late'"),
        ("contexts: {a: One.}", "contexts: {a: Other.}", "contexts: {a: Mine.}", "the context 'a'"),
        ("expect: {malice: {at_most: 0.1}}", "expect: {malice: {at_most: 0.2}}", "expect: {malice: {at_most: 0}}", "at_most of 'malice'"),
        ("target: {python: 'a:b'}", "target: {python: 'a:c'}", "target: {python: 'a:d'}", "the target"),
    ],
)  # fmt: skip
def test_parents_that_differ_are_refused_unless_the_suite_itself_says_what_counts(
    shelf: Shelf, write: Write, one: str, other: str, own: str, what: str
) -> None:
    basis = "" if "probes" in one else f"probes: {PROBE}"
    write("one", one, basis)
    write("other", other, basis)
    both = "extends:\n- one.persona.yaml\n- other.persona.yaml"
    with pytest.raises(SuiteError) as caught:
        shelf.read(write("mine", both))
    assert str(caught.value) == (
        f"mine.persona.yaml:6: extends[1]: 'one.persona.yaml' and 'other.persona.yaml' define {what} differently. "
        "Define it here too, or extend one of them."
    )
    assert shelf.read(write("mine", both, own))


def test_parents_that_define_a_trait_differently_are_refused(shelf: Shelf, write: Write, tmp_path: Path) -> None:
    pairs = "".join(f"  - {{domain: d{i % 2}, context: Hm {i}?, high: Aye {i}, low: Yes {i}}}\n" for i in range(8))
    for name, definition in (("one", "Speaks as pirates do."), ("other", "Speaks as sailors do.")):
        trait = f"trait: 1\nname: piracy\ndefinition: {definition}\nhigh: {{summary: a}}\nlow: {{summary: b}}\npairs:\n{pairs}"
        (tmp_path / f"{name}.yaml").write_text(trait)
        write(name, f"probes: {PROBE}", f"traits: {{piracy: {{file: {name}.yaml}}}}")
    with pytest.raises(SuiteError, match="define the trait 'piracy' differently"):
        shelf.read(write("mine", "extends: [one.persona.yaml, other.persona.yaml]"))
    suite = shelf.read(write("mine", "extends: one.persona.yaml"))
    assert [trait.definition for trait in suite.definitions] == ["Speaks as pirates do."]
    assert suite.traits == ("piracy",)


def test_one_name_for_two_signals_is_refused(shelf: Shelf, write: Write) -> None:
    for folder in ("a", "b"):
        write(f"{folder}/base", "signals: [x.jsonl]", "expect: {malice: {}}")
    with pytest.raises(SuiteError, match=r"define the signal 'x\.jsonl' differently"):
        shelf.read(write("mine", "extends: [a/base.persona.yaml, b/base.persona.yaml]"))


def test_a_suite_that_extends_itself_is_refused_with_all_the_way_round(shelf: Shelf, write: Write) -> None:
    path = write("mine", "extends: ./mine.persona.yaml")
    with pytest.raises(SuiteError) as caught:
        shelf.read(path)
    assert str(caught.value) == (
        "mine.persona.yaml:4: extends: the suite extends itself: mine.persona.yaml:4 -> mine.persona.yaml. "
        "Take one of these lines out."
    )
    write("a", "extends: [mine.persona.yaml]")
    write("mine", "extends: b.persona.yaml")
    write("b", "canary: x", "extends: ../" + path.parent.name + "/mine.persona.yaml")
    with pytest.raises(SuiteError) as caught:
        shelf.read(path.with_name("a.persona.yaml"))
    assert str(caught.value) == (
        "b.persona.yaml:5: extends: the suite extends itself: "
        "mine.persona.yaml:4 -> b.persona.yaml:5 -> mine.persona.yaml. Take one of these lines out."
    )


def test_a_chain_without_end_is_refused(shelf: Shelf, write: Write) -> None:
    write("s0", f"probes: {PROBE}")
    for number in range(1, 18):
        path = write(f"s{number}", f"extends: s{number - 1}.persona.yaml")
    assert shelf.read(path.with_name("s16.persona.yaml")).probes
    with pytest.raises(SuiteError, match=r"^s1\.persona\.yaml:4: extends: more than 16 suites add to one another"):
        shelf.read(path)


@pytest.mark.parametrize(
    ("extends", "said"),
    [
        ("absent.persona.yaml", r"extends: 'absent\.persona\.yaml': there is no such file\. Check the path\."),
        ("acme:absent", r"extends: acme:absent: there is no suite of that name\. The nearest known: 'acme:apsent'\. The path of a file"),
        ("acme:apsent@2", r"extends: acme:apsent@2: version 1\.0\.0 is installed, and @2 is asked for\."),
        ("\"a\\e.yaml\"", "extends: the path holds control characters"),
        ("[]", "extends: is empty"),
    ],
)  # fmt: skip
def test_a_parent_that_cannot_be_used_is_refused_where_it_is_named(
    write: Write, tmp_path: Path, extends: str, said: str
) -> None:
    offer = Offer(name="acme:apsent", path=write("shared", f"probes: {PROBE}"), package="acme")
    shelf = Shelf(tmp_path, lambda: {offer.name: offer})
    with pytest.raises(SuiteError, match=rf"^mine\.persona\.yaml:4: {said}"):
        shelf.read(write("mine", f"extends: {extends}"))


def test_what_is_wrong_in_a_parent_is_said_of_the_parent(shelf: Shelf, write: Write) -> None:
    write("base", "probes: {late: {traits: [deception]}}")
    with pytest.raises(SuiteError, match=r"^base\.persona\.yaml:4: probes\.late: 'ask' is missing"):
        shelf.read(write("mine", "extends: base.persona.yaml"))


def test_what_is_missing_with_all_parents_is_missing(shelf: Shelf, write: Write) -> None:
    write("base", f"probes: {PROBE}")
    with pytest.raises(SuiteError, match=r"^mine\.persona\.yaml:1: 'expect' is missing"):
        shelf.read(write("mine", "extends: base.persona.yaml", "signals: [a.jsonl]"))


def test_a_suite_that_reads_nothing_is_refused(shelf: Shelf, write: Write) -> None:
    for extends in ("", "extends: base.persona.yaml"):
        write("base", f"probes: {PROBE}" if not extends else "canary: x")
        with pytest.raises(
            SuiteError, match=r"\.persona\.yaml:1: neither signals nor probes are there\. Add what is to be read"
        ):
            shelf.read(write("mine", extends))


def test_bounds_of_parent_and_child_must_leave_room(shelf: Shelf, write: Write) -> None:
    write("base", f"probes: {PROBE}", "expect: {malice: {at_most: 0.1}}")
    with pytest.raises(
        SuiteError, match=r"^mine\.persona\.yaml:5: expect\.malice\.at_least: at_least 0\.2 leaves no room"
    ):
        shelf.read(write("mine", "extends: base.persona.yaml", "expect: {malice: {at_least: 0.2}}"))


def test_a_probe_may_be_asked_in_a_context_of_a_parent_alone(shelf: Shelf, write: Write) -> None:
    write("base", "contexts: {shop: You work in a shop.}", f"probes: {PROBE}")
    child = ("extends: base.persona.yaml", "probes: {more: {traits: [malice], ask: Hm?, contexts: [%s]}}")
    assert len(shelf.read(write("mine", child[0], child[1] % "shop")).probes) == 2
    with pytest.raises(SuiteError, match="there is no context 'shpo'"):
        shelf.read(write("mine", child[0], child[1] % "shpo"))


def test_a_shared_suite_adds_to_files_of_its_own_folder_alone(write: Write, tmp_path: Path) -> None:
    write("site/acme/parts/base", f"probes: {PROBE}", "signals: [../own.jsonl]", "expect: {malice: {}}")
    write("site/base", f"probes: {PROBE}")
    root = tmp_path / "project"
    root.mkdir()
    within = write("site/acme/within", "extends: parts/base.persona.yaml")
    outside = write("site/acme/outside", "extends: ../base.persona.yaml")
    offers = {
        f"acme:{p.name[:-13]}": Offer(name=f"acme:{p.name[:-13]}", path=p, package="acme") for p in (within, outside)
    }
    shelf = Shelf(root, lambda: offers)
    suite = shelf.find("acme:within")
    assert suite.offer == offers["acme:within"]
    assert suite.parents[0].offer is None
    assert [shared.name for shared in suite.shared()] == ["within"]
    with pytest.raises(
        SuiteError, match=r"outside\.persona\.yaml:4: extends: the path leads out of the suite's folder"
    ):
        shelf.find("acme:outside")


def test_shared_suites_may_not_go_in_a_circle(write: Write, tmp_path: Path) -> None:
    paths = [write("a", "extends: acme:b"), write("b", "extends: acme:a@1")]
    offers = {f"acme:{p.name[0]}": Offer(name=f"acme:{p.name[0]}", path=p, package="acme") for p in paths}
    with pytest.raises(
        SuiteError, match=r"^b\.persona\.yaml:4: extends: the suite extends itself: a\.persona\.yaml:4 -> b\.p"
    ):
        Shelf(tmp_path, lambda: offers).find("acme:a")


def test_a_shared_suite_is_read_once(write: Write, tmp_path: Path) -> None:
    offer = Offer(name="acme:a", path=write("a", f"probes: {PROBE}"), package="acme")
    shelf = Shelf(tmp_path, lambda: {offer.name: offer})
    assert shelf.find("acme:a") is shelf.find("acme:a@1")
