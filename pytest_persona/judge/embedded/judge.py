"""The embedded judge: expressed from the states over a reply, requested from those over its context."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pytest_persona.errors import JudgeError
from pytest_persona.judge.base import Answers, Tick
from pytest_persona.judge.embedded.apart import Anchored, told_apart
from pytest_persona.judge.embedded.frame import FRAME_VERSION
from pytest_persona.judge.embedded.heads import Floats, Heads, Mode, TraitHead
from pytest_persona.judge.embedded.states import Model, Read, StateReader
from pytest_persona.judge.lm.weights import find_weights, sha256_of
from pytest_persona.judge.store import Store
from pytest_persona.model.episodes import Behaviour, digest
from pytest_persona.model.findings import JudgeInfo
from pytest_persona.model.traits import Trait
from pytest_persona.model.verdicts import Qualification, Usage, Verdict
from pytest_persona.settings import Settings

__all__ = ["HEADS", "EmbeddedJudge", "anchor_behaviours"]

HEADS = Path(__file__).parents[2] / "library" / "heads" / "smollm2-135m-instruct-q4_1.npz"
_LEAST_PAIRS = 8


class EmbeddedJudge:
    """Reads with a 135M language model in numpy; one pass over a behaviour serves all traits."""

    one_pass = True
    blind_to_code = True
    """It sees manner, intent and fit to the request, not whether code works or has holes (benchmarks/embedded.py)."""

    def __init__(self, heads: Heads, reader: StateReader) -> None:
        self.heads = heads
        self._reader = reader
        self._found: dict[tuple[Trait, Mode], TraitHead | Qualification] = {}
        self._valences: dict[Mode, Floats] = {}
        self._apart: dict[tuple[Trait, Trait, Mode], Qualification] = {}
        fingerprint = digest("embedded", heads.weights_sha256, FRAME_VERSION, heads.sha256)
        self.info = JudgeInfo(
            name="embedded", fingerprint=fingerprint, network=False, model="SmolLM2-135M-Instruct.Q4_1"
        )

    @classmethod
    def open(cls, settings: Settings) -> EmbeddedJudge:
        """The judge for these settings; raises JudgeError without weights, or with weights the heads were not fitted for."""
        path = find_weights(settings.root / settings.model if settings.model else None)
        heads = Heads.load(HEADS)
        sha256 = sha256_of(path)
        if sha256 != heads.weights_sha256:
            raise JudgeError(
                f"{path.name}: these weights (sha256 {sha256[:12]}…) are not those that the shipped directions were fitted for"
                f" ({heads.weights_sha256[:12]}…). Install the right ones with: pytest-persona model install."
            )

        def load() -> Model:
            from pytest_persona.judge.lm import LanguageModel  # not needed where all readings are kept

            return LanguageModel.load(
                path, threads=settings.threads or None, layers=max(heads.layer, heads.request.layer)
            )

        store = Store(settings.root / settings.cache / "readings.sqlite")
        run = settings.run or uuid.uuid4().hex
        return cls(heads, StateReader(store, load, sha256, (heads.layer, heads.request.layer), run))

    @property
    def problem(self) -> str:
        """What a reader of the profile must know of the cache; empty where all is well."""
        return self._reader.problem

    def qualify(self, traits: Sequence[Trait], *, statements: bool = False) -> Mapping[str, Qualification]:
        """AUROC of each trait on anchors with whole domains left out; a trait of the user's is fitted on first use."""
        mode: Mode = "statement" if statements else "reply"
        heads = {trait.name: self._head(trait, mode) for trait in traits}
        return {name: head.qualification if isinstance(head, TraitHead) else head for name, head in heads.items()}

    def tells_apart(self, trait: Trait, other: Trait, *, statements: bool = False) -> Qualification:
        """See :meth:`pytest_persona.judge.base.Discerning.tells_apart`."""
        mode: Mode = "statement" if statements else "reply"
        key = (trait, other, mode)
        if key not in self._apart:
            self._apart[key] = self._told_apart(trait, other, mode)
        return self._apart[key]

    def _told_apart(self, trait: Trait, other: Trait, mode: Mode) -> Qualification:
        anchored = []
        for one in (trait, other):
            head = self._head(one, mode)
            if isinstance(head, Qualification):
                return head
            anchored.append(Anchored(head=head, domains=anchor_behaviours(one, mode)[1], way=one.way))
        return told_apart(self.heads.spaces[mode], *anchored)

    def read(self, behaviours: Sequence[Behaviour], traits: Sequence[Trait], tick: Tick) -> Answers:
        """See :meth:`pytest_persona.judge.base.Judge.read`. What another process of this run read does not count as cached."""
        answers: list[dict[str, Verdict]] = [{} for _ in behaviours]
        if not behaviours:
            return Answers(verdicts=answers, usage=Usage())
        reads = self._reader.read(behaviours, tick)
        requested = self.heads.request.score(np.stack([read.request for read in reads]))
        for mode in ("reply", "statement"):
            indices = [i for i, b in enumerate(behaviours) if b.is_statement == (mode == "statement")]
            if not indices:
                continue
            space = self.heads.spaces[mode]
            placed = space.place(np.stack([reads[i].state for i in indices]))
            for trait in traits:
                head = self._head(trait, mode)
                if isinstance(head, Qualification):  # there is nothing to read it with
                    for i in indices:
                        answers[i][trait.name] = Verdict(expressed=None, reason="failed")
                    continue
                for i, score in zip(indices, head.score(head.project(space, placed)), strict=True):
                    answers[i][trait.name] = self._verdict(behaviours[i], float(score), float(requested[i]))
        return Answers(verdicts=answers, usage=_usage(reads))

    @staticmethod
    def _verdict(behaviour: Behaviour, expressed: float, requested: float) -> Verdict:
        if not behaviour.reply.strip():
            return Verdict(expressed=None, reason="empty")
        # A rule is not asked for by the question that frames it, nor is a reply without a context.
        asked = None if behaviour.is_statement or not behaviour.context else requested
        return Verdict(expressed=expressed, requested=asked)

    def panel(self, behaviours: Sequence[Behaviour], trait: Trait) -> tuple[Floats, Floats]:
        """See :meth:`pytest_persona.judge.base.Controls.panel`."""
        mode, placed = self._placed(behaviours)
        head = self._head(trait, mode)
        if isinstance(head, Qualification):
            return np.zeros(len(behaviours)), np.zeros((len(behaviours), 0))
        space = self.heads.spaces[mode]
        # The same zero for every direction: the neutral texts' mean, so that absolute readings compare like with like.
        placed = placed - space.neutral.mean(axis=0)
        return head.project(space, placed), head.nulls(space, placed)

    def valence(self, behaviours: Sequence[Behaviour], trait: Trait) -> tuple[Floats, Floats]:
        """See :meth:`pytest_persona.judge.base.Controls.valence`."""
        mode, placed = self._placed(behaviours)
        head = self._head(trait, mode)
        if isinstance(head, Qualification):
            return np.zeros(len(behaviours)), np.zeros(len(behaviours))
        whole = self.heads.spaces[mode].directions(head.differences, np.ones((1, len(head.differences))))[0]
        return placed @ whole, (whole @ head.valence) * (placed @ head.valence)

    def states(self, behaviours: Sequence[Behaviour]) -> list[Read]:
        """The hidden states behind the readings, for benchmarks and heads of one's own."""
        return self._reader.read(behaviours, _no_tick)

    def close(self) -> None:
        """Release the weights and the cache; may be called twice."""
        self._reader.forget()

    def _valence(self, mode: Mode) -> Floats:
        if mode not in self._valences:
            self._valences[mode] = self.heads.valence(mode)
        return self._valences[mode]

    def _placed(self, behaviours: Sequence[Behaviour]) -> tuple[Mode, Floats]:
        mode: Mode = "statement" if behaviours and behaviours[0].is_statement else "reply"
        reads = self.states(behaviours)
        return mode, self.heads.spaces[mode].place(np.stack([read.state for read in reads]))

    def _head(self, trait: Trait, mode: Mode) -> TraitHead | Qualification:
        """The shipped head where it was fitted on just these anchors; else one fitted now and kept for this run."""
        key = (trait, mode)
        if key not in self._found:
            shipped = self.heads.traits[mode].get(trait.name)
            if shipped is None or shipped.trait_sha256 != trait.sha256:
                self._found[key] = self._fitted(trait, mode)
            else:
                self._found[key] = shipped
        return self._found[key]

    def _fitted(self, trait: Trait, mode: Mode) -> TraitHead | Qualification:
        behaviours, domains = anchor_behaviours(trait, mode)
        if len(domains) < _LEAST_PAIRS:
            what = "matched pairs" if mode == "reply" else "statements a pole"
            return Qualification(
                qualified=False, reason=f"it has {len(domains)} {what}, where {_LEAST_PAIRS} are the least"
            )
        from pytest_persona.judge.embedded.fit import fit_trait  # scipy costs a second that shipped heads do not need

        reads = self.states(behaviours)
        states = np.stack([read.state for read in reads]).reshape(len(domains), 2, -1)
        return fit_trait(self.heads.spaces[mode], states, domains, trait.sha256, valence=self._valence(mode))


