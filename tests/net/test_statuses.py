"""One line without a secret, whatever a server says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_persona.net.faults import Permanent, Transient
from pytest_persona.net.statuses import Service, scrubbed


@pytest.mark.parametrize(
    "text, shown",
    [
        ("Incorrect API key provided: sk-proj-abc***xyz9. You", "Incorrect API key provided: … You"),
        ("invalid sk-ant-api03-AbC_dEf-0123", "invalid …"),
        ("Authorization: Bearer abc.def", "Authorization: Bearer …"),
        ("{'authorization': 'secret words'}", "{'authorization': '… words'}"),
        ("x-api-key=abcd1234; retry", "x-api-key=…; retry"),
        ("Set-Cookie: session=1; x", "Set-Cookie: …; x"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.abc", "token …"),
        ("https://me:pass@host.test/v1 failed", "https://…@host.test/v1 failed"),
        ("GET https://host.test/v1?api_key=abc&x=1 failed", "GET https://host.test/v1?… failed"),
        ("hash 0123456789abcdef0123456789abcdef01 odd", "hash … odd"),
        ("model: claude-sonnet-5-5 is not found", "model: claude-sonnet-5-5 is not found"),
        ("prompt is too long: 300000 tokens > 200000 maximum", "prompt is too long: 300000 tokens > 200000 maximum"),
        ("two\nlines\tand \x1b[31mred\u202e", "two lines and [31mred"),
        ("  <!DOCTYPE html><html>", ""),
        ("x" * 300, "x" * 199 + "…"),
    ],
)
def test_what_is_or_looks_like_a_secret_is_not_shown(text: str, shown: str) -> None:
    assert scrubbed(text) == shown


@given(
    secret=st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=8, max_size=60),
    before=st.text(max_size=40),
    after=st.text(max_size=40),
)
def test_a_known_secret_is_never_shown(secret: str, before: str, after: str) -> None:
    line = scrubbed(f"{before}{secret}{after}", [secret])
    assert secret not in line or secret in scrubbed(f"{before}{after}")


@given(st.text(max_size=400))
def test_whatever_is_said_is_one_short_printable_line(text: str) -> None:
    line = scrubbed(text)
    assert line.isprintable() and len(line) <= 200


SERVICE = Service(model="m", credential="THE_KEY")


@pytest.mark.parametrize(
    "status, kind, code, words, kind_of_fault, fatal",
    [
        (None, "overloaded_error", "", "busy", Transient, None),
        (None, "rate_limit_error", "", "slow down", Transient, None),
        (None, "api_error", "", "", Transient, None),
        (None, "no_such_kind", "", "", Transient, None),
        (None, "invalid_request_error", "", "bad", Permanent, False),
        (None, "authentication_error", "", "", Permanent, True),
        (429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota", Permanent, True),
        (429, "requests", "rate_limit_exceeded", "see /account/billing to raise it", Transient, None),
        (400, "invalid_request_error", "", "Your credit balance is too low", Permanent, True),
        (402, "", "linked_organization_spend_limit_reached", "", Permanent, True),
        (301, "", "", "", Permanent, False),
    ],
)
def test_a_refusal_is_told_by_status_kind_and_code(
    status: int | None, kind: str, code: str, words: str, kind_of_fault: type, fatal: bool | None
) -> None:
    fault = SERVICE.refused(status, words, kind=kind, code=code)
    assert type(fault) is kind_of_fault
    assert getattr(fault, "fatal", None) == fatal


def test_crowding_is_told_by_kind_where_there_is_no_status() -> None:
    crowded = [SERVICE.refused(None, "", kind=kind) for kind in ("overloaded_error", "rate_limit_error", "api_error")]
    assert [fault.crowded for fault in crowded if isinstance(fault, Transient)] == [True, True, False]


def test_the_deepest_error_that_says_why_is_told() -> None:
    try:
        try:
            raise OSError("Name or service not known")
        except OSError as error:
            raise RuntimeError from error
    except RuntimeError as error:
        assert "Name or service not known" in str(SERVICE.unreached(error))
    assert "no reason given" in str(SERVICE.unreached(RuntimeError()))
