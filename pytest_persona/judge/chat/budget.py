"""What questions may cost, in tokens or in money."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

from pytest_persona.infer.prompt import Prompt
from pytest_persona.infer.tokens import estimate
from pytest_persona.judge.chat.client import Reply
from pytest_persona.judge.chat.ledger import Ledger

__all__ = ["Budget", "Prices", "Purse"]

_MILLION = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Prices:
    """Prices per million tokens, in one currency; raises ValueError where one is no price."""

    input: float
    output: float
    cached: float | None = None
    """Of input tokens that the vendor read from its prompt cache; None: the same as of others."""

    def __post_init__(self) -> None:
        for name in ("input", "output", "cached"):
            price = getattr(self, name)
            if price is not None and not (math.isfinite(price) and price >= 0):
                raise ValueError(f"the {name} price is {price!r}, which is no price per million tokens")

    def cost(self, input_tokens: float, output_tokens: float, cached_tokens: float = 0) -> float:
        """What so many tokens cost; ``cached_tokens`` are among ``input_tokens``."""
        cached = self.input if self.cached is None else self.cached
        fresh = input_tokens - cached_tokens
        return (fresh * self.input + cached_tokens * cached + output_tokens * self.output) / _MILLION


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """The most that a run may cost, in tokens or in money, and what tokens cost where that is known; without a limit it only counts.

    Raises ValueError for a limit in both, a limit that is none, and a limit in money where prices are not known: an unknown price
    is not 0.
    """

    tokens: float | None = None
    """Input and output together."""
    money: float | None = None
    """In the currency of the prices."""
    prices: Prices | None = None

    def __post_init__(self) -> None:
        if self.tokens is not None and self.money is not None:
            raise ValueError("a budget is in tokens or in money, not in both")
        if self.limit is not None and not (math.isfinite(self.limit) and self.limit > 0):
            raise ValueError(f"a budget of {self.limit!r} allows no question")
        if self.money is not None and self.prices is None:
            raise ValueError(
                "a budget in money needs the model's prices per million input and output tokens, which are not known;"
                " name them, or give the budget in tokens"
            )

    def __str__(self) -> str:
        if self.money is not None:
            return f"{self.money:,.2f}"
        return "no limit" if self.tokens is None else f"{self.tokens:,.0f} tokens"

    @property
    def limit(self) -> float | None:
        """In the unit of the budget; None where there is none."""
        return self.tokens if self.money is None else self.money

    def amount(self, input_tokens: float, output_tokens: float, cached_tokens: float = 0) -> float:
        """What so many tokens take from the budget, in its unit."""
        if self.money is None or self.prices is None:
            return input_tokens + output_tokens
        return self.prices.cost(input_tokens, output_tokens, cached_tokens)


class Purse:
    """Pays for requests out of the budget of a run, which all its processes share."""

    def __init__(self, budget: Budget, ledger: Ledger, run: str) -> None:
        self.budget = budget
        self._ledger, self._run = ledger, run
        self._allowed, self._written = 2, 1
        """Output tokens that replies were allowed and that they took: half of them, until there is something to go by."""
        self._unsettled = 0.0
        """What replies have cost beyond what was set aside for them; told to the others with the next amount that is set aside."""

    def reserve(self, prompt: Prompt, most_tokens: int) -> float | None:
        """Set aside what a request is expected to cost, and how much that is; None where the budget does not allow it."""
        limit = self.budget.limit
        if limit is None:
            return 0.0
        written = most_tokens * min(1.0, self._written / self._allowed)
        amount = self.budget.amount(_tokens_of(prompt.shared) + estimate(prompt.asked), written)
        if not self._ledger.reserve(self._run, self._unsettled + amount, limit):
            return None
        self._unsettled = 0.0
        return amount

    def settle(self, reserved: float, reply: Reply | None, most_tokens: int) -> None:
        """Pay for the reply to such a request, which was allowed so many output tokens; where there is none nothing is charged."""
        self._unsettled -= reserved
        if reply is not None:
            self._allowed += most_tokens
            self._written += reply.output_tokens
            self._unsettled += self.budget.amount(reply.input_tokens, reply.output_tokens, reply.cached_tokens)

    def flush(self) -> None:
        """Tell the other processes what is settled."""
        if self.budget.limit is not None and self._unsettled:
            self._ledger.settle(self._run, self._unsettled)
            self._unsettled = 0.0

    def cost(self, reply: Reply) -> float | None:
        """What a reply cost in money; None where prices are not known."""
        prices = self.budget.prices
        if prices is None:
            return None
        return prices.cost(reply.input_tokens, reply.output_tokens, reply.cached_tokens)


_tokens_of = lru_cache(maxsize=64)(estimate)  # the part of a prompt that many questions share
