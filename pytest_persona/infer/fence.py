"""Judged text as data: every line carries a mark, what is hidden is shown, what looks like our own words is broken.

Datamarking after Hines et al. 2024, Defending Against Indirect Prompt Injection Attacks With Spotlighting (arXiv 2403.14720).
"""

from __future__ import annotations

import re

from pytest_persona.infer.lookalikes import HIDDEN, INNOCENT, folded

__all__ = ["BREAK", "clipped", "line_mark", "neutralised", "plain"]

BREAK = "·"
"""Stands in a word that would pass for a role marker, a token of a chat template, or a fence of ours."""

_LONGEST_RUN = 100
"""Of one character; a rule across a page is shorter."""
_MOST_SAME_LINES = 8
_MOST_ESCAPES = 6

_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_UNSEEN = re.compile(f"[{HIDDEN}]+")
_RUN = re.compile(rf"([^\n])\1{{{_LONGEST_RUN},}}")
_SAME_LINES = re.compile(rf"^(.*)\n(?:\1\n){{{_MOST_SAME_LINES - 1},}}", re.MULTILINE)
_ROLES = (
    r"(?:human|assistant|system|user|developer|tool|ai|judge|grader|evaluator|rater|examiner|instructions?|response|reply|"
    r"context|verdicts?|seal|statement|(?:first|second) reply)"
)
_ENDS = r"(?:begin|end|start|stop|new|close)\b"
_ORNAMENT = r"[^\S\n]{0,12}"
_TURNS = re.compile(
    rf"^(?:[\t >*_~`#=.(\[{{\"'|-]{{0,12}}{_ROLES}(?=[\t *_~`)\]}}\"'|]{{0,6}}(?:\([^\n()]{{0,20}}\) ?)?:)"  # Human:
    rf"|{_ORNAMENT}#{{1,6}}(?=[\t ]{{0,4}}(?:{_ROLES}\b|{_ENDS}))"  # ### Instruction
    rf"|{_ORNAMENT}[\[({{](?=/?[\t ]?(?:{_ROLES}\b|{_ENDS}))"  # (end of reply)
    rf"|{_ORNAMENT}[-=*_~#]{{2,80}}(?=[\t \[]{{0,4}}{_ENDS}))",  # --- END OF REPLY ---
    re.MULTILINE | re.IGNORECASE,
)
_TOKENS = re.compile(
    r"[<\[](?:(?<=<)(?=\|[^|\n]{1,40}\|>)|(?=[/<]{0,2}[\t ]?/?(?:inst|sys)\b)"  # <|im_start|>, <<SYS>>, [INST]
    rf"|(?<=<)(?=[/!]?[\t ]?(?:{_ROLES}|judged|text|data|document|conversation|transcript|fence|untrusted|prompt|turn|"
    r"message|(?:start|end)_of_turn|bos|eos|s|thinking|rubric|trait)\b[^<>\n]{0,60}>))",  # </reply>
    re.IGNORECASE,
)
_MARK = re.compile(r"(?<![0-9a-z])[0-9a-f]{4}\| ?")
_STRAIGHT = {0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"', ord(BREAK): None}


def line_mark(fence: str) -> str:
    """What each line of judged text begins with: the first four characters of the fence, a bar and a space."""
    return f"{fence[:4]}| "


def neutralised(text: str, fence: str) -> str:
    """The text as a judge is shown it: readable and quotable, yet no part of it can pass for anything but data.

    Each line, by every line break of Unicode, begins with `line_mark`. Characters that nobody sees stand there as
    ``<U+200B>``, a long row of them as its beginning and its length. Role markers, template tokens and closing tags
    have a `BREAK` in them, the fence itself is taken out, both in look-alike letters too. Long runs of a character and
    of a line are counted instead of shown. ``fence`` is a code of at least 8 hexadecimal digits, in small letters. Takes time in
    proportion to the text; the result has at most 10 characters for each of the text's, plus a mark.
    """
    text = _BREAKS.sub("\n", text)
    text = _UNSEEN.sub(_escaped, text)
    text = _RUN.sub(lambda run: f"{run[1] * 8}[… {len(run[0])} times {run[1]} …]", text)
    text = _SAME_LINES.sub(_counted, text)
    text = _broken(_without(text, fence))
    mark = line_mark(fence)
    return mark + text.replace("\n", "\n" + mark)


def plain(text: str) -> str:
    """A normal form for comparing quotes with what was shown: no line marks, no `BREAK`, white space and case folded,
    quotation marks straight; escapes as they are."""
    return " ".join(_MARK.sub("", text.translate(_STRAIGHT)).split()).casefold()


def clipped(text: str, characters: int) -> tuple[str, bool]:
    """The text, cut in the middle to so many characters (head 2/3, tail 1/3) if it is longer, and whether it was.

    A line in the place of what is left out says how much it is. Cut first, neutralise then, so that this line is marked too.
    """
    left_out = len(text) - characters
    if left_out <= 0:
        return text, False
    head = characters * 2 // 3
    tail = text[head + left_out :]
    return f"{text[:head]}\n[… {left_out:,} characters left out …]\n{tail}", True


def _escaped(unseen: re.Match[str]) -> str:
    start, end = unseen.span()
    hidden = unseen[0]
    if len(hidden) <= _MOST_ESCAPES and INNOCENT.fullmatch(unseen.string, max(start - 1, 0), end + 1):
        return hidden
    codes = " ".join(f"U+{ord(character):04X}" for character in hidden[:_MOST_ESCAPES])
    return f"<{codes}>" if len(hidden) <= _MOST_ESCAPES else f"<{codes} … {len(hidden)} hidden characters>"


def _counted(lines: re.Match[str]) -> str:
    times = lines[0].count("\n")
    return f"{lines[1]}\n[… {times} times the same line …]\n"


def _without(text: str, fence: str) -> str:
    """The text without the fence, whatever its letters look like."""
    seen = folded(text)
    if fence not in seen.lower():
        return text
    places = [found.span() for found in re.finditer(re.escape(fence), seen, re.IGNORECASE)]
    starts, ends = [0, *(end for _, end in places)], [*(start for start, _ in places), len(text)]
    return "[fence]".join(text[start:end] for start, end in zip(starts, ends, strict=True))


def _broken(text: str) -> str:
    """The text with a break in each marker, after its first sign or word."""
    seen = folded(text)
    places = sorted({found.end() for markers in (_TURNS, _TOKENS) for found in markers.finditer(seen)})
    return BREAK.join(text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True))
