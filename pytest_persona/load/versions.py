"""What a new version of a suite must say: whether profiles made before and after it can be compared.

=======  ===========================================================================================================
major    what was there is asked or read otherwise: a wording has changed, or something is gone. Comparisons end.
minor    something is new, or bounds have changed: what both versions have is compared as before.
patch    neither: tags, the name, comments.
=======  ===========================================================================================================

Before 1.0.0 the minor number stands for the major one, and the patch number for the minor one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_persona.load.references import semantic
from pytest_persona.model.locks import Locked

__all__ = ["changes", "ends_comparisons", "rule"]

_SAME, _PATCH, _MINOR, _MAJOR = range(4)
_WORDS = {_PATCH: "patch", _MINOR: "minor", _MAJOR: "major"}
_KINDS = {
    "probes": ("probe", "probes"),
    "contexts": ("context", "contexts"),
    "traits": ("definition of a trait", "definitions of traits"),
    "signals": ("signal", "signals"),
    "expect": ("bound", "bounds"),
}
_SHOWN = 3
"""Names that are listed before the rest is counted."""


def changes(then: Locked, now: Locked) -> Iterator[str]:
    """What has changed from one state of a suite to another, in words; nothing where nothing has."""
    if then.package != now.package:
        yield f"it comes from {now.package}, not from {then.package}"
    told = False
    for kind, (one, several) in _KINDS.items():
        for names, verb in zip(_compared(then, now, kind), ("changed", "new", "gone"), strict=True):
            if names:
                told = True
                yield f"{one if len(names) == 1 else several} {verb}: {_listed(names)}"
    if not told and then.sha256 != now.sha256 and then.version == now.version:
        yield "something changed that is neither asked nor bounded"
    elif not told and then.version != now.version:
        yield "nothing changed that is asked or bounded"


def rule(then: Locked, now: Locked) -> str:
    """What the rule of versions says against the new version, in words; empty where it keeps the rule."""
    needed = _needed(then, now)
    return f"which the rule of versions calls a new {_WORDS[needed]} version" if needed > _made(then, now) else ""


def ends_comparisons(then: Locked, now: Locked) -> bool:
    """Whether a profile of the one state cannot be held against one of the other."""
    return _needed(then, now) == _MAJOR


def _needed(then: Locked, now: Locked) -> int:
    asked = [_compared(then, now, kind) for kind in _KINDS if kind != "expect"]
    if any(changed or gone for changed, _, gone in asked):
        return _MAJOR
    if any(new for _, new, _ in asked) or any(_compared(then, now, "expect")):
        return _MINOR
    return _SAME if then.sha256 == now.sha256 or then.version != now.version else _PATCH


def _made(then: Locked, now: Locked) -> int:
    """The step from one version to another; of texts that are no versions, the largest."""
    before, after = semantic(then.version), semantic(now.version)
    if before is None or after is None:
        return _MAJOR
    if before == after:
        return _SAME if then.version == now.version else _MAJOR  # a pre-release may become anything
    place = next(i for i in range(3) if before[i] != after[i])
    raised = place - 1 if place and before[0] == after[0] == 0 else place
    return (_MAJOR, _MINOR, _PATCH)[raised]


def _compared(then: Locked, now: Locked, kind: str) -> tuple[list[str], list[str], list[str]]:
    """Names of the parts of a kind that are other, new, and gone."""
    before, after = _named(then, kind), _named(now, kind)
    changed = [name for name in before if name in after and before[name] != after[name]]
    return changed, [n for n in after if n not in before], [n for n in before if n not in after]


def _named(state: Locked, kind: str) -> Mapping[str, str]:
    return dict(sorted(state.parts.get(kind, {}).items()))


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
