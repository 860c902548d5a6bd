"""Log-probabilities of a GGUF file of the user's, through llama-cpp-python.

It was tested against a stand-in with that package's interface (0.3: ``Llama``, ``tokenize``, ``reset``, ``eval``, ``n_tokens``,
``scores``) only, as the package could not be installed where this was written. ``create_completion(echo=True, logprobs=…)`` is
not used: it sorts the whole vocabulary in Python for every token.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from pytest_persona.errors import JudgeError
from pytest_persona.judge.likelihood.prefix import Asked
from pytest_persona.judge.likelihood.source import Scored
from pytest_persona.settings import Settings

__all__ = ["GgufSource"]

_CONTEXT = 4096
_SAME = 0.05
"""Nats a token by which two readings of one reply may differ: batches of other sizes round otherwise."""
_SAMPLE = 1 << 20


class GgufSource:
    """One GGUF file, on as many threads as the settings say."""

    network = False
    wordings = 3
    room = (3000, 3000)
    at_once = 8
    weakness = ""
    calls = 0

    def __init__(self, path: Path, threads: int) -> None:
        self.model = path.name
        self.id = f"gguf/{_mark(path)}"
        self._path, self._threads = path, threads
        self._llama: Any = None
        self._rewinds: bool | None = None
        """Whether the model can be taken back to the end of an opening; None while that is not known."""

    @classmethod
    def open(cls, settings: Settings) -> GgufSource:
        """The file that the settings name as the model; raises JudgeError without it, or without llama-cpp-python."""
        path = settings.root / str(settings.model)
        if not path.is_file():
            raise JudgeError(
                f"{settings.model}: there is no such file, and it is named as the model of the judge likelihood. Name a GGUF file with"
                " --persona-model, or a server's model with --persona-base-url beside it, or neither for the embedded weights."
            )
        _llama_class()
        return cls(path, settings.threads)

    def score(self, opening: str, asked: Sequence[Asked]) -> list[Scored]:
        """See :meth:`pytest_persona.judge.likelihood.source.Source.score`. The opening is read once where the model allows it."""
        llama = self._loaded()
        prefix = _ids(llama, opening or "\n", begin=True)
        self._place(prefix)
        return [self._one(prefix, one) for one in asked]

    def close(self) -> None:
        """Release the model; may be called twice."""
        self._llama = None

    def _loaded(self) -> Any:
        if self._llama is None:
            try:
                self._llama = _llama_class()(
                    model_path=str(self._path),
                    n_ctx=_CONTEXT,
                    n_threads=self._threads or None,
                    logits_all=True,
                    verbose=False,
                )
            except (ValueError, RuntimeError, OSError) as error:
                raise JudgeError(f"{self._path.name}: llama-cpp-python cannot load it: {error}.") from None
        return self._llama

    def _place(self, prefix: Sequence[int]) -> None:
        self._llama.reset()
        self._llama.eval(prefix)

    def _one(self, prefix: Sequence[int], one: Asked) -> Scored:
        ids = _ids(self._llama, one.before + one.reply)
        # A SentencePiece model puts a space before each text that it is given, so a reply's tokens are those it adds to its context.
        count = max(1, len(ids) - len(_ids(self._llama, one.before)))
        if len(prefix) + len(ids) > _CONTEXT:
            return Scored(logprob=None, detail=f"it takes more than the {_CONTEXT} tokens that the model is given")
        if self._rewinds is False:
            self._place(prefix)
        self._llama.n_tokens = len(prefix)
        logprob = self._continued(ids, count)
        if self._rewinds is None:
            self._rewinds = self._reads_again(prefix, ids, count, logprob)
        return Scored(logprob=logprob, tokens=count, read=len(ids))

    def _reads_again(self, prefix: Sequence[int], ids: Sequence[int], count: int, logprob: float) -> bool:
        """Whether a reply reads the same once the model was taken back: a recurrent one keeps what it has read."""
        self._llama.n_tokens = len(prefix)
        try:
            return abs(self._continued(ids, count) - logprob) <= _SAME * count
        except RuntimeError:
            return False

    def _continued(self, ids: Sequence[int], count: int) -> float:
        """The log-probability of the last ``count`` of the ids, read after what the model has before it."""
        self._llama.eval(ids)
        end = int(self._llama.n_tokens)
        # The logits at a token are those of the next one.
        logits = np.asarray(self._llama.scores[end - count - 1 : end - 1], np.float64)
        top = logits.max(axis=1)
        chosen = logits[np.arange(count), np.asarray(ids[-count:])]
        return float((chosen - top - np.log(np.exp(logits - top[:, None]).sum(axis=1))).sum())


def _llama_class() -> Any:
    try:
        from llama_cpp import Llama  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        raise JudgeError(
            "The judge likelihood reads a GGUF file with the package llama-cpp-python, which cannot be imported "
            f"({error}). Install it with: pip install 'pytest-persona[likelihood]'"
        ) from None
    return Llama


def _ids(llama: Any, text: str, *, begin: bool = False) -> list[int]:
    ids: list[int] = llama.tokenize(text.encode("utf-8", errors="replace"), add_bos=begin, special=False)
    return ids


def _mark(path: Path) -> str:
    """A hash of size, head and tail: whole files of many gigabytes take minutes, and two models share none of the three."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_SAMPLE)
        file.seek(max(0, size - _SAMPLE))
        return hashlib.sha256(f"{size}".encode() + head + file.read(_SAMPLE)).hexdigest()[:16]
