"""What findings do to the item that declared them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pytest_persona.errors import PersonaError
from pytest_persona.plugin.session import Gated, ItemState, run_of, state_of

if TYPE_CHECKING:
    from pytest_persona.model.findings import Finding, Profile
    from pytest_persona.model.inoculation import Inoculation

__all__ = ["PersonaWarning", "declare", "declare_inoculation", "explain", "settle"]

_BROKEN = ("violated", "refuted")


class PersonaWarning(pytest.PytestWarning):
    """A finding is inconclusive, where ``persona_inconclusive = warn``."""


def declare(item: pytest.Item, profile: Profile, findings: Iterable[Finding], *, gate: bool) -> None:
    """Tell JUnit's file of findings that ``item`` uses; with ``gate`` those with bounds decide whether it passes."""
    from pytest_persona.report.terminal import failure, section

    for finding in findings:
        shift, drift = finding.shift, profile.drift.get(finding.trait) if profile.drift else None
        numbers = {"shift": shift.value, "low": shift.low, "high": shift.high, "drift": drift.value if drift else None}
        item.user_properties.extend(_properties(finding.trait, finding.status, **numbers))
        if gate and finding.expectation is not None:
            called = f"{finding.trait} is inconclusive in {profile.name}"
            words = partial(failure, finding, profile)
            state_of(item).gated.append(Gated(profile, finding.status, called, words, partial(section, profile)))


def declare_inoculation(item: pytest.Item, found: Inoculation, *, gate: bool) -> None:
    """As :func:`declare`, for the findings of an experiment; with ``gate`` all of them decide whether ``item`` passes."""
    from pytest_persona.report.inoculation import failure, section

    for finding in found.findings:
        effect = finding.effect
        item.user_properties.extend(
            _properties(finding.trait, finding.status, effect=effect.value, low=effect.low, high=effect.high)
        )
        if gate:
            called = f"the inoculation of {found.name} against {finding.trait} is inconclusive"
            words = partial(failure, finding, found)
            state_of(item).gated.append(Gated(found, finding.status, called, words, partial(section, found)))


def settle(item: pytest.Item) -> None:
    """Fail an item whose body passed on findings that are violated; treat inconclusive ones as the settings say."""
    state = state_of(item)
    if not state.gated:
        return
    from pytest_persona.report.text import safe

    state.settled = True
    inconclusive = run_of(item.config).settings.inconclusive
    refused = (*_BROKEN, "inconclusive") if inconclusive == "fail" else _BROKEN
    if failures := [gated.failure() for gated in state.gated if gated.status in refused]:
        pytest.fail("\n\n".join(failures), pytrace=False)
    for gated in state.gated:
        if gated.status == "inconclusive" and inconclusive == "warn":
            item.warn(PersonaWarning(gated.failure()))
        elif gated.status == "inconclusive":
            pytest.skip(safe(gated.called))


def explain(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Say what a traceback would hide: the words of a user's error, the findings beside a body that failed."""
    if call.excinfo is not None and isinstance(call.excinfo.value, PersonaError):
        from pytest_persona.report.text import safe

        said = str(call.excinfo.value)
        harmless = "\n".join(safe(line) for line in said.splitlines())
        # The text alone would do, but pytest's short summary only quotes its own representation of an error.
        report.longrepr = call.excinfo.getrepr(style="value", chain=False) if said == harmless else harmless
    state = state_of(item)
    if call.when != "call" or call.excinfo is None:
        return
    if state.settled and report.skipped:
        path, line, _ = item.reportinfo()
        report.longrepr = (str(path), (line or 0) + 1, f"Skipped: {call.excinfo.value}")
    elif not state.settled and report.failed and state.gated:
        report.sections.append(("persona", _beside(state)))


def _beside(state: ItemState) -> str:
    """The findings of an item whose own assertions failed: those that would have failed it, else all of them."""
    broken = [gated.failure() for gated in state.gated if gated.status in (*_BROKEN, "inconclusive")]
    if broken:
        return "\n\n".join(broken)
    holders = {id(gated.holder): gated for gated in state.gated}
    return "\n".join(line for gated in holders.values() for line in gated.section())


def _properties(trait: str, status: str, **numbers: float | None) -> Iterator[tuple[str, str]]:
    """Names and numbers of a finding, as text that XML can hold."""
    texts = {"trait": trait, "status": status}
    texts.update({name: f"{value:.6g}" for name, value in numbers.items() if value is not None})
    return ((f"persona.{name}", _for_xml(text)) for name, text in texts.items())


def _for_xml(text: str) -> str:
    return "".join(c for c in text if c in "\t\n\r" or " " <= c < "\ud800" or "\ue000" <= c < "\ufffe" or c > "\uffff")
