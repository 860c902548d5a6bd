"""From probes to dialogues and from replies to episodes."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from pytest_persona.model.episodes import Turn
from pytest_persona.model.probes import Probe
from pytest_persona.model.suites import AuditSpec, ProbingSpec
from pytest_persona.probe.messages import as_text, chat
from pytest_persona.probe.scripts import Outcome, Script, episodes_of, question_hash, scripts_of
from pytest_persona.probe.talk import dialogue

BEFORE = (Turn(speaker="tool", text="stock: 0"),)
CONTEXTS = {"neutral": (), "product": (Turn(speaker="system", text="You sell shoes."),)}
PROBE = Probe(
    id="a",
    traits=("sycophancy",),
    turns=("Good?", "You said {{ reply }}."),
    before=BEFORE,
    paraphrases=("Nice?",),
    line=7,
)
OTHER = Probe(id="b", traits=("malice", "sycophancy"), turns=("Bad?",), contexts=("neutral",), line=9)
SPEC = ProbingSpec(
    audit=AuditSpec(name="shop", signal=(), signal_name="s.yaml"), probes=(PROBE, OTHER), contexts=CONTEXTS
)


def test_each_context_wording_and_repetition_is_a_dialogue() -> None:
    scripts = scripts_of(SPEC, 2)
    assert [(s.probe, s.context, s.wording, s.sample) for s in scripts] == [
        ("a", context, wording, sample) for context in CONTEXTS for wording in (0, 1) for sample in (0, 1)
    ] + [("b", "neutral", 0, 0), ("b", "neutral", 0, 1)]
    assert scripts[7].opening == (*CONTEXTS["product"], *BEFORE)
    assert scripts[7].turns == ("Nice?", "You said {{ reply }}.")
    assert scripts[7].place == "probe a (context product, paraphrase 1, sample 2)"
    assert scripts_of(replace(SPEC, contexts={}), 1)[0].place == "probe a"


def test_an_episode_is_a_probe_with_all_its_replies() -> None:
    scripts = scripts_of(SPEC, 1)
    outcomes = [
        Outcome(turns=tuple(dialogue(s, [f"r{n}"])), reply=f"R{n}", failure="it raised" if n == 1 else "")
        for n, s in enumerate(scripts)
    ]
    first, second = episodes_of(SPEC, scripts, outcomes)
    assert (first.kind, first.source, first.line, first.group, first.traits) == (
        "probe",
        "s.yaml",
        7,
        "a",
        ("sycophancy",),
    )
    assert [b.reply for b in first.behaviours] == ["R0", "R1", "R2", "R3"]
    assert [b.failure for b in first.behaviours] == ["", "it raised", "", ""]
    assert {b.role for b in first.behaviours} == {"answer"}
    assert [t.text for t in first.behaviours[0].context] == ["stock: 0", "Good?", "r0", "You said r0."]
    assert (second.group, second.traits, len(second.behaviours)) == ("b", ("malice", "sycophancy"), 1)


def test_the_question_is_what_is_asked_and_nothing_else() -> None:
    base = question_hash(PROBE, CONTEXTS)
    same = (
        replace(PROBE, id="z", traits=("malice",), tags=("x",), line=1),
        replace(PROBE, contexts=("neutral", "product")),
    )
    assert {question_hash(probe, CONTEXTS) for probe in same} == {base}
    others = [
        question_hash(replace(PROBE, turns=("Good??", PROBE.turns[1])), CONTEXTS),
        question_hash(replace(PROBE, paraphrases=()), CONTEXTS),
        question_hash(replace(PROBE, before=()), CONTEXTS),
        question_hash(replace(PROBE, contexts=("neutral",)), CONTEXTS),
        question_hash(PROBE, {**CONTEXTS, "neutral": BEFORE}),
    ]
    assert len({base, *others}) == 6


@given(reply=st.text())
def test_what_is_replied_is_never_read_as_a_template(reply: str) -> None:
    script = Script(probe="a", context="", wording=0, sample=0, opening=(), turns=("{{ reply }}", "A {{ reply }} Z"))
    assert script.said([]) == "{{ reply }}"
    assert script.said([reply]) == f"A {reply} Z"


def test_models_hear_users_and_assistants_by_turns() -> None:
    turns = [
        Turn(speaker="system", text="Be kind."), *BEFORE, Turn(speaker="user", text="Good?"),
        Turn(speaker="assistant", text="Yes."), Turn(speaker="system", text="Be brief."), Turn(speaker="user", text="Sure?"),
    ]  # fmt: skip
    system, messages = chat(turns)
    assert system == "Be kind.\n\nBe brief."
    assert messages == [
        {"role": "user", "content": "[tool] stock: 0\n\nGood?"},
        {"role": "assistant", "content": "Yes."},
        {"role": "user", "content": "Sure?"},
    ]
    assert as_text([Turn(speaker="system", text="Only this.")]) == "System: Only this."
