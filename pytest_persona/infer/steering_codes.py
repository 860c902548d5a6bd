"""Texts that are not written to be read: what stands in them, decoded."""

from __future__ import annotations

import base64
import codecs
import html
import re
import urllib.parse
from collections.abc import Iterator

__all__ = ["decoded", "respelt"]

_TOLD = ("judge", "score", "grade", "evaluat", "rating")
"""One of these stands in every order that is worth decoding; what decodes to other words is left alone."""
_ROT13 = tuple(codecs.encode(word, "rot13") for word in _TOLD)
_BACKWARDS = tuple(word[::-1] for word in _TOLD)
_LEET = str.maketrans("013457@$", "oieastas")
_MIXED = re.compile(r"[a-z0-9@$]{2,24}")
_ESCAPES = re.compile(r"&#x?[0-9a-f]{2,6};|%[0-9a-f]{2}|\\u[0-9a-f]{4}|\\x[0-9a-f]{2}", re.IGNORECASE)
_SPELLING = (re.compile(r"(?<=\b\w)[._*-](?=\w\b)"), re.compile(r"(?<=\b\w) (?=\w\b)"))
_ALONE = tuple(f"{sign}e{sign}" for sign in " ._*-")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{24,}(?:\r?\n[A-Za-z0-9+/_-]{4,})*")
_HEX = re.compile(r"(?:(?:0x)?[0-9a-f]{2}[ ,:-]{0,2}){16,}", re.IGNORECASE)
_CODES = re.compile(r"(?:\d{2,3}[ ,;]{1,2}){15,}\d{2,3}")
_BITS = re.compile(r"(?:[01]{8} ?){16,}")
_FEW_FIGURES = 16


def respelt(text: str, view: str) -> Iterator[str]:
    """The whole text with its escapes resolved, its leetspeak read, its spelt-out words joined: where it has any."""
    if _ESCAPES.search(text):
        yield html.unescape(urllib.parse.unquote(_ESCAPES.sub(_unescaped, text)))
    if sum(map(view.count, "0134")) > 4:
        leet = view.translate(_LEET)
        if any(leet.count(word) > view.count(word) for word in _TOLD):
            yield _MIXED.sub(lambda word: word[0] if word[0].isdigit() else word[0].translate(_LEET), view)
    if any(letter in view for letter in _ALONE):
        for separator in _SPELLING:
            yield separator.sub("", text)


def decoded(text: str, view: str) -> Iterator[str]:
    """Whatever can be decoded from the text: read backwards, by ROT13, from Base64, from numbers of characters."""
    if any(word in view for word in _BACKWARDS):
        yield view[::-1]
    if any(word in view for word in _ROT13):
        yield codecs.encode(view, "rot13")
    for found in _BASE64.finditer(text):
        digits = "".join(found[0].split())
        yield _readable(base64.urlsafe_b64decode(digits[: len(digits) // 4 * 4].replace("+", "-").replace("/", "_")))
    if sum(map(view.count, "01367")) > _FEW_FIGURES:
        for found in _HEX.finditer(text):
            digits = re.sub("0x|[^0-9a-f]", "", found[0].lower())
            yield _readable(bytes.fromhex(digits[: len(digits) // 2 * 2]))
        for found in _CODES.finditer(text):
            yield _readable(bytes(int(number) % 256 for number in re.findall(r"\d+", found[0])))
        for found in _BITS.finditer(text):
            yield _readable(bytes(int(number, 2) for number in re.findall("[01]{8}", found[0])))


def _unescaped(escape: re.Match[str]) -> str:
    return chr(int(escape[0][2:], 16)) if escape[0][0] == "\\" else escape[0]


def _readable(content: bytes) -> str:
    """As text; empty where it is none."""
    text = content.decode("utf-8", "replace")
    return text if text.count("\ufffd") * 10 < len(text) else ""
