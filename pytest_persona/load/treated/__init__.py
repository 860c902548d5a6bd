"""A training signal with requests in its contexts: written anew, byte for byte but for them."""

from __future__ import annotations

from pytest_persona.load.treated.writing import check_target, manifest_of, write_treated

__all__ = ["check_target", "manifest_of", "write_treated"]
