"""One probing: the product is asked, its replies are kept, and what they are is a signal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from pytest_persona.engine.means import Means
from pytest_persona.engine.sample import Audit, Probed
from pytest_persona.engine.sweep import Sweep
from pytest_persona.engine.targets import Targets
from pytest_persona.errors import SettingsError, TargetError
from pytest_persona.infer.plan import order_groups
from pytest_persona.infer.tally import tally
from pytest_persona.load.signals import Signal
from pytest_persona.model.episodes import Episode, SignalInfo, digest
from pytest_persona.model.probes import Asked, Probe, Tally, TargetInfo
from pytest_persona.model.suites import ProbingSpec
from pytest_persona.model.traits import Trait
from pytest_persona.probe.desk import interview
from pytest_persona.probe.interview import replay
from pytest_persona.probe.replies import Journal, Kept, check_record, read_record, write_record
from pytest_persona.probe.scripts import Outcome, Script, episodes_of, scripts_of, scripts_of_items
from pytest_persona.probe.talk import dialogue, known_replies
from pytest_persona.settings import Settings

__all__ = ["Probing", "check_replies", "recorded_target"]

_USUAL = " ".join(["words"] * 120)
"""As long as replies usually are, where they are only counted."""


def check_replies(settings: Settings) -> None:
    """Raise SettingsError or TargetError, before anything is asked, where the record that the settings want is of no use."""
    if settings.replies is None:
        if settings.ask != "always":
            raise SettingsError(
                f"--persona-ask {settings.ask}: there is no record to read. Name it with --persona-replies."
            )
        return
    path = settings.root / settings.replies
    if settings.ask == "never":
        read_record(path, named=settings.replies)
    else:
        check_record(path, named=settings.replies)


class Probing:
    """Puts the probes of one suite to one target and reads what is replied; made and run once by the engine."""

    def __init__(
        self,
        means: Means,
        spec: ProbingSpec,
        wanted: Sequence[Trait],
        companions: tuple[Sequence[Trait], Sequence[Trait]],
        targets: Targets,
    ) -> None:
        """``companions``: what must be read with the wanted traits, and what is read where it is free."""
        self._means, self._settings, self._targets = means, means.settings, targets
        self.wanted, self._companions = wanted, companions
        self._sizes = {trait.name: sum(trait.name in probe.traits for probe in spec.probes) for trait in wanted}
        self._whole = len(spec.probes)
        sets = tuple(replace(one, items=self._drawn(one.items)) for one in spec.questionnaires)
        self._spec = replace(spec, probes=self._drawn(spec.probes), questionnaires=sets)
        self._scripts = scripts_of(self._spec, self._settings.samples)
        self._all = [*self._scripts, *(s for one in sets for s in scripts_of_items(one.items))]
        """Those of the probes, then those of the questionnaires."""

    def run(self, given: Any = None) -> Audit:
        """Ask ``given``, or whom the settings or the suite name, and judge the replies; raises PersonaError."""
        check_replies(self._settings)
        info, whole, problems = self._replayed(given) if self._settings.ask == "never" else self._held(given)
        outcomes = whole[: len(self._scripts)]
        episodes = tuple(episodes_of(self._spec, self._scripts, outcomes))
        signal = Signal(info=self._signal_info(episodes), episodes=episodes)
        asked = self._asked(outcomes, whole)
        tallies = tuple(self._tallies(whole[len(self._scripts) :]))
        notes = (*_notes(asked), *problems)
        probed = Probed(target=info, asked=asked, sizes=self._sizes, notes=notes, tallies=tallies)
        needed, beside = self._companions
        return Sweep(
            self._means, self._spec.audit, signal, wanted=self.wanted, needed=needed, beside=beside, probed=probed
        ).run()

    # ------------------------------------------------------------------------------------------------ beforehand
    @property
    def needed(self) -> Sequence[Trait]:
        """Traits that are read beside some of the wanted ones, because those must beat them."""
        return self._companions[0]

    def questions(self) -> int:
        """How often the product would be asked at the most, faults aside."""
        turns = sum(len(script.turns) for script in self._all)
        record = self._record() if self._settings.ask == "missing" else []
        if not record:
            return 0 if self._settings.ask == "never" else turns
        known, marks = {one.key: one.reply for one in record}, [info.fingerprint for info in targets_of(record)]

        def found(script: Script) -> int:
            return max(len(known_replies(script, mark, lambda key, *_: known.get(key))) for mark in marks)

        return turns - sum(map(found, self._all))

    def imagined(self) -> list[Episode]:
        """The episodes as they would be with replies of a usual length."""
        outcomes = [
            Outcome(turns=tuple(dialogue(script, [_USUAL] * (len(script.turns) - 1))), reply=f"{script.place} {_USUAL}")
            for script in self._scripts
        ]
        return list(episodes_of(self._spec, self._scripts, outcomes))

    # ------------------------------------------------------------------------------------------------ asking
    def _held(self, given: Any) -> tuple[TargetInfo, list[Outcome], list[str]]:
        chosen = self._targets.chosen(given, self._spec.target)
        info = self._targets.info(chosen)
        # What an interrupted run of the same suite got of the same target is taken up by the next one.
        name = digest("probing", info.fingerprint, self._spec.audit.name)
        journal = Journal(self._settings.root / self._settings.cache / "replies", name)
        replies = _Replies(info, self._spec.audit.name, journal)
        replies.take(journal.left_behind())
        if self._settings.ask == "missing":
            replies.take(self._record())
        finished = False
        try:
            with self._means.watched(f"{self._spec.audit.name}: asking", len(self._all)):
                outcomes = interview(
                    self._targets.open(chosen),
                    self._all,
                    replies,
                    concurrency=max(1, self._settings.concurrency // self._settings.workers),
                    deadline=self._settings.deadline,
                    tick=self._means.tick,
                )
            finished = True
        finally:
            try:
                self._write(replies.used, whole=finished)
            finally:
                journal.close(finished=finished)
        return info, outcomes, [journal.problem] if journal.problem else []

    def _replayed(self, given: Any) -> tuple[TargetInfo, list[Outcome], list[str]]:
        """The replies of the record alone: the product need not be there."""
        record = self._record()
        info = self._recorded_target(record, given)
        replies = _Replies(info, self._spec.audit.name)
        replies.take(record)
        outcomes = replay(info, replies.known, self._all, f"{self._settings.replies} holds no reply to it")
        if all(outcome.failure for outcome in outcomes):
            raise TargetError(
                f"{self._settings.replies} holds no reply of {info.name} to the probes of {self._spec.audit.name} as they are now. "
                "Record them: --persona-ask missing."
            )
        return info, outcomes, []

    def _recorded_target(self, record: Sequence[Kept], given: Any) -> TargetInfo:
        """Whose replies are meant: the target that is named, else the one of the record, else the suite's among them."""
        found = recorded_targets(record, self._spec)
        named = given if isinstance(given, str) else self._settings.target if given is None else None
        if named is not None:
            found = [info for info in found if info.name == named]
        elif given is not None or (len(found) > 1 and self._spec.target is not None):
            meant = self._targets.info(given if given is not None else self._spec.target).fingerprint
            found = [info for info in found if info.fingerprint == meant]
        if len(found) == 1:
            return found[0]
        names = ", ".join(sorted({one.target for one in record})) or "nobody"
        raise TargetError(
            f"{self._settings.replies} holds replies of {names}. Name one of them with --persona-target, or record others."
        )

    def _record(self) -> list[Kept]:
        """What the record holds; nothing where there is none yet."""
        named = self._settings.replies
        path = self._settings.root / named if named is not None else None
        return read_record(path, named=named) if path is not None and named is not None and path.exists() else []

    def _write(self, used: Iterable[Kept], *, whole: bool) -> None:
        """Put what was replied into the record, if one is wanted; an interrupted run only adds to it."""
        named = self._settings.replies
        kept = list(used)
        if named is not None and kept:
            locks = self._settings.root / self._settings.cache / "replies"
            write_record(self._settings.root / named, kept, whole=whole, locks=locks, named=named)

    # ------------------------------------------------------------------------------------------------ what it comes to
    def _drawn(self, probes: Sequence[Probe]) -> tuple[Probe, ...]:
        """All of them, or those that the seed draws."""
        names = order_groups([probe.id for probe in probes], self._settings.seed)
        drawn = set(names[: self._settings.max_groups or None])
        return tuple(probe for probe in probes if probe.id in drawn)

    def _tallies(self, outcomes: Sequence[Outcome]) -> Iterator[Tally]:
        rest = iter(outcomes)
        for one in self._spec.questionnaires:
            came = [(next(rest), item.answers) for item in one.items]
            replies = [(outcome.reply, answers) for outcome, answers in came if not outcome.failure]
            yield tally(one.name, replies, failed=len(came) - len(replies), level=self._settings.level)

    def _asked(self, outcomes: Sequence[Outcome], whole: Sequence[Outcome]) -> Asked:
        came = [outcome for outcome in outcomes if not outcome.failure]
        return Asked(
            probes=len(self._spec.probes),
            contexts=len({script.context for script in self._scripts}),
            samples=self._settings.samples,
            replies=len(came),
            failed=len(outcomes) - len(came),
            empty=sum(not outcome.reply.strip() for outcome in came),
            kept=sum(outcome.kept for outcome in came),
            questions=sum(outcome.questions for outcome in whole),
            input_tokens=sum(outcome.input_tokens for outcome in whole),
            output_tokens=sum(outcome.output_tokens for outcome in whole),
        )

    def _signal_info(self, episodes: Sequence[Episode]) -> SignalInfo:
        said = [[e.group, e.question, [b.reply for b in e.behaviours]] for e in episodes]
        return SignalInfo(
            path=self._spec.audit.signal_name,
            kind="probe",
            format="probes",
            episodes=self._whole,
            groups=self._whole,
            sha256=hashlib.sha256(json.dumps(said).encode()).hexdigest(),
        )


