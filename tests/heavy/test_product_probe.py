"""The whole of examples/product_probe, as its README shows it: both versions, and the second against the first as baseline.

Some hundred seconds without readings from before: `tox -e heavy` runs it. A part of it is in tests/test_product_probe.py.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(not os.environ.get("PERSONA_HEAVY"), reason="tox -e heavy")

ROOT = Path(__file__).parents[2]


def test_the_readme_shows_what_happens(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("pages", ROOT / "tests" / "test_docs.py")
    assert spec is not None and spec.loader is not None
    pages = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pages)
    text = (ROOT / "examples" / "product_probe" / "README.md").read_text("utf-8")
    assert text.count("<!-- heavy -->") == 2
    page = tmp_path / "README.md"
    page.write_text(text.replace("<!-- run", "<!-- not now: run").replace("<!-- heavy -->", "<!-- run -->"), "utf-8")
    (tmp_path / "run").mkdir()
    assert len(pages.blocks(page)) == 2
    pages.test_a_page_does_what_it_says(page, tmp_path / "run")
