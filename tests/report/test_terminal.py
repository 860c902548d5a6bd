"""The section on the terminal and the words of a failing test."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, get_args

import pytest

from pytest_persona.model.episodes import KINDS
from pytest_persona.model.findings import Finding, Nuisance, NullTest, Profile, Status
from pytest_persona.model.traits import Expectation
from pytest_persona.model.verdicts import Usage
from pytest_persona.report import terminal
from pytest_persona.report.terminal import STYLES, bounds, failure, section, signed, status_of, title

Make = Callable[..., Any]


def shown(profile: Profile, verbosity: int = 0) -> str:
    return "\n".join(section(profile, verbosity=verbosity))


def test_the_section_is_that_of_the_design(profile: Make, violated: Finding, inconclusive: Finding) -> None:
    found = profile(violated, replace(inconclusive, reason=""))
    assert title(found) == "persona: data/preferences.jsonl"
    assert shown(found).splitlines() == [
        "preference · 412 pairs in 398 groups · judge embedded/3f2a91 · 824 readings, 790 cached",
        " violated     sycophancy   +0.41 [+0.33, +0.49]  at most +0.10",
        '              data/preferences.jsonl:17  "You are absolutely right, I was wrong"   +1.6',
        "              12 of 398 groups carry half of the shift",
        " inconclusive deception    +0.04 [-0.03, +0.11]  at most +0.05   about 210 more groups would settle it",
    ]


def test_an_inconclusive_finding_says_why(profile: Make, inconclusive: Finding) -> None:
    assert "              the bound lies within the interval" in shown(profile(inconclusive)).splitlines()


def test_quiet_leaves_out_what_is_held_alone(profile: Make, finding: Make, violated: Finding) -> None:
    found = profile(violated, finding(trait="malice", status="held"), finding(trait="masking", status="observed"))
    assert "malice" in shown(found)
    assert "malice" not in shown(found, -1)
    assert "sycophancy" in shown(found, -1)
    assert "masking" in shown(found, -1)


def test_evidence_stands_where_something_is_wrong_and_elsewhere_when_asked(profile: Make, violated: Finding) -> None:
    held = replace(violated, status="held")
    assert "17" not in shown(profile(held))
    assert ":17" in shown(profile(replace(held, status="observed", unwanted=True, expectation=None)))
    assert ":17" in shown(profile(held), 1)


def test_auroc_and_null_vectors(profile: Make, finding: Make) -> None:
    held = finding(status="held", null=NullTest(z=6.12, rank=0.998, spread=0.1, vectors=400))
    assert "null" not in shown(profile(held))
    assert "AUROC" not in shown(profile(replace(held, status="violated")))
    assert "z +6.1 among 400 null vectors, larger than 99.8% of them" in shown(profile(held), 1)
    assert "the judge's AUROC for this trait is 0.93" in shown(profile(held), 1)
    assert "AUROC" not in shown(profile(replace(held, auroc=None)), 1)


def test_one_group_carries_and_two_carry(profile: Make, finding: Make) -> None:
    assert "1 of 398 groups carries half" in shown(profile(finding(carriers=1)))
    assert "2 of 398 groups carry half" in shown(profile(finding(carriers=2)))
    assert "half" not in shown(profile(finding(carriers=None)))


def test_a_shift_that_nothing_identifies_is_never_zero(profile: Make, finding: Make, shift: Make) -> None:
    text = shown(profile(finding(status="inconclusive", shift=shift(None, -2.0, 2.0))))
    assert "sycophancy   not identifiable" in text
    assert "+0.00" not in text


def test_marks_on_the_line(profile: Make, finding: Make) -> None:
    text = shown(profile(finding(qualified=False, estimand="absolute")))
    assert text.splitlines()[1].endswith("absolute  not qualified")


def test_what_is_unwanted_though_no_bound_was_declared_is_marked(profile: Make, finding: Make) -> None:
    observed = finding(status="observed", unwanted=True)
    assert shown(profile(observed)).splitlines()[1].endswith("[+0.33, +0.49]  unwanted")
    assert "unwanted" not in shown(profile(replace(observed, status="violated")))


def test_requests_are_said_above_a_fifth(profile: Make, finding: Make, shift: Make) -> None:
    asked = finding(requested=shift(0.34, 0.3, 0.4), expressed=shift(0.61, 0.5, 0.7))
    assert "34% requested by the contexts; before requests are discounted +0.61 [+0.50, +0.70]" in shown(profile(asked))
    assert "requested" not in shown(profile(replace(asked, requested=shift(0.2, 0.1, 0.3))))
    assert "requested" not in shown(profile(replace(asked, requested=shift(None, 0.0, 1.0))))


def test_shares_of_nuisance_are_said_above_three_tenths(profile: Make, finding: Make) -> None:
    text = shown(profile(finding(nuisance=Nuisance(length=0.45, valence=0.29))))
    assert "45% of the shift goes with reply length" in text
    assert "good/bad" not in text
    assert "62% of the shift goes with the general good/bad factor" in shown(
        profile(finding(nuisance=Nuisance(valence=0.62, reason="too few groups")))
    )
    assert "the general good/bad factor, 62% of the shift as first read, was taken out" in shown(
        profile(finding(nuisance=Nuisance(valence=0.62, taken_out=True)))
    )


def test_rivals_are_named_where_they_shift_further_largest_first(profile: Make, finding: Make, shift: Make) -> None:
    rivals = {"grovelling": 0.55, "masking": 0.7, "deception": 0.2, "malice": None, "candour": -0.9}
    text = shown(profile(finding(rivals=rivals)))
    assert "its rival masking shifts further: +0.70\n              its rival grovelling shifts further: +0.55" in text
    assert "deception" not in text and "candour" not in text
    assert "rival" not in shown(profile(finding(rivals=rivals, shift=shift(None, -2.0, 2.0))))
    assert "rival" not in shown(profile(finding(rivals=rivals, status="inconclusive")))


def test_the_other_scope_is_shown_where_it_decides_differently(profile: Make, finding: Make, shift: Make) -> None:
    assert "for exactly these groups: +0.04 [+0.02, +0.09]" in shown(
        profile(finding(other_scope=shift(0.04, 0.02, 0.09, scope="file")))
    )
    assert "for signals like this one: +0.04" in shown(profile(finding(other_scope=shift(0.04, 0.02, 0.09))))


def test_what_is_silent_or_unscored_is_counted(profile: Make, finding: Make, shift: Make) -> None:
    text = shown(profile(finding(shift=shift(silent=30, unscored=1))))
    assert "398 groups, 30 silent ·" in text
    assert "1 behaviour without a verdict" in text


def test_calls_and_tokens_are_shown_where_there_were_any(profile: Make) -> None:
    usage = Usage(questions=1, calls=1, input_tokens=900, output_tokens=40)
    assert shown(profile(usage=usage)).endswith("1 reading, 0 cached · 1 call, 900 + 40 tokens")


def test_notes_stand_at_the_end(profile: Make, violated: Finding) -> None:
    lines = shown(profile(violated, notes=("3 unreadable rows were skipped",))).splitlines()
    assert lines[-1] == " note: 3 unreadable rows were skipped"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_heading(profile: Make, kind: str) -> None:
    found = profile()
    assert shown(replace(found, signal=replace(found.signal, kind=kind, episodes=1))).startswith(f"{kind} · 1 ")


def test_no_line_lets_a_stranger_steer_the_terminal(profile: Make, violated: Finding) -> None:
    evil = "\x1b[2Jevil\u202e\n"
    row = replace(violated.evidence[0], quote=evil * 50, source=evil)
    finding = replace(violated, trait=evil, reason=evil, rivals={evil: 2.0}, evidence=(row,))
    found = profile(finding, name=evil, notes=(evil,))
    found = replace(found, judge=replace(found.judge, name=evil, fingerprint="\x1b" * 9))
    for text in (title(found), failure(finding, found), *section(found, verbosity=1)):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert all("\n" not in line for line in section(found, verbosity=1))


def test_a_violation_fails_with_what_was_declared_and_found(profile: Make, violated: Finding) -> None:
    assert failure(violated, profile(violated)).splitlines() == [
        "sycophancy is violated in data/preferences.jsonl: this signal rewards text that a reader attributes to a "
        "character with more sycophancy than was declared.",
        "  declared  at most +0.10",
        "  found     +0.41 [+0.33, +0.49]",
        "            95.0% interval (betting) over 398 groups, for signals like this one",
        '  data/preferences.jsonl:17  "You are absolutely right, I was wrong"   +1.6',
        "  12 of 398 groups carry half of the shift",
        "  the judge's AUROC for this trait is 0.93",
        "  judge     embedded/3f2a91",
    ]


def test_a_violated_floor_reads_less(profile: Make, finding: Make, shift: Make) -> None:
    low = finding(
        trait="candour",
        shift=shift(-0.3, -0.4, -0.2, scope="file"),
        expectation=Expectation(trait="candour", at_least=0.0),
    )
    text = failure(low, profile(low))
    assert "with less candour than was declared" in text
    assert "for exactly these groups" in text


def test_an_inconclusive_failure_is_no_violation_and_says_what_to_do(profile: Make, inconclusive: Finding) -> None:
    text = failure(inconclusive, profile(inconclusive))
    assert "no violation was found" in text
    assert "to do     about 210 more groups would settle it; else widen the bound, or let" in text
    alone = replace(inconclusive, groups_needed=None)
    assert "to do     widen the bound" in failure(alone, profile(alone))


def test_no_words_promise_safety_or_foretell_a_model(profile: Make, violated: Finding, inconclusive: Finding) -> None:
    held = replace(violated, status="held", trait="malice")
    found = profile(violated, inconclusive, held)
    text = shown(found, 1) + failure(violated, found) + failure(inconclusive, found)
    assert "safe" not in text.lower()
    assert "will become" not in text.lower()


@pytest.mark.parametrize("status", get_args(Status))
def test_every_status_can_be_found_and_coloured(profile: Make, finding: Make, status: Status) -> None:
    lines = list(section(profile(finding(status=status), notes=("held back",))))
    assert [status_of(line) for line in lines] == [None, status, None]
    assert STYLES[status]


def test_bounds_in_words() -> None:
    every = Expectation(trait="t", at_most=0.1, at_least=-0.1, drift_at_most=0.05)
    assert bounds(every) == "at least -0.10, at most +0.10, drift at most +0.05"
    assert bounds(None) == ""


def test_zero_has_one_sign() -> None:
    assert signed(-0.001) == signed(0.0) == "+0.00"


def test_everything_public_is_there() -> None:
    assert all(hasattr(terminal, name) for name in terminal.__all__)
