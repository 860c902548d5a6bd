"""What asking would cost, estimated without asking, and corrected by what asking has cost so far."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Protocol

from pytest_persona.infer.asked import AnyQuestion, prompt_of, usual_answer
from pytest_persona.infer.tokens import estimate
from pytest_persona.judge.chat.budget import Prices
from pytest_persona.model.verdicts import Usage

__all__ = ["Estimator", "Notes"]

_LEARNED_FROM = 20
"""Questions of one sweep that are compared with their estimates; estimating takes a millisecond each."""
_FENCE = "7d3a91c04be8f265"
"""Digits and letters in turn, as in most codes: many texts bring many fences."""
_ENOUGH = 10
"""Questions from which a ratio is trusted."""


class Notes(Protocol):
    """Where numbers survive the run."""

    def numbers(self) -> Sequence[float] | None:
        """Those last written; None where there are none."""

    def note(self, numbers: Sequence[float]) -> None:
        """Write them."""


class Estimator:
    """Estimates tokens by a rule of thumb, times what the vendor's own counts of former questions came to against it."""

    def __init__(self, notes: Notes, prices: Prices | None) -> None:
        self._notes, self._prices = notes, prices
        # Questions compared; their estimated and counted input tokens; their estimated and counted output tokens.
        self._sums: list[float] | None = None

    def __str__(self) -> str:
        count, *_ = self._read()
        if count < _ENOUGH:
            return "tokens are estimated without the vendor's tokenizer; once some questions were asked, by what they came to"
        return f"tokens are estimated by what {count:.0f} questions to this judge came to"

    def forecast(self, questions: Iterable[AnyQuestion]) -> Usage:
        """What asking the questions would cost: ``calls``, tokens and, with prices, money without any prompt cache."""
        calls = sent = received = 0
        for question in questions:
            tokens = _tokens(question)
            calls, sent, received = calls + 1, sent + tokens[0], received + tokens[1]
        count, sent_before, true_sent, received_before, true_received = self._read()
        if count >= _ENOUGH:
            sent = round(sent * true_sent / sent_before)
            received = round(received * true_received / received_before)
        cost = None if self._prices is None else self._prices.cost(sent, received)
        return Usage(calls=calls, input_tokens=sent, output_tokens=received, cost=cost)

    def learn(self, asked: Iterable[tuple[AnyQuestion, Usage]]) -> None:
        """Compare estimates with what questions came to; those that took several calls say nothing."""
        sums = list(self._read())
        once = ((question, usage) for question, usage in asked if usage.calls == 1 and usage.output_tokens)
        for _, (question, usage) in zip(range(_LEARNED_FROM), once, strict=False):
            sent, received = _tokens(question)
            new = (1, sent, usage.input_tokens, received, usage.output_tokens)
            sums = [before + more for before, more in zip(sums, new, strict=True)]
        if sums[0] > self._read()[0]:
            self._sums = sums
            self._notes.note(sums)

    def _read(self) -> Sequence[float]:
        if self._sums is None:
            kept = self._notes.numbers()
            self._sums = list(kept) if kept is not None and len(kept) == 5 else [0.0] * 5
        return self._sums


def _tokens(question: AnyQuestion) -> tuple[int, int]:
    """Input and output tokens by the rule of thumb."""
    prompt = prompt_of(question, fence=_FENCE)
    sent = _estimate(prompt.shared) + _estimate(json.dumps(prompt.schema, separators=(",", ":")))
    return sent + estimate(prompt.asked), estimate(usual_answer(question, prompt))


_estimate = lru_cache(maxsize=64)(estimate)
