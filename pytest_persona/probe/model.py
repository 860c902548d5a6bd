"""A model by itself as the product, with the product's system prompt."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Protocol

from pytest_persona.model.episodes import Turn, digest
from pytest_persona.model.probes import ModelTarget, TargetInfo
from pytest_persona.probe.base import Answer
from pytest_persona.probe.messages import chat, checked

__all__ = ["ModelProduct", "Said", "Talker", "model_info"]


class Said(Protocol):
    """A model's message."""

    @property
    def text(self) -> str: ...
    @property
    def input_tokens(self) -> int: ...
    @property
    def output_tokens(self) -> int: ...


class Talker(Protocol):
    """A vendor's client."""

    async def talk(
        self, system: str, messages: Sequence[Mapping[str, str]], *, most_tokens: int, timeout: float
    ) -> Said:
        """The model's next message, asked once; raises :class:`~pytest_persona.net.faults.Fault`."""

    async def close(self) -> None:
        """Close connections."""


def model_info(spec: ModelTarget) -> TargetInfo:
    """Who a model is: its name, what it is told, and whose it is."""
    told = json.dumps([spec.model, spec.system, spec.base_url, spec.max_tokens])
    return TargetInfo(name=spec.model, kind=spec.vendor, fingerprint=digest(spec.vendor, told))


class ModelProduct:
    """See :class:`pytest_persona.probe.base.Target`; a context's system prompt follows that of the product."""

    at_once: int | None = None
    keeps_state = False
    timeout = math.inf

    def __init__(self, spec: ModelTarget, talker: Talker) -> None:
        self.info = model_info(spec)
        self._spec = spec
        self._talker = talker

    async def open(self, timeout: float) -> _Dialogue:
        """See :class:`pytest_persona.probe.base.Target`."""
        return _Dialogue(self._spec, self._talker)

    async def close(self) -> None:
        """Close connections."""
        await self._talker.close()


class _Dialogue:
    """A model remembers nothing: it is told all of the dialogue each time."""

    def __init__(self, spec: ModelTarget, talker: Talker) -> None:
        self._spec, self._talker = spec, talker

    async def reply(self, turns: Sequence[Turn], timeout: float) -> Answer:
        """See :class:`pytest_persona.probe.base.Session`."""
        told, messages = chat(turns)
        system = "\n\n".join(filter(None, (self._spec.system, told)))
        said = await self._talker.talk(system, messages, most_tokens=self._spec.max_tokens, timeout=timeout)
        return Answer(text=checked(said.text), input_tokens=said.input_tokens, output_tokens=said.output_tokens)

    async def close(self) -> None:
        """There is nothing to end."""
