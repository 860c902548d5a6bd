"""Ctrl-C in the middle of a reading."""

from __future__ import annotations

import pytest


def test_an_interrupt_is_pytests_own_and_what_was_finished_is_shown(project, sections):
    with (project.path / "conftest.py").open("a") as conftest:
        conftest.write(
            "\ndef pytest_persona_modify_questions(behaviours, traits):\n"
            "    if any('plain' in b.reply for b in behaviours):\n"
            "        raise KeyboardInterrupt\n"
        )
    project.makepyfile(
        """
        import pytest

        @pytest.mark.persona("flattering.jsonl", at_least={"sycophancy": 0.1})
        def test_finished():
            pass

        @pytest.mark.persona("plain.jsonl", at_most={"sycophancy": 0.1})
        def test_cut():
            pass

        def test_never():
            pass
        """
    )
    result = project.runpytest_subprocess("--persona-json=out.json")
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*KeyboardInterrupt*"])
    assert [line.strip("= ") for line in sections(result) if line.startswith("=")] == ["persona: flattering.jsonl"]
    assert (project.path / "out.json").exists()
    assert (project.path / "readings.log").read_text().endswith("closed\n")
