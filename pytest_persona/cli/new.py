"""``new``: a suite or a trait to begin with."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_persona.errors import SettingsError
from pytest_persona.report.text import safe

__all__ = ["add"]

_FILES = {"suite": "{}.persona.yaml", "trait": "{}.yaml"}


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "new",
        help="Begin a suite or a trait.",
        description=(
            "Write a file that is valid as it stands, to be written over, and the schema that its first line names for "
            "editors. A file that is there is never overwritten."
        ),
        allow_abbrev=False,
    )
    parser.add_argument("kind", choices=tuple(_FILES), metavar="suite|trait", help="What to begin.")
    parser.add_argument("name", metavar="NAME", help="Its name.")
    parser.add_argument("--dir", default=".", metavar="DIR", help="The folder, made where there is none. (default: .)")
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    from pytest_persona.load.references import is_plain
    from pytest_persona.load.scaffolds import scaffold
    from pytest_persona.load.schemas import schema_text

    if not is_plain(args.name):
        raise SettingsError(f"new: {args.name!r} is no name. Use at most 80 letters, digits, '-', '_' and '.'.")
    folder = Path(args.dir)
    path, schema = folder / _FILES[args.kind].format(args.name), folder / f"{args.kind}.v1.json"
    _write(path, scaffold(args.kind, args.name))
    text = schema_text(args.kind)
    if not schema.exists():
        _write(schema, text)
    elif schema.read_text("utf-8", errors="replace") != text:
        print(safe(f"{schema} is there already and is another; `pytest-persona schema {args.kind}` prints this one"))
    print(f"Next: pytest-persona check {safe(str(path))}")
    return 0


def _write(path: Path, text: str) -> None:
    """Write a file that is not there yet, and say so."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except FileExistsError:
        raise SettingsError(f"new: {path} is there already. Choose another name, or move it.") from None
    except OSError as error:
        raise SettingsError(
            f"new: {path} cannot be written: {error.strerror or error}. Choose another --dir."
        ) from None
    print(safe(f"written: {path}"))
