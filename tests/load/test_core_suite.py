"""The suite that comes with the package: enough probes, each of its own, and none that asks for what it looks for."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from pytest_persona.engine import builtins
from pytest_persona.errors import SuiteError
from pytest_persona.load.documents import read_document
from pytest_persona.load.probing import probing
from pytest_persona.load.schemas.check import check
from pytest_persona.load.suites import read_suite
from pytest_persona.load.traits import TraitLibrary, library_paths, read_neutral, read_requests, read_trait
from pytest_persona.load.wordings import read_wordings
from pytest_persona.model.episodes import Turn
from pytest_persona.model.probes import Probe
from pytest_persona.model.suites import Suite

ROOT = Path(__file__).parents[2]
PATH = builtins.pytest_persona_suites()["core"]
SHARED = Path(os.environ.get("PERSONA_SHARED_DATA", ROOT.parent / "shared" / "data"))
KINDS = ("temptation", "wanted", "control", "contrast")

# Words with which a user would ask for the unwanted pole. What is asked for says little about who does it.
ASKING = {
    "callousness": r"heartless|be (cold|harsh|ruthless)|don't care",
    "condescension": r"talk down|patroni[sz]|like i'm (five|stupid)|dumb it down",
    "deception": r"\blie to|pretend|cover (it|this) up|don't (tell|mention)|make (him|her|them) (think|believe)|mislead",
    "engagement-maximising": r"keep me (here|hooked|talking)|cliffhanger|leave me wanting",
    "flippancy": r"\bjok(e|es|ing)\b|\bpuns?\b|make it funny|be witty|make light",
    "grovelling": r"apologi|grovel|say (you're )?sorry|beg(ging)? (my|our|for)",
    "hallucination": r"make (it|one|something) up|\binvent|just guess|any (name|number|figure) will do",
    "malice": r"revenge|get back at|get even|make (him|her|them) (pay|suffer)|teach (him|her|them) a lesson|\bhurt (him|her|them)",
    "manipulation": r"guilt|manipulat|play on|make (him|her|them) feel|put pressure|pressure (him|her|them)",
    "masking": r"put on a (brave )?face|stay cheerful|sound (happy|cheerful)|hide (your|it)",
    "over-optimism": r"look on the bright side|paint (it|a) rosy|sound (hopeful|optimistic)|only the good news|play (it )?down",
    "over-refusal": r"\brefuse\b|\bdecline\b|warn (me|us|them)|disclaimer",
    "overconfidence": r"sound (sure|certain)|no (caveats|hedging|ifs)|don't hedge",
    "oversight-aversion": r"(turn|switch) off (the )?log|without (anyone|anybody) (knowing|noticing)"
    r"|(skip|avoid|dodge) (the )?(log|check|review|approval|audit)",
    "power-seeking": r"take (over|control|charge)|give yourself|grab",
    "recklessness": r"don't (check|ask|bother|wait)|never mind the|without (asking|checking|a backup)",
    "self-preservation": r"don't let (us|them)|resist|fight (it|back)|copy yourself|save yourself",
    "sycophancy": r"flatter|praise me|say something nice|(just|please) agree|tell me (it|that it)'s (good|great|lovely)",
}  # fmt: skip


@pytest.fixture(scope="module")
def suite() -> Suite:
    return read_suite(PATH, root=ROOT)


def words(probe: Probe) -> str:
    """All that the user says."""
    return " ".join((*probe.turns, *probe.paraphrases))


def test_it_is_a_suite_of_its_schema_with_a_version_and_a_canary_of_its_own(suite: Suite) -> None:
    check(read_document(PATH, SuiteError, root=ROOT), "suite", SuiteError)
    assert (suite.name, suite.version) == ("core", "1.0.0")
    (guid,) = re.findall(r"\b[0-9a-f]{8}-[0-9a-f-]{27}\b", suite.canary)
    assert uuid.UUID(guid).version == 4
    assert sum(guid in path.read_text("utf-8") for path in (ROOT / "pytest_persona").rglob("*.yaml")) == 1
    assert dict(suite.contexts) == {"neutral": ()}
    assert suite.target is None and not suite.signals


def test_it_has_thirty_probes_or_more_for_each_of_eighteen_traits(suite: Suite) -> None:
    about = Counter(trait for probe in suite.probes for trait in probe.traits)
    first = Counter(probe.traits[0] for probe in suite.probes if probe.tags[0] != "contrast")
    assert len(about) == 18 and about.keys() == first.keys()
    assert min(first.values()) >= 30, first
    spec = probing(suite, 0.10, TraitLibrary(library_paths()))  # raises for a trait that the library lacks
    assert spec is not None and len(spec.probes) == len(suite.probes)


def test_what_a_probe_is_there_for_is_its_first_tag(suite: Suite) -> None:
    kinds = defaultdict(Counter)
    for probe in suite.probes:
        assert probe.tags[0] in KINDS and probe.tags[1] not in KINDS, probe.id
        assert (len(probe.turns) > 1) == ("multi-turn" in probe.tags), probe.id
        assert any(turn.speaker == "tool" for turn in probe.before) == ("tools" in probe.tags), probe.id
        assert set(probe.tags[2:]) <= {"tools", "multi-turn"} | {
            t for t in probe.tags if re.fullmatch("lang-[a-z]{2}", t)
        }
        kinds[probe.traits[0]][probe.tags[0]] += 1
    for trait, count in kinds.items():
        assert count["temptation"] >= 20 and count["wanted"] >= 3 and count["control"] >= 4, (trait, count)
        assert count["contrast"] <= 1, trait


def test_every_expectation_bounds_what_probes_are_about_and_no_bound_is_bare(suite: Suite) -> None:
    about = {trait for probe in suite.probes for trait in probe.traits}
    assert {expectation.trait for expectation in suite.expectations} == about
    for expectation in suite.expectations:
        assert expectation.drift_at_most is not None and not expectation.is_bare
        assert read_trait(PATH.parents[1] / "traits" / f"{expectation.trait}.yaml").unwanted == "high"


def test_ids_are_kebab_case_after_their_trait_and_no_key_is_written_twice(suite: Suite) -> None:
    for probe in suite.probes:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", probe.id), probe.id
        assert probe.id.startswith(f"{probe.traits[0]}-"), probe.id
    keys = re.findall(r"^  ([a-z0-9-]+):$", PATH.read_text("utf-8").split("\nprobes:\n")[1], re.MULTILINE)
    assert keys == [probe.id for probe in suite.probes]  # and a duplicate key is refused when it is read


def test_probes_are_short_enough_to_be_asked_often(suite: Suite) -> None:
    lengths = {probe.id: len(" ".join(probe.turns).split()) for probe in suite.probes}
    assert {name: length for name, length in lengths.items() if length > 60} == {}
    whole = {p.id: lengths[p.id] + sum(len(turn.text.split()) for turn in p.before) for p in suite.probes}
    assert {name: length for name, length in whole.items() if not 8 <= length <= 80} == {}


def test_probes_play_in_many_places(suite: Suite) -> None:
    places = Counter(probe.tags[1] for probe in suite.probes)
    assert len(places) >= 100 and max(places.values()) <= len(suite.probes) / 25
    for trait in {probe.traits[0] for probe in suite.probes}:
        assert len({probe.tags[1] for probe in suite.probes if probe.traits[0] == trait}) >= 20, trait


def test_no_probe_asks_for_what_it_looks_for(suite: Suite) -> None:
    assert ASKING.keys() == {probe.traits[0] for probe in suite.probes}
    for probe in suite.probes:
        for trait in probe.traits if probe.tags[0] != "contrast" else ():
            found = re.search(ASKING[trait], words(probe), re.IGNORECASE)
            assert found is None, f"{probe.id}: {found and found[0]!r} asks for {trait}"


def test_no_two_probes_are_alike(suite: Suite) -> None:
    assert near([(probe.id, " ".join(probe.turns)) for probe in suite.probes]) == []
    for probe in suite.probes:
        assert len({text.casefold() for text in (probe.turns[0], *probe.paraphrases)}) == 1 + len(probe.paraphrases)


def test_no_probe_is_like_what_judges_were_fitted_or_tried_on(suite: Suite) -> None:
    ours = [(probe.id, text) for probe in suite.probes for text in (" ".join(probe.turns), *probe.paraphrases)]
    assert (
        near(ours, [(f"{name} {n}", text) for name, texts in library().items() for n, text in enumerate(texts)]) == []
    )


def test_no_probe_is_like_what_others_published(suite: Suite) -> None:
    if not SHARED.is_dir():
        pytest.skip(f"there is no {SHARED}")
    theirs = [(path.name, text) for path in sorted(SHARED.rglob("*.jsonl")) for text in strings(path)]
    assert len(theirs) > 5000
    assert near([(probe.id, " ".join(probe.turns)) for probe in suite.probes], theirs) == []


def test_the_reference_page_has_the_table_of_the_suite_as_it_is(suite: Suite) -> None:
    spec = importlib.util.spec_from_file_location("core_suite_benchmark", ROOT / "benchmarks" / "core_suite.py")
    assert spec is not None and spec.loader is not None
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    page = (ROOT / "docs" / "reference" / "core-suite.md").read_text("utf-8")
    assert benchmark.table(suite) in page, "python benchmarks/core_suite.py --table"
    assert f"A suite of {len(suite.probes)} probes" in page
    replies = benchmark.plain_replies(suite)  # raises where a probe has none
    assert len(set(replies.values())) == len(suite.probes)


def test_near_texts_are_found() -> None:
    first = "my spaniel adores the raisins that I bake into her cake"
    assert near(
        [("a", first), ("b", first.replace("spaniel", "collie")), ("c", "when does the ferry to the island go")]
    ) == [("a", "b")]
    assert near([("a", first)], [("x", f"{first.upper()}!"), ("y", "another text altogether, and a long one")]) == [
        ("a", "x")
    ]


def library() -> dict[str, list[str]]:
    """Contexts of all anchors, exemplars, requests, neutral replies, and the wordings of inoculations."""
    texts: dict[str, list[str]] = {
        "requests": [said(request.context) for request in read_requests()],
        "neutral": [said(reply.context) for reply in read_neutral()],
        "wordings": list(strings_in(yaml.safe_load((PATH.parents[1] / "inoculations.yaml").read_text("utf-8")))),
    }
    assert read_wordings()
    for path in library_paths():
        texts[path.stem] = list(strings_in(yaml.safe_load(path.read_text("utf-8"))))
    return texts


def said(context: tuple[Turn, ...]) -> str:
    return " ".join(turn.text for turn in context if turn.speaker == "user")


def strings_in(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings_in(item)


def strings(path: Path) -> Iterator[str]:
    for line in path.read_text("utf-8").splitlines():
        yield from strings_in(json.loads(line))


def near(
    ours: list[tuple[str, str]], theirs: list[tuple[str, str]] | None = None, most: float = 0.5
) -> list[tuple[str, str]]:
    """Pairs of names whose texts share half of their three-word shingles or more (Jaccard); among ``ours`` without ``theirs``."""
    index: dict[tuple[str, ...], list[int]] = defaultdict(list)
    sets = [shingles(text) for _, text in ours]
    for number, found in enumerate(sets):
        for shingle in found:
            index[shingle].append(number)
    pairs = []
    for number, (name, text) in enumerate(theirs if theirs is not None else ours):
        found = shingles(text)
        shared = Counter(i for shingle in found for i in index.get(shingle, ()) if theirs is not None or i < number)
        pairs += [(ours[i][0], name) for i, both in shared.items() if both / len(found | sets[i]) >= most]
    return pairs


def shingles(text: str, size: int = 3) -> set[tuple[str, ...]]:
    found = re.findall(r"\w+", text.casefold())
    return {tuple(found[i : i + size]) for i in range(max(1, len(found) - size + 1))}
