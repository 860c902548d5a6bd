"""A record that was read: which verdicts it knows, and why it does not know another."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pytest_persona.errors import JudgeError
from pytest_persona.infer.prompt import PROMPT_VERSION, part_key
from pytest_persona.infer.set_prompt import SetQuestion
from pytest_persona.infer.set_words import SET_PROMPT_VERSION
from pytest_persona.judge.recorded.lines import (
    Entry,
    Header,
    content_of,
    content_of_set,
    entry_from,
    header_from,
    is_header,
    plain_name,
    short,
)
from pytest_persona.model.episodes import Behaviour
from pytest_persona.model.traits import Trait
from pytest_persona.model.verdicts import Verdict

__all__ = ["Record", "merged"]

_RECORD_ONE = "Name a record, or make one with --persona-judge claude --persona-record PATH."
_ASK_AGAIN = "Restore the line, or delete it: --persona-record new asks again for what is not there."
_MARK = re.compile(rb"<{7}( |$)|={7}$|>{7}( |$)|\|{7}( |$)")
"""What git writes round the two sides of a conflict."""


class Record:
    """Verdicts by what they are an answer to. May be read by several threads."""

    def __init__(self, header: Header, entries: Mapping[str, Entry], problems: Sequence[str] = ()) -> None:
        self.header = header
        self.entries = entries
        """By key."""
        self.problems = tuple(problems)
        """``path:line: what is wrong. What would be right.``, one for each line that counts for nothing."""
        self._alike: Mapping[tuple[str, ...], Sequence[Entry]] | None = None

    @classmethod
    def read(cls, path: Path, *, named: str = "", otherwise: Header | None = None) -> Record:
        """The record in a file; a broken line loses that line alone.

        ``named`` is the path as the user wrote it. ``otherwise`` is the header for a file that is not there, is empty, or
        has lost its own: without it they are refused. Raises JudgeError for a file that is of no use.
        """
        named = named or str(path)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            if otherwise is None:
                raise JudgeError(f"{named}: there is no such record. {_RECORD_ONE}") from None
            data = b""
        except OSError as error:
            raise JudgeError(f"{named}: the record cannot be read: {error.strerror}. {_RECORD_ONE}") from error
        lines = _Lines(named)
        for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
            lines.take(number, line.strip())  # a checkout on Windows ends lines with \r\n
        header = lines.header
        if header is None:
            empty = not data.strip()
            if not empty and not lines.entries:
                raise JudgeError(f"{named}: the file is no record. {_RECORD_ONE}")
            if otherwise is None:
                problem = "the record is empty" if empty else "the record's first line, its header, is lost or damaged"
                raise JudgeError(f"{named}: {problem}. Restore it, or write it again with --persona-record new.")
            header = otherwise
        return cls(header, lines.entries, lines.problems)

    def known(self, shown: Sequence[Behaviour], trait: Trait, *, model: str | None = None) -> Verdict | None:
        """The recorded verdict on 1 behaviour, or on 2 that are compared; with ``model`` only one of that model."""
        entry = self.entries.get(part_key(shown, trait))
        if entry is None or (model is not None and entry.model != plain_name(model)):
            return None
        return entry.verdict

    def why_missing(self, shown: Sequence[Behaviour], trait: Trait, *, model: str | None = None) -> str:
        """Why :meth:`known` has nothing to say, in words for the row that is named beside."""
        if self._alike is None:
            self._alike = _alike(self.entries.values())
        kind, context, reply = content_of(shown)
        if same := self._alike.get(("texts and trait", trait.name, kind, context, reply)):
            nearest: list[str] = min([_differences(entry, trait, model) for entry in same], key=len)
            return "; ".join(nearest) or "it was recorded by another version of pytest-persona"
        if ("texts", kind, context, reply) in self._alike:
            return "it is recorded for other traits only"
        if ("reply", trait.name, kind, reply) in self._alike:
            return "the context has changed or is new: this reply is recorded in another context"
        if shown[0].context and ("context", trait.name, kind, context) in self._alike:
            return "the reply has changed or is new: this context is recorded with another reply"
        if kind == "read" and ("context", trait.name, "compare", context) in self._alike:
            return "the replies to this context are recorded as compared with one another, not one by one"
        if kind == "compare" and ("context", trait.name, "read", context) in self._alike:
            return "the replies to this context are recorded one by one, not as compared with one another"
        lost = f" (lines of it that do not count: {len(self.problems)})" if self.problems else ""
        return f"it is not in the record{lost}"

    def why_set_missing(self, question: SetQuestion, *, model: str | None = None) -> str:
        """The same of samples that are seen whole."""
        told, reply = content_of_set(question)
        recorded = [entry for entry in self.entries.values() if entry.kind == "set"]
        same = [entry for entry in recorded if entry.reply == reply]
        if not same:
            there = "other samples are: rows, --seed or the size of samples have changed" if recorded else "none is"
            return f"this sample is not in the record; {there}"
        if all(entry.context != told for entry in same):
            return "this sample is recorded with other characters, or other words for them"
        if all(entry.prompt != SET_PROMPT_VERSION for entry in same):
            return f"recorded with version {same[0].prompt} of the question, this is {SET_PROMPT_VERSION}"
        if model is not None and all(entry.model != plain_name(model) for entry in same):
            return f"recorded with model {same[0].model}, not {plain_name(model)}"
        return "a part of its answer is not in the record"


def merged(old: Record, new: Iterable[Entry]) -> list[Entry]:
    """All that counts in the old record, and the new entries; where both answer one question, the new one."""
    return list((dict(old.entries) | {entry.key: entry for entry in new}).values())


class _Lines:
    """What the lines of a file come to, one after the other."""

    def __init__(self, named: str) -> None:
        self.named = named
        self.header: Header | None = None
        self.entries: dict[str, Entry] = {}
        self.problems: list[str] = []
        self._numbers: dict[str, int] = {}
        self._disputed: set[str] = set()

    def take(self, number: int, line: bytes) -> None:
        """Take in one line without its end; raises JudgeError for a header of another version."""
        where = f"{self.named}:{number}"
        if is_header(line):
            self._take_header(where, line)
        elif _MARK.match(line):
            self.problems.append(
                f"{where}: a merge conflict was not resolved. Delete the mark; the lines of both sides may stay."
            )
        elif line:
            try:
                entry = entry_from(line)
            except ValueError as error:
                self.problems.append(f"{where}: the line does not count: {error}. {_ASK_AGAIN}")
                return
            self._take_entry(number, entry)

    def _take_header(self, where: str, line: bytes) -> None:
        try:
            header = header_from(line, where)
        except ValueError as error:
            self.problems.append(f"{where}: {error}. Restore it, or write it again with --persona-record new.")
            return
        if self.header is None:
            self.header = header
        elif header != self.header:
            self.problems.append(
                f"{where}: a second header that differs from the first, which counts. Delete one of them."
            )

    def _take_entry(self, number: int, entry: Entry) -> None:
        """Two branches may have recorded the same; where they disagree, nobody knows who is right, so neither counts."""
        key = entry.key
        first = self._numbers.setdefault(key, number)
        if first == number:
            self.entries[key] = entry
        elif key in self._disputed or _says(self.entries[key]) != _says(entry):
            self.entries.pop(key, None)
            self._disputed.add(key)
            self.problems.append(
                f"{self.named}:{number}: it answers the question of line {first} differently, so neither counts."
                " Delete one of them, or both: --persona-record new asks again."
            )


def _says(entry: Entry) -> tuple[object, ...]:
    verdict = entry.verdict
    return verdict.expressed, verdict.requested, verdict.reason, entry.model


def _alike(entries: Iterable[Entry]) -> Mapping[tuple[str, ...], Sequence[Entry]]:
    """Entries by all that they share with a question that has no answer."""
    found: dict[tuple[str, ...], list[Entry]] = defaultdict(list)
    for entry in entries:
        trait, kind, context, reply = entry.trait, entry.kind, entry.context, entry.reply
        for likeness in (
            ("texts and trait", trait, kind, context, reply),
            ("texts", kind, context, reply),
            ("reply", trait, kind, reply),
            ("context", trait, kind, context),
        ):
            found[likeness].append(entry)
    return dict(found)


def _differences(entry: Entry, trait: Trait, model: str | None) -> list[str]:
    """In what an entry on the same texts differs from what is asked for."""
    differences = []
    if entry.trait_sha256 != short(trait.sha256):
        differences.append("the trait's definition has changed")
    if entry.prompt != PROMPT_VERSION:
        differences.append(f"recorded with prompt version {entry.prompt}, this is {PROMPT_VERSION}")
    if model is not None and entry.model != plain_name(model):
        differences.append(f"recorded with model {entry.model}, not {plain_name(model)}")
    return differences
