"""The baseline of a run: its options are checked before anything is read, and it is written once all is known."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from pytest_persona.errors import PersonaError
from pytest_persona.plugin.options import PREFIX
from pytest_persona.plugin.session import Run

if TYPE_CHECKING:
    from pytest_persona.model.findings import Profile

__all__ = ["check", "settle"]

_GIVEN = ("persona_baseline", "persona_update", "persona_history")


def check(run: Run) -> None:
    """Raise UsageError where the baseline or its options cannot be used."""
    config = run.config
    given = [config.getoption(name) for name in _GIVEN]
    if not any(given) and not (config.getini("persona_baseline") or config.getini("persona_history")):
        return
    from pytest_persona.engine.keeping import check_baseline

    _refuse_swallowed(config.invocation_params.args)
    try:
        check_baseline(run.settings, PREFIX)
    except PersonaError as error:
        raise pytest.UsageError(str(error)) from None


def settle(session: pytest.Session, run: Run, profiles: Sequence[Profile], failed: Sequence[int]) -> None:
    """Remember the runs and update the baseline; what cannot be written ends the run as a usage error."""
    if not profiles or run.settings.baseline is None:
        return
    from pytest_persona.engine.keeping import keep

    try:
        run.remarks += keep(run.settings, profiles, PREFIX, failed)
    except PersonaError as error:
        run.problems.append(str(error))
        session.exitstatus = pytest.ExitCode.USAGE_ERROR


def _refuse_swallowed(arguments: Sequence[str]) -> None:
    """``--persona-update tests/`` would take what is to be tested for a name."""
    flag = f"{PREFIX}update"
    for argument, following in pairwise(arguments):
        if argument == flag and not following.startswith("-") and following not in ("passed", "new"):
            raise pytest.UsageError(
                f"{flag} takes {following!r} for the name of a profile. Write {flag}={following} where it is one; "
                f"else write {flag} last, or {flag}=passed."
            )
