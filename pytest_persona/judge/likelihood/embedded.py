"""Log-probabilities of the embedded weights, for a first idea."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from numpy.typing import NDArray

from pytest_persona.errors import JudgeError
from pytest_persona.judge.likelihood.prefix import Asked
from pytest_persona.judge.likelihood.source import Scored
from pytest_persona.judge.lm.weights import find_weights, sha256_of
from pytest_persona.settings import Settings

__all__ = ["EmbeddedSource", "Model"]


class Model(Protocol):
    """What the source needs of :class:`pytest_persona.judge.lm.LanguageModel`."""

    def tokenize(self, text: str) -> list[int]:
        """The ids of a text."""

    def logprobs(self, prefix: Sequence[int], continuations: Sequence[Sequence[int]]) -> list[NDArray[Any]]:
        """The log-probability of each token of each continuation."""


class EmbeddedSource:
    """SmolLM2-135M in numpy.

    Its weakness: a model so small follows the words of an opening more than the character that they mean, so that the sign of a
    contrast can turn with the wording of the poles. Qualification on anchors says for which traits it does not; descriptions
    without examples (characters) it mostly cannot use.
    """

    model = "SmolLM2-135M-Instruct.Q4_1"
    network = False
    wordings = 3
    room = (900, 900)
    at_once = 32
    weakness = (
        "likelihoods are read with the embedded 135M weights: with a model so small the sign can turn with the wording "
        "of the poles, and it does not see whether code works or has holes"
    )
    calls = 0

    def __init__(self, load: Callable[[], Model], sha256: str) -> None:
        self.id = f"weights/{sha256[:16]}"
        self._load = load
        self._lm: Model | None = None

    @classmethod
    def open(cls, settings: Settings) -> EmbeddedSource:
        """The installed weights; raises JudgeError where there are none."""
        path = find_weights()

        def load() -> Model:
            from pytest_persona.judge.lm import LanguageModel  # not needed where all readings are kept

            return LanguageModel.load(path, threads=settings.threads or None)

        return cls(load, sha256_of(path))

    def score(self, opening: str, asked: Sequence[Asked]) -> list[Scored]:
        """See :meth:`pytest_persona.judge.likelihood.source.Source.score`. The opening is read once for all."""
        if self._lm is None:
            self._lm = self._load()
        contexts = [self._lm.tokenize(one.before) for one in asked]
        replies = [self._lm.tokenize(one.reply) for one in asked]
        # The model must have read something before it can say what comes next.
        prefix = self._lm.tokenize(opening or "\n")
        try:
            logs = self._lm.logprobs(prefix, [[*c, *r] for c, r in zip(contexts, replies, strict=True)])
        except JudgeError as error:  # one of them is longer than the model can read
            if len(asked) > 1:
                return [scored for one in asked for scored in self.score(opening, [one])]
            return [Scored(logprob=None, detail=str(error))]
        return [
            Scored(
                logprob=float(log[len(context) :].sum(dtype="float64")),
                tokens=len(reply),
                read=len(context) + len(reply),
            )
            for context, reply, log in zip(contexts, replies, logs, strict=True)
        ]

    def close(self) -> None:
        """Release the weights; may be called twice."""
        self._lm = None