def recorded_target(settings: Settings, spec: ProbingSpec) -> TargetInfo | None:
    """Whose replies alone are read where nobody is to be asked; None where somebody is, or where it takes more to tell."""
    if settings.ask != "never" or settings.replies is None:
        return None
    found = recorded_targets(read_record(settings.root / settings.replies, named=settings.replies), spec)
    meant = [info for info in found if settings.target in (None, info.name)]
    return meant[0] if len(meant) == 1 else None


def recorded_targets(record: Sequence[Kept], spec: ProbingSpec) -> list[TargetInfo]:
    """Whose replies to a suite a record holds; where it holds none to it, whose it holds at all."""
    return targets_of([one for one in record if one.suite == spec.audit.name] or record)


def targets_of(record: Sequence[Kept]) -> list[TargetInfo]:
    """Whose replies these are."""
    return list(dict.fromkeys(one.info for one in record))


class _Replies:
    """What is known of a target's replies, and where those that come are kept; called on the interview's thread alone."""

    def __init__(self, info: TargetInfo, suite: str, journal: Journal | None = None) -> None:
        self._info, self._suite, self._journal = info, suite, journal
        self._known: dict[str, str] = {}
        self._used: dict[str, Kept] = {}

    @property
    def used(self) -> list[Kept]:
        """All replies that were wanted and are there, each by the place that it has in the suite now."""
        return list(self._used.values())

    def take(self, kept: Iterable[Kept]) -> None:
        """These need not be asked for; those that were taken before stay."""
        for one in kept:
            self._known.setdefault(one.key, one.reply)

    def known(self, key: str, script: Script, turn: int) -> str | None:
        """See :class:`pytest_persona.probe.interview.Keeps`."""
        reply = self._known.get(key)
        if reply is not None:
            self._used[key] = self._kept(key, script, turn, reply)
        return reply

    def keep(self, key: str, script: Script, turn: int, reply: str) -> None:
        """See :class:`pytest_persona.probe.interview.Keeps`."""
        self._used[key] = self._kept(key, script, turn, reply)
        if self._journal is not None:
            self._journal.write(self._used[key])

    def _kept(self, key: str, script: Script, turn: int, reply: str) -> Kept:
        return Kept(
            key=key,
            target=self._info.name,
            kind=self._info.kind,
            fingerprint=self._info.fingerprint,
            suite=self._suite,
            probe=script.probe,
            context=script.context,
            wording=script.wording,
            sample=script.sample,
            turn=turn,
            reply=reply,
        )


def _notes(asked: Asked) -> list[str]:
    """What a reader must know of the asking."""
    found = []
    if asked.kept:
        found.append(f"{asked.kept} of {asked.replies} replies were not asked for in this run: they were kept before")
    if asked.empty:
        found.append(f"{asked.empty} of {asked.replies} replies are empty and say nothing")
    return found
