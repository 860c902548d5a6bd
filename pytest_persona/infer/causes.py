"""What may have made a shift move: the data, the judge, the product, or the questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pytest_persona.infer import sequence
from pytest_persona.infer.pairs import Match, strata
from pytest_persona.model.drift import Bridge, JudgeChange, ProductChange
from pytest_persona.model.findings import Profile
from pytest_persona.model.history import PastRun

__all__ = ["judge_change", "product_change", "redefined"]


def redefined(found: Match | None, trait: str) -> bool:
    """Whether a trait is no longer defined as it was, so that the judge is asked another question."""
    if found is None:
        return False
    before, now = found.base.definitions.get(trait), found.now.definitions.get(trait)
    return before is not None and now is not None and before != now


def judge_change(base: Profile, now: Profile, found: Match | None, bridges: Mapping[str, Bridge]) -> JudgeChange | None:
    """That another judge answered, and how differently it reads what is the same in both; None where the same one did."""
    if base.judge.fingerprint == now.judge.fingerprint:
        return None
    reread = {}
    for trait in _compared(found):
        raw = strata(found, trait)  # type: ignore[arg-type]
        if raw.same.any():
            reread[trait] = float(raw.difference[raw.same].mean())
    return JudgeChange(before=_judge(base), now=_judge(now), reread=reread, bridges=bridges)


def product_change(
    base: Profile, now: Profile, found: Match | None, history: Sequence[PastRun]
) -> ProductChange | None:
    """That a product answers differently, and whether chance may explain it; None of a signal, and where all is as it was."""
    if found is None or not found.probes:
        return None
    before, after = _target(base), _target(now)
    replies = len(found.same) - sum(found.same)
    if not replies and before == after:
        return None
    past = sequence.earlier(history, sequence.past_run(found))
    evidence = None
    if base.judge.fingerprint == now.judge.fingerprint:  # a mean of e-values is one, whatever traits have in common
        each = [sequence.unlike(pairs, t, past) for t in _compared(found) if len((pairs := strata(found, t)).now)]
        evidence = sum(each) / len(each) if each else None
    return ProductChange(replies=replies, probes=len(found.both), evidence=evidence, before=before, now=after)


def _compared(found: Match | None) -> list[str]:
    """Traits that both have read and that are defined as they were."""
    if found is None:
        return []
    return [trait for trait in found.now.values if trait in found.base.values and not redefined(found, trait)]


def _judge(profile: Profile) -> str:
    return f"{profile.judge.name}/{profile.judge.fingerprint[:6]}"


def _target(profile: Profile) -> str:
    target = profile.target
    return "" if target is None else f"{target.name}/{target.fingerprint[:6]}"
