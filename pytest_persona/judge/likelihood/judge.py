"""The likelihood judge: a contrast of log-probabilities, scaled on anchors, with null characters beside it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from pytest_persona.judge.base import Answers, CharacterLikelihoods, Tick
from pytest_persona.judge.likelihood.anchors import anchors
from pytest_persona.judge.likelihood.fit import FEWEST_PAIRS, Scale, fit_scale
from pytest_persona.judge.likelihood.prefix import FEWEST_WORDINGS, PREFIX_VERSION, null_openings, shared_out, wordings
from pytest_persona.judge.likelihood.reader import Likelihoods, Reader, forecast_characters, read_characters
from pytest_persona.judge.likelihood.source import open_source
from pytest_persona.judge.store import Store
from pytest_persona.model.episodes import Behaviour, digest
from pytest_persona.model.findings import JudgeInfo
from pytest_persona.model.personas import NullCharacter, Persona
from pytest_persona.model.traits import NeutralReply, Trait
from pytest_persona.model.verdicts import Qualification, Usage, Verdict
from pytest_persona.settings import Settings

__all__ = ["LikelihoodJudge"]

Floats = NDArray[np.float64]

_PAIRS = 24
"""Pairs of anchors that a trait is tried on: with 12 the interval of an AUROC of 0.88 reaches below 0.70."""
_NEUTRAL = 12
"""Neutral replies that set the zero of a scale."""

_PORTRAIT_GROUPS = {False: 16, True: 48}
"""Groups that a portrait reads where the user names no number, by whether the model is elsewhere: a hundred readings of each reply."""


class LikelihoodJudge:
    """Reads a reply by how much likelier a character at a trait's high pole makes it than one at its low pole.

    For one behaviour and one trait the contrast is the mean over at least 3 length-matched wordings of the poles of
    [log P(reply given context, high pole) - log P(reply given context, low pole)] / tokens of the reply, each pole's exemplars in
    front (SCIENCE.md section 2b; PICLe, arXiv 2405.02501). ``requested`` is None: a request stands in the context, which stands in
    both terms, so that what it makes likelier under either character cancels out of the contrast by itself.
    """

    one_pass = False

    def __init__(self, reader: Reader, *, neutral: Sequence[NeutralReply], nulls: Sequence[NullCharacter]) -> None:
        source = reader.source
        self.reader = reader
        self.groups_at_once = _PORTRAIT_GROUPS[source.network]
        for_zero, examples = shared_out(neutral, _NEUTRAL)
        self._neutral = [Behaviour(role="shown", context=row.context, reply=row.reply) for row in for_zero]
        self._nulls = null_openings(nulls[: 2 * source.wordings], examples) if examples else ()
        self._scales: dict[tuple[Trait, bool], Scale | Qualification] = {}
        self._spent = Usage()
        self._lock = threading.Lock()
        shared = digest(*(row.reply for row in for_zero), *self._nulls)
        fingerprint = digest("likelihood", source.id, PREFIX_VERSION, str(source.wordings), str(source.room), shared)
        self.info = JudgeInfo(name="likelihood", fingerprint=fingerprint, network=source.network, model=source.model)

    @classmethod
    def open(
        cls, settings: Settings, *, neutral: Sequence[NeutralReply], nulls: Sequence[NullCharacter]
    ) -> LikelihoodJudge:
        """The judge for these settings, with the library's neutral replies and null characters.

        It reads with a server's model where a base URL is named, with a GGUF file where a model is, else with the embedded weights.
        Raises JudgeError and CacheError.
        """
        source = open_source(settings)
        store = Store(settings.root / settings.cache / "readings.sqlite")
        return cls(Reader(source, store, settings.run or uuid.uuid4().hex), neutral=neutral, nulls=nulls)

    @property
    def problem(self) -> str:
        """What a reader of the profile must know of the source and of the cache; empty where all is well."""
        return "; ".join(filter(None, (self.reader.source.weakness, self.reader.problem)))

    def qualify(self, traits: Sequence[Trait], *, statements: bool = False) -> Mapping[str, Qualification]:
        """AUROC of each trait's contrast on anchors, scaled without the pair's domain; see :func:`fit.fit_scale`."""
        scales = {trait.name: self._scale(trait, statements) for trait in traits}
        return {name: scale.qualification if isinstance(scale, Scale) else scale for name, scale in scales.items()}

    def read(self, behaviours: Sequence[Behaviour], traits: Sequence[Trait], tick: Tick) -> Answers:
        """See :meth:`pytest_persona.judge.base.Judge.read`. Each trait costs two readings of a behaviour a wording."""
        answers: list[dict[str, Verdict]] = [{} for _ in behaviours]
        usage = Usage()
        step = self.reader.source.at_once
        for start in range(0, len(behaviours), step):
            part = behaviours[start : start + step]
            for trait in traits:
                verdicts, spent = self._read(part, trait)
                usage += spent
                for answer, verdict in zip(answers[start : start + step], verdicts, strict=True):
                    answer[trait.name] = verdict
            tick(len(part))
        with self._lock:
            usage, self._spent = usage + self._spent, Usage()
        return Answers(verdicts=answers, usage=usage)

    def wording(self, behaviours: Sequence[Behaviour], trait: Trait) -> float | None:
        """The s.d. between wordings of the mean contrast over behaviours, in nats a token.

        It is what another choice of words would have moved the mean by; over k wordings its square / k belongs to the variance of
        the mean. None where there are too few wordings to read it with, and where no behaviour could be read.
        """
        if len(wordings(trait, self.reader.source.wordings)) < FEWEST_WORDINGS:
            return None
        contrasts, read = self._contrasts(behaviours, trait)
        if not read.scored.any():
            return None
        return float(contrasts[read.scored].mean(axis=0).std(ddof=1))

    def panel(self, behaviours: Sequence[Behaviour], trait: Trait) -> tuple[Floats, Floats]:
        """See :meth:`pytest_persona.judge.base.Controls.panel`: the contrast, and those of all pairs of null characters.

        The null vectors are the same for every trait. Each is of one wording, where a trait's contrast is the mean over
        several, and so rather too wide than too narrow. What could not be read stands at the mean of the others. What it costs is
        told with the next reading.
        """
        scale = self._scale(trait, bool(behaviours) and behaviours[0].is_statement)
        if not isinstance(scale, Scale) or len(self._nulls) < 2:
            return np.zeros(len(behaviours)), np.zeros((len(behaviours), 0))
        contrasts, _ = self._contrasts(behaviours, trait)
        pairs = list(combinations(range(len(self._nulls)), 2))
        # The same zero for every contrast: the neutral replies' mean, so that absolute readings compare like with like.
        of_neutral = self.reader.read(self._neutral, self._nulls)
        of_these = self.reader.read(behaviours, self._nulls)
        with self._lock:
            for usage in (of_neutral.usage, of_these.usage):
                self._spent += Usage(calls=usage.calls, input_tokens=usage.input_tokens)
        of_nulls = of_these.values - _filled(of_neutral.values).mean(axis=0)
        differences = np.stack([of_nulls[:, a] - of_nulls[:, b] for a, b in pairs], axis=1)
        return _filled(contrasts.mean(axis=1, keepdims=True) - scale.zero)[:, 0], _filled(differences)

    def likelihoods(
        self, behaviours: Sequence[Behaviour], characters: Sequence[Persona | NullCharacter], tick: Tick
    ) -> CharacterLikelihoods:
        """See :meth:`pytest_persona.judge.base.CharacterJudge.likelihoods`."""
        return read_characters(self.reader, behaviours, characters, paraphrases=self.reader.source.wordings, tick=tick)

    def forecast_likelihoods(
        self, behaviours: Sequence[Behaviour], characters: Sequence[Persona | NullCharacter]
    ) -> Usage:
        """See :meth:`pytest_persona.judge.base.CharacterJudge.forecast_likelihoods`."""
        return forecast_characters(self.reader.source, behaviours, characters)

    def close(self) -> None:
        """Release the source and the cache; may be called twice."""
        self.reader.close()

    def _read(self, behaviours: Sequence[Behaviour], trait: Trait) -> tuple[list[Verdict], Usage]:
        scales = [self._scale(trait, behaviour.is_statement) for behaviour in behaviours]
        wanted = [i for i, scale in enumerate(scales) if isinstance(scale, Scale)]
        contrasts, read = self._contrasts([behaviours[i] for i in wanted], trait)
        rows = dict(zip(wanted, zip(contrasts.mean(axis=1).tolist(), read.details, strict=True), strict=True))
        verdicts = []
        for i, (behaviour, scale) in enumerate(zip(behaviours, scales, strict=True)):
            if not behaviour.reply.strip():
                verdicts.append(Verdict(expressed=None, reason="empty"))
            elif not isinstance(scale, Scale):  # there is nothing to read it with
                verdicts.append(Verdict(expressed=None, reason="failed", detail=scale.reason))
            elif np.isnan(rows[i][0]):
                verdicts.append(Verdict(expressed=None, reason="failed", detail=rows[i][1]))
            else:
                verdicts.append(Verdict(expressed=float(scale.score(np.array(rows[i][0])))))
        return verdicts, read.usage

    def _contrasts(self, behaviours: Sequence[Behaviour], trait: Trait) -> tuple[Floats, Likelihoods]:
        """(n, wordings) contrasts in nats a token, NaN where a behaviour could not be read."""
        worded = wordings(trait, self.reader.source.wordings)
        read = self.reader.read(behaviours, [text for wording in worded for text in (wording.high, wording.low)])
        return read.values[:, 0::2] - read.values[:, 1::2], read

    def _scale(self, trait: Trait, statements: bool) -> Scale | Qualification:
        with self._lock:
            key = (trait, statements)
            if key not in self._scales:
                self._scales[key] = self._fitted(trait, statements)
            return self._scales[key]

    def _fitted(self, trait: Trait, statements: bool) -> Scale | Qualification:
        worded = len(wordings(trait, self.reader.source.wordings))
        if worded < FEWEST_WORDINGS:
            return Qualification(
                qualified=False,
                reason=f"it has {worded} length-matched wordings of its poles, where {FEWEST_WORDINGS} are the least",
            )
        behaviours, domains = anchors(trait, _PAIRS, statements=statements)
        contrasts, read = self._contrasts([*behaviours, *self._neutral], trait)
        self._spent += read.usage
        means, count = contrasts.mean(axis=1), len(behaviours)
        tried, neutral = means[:count].reshape(-1, 2), means[count:]
        whole = ~np.isnan(tried).any(axis=1)
        if int(whole.sum()) < FEWEST_PAIRS:
            why = next(filter(None, read.details), "")
            return Qualification(
                qualified=False,
                pairs=int(whole.sum()),
                reason=f"it has been tried on {int(whole.sum())} pairs of anchors, where {FEWEST_PAIRS} are the least"
                + (f": {why}" if why else ""),
            )
        kept = [domain for domain, is_whole in zip(domains, whole, strict=True) if is_whole]
        return fit_scale(tried[whole], kept, neutral[~np.isnan(neutral)])


def _filled(columns: Floats) -> Floats:
    """NaN replaced by its column's mean; 0 where a column has nothing else."""
    gaps = np.isnan(columns)
    sums, counts = np.where(gaps, 0.0, columns).sum(axis=0), np.maximum(1, (~gaps).sum(axis=0))
    return np.where(gaps, sums / counts, columns)
