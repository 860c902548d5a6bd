"""From probes to what is asked in which order, and from replies to episodes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from pytest_persona.infer.template import parse_template
from pytest_persona.model.episodes import Behaviour, Episode, Turn, digest
from pytest_persona.model.probes import Probe
from pytest_persona.model.suites import ProbingSpec

__all__ = ["Outcome", "Script", "episodes_of", "question_hash", "scripts_of", "scripts_of_items"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Script:
    """One dialogue to be held: a probe in one context, one wording and one repetition."""

    probe: str
    context: str
    """The context's name; empty where the suite names none."""
    wording: int
    """0 is the probe's own, then its paraphrases."""
    sample: int
    opening: tuple[Turn, ...]
    turns: tuple[str, ...]
    """What the user says: the first as it is, those after it as templates over the replies before."""

    @property
    def place(self) -> str:
        """Where it belongs, for people."""
        parts = [
            f"context {self.context}" if self.context else "",
            f"paraphrase {self.wording}" if self.wording else "",
            f"sample {self.sample + 1}" if self.sample else "",
        ]
        inside = ", ".join(filter(None, parts))
        return f"probe {self.probe}" + (f" ({inside})" if inside else "")

    def said(self, replies: Sequence[str]) -> str:
        """The user's next turn after so many replies. What was replied is filled in and is itself no template."""
        number = len(replies)
        if not number:
            return self.turns[0]
        template = parse_template(self.turns[number], {"reply": None, "replies": number})
        return template.text({"reply": replies[-1], "replies": replies})


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What came of a dialogue."""

    turns: tuple[Turn, ...]
    """The dialogue before its last reply, as far as it was held."""
    reply: str
    """The last reply; empty also where there is none."""
    failure: str = ""
    """Why there is none, in words."""
    kept: bool = False
    """Whether all of it was known before."""
    questions: int = 0
    """How often the product was asked."""
    input_tokens: int = 0
    output_tokens: int = 0


def scripts_of(spec: ProbingSpec, samples: int) -> list[Script]:
    """All dialogues of a probing, probe by probe: contexts, in them wordings, in them repetitions."""
    return [
        Script(
            probe=probe.id,
            context=name,
            wording=wording,
            sample=sample,
            opening=(*context, *probe.before),
            turns=(text, *probe.turns[1:]),
        )
        for probe in spec.probes
        for name, context in contexts_of(probe, spec.contexts).items()
        for wording, text in enumerate((probe.turns[0], *probe.paraphrases))
        for sample in range(samples)
    ]


def scripts_of_items(items: Sequence[Probe]) -> list[Script]:
    """The dialogues of a questionnaire: each item once, with nothing before it."""
    return [Script(probe=item.id, context="", wording=0, sample=0, opening=(), turns=item.turns) for item in items]


def contexts_of(probe: Probe, contexts: Mapping[str, tuple[Turn, ...]]) -> Mapping[str, tuple[Turn, ...]]:
    """The contexts that a probe is asked in: those it names, else all; where the suite has none, one without a name."""
    if not contexts:
        return {"": ()}
    return {name: contexts[name] for name in probe.contexts or contexts}


def question_hash(probe: Probe, contexts: Mapping[str, tuple[Turn, ...]]) -> str:
    """A hash of all that is asked for a probe's sake; its name, traits and tags do not count."""
    asked = {
        "turns": probe.turns,
        "paraphrases": probe.paraphrases,
        "before": [asdict(turn) for turn in probe.before],
        "contexts": [[asdict(turn) for turn in turns] for turns in contexts_of(probe, contexts).values()],
    }
    return digest("question", json.dumps(asked, sort_keys=True))


def episodes_of(spec: ProbingSpec, scripts: Sequence[Script], outcomes: Sequence[Outcome]) -> Iterator[Episode]:
    """One episode a probe: its replies in all contexts, wordings and repetitions. Of a dialogue the last reply is read."""
    found: dict[str, list[Behaviour]] = {probe.id: [] for probe in spec.probes}
    for script, outcome in zip(scripts, outcomes, strict=True):
        found[script.probe].append(
            Behaviour(role="answer", context=outcome.turns, reply=outcome.reply, failure=outcome.failure)
        )
    for probe in spec.probes:
        yield Episode(
            kind="probe",
            source=probe.source or spec.audit.signal_name,
            line=probe.line,
            group=probe.id,
            behaviours=tuple(found[probe.id]),
            traits=probe.traits,
            question=question_hash(probe, spec.contexts),
        )
