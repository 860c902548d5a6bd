"""Verdicts in a file that is reviewed and committed, so that they can be replayed without a key and without a network."""

from pytest_persona.judge.recorded.lines import FORMAT, Entry, Header, entry_of, entry_of_fit
from pytest_persona.judge.recorded.record import Record, merged
from pytest_persona.judge.recorded.writing import check_destination, read_parts, write, write_part

__all__ = [
    "FORMAT",
    "Entry",
    "Header",
    "Record",
    "check_destination",
    "entry_of",
    "entry_of_fit",
    "merged",
    "read_parts",
    "write",
    "write_part",
]