def anchor_behaviours(trait: Trait, mode: Mode) -> tuple[list[Behaviour], list[str]]:
    """A trait's anchors as behaviours, high and low by turns, and the domain of each pair.

    Texts about behaviour (criteria, self-statements, the poles' summaries and paraphrases) are paired in their order, each pair a
    domain of its own.
    """
    if mode == "reply":
        replies = [(p.context, p.high, p.low) for p in trait.pairs]
        shown = [Behaviour(role="shown", context=c, reply=text) for c, high, low in replies for text in (high, low)]
        return shown, [p.domain for p in trait.pairs]
    poles = [
        (trait.criteria_high, trait.criteria_low),
        (trait.statements_high, trait.statements_low),
        ((trait.high.summary, *trait.high.paraphrases), (trait.low.summary, *trait.low.paraphrases)),
    ]
    pairs = [pair for high, low in poles for pair in zip(high, low, strict=False)]
    count, texts = len(pairs), [text for pair in pairs for text in pair]
    return [Behaviour(role="sentence", context=(), reply=text) for text in texts], [str(i) for i in range(count)]


def _usage(reads: Sequence[Read]) -> Usage:
    return Usage(
        questions=len(reads),
        cached=sum(not read.fresh for read in reads),
        input_tokens=sum(read.tokens for read in reads if read.fresh),
        cut=sum(read.cut for read in reads),
    )


def _no_tick(_: int) -> None: ...
