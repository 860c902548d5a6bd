"""Which character a signal reads most like, and what follows from that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pytest_persona.engine.means import Means
from pytest_persona.engine.sittings import Seen, Sitting
from pytest_persona.errors import ProfileError
from pytest_persona.infer.predict import predictions, ranked_probes, shown_by
from pytest_persona.infer.set_words import SET_PROMPT_VERSION
from pytest_persona.model.personas import Cast
from pytest_persona.model.portrait import Portrait, PortraitSpec

if TYPE_CHECKING:
    from pytest_persona.load.signals import Signal

__all__ = ["check_profile", "portrayed"]

_RECORDED = ("level", "seed", "max_groups", "format", "map", "on_bad_row")
"""Settings that change results."""


def check_profile(spec: PortraitSpec, signal: Signal) -> None:
    """Raise ProfileError for a profile that is not of this signal."""
    if spec.profile is not None and spec.profile.signal.sha256 != signal.info.sha256:
        raise ProfileError(
            f"it is of another signal, {spec.profile.signal.path}, or of this one before it was changed",
            remedy="Audit the signal anew, or leave the profile out",
            field="profile",
        )


def portrayed(means: Means, spec: PortraitSpec, signal: Signal, people: Cast, sitting: Sitting) -> Portrait:
    """Read the sitting, and say what it comes to."""
    with means.watched(spec.audit.name, sitting.total):
        seen = sitting.read()
    found = seen.characters
    shown = shown_by(spec.profile) if spec.profile is not None else set()
    expected = () if found is None else predictions(found, people)
    suites = [(suite.name, suite.probes) for suite in spec.suites]
    return Portrait(
        name=spec.audit.name,
        signal=signal.info,
        judge=means.judge.info,
        basis=sitting.basis,
        estimand=seen.estimand,
        characters=found,
        reason=seen.reason,
        groups_read=seen.groups,
        tokens=seen.tokens,
        samples=seen.samples,
        consistency=seen.consistency,
        predictions=tuple(one for one in expected if one.trait not in shown),
        probes=ranked_probes(expected, suites),
        characters_sha256=people.sha256,
        usage=seen.usage,
        settings=_recorded(means, spec, sitting),
        notes=tuple(_notes(means, spec, signal, seen)),
    )


def _recorded(means: Means, spec: PortraitSpec, sitting: Sitting) -> dict[str, object]:
    values = {name: getattr(means.settings, name) for name in _RECORDED}
    own = {"samples": spec.samples, "sample_size": spec.sample_size, "prompt": SET_PROMPT_VERSION}
    plain = {name: dict(value) if isinstance(value, Mapping) else value for name, value in values.items()}
    return plain | (own if sitting.basis == "set" else {})


def _notes(means: Means, spec: PortraitSpec, signal: Signal, seen: Seen) -> Iterator[str]:
    info = signal.info
    if seen.groups < info.groups:
        yield f"{seen.groups} of {info.groups} groups were read, drawn by the seed"
    if info.skipped:
        yield f"{info.skipped} unreadable rows were skipped"
    yield from seen.notes
    if seen.characters is not None:
        if not seen.characters.most_like:
            yield "no character stands out, so that nothing is predicted"
        else:
            if spec.profile is None:
                yield "whether the signal shows a predicted trait itself was not looked at; --profile names an audit that has"
            if not any(suite.probes for suite in spec.suites):
                yield "no suite of probes was given, so that none is named"
    if problem := getattr(means.judge, "problem", ""):
        yield problem
