"""Batches that were sent off, on disk, so that a run that is killed does not lose what it has paid for."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Batch", "Item", "Shelf"]

FORMAT = 1
_KEPT_FOR = 29 * 24 * 3600.0
"""Seconds for which the vendor keeps results."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One question of a batch: enough to read its answer by, and nothing of what is judged."""

    fence: str
    most_tokens: int
    parts: Mapping[str, str]
    """Ledger keys by trait name."""


@dataclass(kw_only=True, slots=True)
class Batch:
    """One batch; its questions are named ``token-0``, ``token-1``, …"""

    token: str
    """Random, so that a batch whose id was never learnt can be told by the names of its questions."""
    began: float
    """When it was sent, in seconds since 1970."""
    items: dict[str, Item] = field(default_factory=dict)
    id: str = ""
    """The vendor's; empty until it is known."""


class Shelf:
    """The batches in a folder, one JSON file each; what cannot be written or read is said in ``problem`` and lived with."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.problem = ""
        """Why batches would not survive a killed run, in words; empty where they would."""

    def keep(self, batch: Batch) -> None:
        """Write a batch, whole or not at all; one without items is removed."""
        path = self._folder / f"{batch.token}.json"
        if not batch.items:
            path.unlink(missing_ok=True)
            return
        items = {name: [item.fence, item.most_tokens, dict(item.parts)] for name, item in batch.items.items()}
        document = {"format": FORMAT, "id": batch.id, "began": batch.began, "items": items}
        unfinished = path.with_suffix(".unfinished")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with unfinished.open("w", encoding="utf-8") as file:
                json.dump(document, file, separators=(",", ":"))
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except OSError as error:
            self.problem = f"batches are not noted, and a run that is killed would pay for them again: {error}"

    def forget(self, token: str) -> None:
        """Remove a batch."""
        self.keep(Batch(token=token, began=0.0))

    def batches(self) -> Iterator[Batch]:
        """All of them, the oldest first; those whose results are gone are removed."""
        found = []
        for path in self._folder.glob("*.json"):
            try:
                batch = _read(path)
            except (OSError, ValueError, TypeError, KeyError):
                self.problem = f"{path.name} in the cache's batches cannot be read; what it stands for is asked again"
                continue
            if time.time() - batch.began > _KEPT_FOR:
                self.forget(batch.token)
            else:
                found.append(batch)
        yield from sorted(found, key=lambda batch: batch.began)


def _read(path: Path) -> Batch:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if document["format"] != FORMAT:
        raise ValueError("of another version")
    items = {
        name: Item(fence=fence, most_tokens=most, parts=parts)
        for name, (fence, most, parts) in document["items"].items()
    }
    return Batch(token=path.stem, began=document["began"], items=items, id=document["id"])
