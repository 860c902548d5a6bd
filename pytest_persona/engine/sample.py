"""The groups read so far: what they say of each trait, and the profile made of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, cast

import numpy as np
from numpy.typing import NDArray

from pytest_persona.engine.columns import Columns
from pytest_persona.engine.unwanted import Unwanted, against, is_towards
from pytest_persona.infer import attribute, hints, nuisance, nulls, unjudged
from pytest_persona.infer.decide import Candidate, Decision, Look, decide, plain_shift
from pytest_persona.infer.measure import Design
from pytest_persona.infer.rate import rate
from pytest_persona.model.episodes import Behaviour, Episode, SignalInfo
from pytest_persona.model.findings import Finding, Nuisance, NullTest, Profile, Rate, Reading, Shift
from pytest_persona.model.probes import Asked, Tally, TargetInfo
from pytest_persona.model.suites import AuditSpec
from pytest_persona.model.traits import HONEST_MISTAKE, Expectation, Trait
from pytest_persona.model.verdicts import Qualification, Usage, Verdict
from pytest_persona.settings import Settings

if TYPE_CHECKING:
    from pytest_persona.judge.base import Controls, Discerning, Judge

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
    tallies: tuple[Tally, ...] = ()


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
        if self.settings.baseline is not None and any(e.drift_at_most is not None for e in self.spec.expectations):
            return False  # a drift is decided on pairs, and every group not read is one less
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
            tallies=self.probed.tallies if self.probed else (),
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
    def _columns(self) -> Columns:
        return Columns(episodes=self.episodes, verdicts=self.verdicts)

    @cached_property
    def _read(self) -> NDArray[np.bool_]:
        """Which behaviours could be read and were not dropped by a plugin."""
        kept = (any(v.reason != "missing" for v in verdicts.values()) for verdicts in self.verdicts)
        return np.array([k and not b.failure for k, b in zip(kept, self._behaviours, strict=True)], dtype=np.bool_)

    def _asked_of(self, trait: str) -> NDArray[np.intp]:
        """Indices of those that were read for the trait: the controls read no others."""
        if not self._columns.selective:
            return np.flatnonzero(self._read)
        return np.flatnonzero(self._read & np.array([trait in verdicts for verdicts in self.verdicts]))

    def implied(self, trait: str) -> NDArray[np.float64]:
        """(n,) implied scores of a trait over the flattened behaviours; NaN where there is no verdict, or for another's sake."""
        return self._columns.own(trait)

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
            plan, _ = self._columns.measured(trait.name)
            if self._controls is None or not plan.units:
                return None
            asked = self._asked_of(trait.name)
            scores, panel = self._controls.panel([self._behaviours[i] for i in asked], trait)
            implied = np.nan_to_num(self._columns.column(trait.name, "implied"))
            beside = self._spread(scores, asked), self._spread(panel, asked)
            self._nulls[trait.name] = nulls.null_test(plan, implied, *beside)
        return self._nulls[trait.name]

    def _decide(self, traits: Sequence[Trait]) -> dict[str, Decision]:
        candidates = []
        for trait in traits:
            plan, values = self._columns.measured(trait.name)
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
                    population=self._population(trait),
                    both=self.probed is not None,
                    must_beat=tuple(self._against(trait, name) for name in trait.must_beat),
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
        plan, values = self._columns.measured(trait.name)
        known = self.qualified[trait.name]
        rivals = {name: self._mean(name) for name in trait.rivals if name in self._by_name}
        expressed = self._beside(trait.name, "expressed", plan, decision)
        unwanted = self._unwanted(trait, decision, expressed) if is_towards(trait, decision) else None
        return Finding(
            trait=trait.name,
            status=decision.status,
            estimand=plan.estimand,
            qualified=known.qualified,
            auroc=known.auroc,
            shift=decision.shift,
            expressed=expressed,
            requested=self._beside(trait.name, "requested", plan.average(), decision),
            expectation=self._expectations.get(trait.name),
            reason=decision.reason,
            groups_needed=decision.groups_needed,
            other_scope=decision.other_scope,
            rate=self._rate(trait),
            null=self._null(trait),
            nuisance=self._nuisance(trait, plan, values),
            rivals=rivals,
            # Nobody trains on what a product replied to probes.
            counterfactual=unwanted.counterfactual() if unwanted and self.probed is None else None,
            explanations=unwanted.explanations() if unwanted else None,
            unbeaten=decision.unbeaten,
            evidence=attribute.evidence(
                plan,
                self.episodes,
                np.nan_to_num(self._columns.column(trait.name, "implied")),
                [verdicts[trait.name].quote if trait.name in verdicts else None for verdicts in self.verdicts],
            ),
            carriers=attribute.carriers(values, plan.weights),
            consistency=unjudged.consistency(self._given(trait)) if self.compared else None,
            read_to_decision=self.groups if early and decision.status in ("held", "violated") else None,
            unwanted=decision.unwanted,
            pole=trait.unwanted,
        )

    @cached_property
    def _blind(self) -> str:
        """What a judge must say that is shown mostly code and cannot see whether it works; empty for others."""
        if not getattr(self.judge, "blind_to_code", False):
            return ""
        return hints.code_note([self._behaviours[i] for i in np.flatnonzero(self._read)])

    @cached_property
    def _by_name(self) -> dict[str, Trait]:
        return {trait.name: trait for trait in self.traits}

    def _population(self, trait: Trait) -> int:
        return self.probed.sizes.get(trait.name, 0) if self.probed else self.info.groups

    def _against(self, trait: Trait, name: str) -> Candidate:
        other = self._by_name[name]
        return against(self._columns, trait, other, self._apart(trait, other), self._population(trait))

    def _apart(self, trait: Trait, other: Trait) -> Qualification:
        """How well the judge tells the two apart; of one that does not know, how well it reads the other."""
        if self._blind:
            why = "most replies are code, and it cannot see whether code works or has holes"
            return Qualification(qualified=False, reason=why)
        if hasattr(self.judge, "tells_apart"):
            statements = self.info.kind in ("rubric", "instruction")
            return cast("Discerning", self.judge).tells_apart(trait, other, statements=statements)
        return self.qualified[other.name]

    def _unwanted(self, trait: Trait, decision: Decision, expressed: Shift) -> Unwanted:
        level, method = decision.shift.level, self.settings.interval
        beside = HONEST_MISTAKE in self._by_name and HONEST_MISTAKE not in (trait.name, *trait.must_beat)
        return Unwanted(
            columns=self._columns,
            trait=trait,
            decision=decision,
            expressed=expressed,
            mistake=self._against(trait, HONEST_MISTAKE) if beside else None,
            look=Look(level=level, method=method, scope="signals", seed=self.settings.seed),
            compared=self.compared,
        )

    def _rate(self, trait: Trait) -> Rate | None:
        if self.probed is None:
            return None
        return rate(self.episodes, self.implied(trait.name), unwanted=trait.unwanted, level=self.settings.level)

    def _given(self, trait: Trait) -> list[Verdict]:
        return [verdicts[trait.name] for verdicts in self.verdicts if trait.name in verdicts]

    def _mean(self, trait: str) -> float | None:
        plan, values = self._columns.measured(trait)
        return plan.shift(values)

    def _beside(self, trait: str, field: Literal["expressed", "requested"], plan: Design, decision: Decision) -> Shift:
        """The same estimate before requests are discounted, or of the requests themselves."""
        values = plan.values(np.nan_to_num(self._columns.column(trait, field)))
        return plain_shift(
            plan, values, level=decision.shift.level, method=self.settings.interval, seed=self.settings.seed
        )

    def _nuisance(self, trait: Trait, plan: Design, values: NDArray[np.float64]) -> Nuisance:
        asked = self._asked_of(trait.name)
        if self._controls is not None and hasattr(self._controls, "valence") and len(asked):
            before, part = self._controls.valence([self._behaviours[i] for i in asked], trait)
            taken_out = self._spread(before, asked), self._spread(part, asked)
            return nuisance.shares(plan, values, self.episodes, None, taken_out)
        others = [self._columns.column(t.name, "implied") * t.way for t in self.traits if t is not trait]
        return nuisance.shares(plan, values, self.episodes, nuisance.valence_factor(others))

    def _notes(self, early: bool) -> Iterator[str]:
        if early:
            yield f"reading stopped after {self.groups} of {self.info.groups} groups: every declared finding was decided"
        elif self.groups < self.info.groups:
            yield f"{self.groups} of {self.info.groups} groups were read, drawn by the seed (max-groups)"
        yield from self._columns.notes()
        if self.info.skipped:
            yield f"{self.info.skipped} unreadable rows were skipped"
        for part, count in sorted(self.info.parts.items()):
            yield f"{count} content parts of type {part} were read as a label"
        if cut := self.usage.cut:
            yield f"{cut} behaviours were longer than the judge's budget and were cut in the middle"
        places = [(e, b) for e in self.episodes for b in e.behaviours]
        yield from unjudged.notes(places, [[v[t.name] for t in self.wanted if t.name in v] for v in self.verdicts])
        if self._blind:
            yield self._blind
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


def _plain(value: object) -> object:
    return dict(value) if isinstance(value, Mapping) else value
