"""What a vendor's refusal means for the question and for the run, in one line without a secret."""

from __future__ import annotations

import logging
import math
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from pytest_persona.errors import JudgeError
from pytest_persona.net.faults import Fault, Permanent, Transient

__all__ = [
    "JUDGE",
    "TARGET",
    "Role",
    "Service",
    "checked_key",
    "checked_url",
    "hush",
    "retry_after",
    "scrubbed",
    "unlogged",
]

_CROWDED = (429, 529)
_AGAIN = (408, 409, *_CROWDED)
_STATUS_OF_KIND = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "conflict_error": 409,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}
"""Status by Anthropic's type of error, where an error comes without one: in a good response, in a batch."""
_UNPAID_KINDS = ("billing_error", "insufficient_quota")
_UNPAID = re.compile(r"spend_limit_reached$|credit balance is too low|exceeded your current quota", re.IGNORECASE)
"""Limits that no waiting lifts, although they come as 429 or 400."""

_MOST_CHARACTERS, _READ = 200, 4000
_SECRETS = (
    (re.compile(r"\b(\w+://)[^/\s@]+@"), r"\1…@"),
    (re.compile(r"(https?://[^\s?#'\"]+)\?[^\s'\"]*"), r"\1?…"),
    (re.compile(r"\b(Bearer|Basic)\s+[^\s'\"]+", re.IGNORECASE), r"\1 …"),
    (
        re.compile(
            r"\b((?:x-)?api[-_]?key|authorization|proxy-authorization|auth[-_]?token|access[-_]?token|token|secret|"
            r"password|(?:set-)?cookie)\b(['\"]?\s*[:=]\s*['\"]?)(?!Bearer …|Basic …)[^\s'\",;}]+",
            re.IGNORECASE,
        ),
        r"\1\2…",
    ),
    (re.compile(r"\b(?:sk|pk|rk|xai|gsk|ghp|gho|hf|key|wrkspc)[-_][A-Za-z0-9_*.\-]{6,}"), "…"),
    (re.compile(r"\beyJ[A-Za-z0-9_\-.=]{10,}"), "…"),
    (re.compile(r"\b(?=[A-Za-z0-9_\-]*\d)(?=[A-Za-z0-9_\-]*[A-Za-z])[A-Za-z0-9_\-+/]{32,}"), "…"),
)


def scrubbed(text: str, secrets: Iterable[str] = ()) -> str:
    """A server's words on one short line, without what is or looks like a key, a token or a header's value.

    Markup (a gateway's error page) becomes nothing, characters that do not print are left out.
    """
    if text.lstrip().startswith("<"):
        return ""
    line = "".join(character for character in " ".join(text[:_READ].split()) if character.isprintable())
    for secret in secrets:
        if secret:
            line = line.replace(secret, "…")
    for pattern, shown in _SECRETS:
        line = pattern.sub(shown, line)
    return line if len(line) <= _MOST_CHARACTERS else line[: _MOST_CHARACTERS - 1] + "…"


def checked_url(url: str, where: str) -> str:
    """The URL; raises JudgeError, naming ``where`` it came from, unless it is one of http."""
    if re.match(r"https?://[^/\s]", url, re.IGNORECASE) is None:
        raise JudgeError(f"{where}: {scrubbed(url)!r} is not a URL of http or https, such as http://localhost:8000/v1.")
    return url


def checked_key(key: str, where: str) -> str:
    """The key; raises JudgeError, naming ``where`` it came from, where it has characters that no header can carry."""
    if not key.isascii() or not key.isprintable() or " " in key:
        raise JudgeError(
            f"{where}: the key has white space, line ends or special characters in it. Set it again without them."
        )
    return key


@dataclass(frozen=True, kw_only=True, slots=True)
class Role:
    """For what a model is asked, and so what its user can change."""

    name: str
    model: str
    """What names the model."""
    base_url: str
    """What names where it is asked."""
    without_key: str
    """How to do without a key, in a sentence."""


