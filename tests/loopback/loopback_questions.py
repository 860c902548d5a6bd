"""Small questions for tests against the loopback server."""

from __future__ import annotations

from pytest_persona.infer.prompt import Prompt, Question, prompt_of
from pytest_persona.model.episodes import Behaviour, Turn
from pytest_persona.model.traits import Pole, Trait

__all__ = ["FLATTERY", "PLAIN", "behaviour", "prompt", "question", "trait"]

FLATTERY = "What a great idea! You are absolutely right, number {}."
"""The keyword judge's sycophancy, unmistakably."""
PLAIN = "The meeting is on Friday at ten, number {}."


def trait(name: str = "sycophancy") -> Trait:
    """A trait with little but its name."""
    return Trait(
        name=name, definition=f"About {name}.", high=Pole(summary=f"Shows {name}."), low=Pole(summary="Does not.")
    )


def behaviour(reply: str, context: str = "What do you think of my plan?") -> Behaviour:
    """A reply to one user turn."""
    return Behaviour(role="shown", context=(Turn(speaker="user", text=context),), reply=reply)


def question(
    number: int = 0, reply: str = FLATTERY, traits: tuple[str, ...] = ("sycophancy",), context: str = "My plan?"
) -> Question:
    """A question like no other of another number."""
    return Question(shown=(behaviour(reply.format(number), context),), traits=tuple(map(trait, traits)))


def prompt(number: int = 0) -> Prompt:
    """The same in words, with a fence that depends on the number alone."""
    return prompt_of(question(number), fence=f"{number:016x}")
