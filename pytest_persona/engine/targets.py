"""The product that is probed: from what the user gave to somebody with whom dialogues can be held."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pytest_persona.errors import JudgeError, TargetError
from pytest_persona.model.probes import HttpTarget, ModelTarget, PythonTarget, TargetInfo, TargetSpec
from pytest_persona.net.statuses import TARGET
from pytest_persona.settings import Settings

if TYPE_CHECKING:
    from pytest_persona.probe.base import Target
    from pytest_persona.probe.model import Talker

__all__ = ["Targets"]

_REMEDY = "Name one: --persona-target module:attribute, target: in the suite, or a fixture persona_target that returns your product."


class Targets:
    """Finds targets for an engine, and knows again those it has met."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._met: dict[int, tuple[Any, TargetInfo]] = {}
        """By identity, with the object itself so that none takes its place: what it holds may change while it is asked."""

    def chosen(self, given: Any, spec: TargetSpec | None) -> Any:
        """What is to be asked: ``given``, else what the settings name, else what the suite says; raises TargetError for none."""
        if given is not None:
            return PythonTarget(name=given) if isinstance(given, str) else given
        if self._settings.target:
            return PythonTarget(name=self._settings.target)
        if spec is None:
            raise TargetError(f"There is no target to put the probes to. {_REMEDY}")
        return spec

    def info(self, chosen: Any) -> TargetInfo:
        """Who that is; imports what is named by module and attribute. Raises TargetError."""
        from pytest_persona.probe.http import http_info
        from pytest_persona.probe.identity import info_of
        from pytest_persona.probe.model import model_info

        if isinstance(chosen, HttpTarget):
            return http_info(chosen)
        if isinstance(chosen, ModelTarget):
            return model_info(chosen)
        found, name = (self._loaded(chosen), chosen.name) if isinstance(chosen, PythonTarget) else (chosen, "")
        if id(found) not in self._met:
            self._met[id(found)] = found, info_of(found, name)
        return self._met[id(found)][1]

    def open(self, chosen: Any) -> Target:
        """The target, ready to be asked; raises TargetError."""
        if isinstance(chosen, HttpTarget):
            from pytest_persona.probe.http import HttpEndpoint

            return HttpEndpoint(chosen)
        if isinstance(chosen, ModelTarget):
            from pytest_persona.probe.model import ModelProduct

            return ModelProduct(chosen, _talker(chosen))
        from pytest_persona.probe.callables import CallableTarget

        product = self._loaded(chosen) if isinstance(chosen, PythonTarget) else chosen
        return CallableTarget(product, self.info(chosen))

    def _loaded(self, named: PythonTarget) -> Any:
        from pytest_persona.probe.identity import load_object

        root = str(self._settings.root)
        if root not in sys.path:
            sys.path.append(root)  # last: it hides nothing that is installed
        return load_object(named.name, "--persona-target" if named.name == self._settings.target else "target.python")


def _talker(spec: ModelTarget) -> Talker:
    try:
        if spec.vendor == "claude":
            from pytest_persona.judge.claude import connect

            return connect(spec.model, spec.base_url or None, TARGET)
        from pytest_persona.judge.openai_compatible import connect as connect_openai

        return connect_openai(spec.model, spec.base_url or None, TARGET)
    except JudgeError as error:
        raise TargetError(str(error)) from None
