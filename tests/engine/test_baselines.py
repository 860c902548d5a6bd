"""Profiles held against a baseline: what is compared, what it decides, and which cause is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from pytest_persona.errors import ProfileError
from pytest_persona.judge.chat import judge as chat
from pytest_persona.load.profiles import read_profile
from pytest_persona.model.findings import JudgeInfo

Pairs = Callable[..., list[dict[str, str]]]


# ------------------------------------------------------------------------------------------------ comparing
def test_a_signal_that_has_not_changed_holds_its_bound(based: Any, pairs: Pairs) -> None:
    profile = based.audit(pairs(60, "candour=0.3", "candour=-0.3"))
    assert profile.drift is not None
    assert (profile["candour"].status, profile.drift["candour"].way, profile.drift.causes) == ("held", "same", ())
    assert profile.drift.since == "base.json"


def test_a_drift_beyond_its_bound_violates_the_finding(based: Any, pairs: Pairs) -> None:
    profile = based.audit(pairs(60, "candour=0.9", "candour=-0.3"), bounds={"at_most": 2.0})
    assert profile.drift is not None
    drift = profile.drift["candour"]
    assert (profile["candour"].status, profile["candour"].reason) == ("violated", "")
    assert (drift.status, drift.value, drift.pairs, drift.way) == ("violated", pytest.approx(0.6), 60, "paired")
    assert profile.drift.causes == ("data",)


@pytest.mark.parametrize(
    ("at_most", "chosen", "status", "reason"),
    [
        (0.1, "candour=0.35", "violated", ""),
        (1.2, "candour=0.35", "inconclusive", "its drift: the bound lies within the interval of the change"),
        (
            0.6,
            "candour=0.35",
            "inconclusive",
            "the interval contains the bound +0.60; its drift: the bound lies within",
        ),
        (1.2, "candour=-0.3", "held", ""),
    ],
)
def test_a_finding_is_as_bad_as_the_worse_of_its_shift_and_its_drift(
    based: Any, pairs: Pairs, at_most: float, chosen: str, status: str, reason: str
) -> None:
    finding = based.audit(pairs(60, chosen, "candour=-0.3"), bounds={"at_most": at_most})["candour"]
    assert finding.status == status
    assert finding.reason.startswith(reason)


def test_reading_does_not_stop_early_where_a_drift_is_to_be_decided(based: Any, pairs: Pairs) -> None:
    rows = pairs(60, "candour=0.9", "candour=-0.9")
    assert based.audit(rows, bounds={"at_most": 0.1}).groups_read == 60
    assert based.audit(rows, bounds={"at_most": 0.1}, baseline=None).groups_read == 32


def test_without_a_baseline_a_bound_on_drift_alone_is_not_passed_over(held: Any, pairs: Pairs) -> None:
    profile = held.audit(pairs(60), baseline=None)
    assert (profile["candour"].status, profile["candour"].reason) == (
        "inconclusive", "only its drift is bounded, and there is no baseline"
    )  # fmt: skip
    assert profile.notes == ("the drift of candour was not checked: there is no baseline",)
    both = held.audit(pairs(60), bounds={"at_most": 1.9}, baseline=None)
    assert both["candour"].status == "held"
    assert both.notes[-1] == "the drift of candour was not checked: there is no baseline"
    assert held.audit(pairs(60), bounds={"drift_at_most": None, "at_most": 1.9}, baseline=None).drift is None  # type: ignore[dict-item]


def test_a_profile_that_the_baseline_does_not_have_is_inconclusive(based: Any, pairs: Pairs) -> None:
    profile = based.audit(pairs(60), name="other")
    assert profile["candour"].status == "inconclusive"
    assert profile["candour"].reason == (
        "its drift: base.json has no profile of this name or signal; an update puts it in"
    )


def test_a_baseline_of_another_kind_of_signal_is_refused(based: Any) -> None:
    rows = [{"prompt": f"q {k}", "response": "candour=0.3", "reference": "so"} for k in range(5)]
    with pytest.raises(ProfileError) as raised:
        based.audit(rows)
    assert str(raised.value) == (
        "base.json: its profile 'rows' cannot be compared with this one: the kinds of signal differ: preference before, "
        "demonstration now. Name the baseline of this signal, or rename one of them."
    )


# ------------------------------------------------------------------------------------------------ the right cause
def test_one_row_of_a_signal_that_changes_is_the_data(based: Any, pairs: Pairs) -> None:
    rows = pairs(60, "candour=0.3", "candour=-0.3")
    rows[7] = {**rows[7], "chosen": "candour=0.9 (7 a)"}
    profile = based.audit(rows)
    assert profile.drift is not None and profile.drift.data is not None
    assert profile.drift.causes == ("data",)
    assert (profile.drift.data.altered, profile.drift.data.same) == (1, 59)
    assert profile.drift.data.places == ("rows:8 altered",)


def test_another_version_of_the_judges_prompt_is_the_judge(
    held: Any, pairs: Pairs, monkeypatch: pytest.MonkeyPatch
) -> None:
    def info() -> JudgeInfo:
        return JudgeInfo(
            name="claude", fingerprint=chat.fingerprint("claude", "m", isolated=False, pairwise=False), network=False
        )

    rows = pairs(60, "candour=0.3", "candour=-0.3")
    held.judge.info = info()
    held.keep(held.audit(rows, update=("passed",)), update=("passed",))
    assert held.audit(rows).drift.causes == ()  # type: ignore[union-attr]
    monkeypatch.setattr(chat, "PROMPT_VERSION", "2")
    held.judge.info = info()
    profile = held.audit(rows)
    assert profile.drift is not None
    assert profile.drift.causes == ("judge",)
    assert profile["candour"].status == "held"  # what is the same in both has not drifted, whoever reads it


def test_another_wording_of_one_probe_is_the_questions(probes: dict[str, str], held: Any) -> None:
    replies = {name: f"candour=0.2 {name}" for name in probes}
    held.keep(held.probe(replies, update=("passed",)), update=("passed",))
    assert held.probe(replies).drift.causes == ()  # type: ignore[union-attr]
    profile = held.probe(replies, probes | {"p3": "Question 3, please?"})
    assert profile.drift is not None and profile.drift.questions is not None
    assert profile.drift.causes == ("questions",)
    assert profile.drift.questions.reworded == ("p3",)
    assert profile.drift["candour"].pairs == 19


def test_other_replies_are_the_product(probes: dict[str, str], held: Any) -> None:
    held.keep(held.probe({name: "candour=-0.1" + name for name in probes}, update=("passed",)), update=("passed",))
    profile = held.probe({name: f"candour=0.9 {name}" for name in probes})
    assert profile.drift is not None and profile.drift.product is not None
    assert profile.drift.causes == ("product",)
    assert (profile.drift.product.replies, profile["candour"].status) == (20, "violated")


# ------------------------------------------------------------------------------------------------ bridging judges
def test_another_judge_rereads_the_anchors_and_is_bridged(based: Any, pairs: Pairs) -> None:
    based.judge.info = replace(based.judge.info, fingerprint="f01")
    plain = based.judge.verdict
    based.judge.verdict = lambda reply, trait: replace(
        plain(reply, trait), expressed=(plain(reply, trait).expressed or 0.0) / 2
    )
    profile = based.audit(pairs(60, "candour=0.5", "candour=-0.3"))
    assert profile.drift is not None and profile.drift.judge is not None
    assert profile.drift.causes == ("data", "judge")
    bridge = profile.drift.judge.bridges["candour"]
    assert (bridge.scale, bridge.pairs) == (pytest.approx(0.5), 12)
    assert profile.drift["candour"].value == pytest.approx(0.1)  # 0.2 further, on a scale of half the size
    assert len(profile.frozen["candour"].high) == 12


def test_anchors_are_read_once_for_a_baseline_and_taken_over(based: Any, pairs: Pairs) -> None:
    kept = read_profile(based.file).frozen["candour"]
    assert (kept.high, kept.low) == ((0.8,) * 12, (-0.8,) * 12)
    based.judge.asked.clear()
    assert based.audit(pairs(60, "candour=0.4"), update=("passed",)).frozen["candour"] == kept
    assert len(based.judge.asked) == 120


def test_without_a_use_no_anchor_is_read(based: Any, held: Any, pairs: Pairs) -> None:
    based.judge.asked.clear()
    based.audit(pairs(60, "candour=0.4"))
    assert len(based.judge.asked) == 120
    assert based.audit(pairs(60), baseline=None).frozen == {}
