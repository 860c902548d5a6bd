"""Baselines: the file of a committed profile, or of several, and which of them a new profile is compared with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_persona.load.profiles import SEVERAL, profile_document, read_profiles
from pytest_persona.load.units import units_document
from pytest_persona.model.episodes import digest
from pytest_persona.model.findings import Profile
from pytest_persona.model.verdicts import Usage

__all__ = ["baseline_document", "baseline_id", "counterpart", "read_baseline", "stripped"]


def read_baseline(path: Path) -> tuple[Profile, ...]:
    """The profiles of a baseline; raises ProfileError for a file that holds none of this version."""
    return read_profiles(path)


def counterpart(profiles: Iterable[Profile], now: Profile) -> Profile | None:
    """The profile that ``now`` is compared with: one of the same name or of the same signal, and of several the likest."""
    alike = [one for one in profiles if one.name == now.name or one.signal.path == now.signal.path]
    return max(alike, key=lambda one: _likeness(one, now), default=None)


def stripped(profile: Profile) -> Profile:
    """What of a profile is a baseline: not what the run cost, nor what had changed since the baseline before."""
    findings = tuple(
        replace(f, status="observed", reason="") if f.expectation and f.expectation.drift_at_most is not None else f
        for f in profile.findings
    )
    return replace(profile, usage=Usage(), drift=None, findings=findings)


def baseline_document(profiles: Sequence[Profile]) -> Mapping[str, Any]:
    """The document of a baseline: one profile itself, of several a list by name, so that it differs only where they do."""
    documents = [profile_document(profile) for profile in sorted(profiles, key=lambda p: (p.name, p.signal.path))]
    return documents[0] if len(documents) == 1 else {"schema": SEVERAL, "profiles": documents}


def baseline_id(profile: Profile) -> str:
    """A short hash of what runs are compared with: its groups, what was read of them, and by whom; empty where none were kept."""
    if profile.units is None:
        return ""
    return digest(json.dumps(units_document(profile.units), sort_keys=True), profile.judge.fingerprint)[:16]


def _likeness(one: Profile, now: Profile) -> tuple[bool, bool, bool, int]:
    same_kind, same_path = one.signal.kind == now.signal.kind, one.signal.path == now.signal.path
    return one.name == now.name and same_path, same_kind, one.name == now.name, len(one.keys() & now.keys())
