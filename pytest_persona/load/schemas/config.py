"""How the shapes of the files are read, for the generator alone."""

from __future__ import annotations

from pydantic import ConfigDict

__all__ = ["CONFIG"]

CONFIG = ConfigDict(extra="forbid", use_attribute_docstrings=True)
