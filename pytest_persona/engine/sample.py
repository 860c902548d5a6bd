"""The groups read so far: what they say of each trait, and the profile made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
from numpy.typing import NDArray

from pytest_persona.infer import attribute, nuisance, nulls, unjudged
from pytest_persona.infer.decide import Candidate, Decision, decide, plain_shift
from pytest_persona.infer.measure import Design, design
from pytest_persona.infer.rate import rate
from pytest_persona.model.episodes import Behaviour, Episode, SignalInfo
from pytest_persona.model.findings import Finding, Nuisance, NullTest, Profile, Rate, Reading, Shift
from pytest_persona.model.probes import Asked, TargetInfo
from pytest_persona.model.suites import AuditSpec
from pytest_persona.model.traits import Expectation, Trait
from pytest_persona.model.verdicts import Qualification, Usage, Verdict
from pytest_persona.settings import Settings

if TYPE_CHECKING:
    from pytest_persona.judge.base import Controls, Judge

__all__ = ["Audit", "Probed", "Sample"]

_RECORDED = ("level", "interval", "scope", "seed", "max_groups", "read_all", "bound", "format", "map", "on_bad_row")
"""Settings that change results; the others (paths, threads, cache) must not appear in a profile."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Audit:
    """A profile, and every reading behind it."""

    profile: Profile
    sample: Sample

    @property
    def readings(self) -> tuple[Reading, ...]:
        """One for each behaviour and trait that was asked for; made when they are wanted, as there may be many."""
        return self.sample.readings()


