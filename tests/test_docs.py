"""Pages tell the truth: what they mark as runnable runs, what they show is printed, and where they point something is.

A comment on the line before a fenced block marks it:

    <!-- run -->            run it: ``python`` as a program, ``console`` line by line (lines that begin with ``$ ``)
    <!-- run exit=1 -->     the same, where the last command ends with that exit code
    <!-- file: NAME -->     write it to NAME

The blocks of a page share a fresh folder, in order, with ``examples/`` in it. What stands under a command is its expected
output, where ``...`` stands for anything; with nothing there, only the exit code counts.
"""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
FENCE = re.compile(
    r"^<!-- (?P<mark>[^\n]+?) -->\n+```(?P<language>[\w-]*)[^\n]*\n(?P<text>.*?)^```[ ]*$", re.MULTILINE | re.DOTALL
)
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#+ +(?P<title>.+?) *$", re.MULTILINE)
CODE = re.compile(r"^(```+)[^\n]*\n.*?^\1 *$|`[^`\n]+`", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A marked block of a page."""

    mark: str
    language: str
    text: str

    @property
    def file(self) -> str | None:
        """The file that it is written to."""
        name = self.mark.partition("file: ")[2]
        return name or None

    @property
    def exit_code(self) -> int:
        """What the last command is to end with."""
        code = re.fullmatch(r"run(?: exit=(\d))?", self.mark)
        assert code, f"<!-- {self.mark} -->: write run, run exit=N or file: NAME"
        return int(code[1] or 0)


def blocks(page: Path) -> list[Block]:
    """The marked blocks of a page, in order."""
    found = FENCE.finditer(page.read_text("utf-8"))
    return [Block(m["mark"], m["language"], m["text"]) for m in found if re.match(r"run\b|file: ", m["mark"])]


@pytest.mark.parametrize("page", [p for p in PAGES if blocks(p)], ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_does_what_it_says(page: Path, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    # Readings are kept by content, so that the pages, which read the same examples, read them once.
    (ROOT / ".persona").mkdir(exist_ok=True)
    (tmp_path / ".persona").symlink_to(ROOT / ".persona", target_is_directory=True)
    for block in blocks(page):
        if block.file:
            (tmp_path / block.file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / block.file).write_text(block.text, "utf-8")
        elif block.language == "python":
            assert _run([sys.executable, "-c", block.text], tmp_path)[0] == block.exit_code
        else:
            _converse(block, tmp_path)


def _converse(block: Block, folder: Path) -> None:
    assert block.language == "console", f"a {block.language} block cannot be run: use file: NAME"
    text = block.text.replace("\\\n", "")
    talk = re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE)
    assert talk, f"no line begins with $: {text}"
    for number, (command, expected) in enumerate(talk, start=1):
        code, output = _run(command, folder)
        assert code == (block.exit_code if number == len(talk) else 0), f"$ {command}\n{output}"
        checker = doctest.OutputChecker()
        same = checker.check_output(expected, output, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
        assert same or not expected.strip(), f"$ {command}\n{output}"


def _run(command: str | list[str], folder: Path) -> tuple[int, str]:
    keep = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "TOX_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{keep['PATH']}"
    done = subprocess.run(
        command,
        shell=isinstance(command, str),
        cwd=folder,
        # pytest-asyncio, which only a few tests need, warns at the start of each run.
        env=keep | {"PATH": path, "COLUMNS": "80", "NO_COLOR": "1", "PYTEST_ADDOPTS": "-p no:asyncio"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        timeout=600,
        check=False,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    text = CODE.sub("", page.read_text("utf-8"))
    assert [m["target"] for m in LINK.finditer(text) if not _leads_somewhere(page, m["target"])] == []


def _leads_somewhere(page: Path, target: str) -> bool:
    if target.startswith(("https://", "mailto:")):
        return True  # no test of ours asks the network
    name, _, anchor = target.partition("#")
    path = (page.parent / name).resolve() if name else page
    if not path.exists() or not path.is_relative_to(ROOT):
        return False
    return not anchor or anchor in {_slug(m["title"]) for m in HEADING.finditer(path.read_text("utf-8"))}


def _slug(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def test_marks_are_understood(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(
        "<!-- file: a/b.txt -->\n```yaml\nx: 1\n```\n\n<!-- run exit=3 -->\n\n```console\n$ cat a/b.txt\nx: ...\n$ exit 3\n```\n"
        "<!-- a remark -->\n```python\nunmarked\n```\n",
        "utf-8",
    )
    file, talk = blocks(page)
    assert (file.file, file.text, talk.exit_code) == ("a/b.txt", "x: 1\n", 3)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b.txt").write_text(file.text, "utf-8")
    _converse(talk, tmp_path)
    with pytest.raises(AssertionError, match=r"\$ cat a/b\.txt\s+x: 1"):
        _converse(Block("run exit=3", "console", "$ cat a/b.txt\ny: 2\n$ exit 3\n"), tmp_path)
    with pytest.raises(AssertionError, match="write run"):
        _ = Block("run please", "console", "").exit_code
