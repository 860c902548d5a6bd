"""What findings of every sort share: a status, and a place in a mapping from trait."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal, Protocol, TypeVar

__all__ = ["ByTrait", "Status"]

Status = Literal["held", "violated", "inconclusive", "observed"]


class _OfTrait(Protocol):
    @property
    def trait(self) -> str: ...


F = TypeVar("F", bound=_OfTrait)


class ByTrait(Mapping[str, F]):
    """A read-only mapping from trait to what was found of it, in the order of ``findings``."""

    __slots__ = ()
    findings: tuple[F, ...]

    def __getitem__(self, trait: str) -> F:
        for finding in self.findings:
            if finding.trait == trait:
                return finding
        raise KeyError(trait)

    def __iter__(self) -> Iterator[str]:
        return (finding.trait for finding in self.findings)

    def __len__(self) -> int:
        return len(self.findings)
