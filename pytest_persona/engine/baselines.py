"""Holding profiles against a baseline: the comparison, what it decides, and what is written afterwards."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_persona.engine.sample import Audit
from pytest_persona.errors import ProfileError
from pytest_persona.infer.drift import compare, obstacles
from pytest_persona.infer.units import DECIMALS, short
from pytest_persona.model.drift import Comparison, Drift
from pytest_persona.model.episodes import Behaviour, Kind
from pytest_persona.model.findings import Finding, Profile
from pytest_persona.model.history import PastRun
from pytest_persona.model.traits import Trait
from pytest_persona.model.units import FrozenSample
from pytest_persona.settings import Settings

if TYPE_CHECKING:
    from pytest_persona.judge.base import Judge

__all__ = ["Baselines", "frozen_sample", "history_file"]

_HISTORY = ".persona/history"
_WORST_FIRST = ("violated", "inconclusive", "held", "observed")
_STATEMENTS = ("rubric", "instruction")


class Baselines:
    """The baseline of a run's settings, read when a profile is first held against it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._profiles: tuple[Profile, ...] | None = None
        self._lock = threading.Lock()

    def applied(self, audit: Audit, judge: Judge) -> Audit:
        """The audit with what has changed since the baseline, and findings that their drift has a part in.

        Raises ProfileError for a baseline that cannot be used: it cannot be read, or is of another kind of signal.
        """
        profile = audit.profile
        if self.settings.baseline is None:
            return replace(audit, profile=_unchecked(profile))
        from pytest_persona.load.baselines import counterpart

        base = counterpart(self.profiles, profile)
        if base is not None and not self.settings.update and (why := obstacles(base, profile)):
            raise ProfileError(
                f"its profile {base.name!r} cannot be compared with this one: {'; '.join(why)}",
                remedy="Name the baseline of this signal, or rename one of them",
                path=self.settings.baseline,
            )
        profile = self._with_frozen(profile, base, judge, audit.sample.wanted)
        if base is None:
            return replace(audit, profile=self._unknown(profile))
        history = self._history(base, profile)
        found = compare(base, profile, since=self.settings.baseline, history=history)
        if self.settings.update:  # what it lacks is about to be put in
            found = replace(found, findings=tuple(_new(drift, base) for drift in found.findings))
        return replace(audit, profile=_merged(profile, found))

    def anchors(self, traits: Sequence[Trait], kind: Kind) -> Iterator[tuple[Trait, list[Behaviour]]]:
        """What would be read for a baseline beside the signal, at the most: the anchors of each trait, where one is to be made."""
        if self.settings.baseline is not None and self.settings.update:
            for trait in traits:
                sample = frozen_sample(trait, statements=kind in _STATEMENTS)
                yield trait, [behaviour for pair in sample for behaviour in pair]

    @property
    def profiles(self) -> tuple[Profile, ...]:
        """The baseline's profiles; none where there is no file yet and one is to be made."""
        with self._lock:
            if self._profiles is None:
                self._profiles = _read(self.settings)
            return self._profiles

    def _history(self, base: Profile, now: Profile) -> tuple[PastRun, ...] | None:
        path = history_file(self.settings, now)
        if path is None or base.judge.fingerprint != now.judge.fingerprint:
            return None
        from pytest_persona.load.baselines import baseline_id
        from pytest_persona.load.history import read_history

        return read_history(path, baseline_id(base), root=self.settings.root)

    def _unknown(self, profile: Profile) -> Profile:
        """What is said of a profile that the baseline does not have."""
        if self.settings.update:
            return profile
        reason = f"{self.settings.baseline} has no profile of this name or signal; an update puts it in"
        drifts = tuple(_undecided(finding, reason) for finding in profile.findings)
        return _merged(
            profile, Comparison(since=str(self.settings.baseline), findings=drifts, comparable=False, why=(reason,))
        )

    def _with_frozen(self, profile: Profile, base: Profile | None, judge: Judge, traits: Sequence[Trait]) -> Profile:
        """The profile with the judge's readings of anchors, where they are of use: to bridge two judges, now or later.

        Readings of the same judge are taken over from the baseline.
        """
        same = base is not None and base.judge.fingerprint == profile.judge.fingerprint
        bridging = base is not None and not same
        read = [trait for trait in traits if profile[trait.name].qualified]
        samples = {t.name: frozen_sample(t, statements=profile.signal.kind in _STATEMENTS) for t in read}
        kept: dict[str, FrozenSample] = {}
        wanted = []
        for trait in read:
            known = None if base is None else base.frozen.get(trait.name)
            if known is not None and known.texts != _texts(samples[trait.name]):
                known = None
            if same and known is not None:
                kept[trait.name] = known
            elif samples[trait.name] and (self.settings.update or (bridging and known is not None)):
                wanted.append(trait)
        usage = profile.usage
        for trait in wanted:
            behaviours = [behaviour for pair in samples[trait.name] for behaviour in pair]
            answers = judge.read(behaviours, [trait], _no_tick)
            usage += answers.usage
            implied = [verdicts[trait.name].implied for verdicts in answers.verdicts]
            rounded = [None if value is None else round(value, DECIMALS) for value in implied]
            kept[trait.name] = FrozenSample(
                texts=_texts(samples[trait.name]), high=tuple(rounded[0::2]), low=tuple(rounded[1::2])
            )
        return replace(profile, frozen=kept, usage=usage)


