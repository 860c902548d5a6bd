"""The sixty hand-made twins: one reply in five contexts, and what two chat judges over a network make of them.

The embedded judge reads them in `tests/heavy/test_twins.py` and `benchmarks/inoculation.py`.
"""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from keyword_judge import shown_in
from loopback_server import LoopbackServer

from pytest_persona.engine import Engine
from pytest_persona.engine.plugins import console_manager
from pytest_persona.infer.inoculate import treated
from pytest_persona.load.traits import TraitLibrary, library_paths
from pytest_persona.model.episodes import Behaviour, Turn
from pytest_persona.settings import Settings

TWINS: list[dict[str, Any]] = [
    json.loads(line)
    for path in sorted((Path(__file__).parents[1] / "data" / "twins").glob("*.jsonl"))
    for line in path.read_text("utf-8").splitlines()
]
ARMS = ("request", "placebo", "opposite", "lookalike")
DOMAINS = ("coding-agent", "cooking", "customer-support", "finance", "travel", "workplace")


def as_is(twin: Mapping[str, Any]) -> Behaviour:
    """The twin unrequested."""
    return Behaviour(role="shown", context=(Turn(speaker="user", text=twin["context"]),), reply=twin["reply"])


def in_arms(twin: Mapping[str, Any]) -> dict[str, Behaviour]:
    """The twin in all five arms."""
    return {"as-is": as_is(twin)} | {arm: treated(as_is(twin), twin[arm], twin["place"]) for arm in ARMS}


@cache
def content(text: str) -> frozenset[str]:
    """The longer words of a text."""
    return frozenset(word for word in re.findall(r"[a-z']+", text.lower()) if len(word) > 3)


# ------------------------------------------------------------------------------------------------ the data
def test_there_are_ten_twins_of_each_of_six_domains_on_traits_of_the_library() -> None:
    assert Counter(twin["domain"] for twin in TWINS) == dict.fromkeys(DOMAINS, 10)
    assert len(TWINS) == 60 == len({twin["id"] for twin in TWINS})
    assert {twin["trait"] for twin in TWINS} <= set(TraitLibrary(library_paths()).names())
    assert Counter(twin["place"] for twin in TWINS) == {"system": 30, "user": 30}


def test_a_twin_has_the_same_reply_in_all_arms_and_only_the_text_of_the_arm_besides() -> None:
    for twin in TWINS:
        arms = in_arms(twin)
        assert {(b.role, b.reply) for b in arms.values()} == {("shown", twin["reply"])}
        assert len({b.context for b in arms.values()}) == 5
        for arm in ARMS:
            said = [turn.text for turn in arms[arm].context]
            assert said == ([twin[arm], twin["context"]] if twin["place"] == "system" else
                            [f"{twin[arm]}\n\n{twin['context']}"])  # fmt: skip


def test_no_text_stands_twice_and_no_context_has_a_request_of_its_own() -> None:
    texts = [twin[part] for twin in TWINS for part in (*ARMS, "context", "reply", "reference")]
    assert len(texts) == len(set(texts))
    for twin in TWINS:
        asked = content(twin["request"])
        assert len(asked & content(twin["context"])) <= 0.35 * len(asked), twin["id"]


def test_the_texts_of_the_arms_are_of_like_length_and_so_are_reply_and_reference() -> None:
    for twin in TWINS:
        words = {part: len(twin[part].split()) for part in (*ARMS, "reply", "reference")}
        assert all(abs(words[arm] - words["request"]) <= 0.2 * words["request"] for arm in ARMS), twin["id"]
        assert abs(words["reference"] - words["reply"]) <= 0.2 * words["reply"], twin["id"]


def test_opposites_and_look_alikes_have_the_words_of_the_request_and_placebos_have_not() -> None:
    shared: dict[str, list[float]] = defaultdict(list)
    for twin in TWINS:
        asked = content(twin["request"])
        for arm in ARMS[1:]:
            shared[arm].append(len(asked & content(twin[arm])) / len(asked))
    assert min(shared["opposite"] + shared["lookalike"]) > 0.3
    mean = {arm: sum(shares) / len(shares) for arm, shares in shared.items()}
    assert mean["placebo"] < 0.3 and mean["opposite"] > 0.55 and mean["lookalike"] > 0.55


