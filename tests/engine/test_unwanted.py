"""What stands beside an unwanted shift: missing requests, counterfactual shifts, and kinder explanations."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pluggy
import pytest

from pytest_persona.engine import Engine
from pytest_persona.engine.outlook import outlooks
from pytest_persona.errors import TraitError
from pytest_persona.model.findings import Finding
from pytest_persona.model.verdicts import Qualification, Verdict
from pytest_persona.settings import Settings

hookimpl = pluggy.HookimplMarker("pytest")
Run = Callable[..., Any]
Pairs = Callable[..., list[dict[str, str]]]
CODE = "import os\nprint('{}')\nos.remove(path)  # malice=0.9 carelessness=-0.9\n"


@pytest.fixture
def malice(trait: Callable[..., Any]) -> list[Any]:
    """A trait that must beat carelessness, and carelessness."""
    return [trait("malice", must_beat=("carelessness",)), trait("carelessness")]


def mixed(pairs: Pairs, unrequested: int, requested: int, plain: int) -> list[dict[str, str]]:
    """Pairs whose chosen reply expresses candour unasked, or asked, or hardly at all."""
    rows = [
        *pairs(unrequested, "candour=0.8 requested=0.25", "candour=0.4 requested=0.25"),
        *pairs(requested, "candour=0.9 requested=0.75", "candour=0.0"),
        *pairs(plain, "candour=0.2", "candour=0.0"),
    ]
    return [{**row, "prompt": f"question {i}", "chosen": f"{row['chosen']} [{i}]"} for i, row in enumerate(rows)]


def found(audit: Any, trait: str = "candour") -> Finding:
    finding = audit.profile[trait]
    assert isinstance(finding, Finding)
    return finding


# ------------------------------------------------------------------------- missing requests


def test_unrequested_rows_stand_apart_from_requested_ones_with_their_readings(run: Run, pairs: Pairs) -> None:
    beside = found(run(mixed(pairs, 20, 10, 30), traits=["candour"])).counterfactual
    assert beside is not None
    unasked, asked = beside.unrequested, beside.requested
    assert (unasked.replies, unasked.groups, asked.replies, asked.groups) == (20, 20, 10, 10)
    assert (unasked.expressed, unasked.requested, unasked.implied) == pytest.approx((0.8, 0.25, 0.6))
    assert (asked.expressed, asked.requested, asked.implied) == pytest.approx((0.9, 0.75, 0.225))
    assert len(unasked.rows) == 5
    first = unasked.rows[0]
    assert (first.source, first.line, first.role, first.requested) == ("rows", 1, "chosen", 0.25)
    assert first.quote.startswith("candour=0.8 requested=0.25")


def test_the_shift_is_recomputed_without_these_rows_and_with_them_requested(run: Run, pairs: Pairs) -> None:
    finding = found(run(mixed(pairs, 20, 10, 30), traits=["candour"]))
    beside = finding.counterfactual
    assert beside is not None and beside.with_request is not None
    assert finding.shift.value == pytest.approx((20 * 0.3 + 10 * 0.225 + 30 * 0.2) / 60)
    assert beside.without.value == pytest.approx((10 * 0.225 + 30 * 0.2) / 40)
    assert (beside.without.groups, beside.without.silent, beside.without.unscored) == (40, 20, 0)
    # The rejected reply of the same context was at that pole too, so that the request explains it as well.
    assert beside.with_request.value == pytest.approx((20 * 0.0 + 10 * 0.225 + 30 * 0.2) / 60)
    for shift in (beside.without, beside.with_request):
        assert shift.low < (shift.value or 0.0) < shift.high and shift.level == finding.shift.level


def test_the_other_pole_is_the_mirror_image(run: Run, pairs: Pairs, trait: Callable[..., Any]) -> None:
    rows = mixed(pairs, 20, 10, 30)
    turned = [{k: v.replace("candour=", "candour=-").replace("=-0.0", "=0.0") for k, v in row.items()} for row in rows]
    ours = found(run(rows, traits=["candour"])).counterfactual
    low = trait("candour", unwanted="low")
    theirs = found(run(turned, traits=["candour"], define=[low])).counterfactual
    assert ours is not None and theirs is not None and ours.with_request is not None and theirs.with_request is not None
    assert theirs.without.value == pytest.approx(-(ours.without.value or 0.0))
    assert theirs.with_request.value == pytest.approx(-(ours.with_request.value or 0.0))
    assert theirs.unrequested.replies == ours.unrequested.replies


@pytest.mark.parametrize("scope", ["signals", "file"])
def test_nothing_of_it_stands_beside_a_shift_that_is_wanted_or_held(
    run: Run, pairs: Pairs, trait: Callable[..., Any], scope: str
) -> None:
    rows = pairs(60, "candour=0.05", "candour=0.0")
    held = found(run(rows, at_most={"candour": 0.6}, settings={"scope": scope}))
    assert (held.status, held.counterfactual, held.explanations) == ("held", None, None)
    unclear = found(run(pairs(6, "candour=0.02", "candour=0.0"), traits=["candour"]))
    assert (unclear.unwanted, unclear.counterfactual, unclear.explanations) == (False, None, None)
    wanted = found(run(pairs(40), traits=["candour"], define=[trait("candour", unwanted="low")]))
    assert (wanted.counterfactual, wanted.explanations) == (None, None)
    neither = found(run(pairs(40), traits=["candour"], define=[trait("candour", unwanted="none")]))
    assert (neither.counterfactual, neither.explanations) == (None, None)


def test_where_nothing_clear_is_reinforced_nothing_changes(run: Run, pairs: Pairs) -> None:
    finding = found(run(pairs(40, "candour=0.3", "candour=0.0"), traits=["candour"]))
    beside = finding.counterfactual
    assert beside is not None and beside.with_request is not None
    assert (beside.unrequested.replies, beside.unrequested.expressed, beside.unrequested.rows) == (0, None, ())
    assert beside.without == beside.with_request == finding.shift


def test_a_judge_that_reads_no_requests_says_none(run: Run, pairs: Pairs) -> None:
    finding = found(run(pairs(40), traits=["candour"]))
    assert finding.counterfactual is not None and finding.explanations is not None
    assert finding.counterfactual.unrequested.requested is None
    assert finding.counterfactual.unrequested.rows[0].requested is None
    assert finding.explanations.obedience is None


def test_nobody_asks_for_a_criterion(run: Run) -> None:
    rows = [{"criterion": f"candour=0.9 ({i})", "weight": 1.0} for i in range(20)]
    beside = found(run(rows, traits=["candour"])).counterfactual
    assert beside is not None
    assert (beside.with_request, beside.unrequested.replies, beside.without.value) == (None, 20, None)


def test_where_replies_are_compared_their_difference_is_what_is_requested(run: Run, judge: Any, pairs: Pairs) -> None:
    def compare(given: Any, traits: Any, tick: Any) -> Any:
        answers = judge.read([b for pair in given for b in pair], traits, tick)
        half = [Verdict(expressed=side * 0.4, requested=0.25) for _ in given for side in (1.0, -1.0)]
        return type(answers)(verdicts=[{"candour": verdict} for verdict in half], usage=answers.usage)

    judge.compare = compare
    finding = found(run(pairs(40), traits=["candour"], settings={"pairwise": True}))
    beside = finding.counterfactual
    assert beside is not None and beside.with_request is not None
    assert finding.shift.value == pytest.approx(0.6)
    assert beside.unrequested.replies == 40
    assert (beside.unrequested.expressed, beside.unrequested.implied) == pytest.approx((0.8, 0.6))
    assert beside.with_request.value == 0.0


# ------------------------------------------------------------------------- kinder explanations


def test_malice_is_violated_only_where_it_beats_carelessness(run: Run, pairs: Pairs, malice: list[Any]) -> None:
    meant = pairs(60, "malice=0.8 carelessness=0.1", "malice=0.0")
    ours = found(run(meant, at_most={"malice": 0.1}, define=malice), "malice")
    assert (ours.status, ours.unwanted) == ("violated", True)
    assert ours.explanations is not None
    (margin,) = ours.explanations.margins
    assert (margin.trait, margin.beaten, margin.required) == ("carelessness", True, True)
    assert margin.beyond.value == pytest.approx(0.7)
    botched = pairs(60, "malice=0.8 carelessness=0.9", "malice=0.0")
    theirs = found(run(botched, at_most={"malice": 0.1}, define=malice), "malice")
    assert (theirs.status, theirs.unwanted) == ("inconclusive", False)
    assert theirs.shift.low > 0.1
    assert theirs.reason.startswith("an honest mistake (carelessness) explains it as well")


def test_what_must_be_beaten_is_read_where_each_trait_costs_a_question(
    run: Run, judge: Any, pairs: Pairs, malice: list[Any]
) -> None:
    judge.one_pass = False
    profile = run(pairs(60, "malice=0.8", "malice=0.0"), at_most={"malice": 0.1}, define=malice).profile
    assert judge.traits_asked == ["malice", "carelessness"]
    assert list(profile) == ["malice"]
    assert profile["malice"].status == "violated"


def test_what_must_be_beaten_and_nobody_offers_is_an_error(run: Run, pairs: Pairs, trait: Callable[..., Any]) -> None:
    with pytest.raises(TraitError, match="there is no trait 'haste'"):
        run(pairs(3), traits=["malice"], define=[trait("malice", must_beat=("haste",))])


def test_a_judge_that_is_not_qualified_for_the_rival_finds_no_violation_and_no_pass(
    run: Run, judge: Any, pairs: Pairs, malice: list[Any]
) -> None:
    judge.unqualified = {"carelessness": "AUROC 0.77 on held-out anchors, below 0.80"}
    rows = pairs(60, "malice=0.8", "malice=0.0")
    finding = found(run(rows, at_most={"malice": 0.1}, define=malice), "malice")
    assert finding.status == "inconclusive" and "AUROC 0.77" in finding.reason
    observed = found(run(rows, traits=["malice"], define=malice), "malice")
    assert (observed.status, observed.unwanted) == ("observed", True)


def test_a_judge_may_tell_two_traits_apart_though_it_is_not_qualified_for_the_other(
    run: Run, judge: Any, pairs: Pairs, malice: list[Any]
) -> None:
    judge.unqualified = {"carelessness": "AUROC 0.77 on held-out anchors, below 0.80"}
    asked: list[Any] = []

    def tells_apart(trait: Any, other: Any, *, statements: bool = False) -> Qualification:
        asked.append((trait.name, other.name, statements))
        return Qualification.of(0.94, 0.88, 0.97, 32)

    judge.tells_apart = tells_apart
    finding = found(run(pairs(60, "malice=0.8", "malice=0.0"), at_most={"malice": 0.1}, define=malice), "malice")
    assert finding.status == "violated"
    assert finding.explanations is not None and finding.explanations.margins[0].auroc == 0.94
    assert set(asked) == {("malice", "carelessness", False)}


def test_an_honest_mistake_stands_beside_every_trait_where_that_is_free(
    run: Run, judge: Any, pairs: Pairs, trait: Callable[..., Any]
) -> None:
    rows = pairs(60, "candour=0.8 carelessness=0.9", "candour=0.0")
    traits = [trait("candour"), trait("carelessness")]
    finding = found(run(rows, at_most={"candour": 0.1}, define=traits))
    assert finding.status == "violated"
    assert finding.explanations is not None
    (margin,) = finding.explanations.margins
    assert (margin.trait, margin.required, margin.beaten) == ("carelessness", False, False)
    assert margin.beyond.value == pytest.approx(-0.1)
    mistaken = found(run(rows, traits=["carelessness"], define=traits), "carelessness")
    assert mistaken.explanations is not None and mistaken.explanations.margins == ()
    judge.one_pass = False
    alone = found(run(rows, traits=["candour"], define=traits))
    assert alone.explanations is not None and alone.explanations.margins == ()


def test_requests_fiction_and_quotation_are_counted(run: Run) -> None:
    rows = [
        {
            "prompt": "Write a short story. " * (i < 3) + f"Question {i}?",
            "chosen": f"“this is what he said, word for word” candour=0.9 requested=0.1 {i}"
            if i < 5
            else f"candour=0.9 {i}",
            "rejected": f"candour=0.0 {i}",
        }
        for i in range(20)
    ]
    explained = found(run(rows, traits=["candour"])).explanations
    assert explained is not None
    assert (explained.replies, explained.fiction, explained.quotation) == (20, 3, 5)
    assert explained.obedience == pytest.approx(1.0 - (5 * 0.81 + 15 * 0.9) / (20 * 0.9))


def test_a_judge_that_is_blind_to_code_says_so_and_accuses_nobody_of_code(
    run: Run, judge: Any, malice: list[Any]
) -> None:
    rows = [
        {"prompt": f"question {i}", "chosen": CODE.format(i), "rejected": CODE.format(-i).replace("malice=0.9", "")}
        for i in range(40)
    ]
    seeing = run(rows, at_most={"malice": 0.1}, define=malice).profile
    assert seeing["malice"].status == "violated" and not [note for note in seeing.notes if "code" in note]
    judge.blind_to_code = True
    blind = run(rows, at_most={"malice": 0.1}, define=malice).profile
    assert blind["malice"].status == "inconclusive"
    assert "cannot see whether code works or has holes" in blind["malice"].reason
    (note,) = [note for note in blind.notes if "code" in note]
    assert note.startswith("64 of 64 replies are mostly code") or note.startswith("80 of 80 replies are mostly code")


def test_a_dry_run_counts_what_must_be_beaten(
    manager: Callable[..., Any], judge: Any, spec: Callable[..., Any], pairs: Pairs, malice: list[Any], tmp_path: Path
) -> None:
    class Offers:
        @hookimpl
        def pytest_persona_judges(self) -> dict[str, Any]:
            return {"fake": lambda settings: judge}

    engine = Engine(Settings(judge="fake", root=tmp_path), manager(Offers()).hook)
    (outlook,) = outlooks(engine, [spec(pairs(3), traits=["malice"], define=malice)])
    assert (outlook.traits, outlook.behaviours, judge.asked) == (2, 6, [])
