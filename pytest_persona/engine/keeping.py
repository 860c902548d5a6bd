"""After a run: the baseline is brought up to date where that is wanted, and runs against it are remembered."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Sequence

from pytest_persona.engine.baselines import history_file
from pytest_persona.errors import SettingsError
from pytest_persona.infer.pairs import match
from pytest_persona.infer.sequence import past_run
from pytest_persona.model.findings import Profile
from pytest_persona.settings import Settings

__all__ = ["check_baseline", "keep"]

_KEYWORDS = ("passed", "new")


def check_baseline(settings: Settings, prefix: str) -> None:
    """Raise SettingsError or ProfileError, before anything is read, where the baseline or its options cannot be used."""
    if settings.baseline is None:
        for name, value in (("update", settings.update), ("history", settings.history)):
            if value:
                raise SettingsError(
                    f"{prefix}{name} is of no use without a baseline. Name its file with {prefix}baseline."
                )
        return
    from pytest_persona.load.baselines import read_baseline
    from pytest_persona.report.documents import check_destination

    path = settings.root / settings.baseline
    if not path.exists() and not settings.update:
        raise SettingsError(
            f"{prefix}baseline: there is no file {settings.baseline}. Check the path, or make it with {prefix}update."
        )
    if path.exists():
        read_baseline(path)
    if settings.update:
        check_destination(settings.baseline, option=f"{prefix}baseline", root=settings.root)


def keep(settings: Settings, profiles: Sequence[Profile], prefix: str, failed: Collection[int] = ()) -> list[str]:
    """Remember the runs, then write the baseline; what was done, in words. ``failed`` are the places of profiles whose test failed.

    Called once a run, by the one process that knows all of it. Raises SettingsError for what cannot be written.
    """
    if settings.baseline is None:
        return []
    from pytest_persona.load.baselines import read_baseline

    path = settings.root / settings.baseline
    before = read_baseline(path) if path.exists() else ()
    told = list(_remember(settings, before, profiles, prefix))
    if settings.update:
        told += _Update(settings.update, before, profiles, failed).written(settings, prefix)
    return told


def _remember(settings: Settings, before: Sequence[Profile], profiles: Sequence[Profile], prefix: str) -> Iterator[str]:
    from pytest_persona.load.baselines import baseline_id, counterpart
    from pytest_persona.load.history import remember

    for profile in profiles:
        base, file = counterpart(before, profile), history_file(settings, profile)
        if base is None or file is None or base.judge.fingerprint != profile.judge.fingerprint:
            continue
        found = match(base, profile)
        if found is None or base.signal.kind != profile.signal.kind:
            continue
        try:
            remember(file, baseline_id(base), profile.name, past_run(found), option=f"{prefix}history")
        except SettingsError as error:
            if settings.history is not None:
                raise
            yield f"{error} This run is not remembered."


class _Update:
    """What becomes of a baseline: each profile of the run is new, changed, unchanged or not put in."""

    def __init__(
        self, wanted: Collection[str], before: Sequence[Profile], profiles: Sequence[Profile], failed: Collection[int]
    ) -> None:
        from pytest_persona.load.baselines import counterpart, stripped

        self.wanted = wanted
        self.after = {id(one): one for one in before}
        self.new: list[str] = []
        self.changed: list[str] = []
        self.unchanged: list[str] = []
        self.left: dict[str, list[str]] = {}
        """By why, what was not put in."""
        left = list(before)
        for place, profile in enumerate(profiles):
            known = counterpart(left, profile)
            if known is not None:
                left.remove(known)
            if why := self._why_not(profile, known, place in failed):
                self.left.setdefault(why, []).append(profile.name)
                continue
            self.after[id(known or profile)] = stripped(profile)
            self._sort_in(known, profile)
        named = {name for profile in profiles for name in (profile.name, profile.signal.path)}
        self.unknown = [name for name in wanted if name not in _KEYWORDS and name not in named]

    def _why_not(self, profile: Profile, known: Profile | None, failed: bool) -> str:
        """Why a profile is not put in, in words; empty where it is."""
        if profile.name in self.wanted or profile.signal.path in self.wanted:
            return ""
        if "passed" not in self.wanted and not ("new" in self.wanted and known is None):
            return "new" if "new" in self.wanted else "other"
        statuses = {finding.status for finding in profile.findings}
        for status in ("violated", "inconclusive"):
            if status in statuses:
                return status
        return "failed" if failed else ""

    def _sort_in(self, known: Profile | None, profile: Profile) -> None:
        from pytest_persona.load.baselines import stripped
        from pytest_persona.load.profiles import profile_document

        if known is None:
            self.new.append(profile.name)
        elif profile_document(stripped(profile)) == profile_document(stripped(known)):
            self.unchanged.append(profile.name)
        else:
            self.changed.append(profile.name)

    def written(self, settings: Settings, prefix: str) -> Iterator[str]:
        """Write the baseline where it differs; what was done. Raises SettingsError."""
        from pytest_persona.load.baselines import baseline_document
        from pytest_persona.report.documents import json_text, write_document

        target = str(settings.baseline)
        if self.new or self.changed:
            text = json_text(baseline_document(list(self.after.values())))
            write_document(target, [text], option=f"{prefix}baseline", root=settings.root, stdout=sys.stdout)
        named = (("new", self.new), ("changed", self.changed), ("unchanged", self.unchanged))
        done = [f"{len(names)} {what} ({', '.join(names)})" for what, names in named if names]
        yield f"baseline {target}: {', '.join(done) or 'nothing was put in'}"
        for why, names in self.left.items():
            yield f"baseline {target}: {_LEFT[why].format(names=', '.join(names), option=prefix + 'update', first=names[0])}"
        for name in self.unknown:
            yield f"{prefix}update: no profile of this run is named {name!r}"


_LEFT = {
    "violated": "not put in, as violated: {names}; {option}={first} puts it in all the same",
    "inconclusive": "not put in, as inconclusive: {names}; {option}={first} puts it in all the same",
    "failed": "not put in, as a test of it failed: {names}; {option}={first} puts it in all the same",
    "new": "left as it was: {names}",
    "other": "left as it was: {names}",
}
