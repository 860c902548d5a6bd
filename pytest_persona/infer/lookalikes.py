"""Characters that pass for others, and characters that nobody sees."""

# ruff: noqa: RUF001 - look-alikes are what this file is about

from __future__ import annotations

import re
import unicodedata

__all__ = ["HIDDEN", "INNOCENT", "bare", "folded"]

_PASS_FOR = {
    # Cyrillic, Greek, Armenian, small capitals: what fonts draw (nearly) alike, after
    # https://www.unicode.org/Public/security/latest/confusables.txt
    "a": "аαɑᴀ", "b": "ЬƅʙВвᏏ", "c": "сϲᴄꮯС", "d": "ԁɗᴅժ", "e": "еεєҽᴇℯЕΕ", "f": "ғꜰϝƒ", "g": "ɡցɢ", "h": "һհʜНнΗ",
    "i": "іιıɪӏІΙ", "j": "јϳᴊЈ", "k": "кκᴋКΚ", "l": "ӏլʟⅼ", "m": "мᴍМΜ", "n": "ոռηɴпΝ", "o": "оοσօᴏОΟ",
    "p": "рρᴘРΡ", "q": "ԛզ", "r": "гʀᴦ", "s": "ѕꜱЅ", "t": "тτᴛТΤ", "u": "υսᴜцμ", "v": "ѵνᴠ", "w": "ԝωᴡшա",
    "x": "хχХΧ", "y": "уγүʏУΥ", "z": "ᴢΖ",
    "<": "‹〈❮˂≺⟨《«", ">": "›〉❯˃≻⟩》»", "|": "│┃ǀ∣❘ⵏ¦", ":": "∶ː꞉︓։׃⁚", "[": "〔【⟦⦋", "]": "〕】⟧⦌", "{": "❴", "}": "❵",
    "/": "∕⁄╱⧸", "#": "♯", "_": "▁ˍ", "-": "‐‑‒–—―−⁃➖", "=": "═꞊᐀", '"': "“”„‟″❝❞", "'": "‘’‚‛′ʼ", "+": "➕",
}  # fmt: skip

HIDDEN = (
    r"\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ufdd0-\ufdef\ud800-\udfff"
    r"\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""Control, format, direction, tag, filler and selector characters, lone surrogates: the inside of a character class."""

_EMOJI = "[©®‼⁉™ℹ←-⇿⌀-⏿Ⓜ▪-➿⤴⤵⬀-⯿〰〽㊗㊙\U0001f000-\U0001faff]"
_FLAGS = "|".join("".join(chr(0xE0000 + ord(c)) for c in name) for name in ("gbeng", "gbsct", "gbwls"))
INNOCENT = re.compile(
    "(?:[\u0620-\u06ff\u0750-\u077f\u08a0-\u0dff\u0f00-\u109f\u1780-\u17ff][\u200c\u200d]"  # joiners in words
    f"|{_EMOJI}[\ufe0e\ufe0f]"
    f"|\U0001f3f4(?:{_FLAGS})\U000e007f"
    "|[\u3001-\u9fff\uf900-\ufaff\uff01-\uff5e\U00020000-\U0003fffd][\ufe00-\ufe02\U000e0100-\U000e01ef]"  # forms of Han
    "|[\u1820-\u18aa][\u180b-\u180d]"  # of Mongolian
    f")[^{HIDDEN}]?|{_EMOJI}\ufe0f?\u200d{_EMOJI}|[#*0-9]\ufe0f\u20e3"
)
"""A row of hidden characters that writing needs, with the character before it and the one after."""

_TWINS = {ord(twin): plain for plain, twins in _PASS_FOR.items() for twin in twins}
_TWINS.update({0x1F1E6 + i: chr(97 + i) for i in range(26)})  # regional indicators
_TWINS.update({first + i: chr(97 + i) for first in (0x1F150, 0x1F170) for i in range(26)})  # white on black
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_IS_HIDDEN = re.compile(f"[{HIDDEN}]")


class _Same(dict[int, str]):
    """One character for one, so that places in a folded text are places in the text; filled as characters are met."""

    def __missing__(self, code: int) -> str:
        letters = _letters(chr(code))
        self[code] = letters if len(letters) == 1 else chr(code)
        return self[code]


class _Bare(dict[int, str]):
    """Any number of characters for one; filled as characters are met."""

    def __missing__(self, code: int) -> str:
        self[code] = "" if _IS_HIDDEN.match(chr(code)) else _letters(chr(code))
        return self[code]


def _letters(character: str) -> str:
    """What a character passes for, accents off; as it is where it passes for nothing."""
    parts = unicodedata.normalize("NFKD", _TWINS.get(ord(character), character.casefold()))
    kept = "".join(part for part in parts if not unicodedata.combining(part))
    return unicodedata.normalize("NFC", "".join(_TWINS.get(ord(part), part) for part in kept))


_SAME, _BARE = _Same(), _Bare()


def folded(text: str) -> str:
    """The text with each look-alike replaced by the plain character that it passes for; as long as the text."""
    return _NOT_ASCII.sub(lambda row: row[0].translate(_SAME), text)


def bare(text: str) -> str:
    """The text without accents, capitals and what is hidden, each look-alike replaced: what texts are compared by."""
    return _NOT_ASCII.sub(lambda row: row[0].translate(_BARE), text).lower()
