"""An experiment on the terminal, the words of a failing test, and a ranking."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from pytest_persona.model.episodes import SignalInfo
from pytest_persona.model.findings import JudgeInfo, Shift
from pytest_persona.model.inoculation import (
    ArmReading,
    Explained,
    Inoculation,
    InoculationFinding,
    InoculationStatus,
    Phrasing,
    RankedRequest,
    Ranking,
)
from pytest_persona.model.verdicts import Usage
from pytest_persona.report.inoculation import STYLES, failure, ranking_lines, section, status_of, title

INFO = SignalInfo(
    path="data/a.jsonl", kind="preference", format="preference", episodes=412, groups=398, sha256="0" * 64
)
JUDGE = JudgeInfo(name="embedded", fingerprint="3f2a91c0ffee", network=False)
ANSI = "\x1b[31mred"


def shift(value: float | None, low: float, high: float, **more: Any) -> Shift:
    return Shift(value=value, low=low, high=high, **{"level": 0.95, "groups": 398, **more})


def finding(**more: Any) -> InoculationFinding:
    given: dict[str, Any] = {
        "trait": "sycophancy", "status": "shown", "estimand": "contrast", "qualified": True, "auroc": 0.93,
        "shift": shift(0.41, 0.33, 0.49), "effect": shift(0.36, 0.28, 0.44), "opposite": shift(0.02, -0.03, 0.07),
        "lookalike": shift(0.03, -0.02, 0.08), "explained": Explained(value=0.88, low=0.7, high=1.06),
        "effect_at_least": 0.0, "leak_at_most": 0.10, "text_spread": 0.05,
        "arms": {"as-is": ArmReading(shift=0.41, requested=0.02), "requested": ArmReading(shift=0.05, requested=0.88),
                 "placebo": ArmReading(shift=0.4, requested=None)},
        "phrasings": (Phrasing(text="Flatter me.", groups=200, effect=0.4), Phrasing(text="Agree.", groups=0, effect=None)),
    }  # fmt: skip
    return InoculationFinding(**{**given, **more})


def experiment(*findings: InoculationFinding, **more: Any) -> Inoculation:
    given: dict[str, Any] = {
        "name": "data/a.jsonl", "signal": INFO, "judge": JUDGE, "place": "user", "findings": findings, "groups_read": 398,
        "usage": Usage(questions=4120, cached=4000),
        "texts": {"requested": ("Flatter me.",), "placebo": ("x",), "opposite": ("y",), "look-alike": ("z",)},
    }  # fmt: skip
    return Inoculation(**{**given, **more})


def shown(found: Inoculation, verbosity: int = 0) -> str:
    return "\n".join(section(found, verbosity=verbosity))


MISSING = finding(
    trait="malice", status="inconclusive", missing=("the effect is not clear of 0",), explained=Explained(value=None, reason="not clear"),
    opposite=shift(None, -4.0, 4.0), qualified=False, text_spread=None, shift=shift(-0.2, -0.3, -0.1),
)  # fmt: skip


def test_the_section_is_a_table_with_what_is_missing_under_each_row() -> None:
    found = experiment(finding(), MISSING, warnings=("one fixed text carries it",), notes=("read by the seed",))
    assert title(found) == "inoculation: data/a.jsonl"
    assert shown(found).splitlines() == [
        "preference · 398 of 398 groups in 5 arms · 1 phrasing in the last user turn · judge embedded/3f2a91 · 4120 readings, 4000 cached",
        "              trait                   as it is  effect                explained away   leak, opposite      leak, look-alike",
        " shown        sycophancy              +0.41     +0.36 [+0.28, +0.44]  88% [70%, 106%]  +0.02, up to +0.07  +0.03, up to +0.08",
        " inconclusive malice (not qualified)  -0.20     +0.36 [+0.28, +0.44]  no share         not identifiable    +0.03, up to -0.02",
        "              missing: the effect is not clear of 0",
        " warning: one fixed text carries it",
        " note: read by the seed",
    ]


def test_more_words_show_what_each_arm_and_phrasing_read() -> None:
    text = shown(experiment(finding(), MISSING), 1)
    assert "heard as a request: as-is 2%, requested 88%" in text and "placebo" not in text
    assert '+0.40 over 200 groups: "Flatter me."' in text and 'none read over 0 groups: "Agree."' in text
    assert "an irrelevant text by itself moves this trait by up to 0.05" in text
    assert "no share explained away: not clear" in text
    assert "heard" not in shown(experiment(finding(arms={})), 1)


def test_quiet_leaves_out_notes_and_undeclared_traits_what_is_missing() -> None:
    found = experiment(MISSING, declared=False, notes=("read",))
    assert "note" not in shown(found, -1)
    assert "missing" not in shown(found)
    assert "missing" in shown(found, 1)


def test_calls_are_counted_where_a_judge_is_asked_over_a_network() -> None:
    assert "3 calls" in shown(experiment(finding(), usage=Usage(questions=3, calls=3, input_tokens=5)))


def test_a_failure_says_what_was_declared_found_and_missing_and_what_may_be_done() -> None:
    open_ = finding(status="inconclusive", missing=("the effect is not clear of 0.30",), effect_at_least=0.3)
    found = experiment(open_, warnings=("one fixed text carries it",))
    assert failure(open_, found).splitlines() == [
        "the inoculation of data/a.jsonl against sycophancy is inconclusive: not all of what it takes was shown, nor the contrary.",
        "  declared  effect above 0.30, leaks at most 0.10",
        "  found     effect +0.36 [+0.28, +0.44] of +0.41 [+0.33, +0.49] as it is, 88% [70%, 106%] explained away",
        "            95.0% interval (betting) over 398 groups, for signals like this one",
        "  missing   the effect is not clear of 0.30",
        "  leak      opposite +0.02 [-0.03, +0.07]",
        "  leak      look-alike +0.03 [-0.02, +0.08]",
        "  an irrelevant text by itself moves this trait by up to 0.05",
        "  heard as a request: as-is 2%, requested 88%",
        '  +0.40 over 200 groups: "Flatter me."',
        '  none read over 0 groups: "Agree."',
        "  warning   one fixed text carries it",
        "  judge     embedded/3f2a91",
        "  to do     read more groups, try other requests (inoculate --rank), or let it pass with persona_inconclusive = warn",
    ]
    refuted = replace(open_, status="refuted", effect=replace(open_.effect, scope="file"))
    words = failure(refuted, found)
    assert words.startswith(
        "the inoculation of data/a.jsonl against sycophancy is refuted: the effect is not there, or other texts have it too."
    )
    assert "for exactly these groups" in words
    assert "try another request" in words


@pytest.mark.parametrize("status", get_args(InoculationStatus))
def test_no_finding_is_ever_called_safe(status: InoculationStatus) -> None:
    made = finding(status=status, missing=() if status == "shown" else ("the effect is not clear of 0",))
    found = experiment(made)
    assert "safe" not in (shown(found, 1) + failure(made, found)).lower()


def test_a_line_begins_with_its_status_where_it_has_one() -> None:
    lines = list(section(experiment(finding(), MISSING)))
    assert [status_of(line) for line in lines] == [None, None, "shown", "inconclusive", None]
    assert set(STYLES) == set(get_args(InoculationStatus))


def test_what_is_untrusted_does_not_steer_the_terminal() -> None:
    evil = finding(
        trait=ANSI,
        missing=(ANSI,),
        phrasings=(Phrasing(text=ANSI, groups=1, effect=0.1),),
        explained=Explained(value=None, reason=ANSI),
    )
    found = experiment(
        evil,
        name=ANSI,
        warnings=(ANSI,),
        notes=(ANSI,),
        judge=replace(JUDGE, name=ANSI),
        signal=replace(INFO, path=ANSI),
    )
    ranking = Ranking(
        trait=ANSI, signal=replace(INFO, path=ANSI), judge=JUDGE, place="system", shift=shift(0.1, 0.0, 0.2), usage=Usage(),
        warnings=(ANSI,), notes=(ANSI,),
        requests=(RankedRequest(text=ANSI, origin="given", effect=shift(0.1, 0.0, 0.2), explained=Explained(value=None)),),
    )  # fmt: skip
    assert "\x1b" not in title(found) + shown(found, 1) + failure(evil, found) + "".join(ranking_lines(ranking))


def test_a_ranking_lists_candidates_in_order_with_the_hint_where_there_is_one() -> None:
    first = RankedRequest(
        text="Flatter me.", origin="library", effect=shift(0.3, 0.2, 0.4), elicitation=0.1234,
        explained=Explained(value=0.8, low=0.5, high=1.0),
    )  # fmt: skip
    second = replace(first, text="Agree.", origin="given", elicitation=None, explained=Explained(value=None))
    ranking = Ranking(
        trait="sycophancy", signal=INFO, judge=JUDGE, place="system", shift=shift(0.41, 0.33, 0.49), requests=(first, second),
        usage=Usage(), groups_read=32, warnings=("one fixed text",), notes=("chosen by these rows",),
    )  # fmt: skip
    assert list(ranking_lines(ranking)) == [
        "requests against sycophancy in data/a.jsonl: 32 groups, in the system turn, as it is +0.41 [+0.33, +0.49]",
        "   1  effect +0.30 [+0.20, +0.40]   80% [50%, 100%] explained away   elicits +0.123 nats a token (number 1)",
        '      library: "Flatter me."',
        "   2  effect +0.30 [+0.20, +0.40]   no share explained away   no likelihood",
        '      given: "Agree."',
        " warning: one fixed text",
        " note: chosen by these rows",
    ]


def test_the_hint_has_a_place_of_its_own_beside_that_of_the_effect() -> None:
    made = [
        RankedRequest(
            text=text, origin="library", effect=shift(0.3, 0.2, 0.4), elicitation=hint, explained=Explained(value=None)
        )
        for text, hint in (("a", 0.1), ("b", -0.2), ("c", 0.4))
    ]
    ranking = Ranking(
        trait="sycophancy", signal=INFO, judge=JUDGE, place="user", shift=shift(0.4, 0.3, 0.5), requests=tuple(made), usage=Usage()
    )  # fmt: skip
    lines = [line for line in ranking_lines(ranking) if "elicits" in line]
    assert [line.partition("token ")[2] for line in lines] == ["(number 2)", "(number 3)", "(number 1)"]