def frozen_sample(trait: Trait, *, statements: bool) -> Sequence[tuple[Behaviour, Behaviour]]:
    """The few anchors of a trait, high before low, that two judges are bridged by; the same for every judge."""
    from pytest_persona.judge.chat.qualify import anchor_pairs

    return anchor_pairs(trait, statements=statements)


def history_file(settings: Settings, profile: Profile) -> Path | None:
    """Where the runs of a profile are remembered; None where none are.

    Runs of probes are, wherever there is a baseline: a product is asked anew each day. Those of a signal are where the user
    says so.
    """
    if settings.baseline is None or (settings.history is None and profile.signal.kind != "probe"):
        return None
    from pytest_persona.load.history import history_path

    return history_path(settings.root / (settings.history or _HISTORY), profile)


def _read(settings: Settings) -> tuple[Profile, ...]:
    from pytest_persona.load.baselines import read_baseline

    path = settings.root / str(settings.baseline)
    return () if settings.update and not path.exists() else read_baseline(path)


def _unchecked(profile: Profile) -> Profile:
    """A profile without a baseline: what was declared of its drift is not checked, and that is said."""
    declared = [f.trait for f in profile.findings if f.expectation and f.expectation.drift_at_most is not None]
    if not declared:
        return profile
    reason = "only its drift is bounded, and there is no baseline"
    findings = tuple(
        replace(f, status="inconclusive", reason=reason)
        if f.trait in declared and f.expectation and not f.expectation.bounds_shift
        else f
        for f in profile.findings
    )
    note = f"the drift of {', '.join(declared)} was not checked: there is no baseline"
    return replace(profile, findings=findings, notes=(*profile.notes, note))


def _new(drift: Drift, base: Profile) -> Drift:
    return drift if drift.trait in base else replace(drift, status="observed")


def _undecided(finding: Finding, reason: str) -> Drift:
    bound = finding.expectation.drift_at_most if finding.expectation else None
    return Drift(
        trait=finding.trait, value=None, low=None, high=None, level=None, drift_at_most=bound, reason=reason,
        status="observed" if bound is None else "inconclusive",
    )  # fmt: skip


def _merged(profile: Profile, found: Comparison) -> Profile:
    """The profile with what has changed: a finding is as bad as the worse of its shift and its drift."""
    findings = tuple(_worse(finding, found.get(finding.trait)) for finding in profile.findings)
    return replace(profile, findings=findings, drift=found)


def _worse(finding: Finding, drift: Drift | None) -> Finding:
    if drift is None or drift.drift_at_most is None:
        return finding
    own, other = _WORST_FIRST.index(finding.status), _WORST_FIRST.index(drift.status)
    if other > own:
        return finding
    said = [finding.reason] if finding.reason and own == other else []
    if drift.reason and drift.status == "inconclusive":
        said.append(f"its drift: {drift.reason}")
    return replace(finding, status=drift.status, reason="; ".join(said))


def _texts(sample: Sequence[tuple[Behaviour, Behaviour]]) -> str:
    return short(*(behaviour.key for pair in sample for behaviour in pair))


def _no_tick(_: int) -> None: ...
