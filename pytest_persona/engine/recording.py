"""The record of a run: checked before it, written after it."""

from __future__ import annotations

from pytest_persona.settings import Settings

__all__ = ["check_record", "write_record"]


def check_record(settings: Settings) -> None:
    """Raise JudgeError, before anything is asked, where the record that the settings want could not be written."""
    if settings.record is None:
        return
    from pytest_persona.judge.opening import info_of
    from pytest_persona.judge.recorded import recorder

    info_of(settings)
    recorder.check_record(settings)


def write_record(settings: Settings) -> list[str]:
    """Write the record that the settings want from what all processes of the run left; what was lost, in words. Raises JudgeError."""
    if settings.record is None:
        return []
    from pytest_persona.judge.opening import header_of, info_of
    from pytest_persona.judge.recorded.recorder import gather

    return gather(settings, header_of(info_of(settings)))
