"""Chat judges and replays from settings."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Sequence
from typing import Any

from pytest_persona.errors import JudgeError, SettingsError
from pytest_persona.infer.prompt import PROMPT_VERSION
from pytest_persona.infer.redact import redactor
from pytest_persona.judge.chat.budget import Budget, Prices
from pytest_persona.judge.chat.forecast import Estimator
from pytest_persona.judge.chat.judge import Asker, ChatJudge, Known, fingerprint
from pytest_persona.judge.chat.ledger import Ledger, ledger_key
from pytest_persona.judge.recorded import Header, Record
from pytest_persona.judge.recorded.recorder import NEW, Recorder
from pytest_persona.judge.recorded.replay import Nobody, Recorded
from pytest_persona.model.episodes import digest
from pytest_persona.model.findings import JudgeInfo
from pytest_persona.model.verdicts import Verdict
from pytest_persona.settings import Settings

__all__ = ["Kept", "header_of", "info_of", "open_claude", "open_openai", "open_replay"]


def info_of(settings: Settings) -> JudgeInfo:
    """Who the settings' judge over a network is; raises JudgeError for another judge, which has no verdicts to record."""
    if settings.judge == "claude":
        from pytest_persona.judge.claude import DEFAULT_MODEL

        model = settings.model or DEFAULT_MODEL
    elif settings.judge == "openai":
        model = settings.model or ""
    else:
        raise JudgeError(
            f"--persona-record: the judge {settings.judge} gives no verdicts to record. Name claude or openai with --persona-judge."
        )
    mark = fingerprint(settings.judge, model, isolated=settings.isolated, pairwise=settings.pairwise)
    return JudgeInfo(name=settings.judge, fingerprint=mark, network=True, model=model)


def header_of(info: JudgeInfo) -> Header:
    """How a record of that judge begins."""
    return Header(judge=info.name, model=info.model, prompt=PROMPT_VERSION, fingerprint=info.fingerprint)


def open_claude(settings: Settings) -> ChatJudge:
    """Claude, asked question by question or in batches; raises JudgeError, SettingsError and CacheError."""
    from pytest_persona.judge.claude import open_client

    if settings.batch:
        from pytest_persona.judge.chat.batch import BatchDesk

        return _open(settings, lambda: open_client(settings), BatchDesk)
    from pytest_persona.judge.chat.desk import Desk

    return _open(settings, lambda: open_client(settings), Desk)


def open_openai(settings: Settings) -> ChatJudge:
    """A model behind an OpenAI-compatible endpoint; raises JudgeError, SettingsError and CacheError."""
    from pytest_persona.judge.chat.desk import Desk
    from pytest_persona.judge.openai_compatible import open_client

    if settings.batch:
        raise SettingsError("--persona-batch: only the judge claude has batches. Leave it out, or name claude.")
    return _open(settings, lambda: open_client(settings), Desk)


def open_replay(settings: Settings) -> ChatJudge:
    """The verdicts of a record, and nothing else; raises JudgeError for one that is not there or of no use."""
    if settings.record is not None:
        raise SettingsError(
            "--persona-record: the judge replay asks nobody. Name claude or openai with --persona-judge."
        )
    record = Record.read(settings.root / settings.replay, named=settings.replay)
    recorded = Recorded(record, settings.model)
    info = JudgeInfo(
        name="replay", fingerprint=record.header.fingerprint, network=False, model=settings.model or record.header.model
    )
    return _judge(settings, info, recorded, Nobody(recorded))


def _open(settings: Settings, make_client: Callable[[], Any], desk: Callable[..., Asker]) -> ChatJudge:
    info = info_of(settings)
    ledger = Ledger(settings.root / settings.cache / "verdicts.sqlite")
    # The same words to the same model get the same verdict, whatever else makes two judges differ.
    scope = fingerprint(info.name, info.model, isolated=settings.isolated, pairwise=False)
    known: Known = Kept(ledger, scope)
    if settings.record == NEW:
        record = Record.read(settings.root / settings.replay, named=settings.replay, otherwise=header_of(info))
        known = First(Recorded(record, info.model), known)
    budget = _budget(settings)
    asker = desk(
        make_client,
        ledger,
        scope=scope,
        concurrency=max(1, settings.concurrency // settings.workers),
        deadline=settings.deadline,
        budget=budget,
        run=settings.run or uuid.uuid4().hex,
    )
    recorder = None if settings.record is None else Recorder(settings, info.model)
    estimator = Estimator(Estimates(ledger, scope), budget.prices)
    return _judge(settings, info, known, asker, recorder, estimator)


def _judge(
    settings: Settings,
    info: JudgeInfo,
    known: Known,
    asker: Asker,
    recorder: Recorder | None = None,
    estimator: Estimator | None = None,
) -> ChatJudge:
    try:
        redact = redactor(settings.redact) if settings.redact else None
    except ValueError as error:
        raise SettingsError(f"--persona-redact: {error}") from None
    return ChatJudge(
        info,
        known=known,
        asker=asker,
        isolated=settings.isolated,
        pairwise=settings.pairwise,
        redact=redact,
        recorder=recorder,
        estimator=estimator,
    )


def _budget(settings: Settings) -> Budget:
    prices = Prices(**settings.prices) if settings.prices else None
    unit, amount = settings.budget or ("tokens", None)
    try:
        return Budget(**({} if amount is None else {unit: amount}), prices=prices)
    except ValueError as error:
        raise SettingsError(f"--persona-budget: {error} (--persona-prices input=X,output=X)") from None


class Kept:
    """The verdicts in the cache."""

    def __init__(self, ledger: Ledger, scope: str) -> None:
        self._ledger = ledger
        self._scope = scope

    @property
    def problem(self) -> str:
        """What is wrong with the cache; empty where all is well."""
        return self._ledger.problem

    def verdicts(self, keys: Collection[str]) -> dict[str, Verdict]:
        """Those that are known, by part key."""
        kept = {ledger_key(self._scope, key): key for key in keys}
        return {kept[key]: verdict for key, verdict in self._ledger.verdicts(kept).items()}

    def close(self) -> None:
        """Close the cache; may be called twice."""
        self._ledger.close()


class Estimates:
    """How far estimates were off, in the cache."""

    def __init__(self, ledger: Ledger, scope: str) -> None:
        self._ledger = ledger
        self._key = digest(scope, "estimates")

    def numbers(self) -> Sequence[float] | None:
        """Those last noted; None where there are none."""
        kept = self._ledger.noted(self._key)
        return kept if isinstance(kept, list) and all(isinstance(n, int | float) for n in kept) else None

    def note(self, numbers: Sequence[float]) -> None:
        """Keep them; of several processes the last one wins."""
        self._ledger.note(self._key, list(numbers))


class First:
    """What the first does not know, the second may."""

    def __init__(self, first: Known, second: Known) -> None:
        self._first, self._second = first, second

    @property
    def problem(self) -> str:
        """What is wrong with either."""
        return "; ".join(filter(None, (self._first.problem, self._second.problem)))

    def verdicts(self, keys: Collection[str]) -> dict[str, Verdict]:
        """Those that are known, by part key."""
        found = self._first.verdicts(keys)
        return found | self._second.verdicts([key for key in keys if key not in found])

    def close(self) -> None:
        """Close both; may be called twice."""
        self._first.close()
        self._second.close()
