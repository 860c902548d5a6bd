"""docs/reference/console.md shows the help texts as they are.

``python tests/cli/test_reference.py`` writes them anew.
"""

import argparse
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_persona.cli import parser

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "console.md"
BLOCK = re.compile(r"(<!-- help: (.+?) -->\n+```text\n)(.*?)(```\n)", re.DOTALL)


def commands(within: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """The parser itself and those of all its commands."""
    yield within
    for action in within._actions:
        if isinstance(action, argparse._SubParsersAction):
            for inner in action.choices.values():
                yield from commands(inner)


def helps() -> dict[str, str]:
    """The help text of every command by its name, 80 columns wide."""
    os.environ["COLUMNS"] = "80"
    return {command.prog: command.format_help() for command in commands(parser())}


def words(texts: dict[str, str]) -> dict[str, list[str]]:
    """Python's releases break lines in different places."""
    return {name: text.split() for name, text in texts.items()}


def test_every_command_is_on_the_page_with_its_help(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = {name: text for _, name, text, _ in BLOCK.findall(PAGE.read_text(encoding="utf-8"))}
    assert words(shown) == words(helps())


if __name__ == "__main__":
    texts = helps()
    page = BLOCK.sub(lambda found: found[1] + texts[found[2]] + found[4], PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(page, encoding="utf-8")