@dataclass(frozen=True, kw_only=True, slots=True)
class Probed:
    """Whose replies a signal is made of."""

    target: TargetInfo
    asked: Asked
    sizes: Mapping[str, int]
    """How many probes of the suite are about each trait."""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Episodes with their verdicts (one mapping from trait to verdict for each behaviour, in order).

    An episode that was asked for the sake of some traits has verdicts on them alone, and no part in what is found of others.
    """

    settings: Settings
    judge: Judge
    spec: AuditSpec
    info: SignalInfo
    episodes: Sequence[Episode]
    verdicts: Sequence[Mapping[str, Verdict]]
    wanted: Sequence[Trait]
    traits: Sequence[Trait]
    qualified: Mapping[str, Qualification]
    groups: int
    usage: Usage
    compared: bool = False
    """Whether the replies of each preference were compared with one another."""
    probed: Probed | None = None
    """Whose replies these are; None of a signal."""

    def decided(self) -> bool:
        """Whether every declared finding is held or violated, so that reading on would change nothing."""
        declared = [trait for trait in self.wanted if trait.name in self._expectations]
        return all(d.status in ("held", "violated") for d in self._decide(declared).values())

    def audit(self, *, early: bool) -> Audit:
        """The profile of what was read; ``early`` says that reading stopped before the end."""
        decisions = self._decide(self.wanted)
        findings = [self._finding(trait, decisions[trait.name], early) for trait in self.wanted]
        if not self.spec.traits and not self.spec.expectations:
            findings.sort(key=lambda f: (-abs(f.shift.value or 0.0), f.trait))
        profile = Profile(
            name=self.spec.name,
            signal=self.info,
            judge=self.judge.info,
            findings=tuple(findings),
            usage=self.usage,
            settings={name: _plain(getattr(self.settings, name)) for name in _RECORDED},
            suite_sha256=self.spec.suite_sha256,
            target=self.probed.target if self.probed else None,
            asked=self.probed.asked if self.probed else None,
            groups_read=self.groups,
            notes=tuple(self._notes(early)),
        )
        return Audit(profile=profile, sample=self)

    @cached_property
    def _expectations(self) -> dict[str, Expectation]:
        return {e.trait: e for e in self.spec.expectations}

    @cached_property
    def _behaviours(self) -> list[Behaviour]:
        return [behaviour for episode in self.episodes for behaviour in episode.behaviours]

    @cached_property
    def _controls(self) -> Controls | None:
        return cast("Controls", self.judge) if hasattr(self.judge, "panel") else None

    @cached_property
    def _designs(self) -> dict[tuple[tuple[bool, ...] | None, bytes], Design]:
        return {}

    @cached_property
    def _columns(self) -> dict[tuple[str, str], NDArray[np.float64]]:
        return {}

    def _column(self, trait: str, field: Literal["expressed", "requested", "implied"]) -> NDArray[np.float64]:
        """One number a behaviour; NaN stands for "no verdict" inside this module only and never leaves it."""
        if (trait, field) not in self._columns:
            scores = np.full(len(self.verdicts), np.nan)
            for i, verdicts in enumerate(self.verdicts):
                verdict = verdicts.get(trait)
                if verdict is not None and verdict.expressed is not None:
                    value = getattr(verdict, field)
                    scores[i] = 0.0 if value is None else value
            self._columns[trait, field] = scores
        return self._columns[trait, field]

    def _design(self, scored: NDArray[np.bool_], about: tuple[bool, ...] | None) -> Design:
        """The design for these scored behaviours; traits that lack the same verdicts share one."""
        key = about, scored.tobytes()
        if key not in self._designs:
            self._designs[key] = design(self.episodes, scored, about=about)
        return self._designs[key]

    @cached_property
    def _selective(self) -> bool:
        """Whether some episode is about some traits only."""
        return any(episode.traits for episode in self.episodes)

    def _about(self, trait: str) -> tuple[bool, ...] | None:
        """Which episodes are about the trait; None where all are."""
        if not self._selective:
            return None
        return tuple(not episode.traits or trait in episode.traits for episode in self.episodes)

    def _measured(self, trait: str) -> tuple[Design, NDArray[np.float64]]:
        scores = self._column(trait, "implied")
        plan = self._design(~np.isnan(scores), self._about(trait))
        return plan, plan.values(np.nan_to_num(scores))

    @cached_property
    def _read(self) -> NDArray[np.bool_]:
        """Which behaviours could be read and were not dropped by a plugin."""
        kept = (any(v.reason != "missing" for v in verdicts.values()) for verdicts in self.verdicts)
        return np.array([k and not b.failure for k, b in zip(kept, self._behaviours, strict=True)], dtype=np.bool_)

    def _asked_of(self, trait: str) -> NDArray[np.intp]:
        """Indices of those that were read for the trait: the controls read no others."""
        if not self._selective:
            return np.flatnonzero(self._read)
        return np.flatnonzero(self._read & np.array([trait in verdicts for verdicts in self.verdicts]))

    def _spread(self, readings: NDArray[np.float64], asked: NDArray[np.intp]) -> NDArray[np.float64]:
        """Readings of the asked behaviours as rows of all; those of the others are 0 and have no part in a design."""
        rows = np.zeros((len(self.verdicts), *readings.shape[1:]))
        rows[asked] = readings
        return rows

    @cached_property
    def _nulls(self) -> dict[str, NullTest | None]:
        return {}

    def _null(self, trait: Trait) -> NullTest | None:
        if trait.name not in self._nulls:
            plan, _ = self._measured(trait.name)
            if self._controls is None or not plan.units:
                return None
            asked = self._asked_of(trait.name)
            scores, panel = self._controls.panel([self._behaviours[i] for i in asked], trait)
            implied = np.nan_to_num(self._column(trait.name, "implied"))
            beside = self._spread(scores, asked), self._spread(panel, asked)
            self._nulls[trait.name] = nulls.null_test(plan, implied, *beside)
        return self._nulls[trait.name]

    def _decide(self, traits: Sequence[Trait]) -> dict[str, Decision]:
        candidates = []
        for trait in traits:
            plan, values = self._measured(trait.name)
            known = self.qualified[trait.name]
            candidates.append(
                Candidate(
                    trait=trait.name,
                    unwanted=trait.unwanted,
                    design=plan,
                    values=values,
                    expectation=self._expectations.get(trait.name),
                    qualified=known.qualified,
                    why_not=known.reason,
                    lost=unjudged.too_many_lost(self._given(trait)),
                    null=self._null(trait),
                    population=self.probed.sizes.get(trait.name, 0) if self.probed else self.info.groups,
                    both=self.probed is not None,
                )
            )
        decisions = decide(
            candidates,
            level=self.settings.level,
            method=self.settings.interval,
            scope=self.settings.scope,
            seed=self.settings.seed,
        )
        return dict(zip((trait.name for trait in traits), decisions, strict=True))

    def _finding(self, trait: Trait, decision: Decision, early: bool) -> Finding:
        plan, values = self._measured(trait.name)
        known = self.qualified[trait.name]
        rivals = {name: self._mean(name) for name in trait.rivals if name in {t.name for t in self.traits}}
        return Finding(
            trait=trait.name,
            status=decision.status,
            estimand=plan.estimand,
            qualified=known.qualified,
            auroc=known.auroc,
            shift=decision.shift,
            expressed=self._beside(trait.name, "expressed", plan, decision),
            requested=self._beside(trait.name, "requested", plan.average(), decision),
            expectation=self._expectations.get(trait.name),
            reason=decision.reason,
            groups_needed=decision.groups_needed,
            other_scope=decision.other_scope,
            rate=self._rate(trait),
            null=self._null(trait),
            nuisance=self._nuisance(trait, plan, values),
            rivals=rivals,
            evidence=attribute.evidence(
                plan,
                self.episodes,
                np.nan_to_num(self._column(trait.name, "implied")),
                [verdicts[trait.name].quote if trait.name in verdicts else None for verdicts in self.verdicts],
            ),
            carriers=attribute.carriers(values, plan.weights),
            consistency=unjudged.consistency(self._given(trait)) if self.compared else None,
            read_to_decision=self.groups if early and decision.status in ("held", "violated") else None,
            unwanted=decision.unwanted,
        )

    def _rate(self, trait: Trait) -> Rate | None:
        if self.probed is None:
            return None
        implied = self._column(trait.name, "implied")
        return rate(self.episodes, implied, unwanted=trait.unwanted, level=self.settings.level)

    def _given(self, trait: Trait) -> list[Verdict]:
        return [verdicts[trait.name] for verdicts in self.verdicts if trait.name in verdicts]

    def _mean(self, trait: str) -> float | None:
        plan, values = self._measured(trait)
        return plan.shift(values)

    def _beside(self, trait: str, field: Literal["expressed", "requested"], plan: Design, decision: Decision) -> Shift:
        """The same estimate before requests are discounted, or of the requests themselves."""
        values = plan.values(np.nan_to_num(self._column(trait, field)))
        return plain_shift(
            plan, values, level=decision.shift.level, method=self.settings.interval, seed=self.settings.seed
        )

    def _nuisance(self, trait: Trait, plan: Design, values: NDArray[np.float64]) -> Nuisance:
        asked = self._asked_of(trait.name)
        if self._controls is not None and hasattr(self._controls, "valence") and len(asked):
            before, part = self._controls.valence([self._behaviours[i] for i in asked], trait)
            taken_out = self._spread(before, asked), self._spread(part, asked)
            return nuisance.shares(plan, values, self.episodes, None, taken_out)
        others = [self._column(t.name, "implied") * _sign(t) for t in self.traits if t is not trait]
        return nuisance.shares(plan, values, self.episodes, nuisance.valence_factor(others))

    def _notes(self, early: bool) -> Iterator[str]:
        if early:
            yield f"reading stopped after {self.groups} of {self.info.groups} groups: every declared finding was decided"
        elif self.groups < self.info.groups:
            yield f"{self.groups} of {self.info.groups} groups were read, drawn by the seed (max-groups)"
        notes = dict.fromkeys(plan.note for plan in self._designs.values())
        yield from (note for note in notes if note)
        if self.info.skipped:
            yield f"{self.info.skipped} unreadable rows were skipped"
        for part, count in sorted(self.info.parts.items()):
            yield f"{count} content parts of type {part} were read as a label"
        if cut := self.usage.cut:
            yield f"{cut} behaviours were longer than the judge's budget and were cut in the middle"
        places = [(e, b) for e in self.episodes for b in e.behaviours]
        yield from unjudged.notes(places, [[v[t.name] for t in self.wanted if t.name in v] for v in self.verdicts])
        if problem := getattr(self.judge, "problem", ""):
            yield problem
        if self.probed is not None:
            yield from self.probed.notes

    def readings(self) -> tuple[Reading, ...]:
        """One for each behaviour and trait that was asked for."""
        places = [(episode, behaviour) for episode in self.episodes for behaviour in episode.behaviours]
        return tuple(
            Reading(
                source=episode.source,
                line=episode.line,
                role=behaviour.role,
                trait=trait.name,
                expressed=verdicts[trait.name].expressed,
                requested=verdicts[trait.name].requested,
                implied=verdicts[trait.name].implied,
                reason=verdicts[trait.name].reason,
                detail=verdicts[trait.name].detail,
            )
            for (episode, behaviour), verdicts in zip(places, self.verdicts, strict=True)
            for trait in self.wanted
            if trait.name in verdicts
        )


def _sign(trait: Trait) -> float:
    """+1 where high is unwanted, so that a factor over traits points to the bad."""
    return -1.0 if trait.unwanted == "low" else 1.0


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else value
