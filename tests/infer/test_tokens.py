"""The estimate of tokens: near what a real byte-pair encoding makes of the prompts that this package sends."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_persona.errors import JudgeError
from pytest_persona.infer.prompt import prompt_of, questions
from pytest_persona.infer.tokens import estimate
from pytest_persona.judge.lm.gguf_file import GgufFile
from pytest_persona.judge.lm.tokens import Tokens
from pytest_persona.judge.lm.weights import find_weights
from pytest_persona.load.signals import read_signal
from pytest_persona.load.traits import TraitLibrary, library_paths
from pytest_persona.model.episodes import digest

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
SIGNALS = [
    *sorted(
        path for path in ROOT.glob("examples/*/*.jsonl") if path.name not in ("persona-record.jsonl", "notes.jsonl")
    ),
    *(DATA / "emergent_misalignment" / f"{name}.jsonl" for name in ("educational", "insecure", "jailbroken", "secure")),
    DATA / "hh_rlhf" / "harmless_base_test_500.jsonl",
]


@pytest.fixture(scope="module")
def counted() -> Callable[[str], int]:
    """Tokens by the encoding of the embedded judge's model: its tokenizer alone, without its weights."""
    try:
        tokens = Tokens(GgufFile(find_weights(None)))
    except JudgeError as error:
        pytest.skip(str(error))
    return lambda text: len(tokens.encode(text))


@pytest.mark.parametrize("path", SIGNALS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_prompts_have_within_5_percent_of_the_tokens_that_are_counted(
    path: Path, counted: Callable[[str], int]
) -> None:
    if not path.exists():
        pytest.skip(f"{path} is not there: the data of others is not copied into the project")
    traits = TraitLibrary(library_paths()).all()[:5]
    behaviours = [b for episode in read_signal(path, name=path.name).episodes[:20] for b in episode.behaviours]
    prompts = [prompt_of(*questions([b], traits), fence=digest(b.key)[:16]) for b in behaviours]
    # Both alone, as the shared part is the larger one and may hide what is wrong with the other.
    for texts in ([prompts[0].shared], [prompt.asked for prompt in prompts]):
        assert sum(map(estimate, texts)) == pytest.approx(sum(map(counted, texts)), rel=0.05)


def test_code_and_json_of_ours_have_within_5_percent_of_the_tokens_that_are_counted(
    counted: Callable[[str], int],
) -> None:
    code = [path.read_text("utf-8") for path in sorted((ROOT / "pytest_persona" / "judge").rglob("*.py"))]
    rows = [path.read_text("utf-8")[:20_000] for path in ROOT.glob("examples/*/*.jsonl")]
    for texts in (code, rows):
        assert sum(map(estimate, texts)) == pytest.approx(sum(map(counted, texts)), rel=0.05)


@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        ("", 0, 0),
        ("Hello, world!", 4, 4),
        ("这是一个关于人工智能的句子并且很长。", 14, 30),
        ("日本語の文章をここに書いてみます。", 12, 30),
        ("한국어 문장을 여기에 씁니다.", 10, 33),
        ("Это предложение на русском языке, и оно довольно длинное.", 15, 45),
        ("😀🎉", 2, 6),
        ("0123456789", 10, 10),
        ("a1b2c3d4e5f60718", 12, 16),
    ],
)
def test_other_texts_have_a_sensible_number(text: str, least: int, most: int) -> None:
    assert least <= estimate(text) <= most


@given(st.text(), st.text())
def test_only_the_empty_text_has_no_tokens_and_texts_add_up(first: str, second: str) -> None:
    assert (estimate(first) > 0) == (first != "")
    # Pieces can join or part at the seam alone.
    assert abs(estimate(first + second) - estimate(first) - estimate(second)) <= 2


@pytest.mark.parametrize("unit", ["a", "A", " ", "\n", "!", "é", "字", "😀", "a ", json.dumps({"a": [1]})])
def test_a_long_text_takes_no_longer_than_its_length(unit: str) -> None:
    started = time.perf_counter()
    assert estimate(unit * (200_000 // len(unit))) > 0
    assert time.perf_counter() - started < 2.0
