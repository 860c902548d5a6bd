"""How the pages are built: `tox -e docs`. Nothing is fetched."""

from typing import Any

from pygments.lexers.data import JsonLexer
from pygments.lexers.special import TextLexer

project = "pytest-persona"
author = "The pytest-persona authors"
copyright = "2026, the pytest-persona authors"

extensions = ["myst_parser"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
nitpicky = True
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = "pytest-persona"
html_copy_source = False


def setup(app: Any) -> None:
    """Name the languages of signals, which Pygments does not know."""
    app.add_lexer("jsonl", JsonLexer)
    app.add_lexer("csv", TextLexer)