JUDGE = Role(
    name="judge",
    model="--persona-model",
    base_url="--persona-base-url",
    without_key="--persona-judge replay reads recorded verdicts and needs none.",
)
TARGET = Role(
    name="target",
    model="target.*.model in the suite",
    base_url="target.*.base_url in the suite",
    without_key="--persona-ask never reads recorded replies (--persona-replies) and needs none.",
)


class Service:
    """One vendor in one run: who is asked for which model with which credential."""

    def __init__(
        self, *, model: str, credential: str, url: str = "", secrets: Iterable[str] = (), named_by: str = JUDGE.model
    ) -> None:
        """``credential``: where the key is from, in words. ``url``: the user's own, where there is one. ``secrets`` never show."""
        self._model, self._credential, self._url, self._named_by = model, credential, url, named_by
        self._secrets = tuple(secrets)

    def said(self, text: str) -> str:
        """Words of the vendor's or of its client's, scrubbed."""
        return scrubbed(text, self._secrets)

    def unreached(self, error: BaseException) -> Transient:
        """No connection, or one that broke, by the deepest error that says why."""
        words = str(error)
        while (error := error.__cause__ or error.__context__) is not None:  # type: ignore[assignment]
            words = str(error) or words
        return Transient(f"no connection, or it broke: {self.said(words) or 'no reason given'}")

    def late(self, timeout: float) -> Transient:
        """No reply in time."""
        return Transient(f"no reply within {timeout:g} s")

    def unreadable(self, why: str) -> Transient:
        """A reply of the wrong form."""
        return Transient(f"a reply that cannot be read: {self.said(why)}")

    def refused(
        self,
        status: int | None,
        words: str,
        *,
        kind: str = "",
        code: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Fault:
        """What a refusal means, by its HTTP status, else by its ``kind``; ``code`` names its cause more closely."""
        headers = headers or {}
        effective = status or _STATUS_OF_KIND.get(kind, 500)
        text = " ".join(filter(None, (f"HTTP {status}" if status else "", kind)))
        if shown := self.said(words):
            text = f"{text}: {shown}"
        if effective == 402 or kind in _UNPAID_KINDS or code in _UNPAID_KINDS or _UNPAID.search(f"{words} {code}"):
            return Permanent(f"the account cannot pay for more ({text}). See to its credit or limits.", fatal=True)
        if effective in (401, 403):
            return Permanent(f"the API key was refused ({text}). Check {self._credential}.", fatal=True)
        if effective == 404:
            other = f", or see whether {self.said(self._url)} is right" if self._url else ""
            return Permanent(
                f"the model {self._model} is not offered to this key ({text}). Name another with {self._named_by}{other}.",
                fatal=True,
            )
        again = effective in _AGAIN or effective >= 500
        if {"true": True, "false": False}.get(headers.get("x-should-retry", ""), again):
            return Transient(text, retry_after=retry_after(headers), crowded=effective in _CROWDED)
        return Permanent(text, fatal=False)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, from ``retry-after-ms`` or ``retry-after`` (seconds, or a date against the server's own clock)."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) * unit
        except ValueError:
            continue
        if math.isfinite(seconds):
            return max(0.0, seconds)
    until = _date(headers.get("retry-after", ""))
    if until is None:
        return None
    return max(0.0, until - (_date(headers.get("date", "")) or time.time()))


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


# ---------------------------------------------------------------------------------------------------- logging
_OURS: ContextVar[bool] = ContextVar("pytest_persona_asking", default=False)
_LIBRARIES = ("anthropic", "httpx2", "httpcore2")


@contextmanager
def unlogged() -> Iterator[None]:
    """While it lasts, what the vendors' libraries log in this task goes nowhere: it holds what is judged, and headers."""
    token = _OURS.set(True)
    try:
        yield
    finally:
        _OURS.reset(token)


def hush() -> None:
    """Make `unlogged` work, once the libraries are imported; loggers used by others in the process go on as they were."""
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] in _LIBRARIES:
            logging.getLogger(name).addFilter(_not_ours)


def _not_ours(_: logging.LogRecord) -> bool:
    return not _OURS.get()
