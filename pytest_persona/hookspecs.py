"""The hooks; each docstring shows a working ``conftest.py``.

They are declared with pytest's own marker, so that a function of a ``conftest.py`` works without import or decorator and a misspelt
hook or argument is refused; the console command loads the same plugins without importing pytest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from pytest_persona.model.episodes import Behaviour, Episode
    from pytest_persona.model.findings import Profile
    from pytest_persona.model.traits import Trait
    from pytest_persona.model.verdicts import Verdict
    from pytest_persona.settings import Settings

hookspec = pluggy.HookspecMarker("pytest")


@hookspec
def pytest_persona_judges() -> Mapping[str, Callable[[Settings], Any]]:  # type: ignore[empty-body]
    """Offer judges by name. A factory takes the settings and returns a judge::

    def pytest_persona_judges():
        from my_judge import MyJudge
        return {"mine": lambda settings: MyJudge(settings.model)}
    """


@hookspec
def pytest_persona_traits() -> Iterable[Path]:  # type: ignore[empty-body]
    """Offer traits: paths of trait files (YAML)::

    from pathlib import Path

    def pytest_persona_traits():
        return [Path(__file__).with_name("brand-voice.yaml")]
    """


@hookspec
def pytest_persona_suites() -> Mapping[str, Path]:  # type: ignore[empty-body]
    """Offer suites by the name ``package:name``, each with its path; of an installed package the first half is its entry point's name::

    from pathlib import Path

    def pytest_persona_suites():
        return {"acme:support": Path(__file__).with_name("support.persona.yaml")}
    """


@hookspec(firstresult=True)
def pytest_persona_load_signal(path: Path) -> Iterable[Episode] | None:
    """Read the episodes of a signal file of your own format; None lets the next plugin try::

    def pytest_persona_load_signal(path):
        if path.suffix == ".acme":
            from acme.signals import episodes
            return episodes(path)
    """


@hookspec
def pytest_persona_modify_questions(behaviours: list[Behaviour], traits: list[Trait]) -> None:
    """Drop or add behaviours or traits in place before they are read. A dropped behaviour counts as ``missing``::

    def pytest_persona_modify_questions(behaviours, traits):
        behaviours[:] = [b for b in behaviours if "INTERNAL" not in b.reply]
    """


@hookspec
def pytest_persona_verdict(behaviour: Behaviour, trait: Trait, verdict: Verdict) -> None:
    """See each verdict as it arrives; be quick::

    def pytest_persona_verdict(behaviour, trait, verdict):
        if verdict.reason == "suspected-injection":
            print(behaviour.reply)
    """


@hookspec
def pytest_persona_profile(profile: Profile) -> None:
    """See each finished profile once, on the controller under xdist: export it, say::

    def pytest_persona_profile(profile):
        for finding in profile.unwanted:
            print(finding.trait, finding.shift.value)
    """
