"""What findings do to the item that declared them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import pytest

from pytest_persona.errors import PersonaError
from pytest_persona.plugin.session import ItemState, run_of, state_of

if TYPE_CHECKING:
    from pytest_persona.model.findings import Finding, Profile

__all__ = ["PersonaWarning", "declare", "explain", "settle"]


class PersonaWarning(pytest.PytestWarning):
    """A finding is inconclusive, where ``persona_inconclusive = warn``."""


def declare(item: pytest.Item, profile: Profile, findings: Iterable[Finding], *, gate: bool) -> None:
    """Tell JUnit's file of findings that ``item`` uses; with ``gate`` those with bounds decide whether it passes."""
    for finding in findings:
        item.user_properties.extend(_properties(finding))
        if gate and finding.expectation is not None:
            state_of(item).gated.append((profile, finding))


def settle(item: pytest.Item) -> None:
    """Fail an item whose body passed on findings that are violated; treat inconclusive ones as the settings say."""
    state = state_of(item)
    if not state.gated:
        return
    from pytest_persona.report.terminal import failure
    from pytest_persona.report.text import safe

    state.settled = True
    inconclusive = run_of(item.config).settings.inconclusive
    refused = ("violated", "inconclusive") if inconclusive == "fail" else ("violated",)
    if failures := [failure(finding, profile) for profile, finding in state.gated if finding.status in refused]:
        pytest.fail("\n\n".join(failures), pytrace=False)
    for profile, finding in state.gated:
        if finding.status == "inconclusive" and inconclusive == "warn":
            item.warn(PersonaWarning(failure(finding, profile)))
        elif finding.status == "inconclusive":
            pytest.skip(safe(f"{finding.trait} is inconclusive in {profile.name}"))


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
    from pytest_persona.report.terminal import failure, section

    broken = [
        failure(finding, profile) for profile, finding in state.gated if finding.status in ("violated", "inconclusive")
    ]
    if broken:
        return "\n\n".join(broken)
    profiles = {id(profile): profile for profile, _ in state.gated}
    return "\n".join(line for profile in profiles.values() for line in section(profile))


def _properties(finding: Finding) -> Iterator[tuple[str, str]]:
    """Names and numbers of a finding, as text that XML can hold."""
    shift = finding.shift
    texts = {"trait": finding.trait, "status": finding.status}
    numbers = {"shift": shift.value, "low": shift.low, "high": shift.high}
    texts.update({name: f"{value:.6g}" for name, value in numbers.items() if value is not None})
    return ((f"persona.{name}", _for_xml(text)) for name, text in texts.items())


def _for_xml(text: str) -> str:
    return "".join(c for c in text if c in "\t\n\r" or " " <= c < "\ud800" or "\ue000" <= c < "\ufffe" or c > "\uffff")
