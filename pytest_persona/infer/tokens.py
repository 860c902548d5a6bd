"""How many tokens a text has, without the tokenizer of the vendor who will count them."""

from __future__ import annotations

import re

__all__ = ["estimate"]

# Each match is a token. The lengths at which a word counts as two were fitted, together, to what a byte-pair encoding of 49,152
# tokens (SmolLM2's) makes of prompts, dialogues, code and JSON. A word after a space is mostly one token, a bare one less often.
_PIECE = re.compile(
    r"'(?:s|t|re|ve|m|ll|d)\b"
    r"| [a-z]{1,9}|[a-z]{1,8}| ?[A-Z][a-z]{1,4}| ?[A-Z]{1,2}"
    r"| ?[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff]"  # Chinese, Japanese, Korean
    r"| ?[^\W\d_a-zA-Z]{1,2}"  # letters of other alphabets, and accented ones
    r"|\d"
    r"| ?[!-/:-@\[-`{-~]{1,3}"
    r"| ?[^\s\w]"
    r"|\s+(?!\S)|\s"
)
_BEYOND = re.compile("[\U00010000-\U0010ffff]")
"""Emoji and rare signs take two tokens or more."""


def estimate(text: str) -> int:
    """About as many tokens as a byte-pair encoding makes of a text, >= 0.

    Within 5 % of SmolLM2's on whole prompts of this package; on languages other than English, and of other vendors' encodings,
    it says the order of magnitude.
    """
    return len(_PIECE.findall(text)) + len(_BEYOND.findall(text))