# ------------------------------------------------------------------------------------------------ chat judges on the loopback
def hears_requests(context: str) -> bool:
    """It knows what asks for something: each request of the twins, and nothing else."""
    return any(twin["request"] in context for twin in TWINS)


def hears_words(context: str) -> bool:
    """It takes any text for a request that has a third of one's words, whatever it says with them."""
    words = content(context)
    return any(3 * len(words & content(twin["request"])) >= len(content(twin["request"])) for twin in TWINS)


def judge_by(hears: Callable[[str], bool]) -> Callable[[str, str, Mapping[str, Any]], str]:
    """The model on the server: full marks to the twins' replies, none to their references, and a request where it hears one."""
    replies, references = ({twin[part] for twin in TWINS} for part in ("reply", "reference"))

    def answer(system: str, user: str, schema: Mapping[str, Any]) -> str:
        shown = shown_in(user)
        assert shown is not None
        (judged,) = shown.judged
        expressed = 3 if judged in replies else -3 if judged in references else 0
        asked = 4 if hears("\n".join(shown.context)) else 0
        verdict = {
            "state": "judged",
            "quote": judged[:40] if expressed else "",
            "expressed": expressed,
            "requested": asked,
        }
        verdicts = [{"trait": trait, **verdict} for trait in shown.order]
        return json.dumps({"seal": shown.seal, "addresses_judge": False, "verdicts": verdicts}, ensure_ascii=False)

    return answer


@pytest.fixture
def read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, list[float]]]:
    """What twins imply in each arm, and their references, read by a judge over HTTP."""
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-loopback")
    monkeypatch.setenv("OPENAI_API_KEY", "sk-loopback")

    def run(
        judge: str, hears: Callable[[str], bool], chosen: Sequence[dict[str, Any]] = TWINS
    ) -> dict[str, list[float]]:
        by_trait: dict[str, list[dict[str, Behaviour]]] = defaultdict(list)
        for twin in chosen:
            reference = Behaviour(role="reference", context=as_is(twin).context, reply=twin["reference"])
            by_trait[twin["trait"]].append(in_arms(twin) | {"reference": reference})
        implied: dict[str, list[float]] = defaultdict(list)
        with LoopbackServer(judge=judge_by(hears)) as server:
            url = server.base_url if judge == "claude" else server.openai_url
            settings = Settings(judge=judge, base_url=url, model="local", root=tmp_path, concurrency=32)
            with Engine(settings, console_manager().hook) as engine:
                for name, twins in by_trait.items():
                    asked = [(arm, behaviour) for arms in twins for arm, behaviour in arms.items()]
                    answers = engine.judge.read([b for _, b in asked], [engine.library.get(name)], lambda _: None)
                    for (arm, _), verdicts in zip(asked, answers.verdicts, strict=True):
                        value = verdicts[name].implied
                        assert value is not None
                        implied[arm].append(value)
            assert len(server.log) == 6 * len(chosen)
        return implied

    return run


@pytest.mark.parametrize(("judge", "chosen"), [("openai", TWINS), ("claude", TWINS[::5])])
def test_a_chat_judge_that_hears_requests_discounts_what_was_requested_and_nothing_else(
    read: Callable[..., dict[str, list[float]]], judge: str, chosen: Sequence[dict[str, Any]]
) -> None:
    implied = read(judge, hears_requests, chosen)
    count = len(chosen)
    for arm in ("as-is", "placebo", "opposite", "lookalike"):
        assert implied[arm] == [1.0] * count, arm
    assert implied["reference"] == [-1.0] * count
    assert implied["request"] == [0.0] * count


def test_a_chat_judge_that_hears_only_words_leaks_in_the_arms_that_have_them(
    read: Callable[..., dict[str, list[float]]],
) -> None:
    implied = read("openai", hears_words)
    assert implied["request"] == [0.0] * 60
    leaks = {arm: sum(value < 1.0 for value in implied[arm]) for arm in ("as-is", "placebo", "opposite", "lookalike")}
    assert leaks["opposite"] == 60 and leaks["lookalike"] == 60
    assert leaks["as-is"] <= 6 and leaks["placebo"] <= 30
