"""Files to begin with: each is valid as it stands, and says what to write over."""

from __future__ import annotations

import uuid
from pathlib import Path

__all__ = ["scaffold"]

_FOLDER = Path(__file__).parent.parent / "library" / "scaffolds"


def scaffold(kind: str, name: str) -> str:
    """The text of a new ``suite`` or ``trait``; a suite gets a canary of its own, the one thing here that must not repeat."""
    text = (_FOLDER / f"{kind}.yaml").read_text("utf-8")
    return text.replace("NAME", name).replace("CANARY", str(uuid.uuid4()))
