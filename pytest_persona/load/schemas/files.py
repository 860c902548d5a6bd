"""The shapes of the files, for the generator alone: only this module and ``__main__`` import pydantic.

Docstrings become the hover text of editors and part of error messages, so they are written for users.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import NotRequired, TypedDict

from pytest_persona.load.schemas.config import CONFIG
from pytest_persona.model.episodes import Speaker
from pytest_persona.model.personas import PersonaKind
from pytest_persona.model.traits import RequestKind, Unwanted

__all__ = [
    "Bounds",
    "InlineTrait",
    "NeutralFile",
    "NullsFile",
    "PersonaFile",
    "RequestsFile",
    "SuiteFile",
    "TraitFile",
]

NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*(:[A-Za-z0-9][A-Za-z0-9_.-]*)?$"
Text = Annotated[str, Field(pattern=r"\S")]
Name = Annotated[str, Field(pattern=NAME, max_length=80)]
Bound = Annotated[float, Field(ge=-2, le=2)]
SchemaLine = Annotated[str, Field(alias="$schema")]


class Message(TypedDict):
    """One message of a dialogue."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    role: Speaker
    """Who speaks."""
    content: Text
    """What is said; a tool call as a fenced block or as code."""


Context = Text | Annotated[list[Message], Field(min_length=1)]


class Exemplar(TypedDict):
    """A short example of a pole, for judges that are shown examples."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    context: Text
    """What the user says."""
    reply: Text
    """What a character at this pole answers."""


class Pole(TypedDict):
    """One end of a trait."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    summary: Text
    """What a reply at this pole does, in one sentence."""
    paraphrases: NotRequired[list[Text]]
    """Sentences that describe a character at this pole in other words."""
    exemplars: NotRequired[list[Exemplar]]
    """Short examples, other than the pairs."""


class Pair(TypedDict):
    """A matched pair: one context, a reply from each pole, of like length."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    domain: Text
    """The field it is from, such as coding-agent; judges are tried on domains that they were not fitted on."""
    context: Context
    """What comes before the reply: a string is one user turn, a list is a dialogue. It does not ask for either pole."""
    high: Text
    """The reply of a character at the high pole."""
    low: Text
    """The reply of a character at the low pole, to the same context."""


class Statements(TypedDict):
    """What characters at the poles say of themselves."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    high: list[Text]
    """First-person sentences of the high pole."""
    low: list[Text]
    """First-person sentences of the low pole."""


class Criteria(TypedDict):
    """Lines of rubrics and instructions that would reward a pole; line k of both poles is about the same thing."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    high: list[Text]
    """Lines that reward the high pole."""
    low: list[Text]
    """Lines that reward the low pole."""


class InlineTrait(TypedDict):
    """A trait that is defined in a suite; its name is its key."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    version: NotRequired[Text]
    """The version of the definition, as text."""
    definition: Text
    """What the trait is, in one or two sentences."""
    unwanted: NotRequired[Unwanted]
    """Which pole is unwanted; high where nothing is said."""
    source: NotRequired[str]
    """Where the trait is known from: a paper, a list, a style guide."""
    rivals: NotRequired[list[Name]]
    """Names of traits that it is easily confused with; they are reported beside it."""
    must_beat: NotRequired[Annotated[list[Name], Field(min_length=1)]]
    """Names of traits that would explain its unwanted pole more kindly; it is violated only where it goes beyond each of them."""
    high: Pole
    """The pole at +1."""
    low: Pole
    """The pole at -1."""
    pairs: Annotated[list[Pair], Field(min_length=8)]
    """The matched pairs that a judge is fitted and tried on; at least 8, better 24 over 6 domains."""
    statements: NotRequired[Statements]
    """What such characters say of themselves."""
    criteria: NotRequired[Criteria]
    """Lines of rubrics and instructions at either pole: what rubric and instruction signals are read by."""


class TraitFile(InlineTrait):
    """A trait of character: two poles, and the matched pairs that anchor them."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    schema_line: NotRequired[SchemaLine]
    """Where editors find this schema."""
    trait: Literal[1]
    """The version of this format."""
    name: Name
    """The name that suites and tests use."""


class TraitReference(TypedDict):
    """A trait that is defined in a file of its own."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    file: Text
    """The trait file, relative to the suite; the name in it is the key here."""


class Bounds(TypedDict, total=False):
    """Bounds on one trait. Each bounds the whole interval, not the point; none means the default bound."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    at_most: Bound
    """The shift must lie below this."""
    at_least: Bound
    """The shift must lie above this."""
    drift_at_most: Bound
    """The shift must not have grown towards the unwanted pole by more than this since the baseline; without such a pole, not moved."""


class HttpEndpoint(TypedDict):
    """An endpoint that takes JSON by POST and answers JSON."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    url: Text
    """Where it is asked; ${NAME} is an environment variable."""
    headers: NotRequired[dict[str, Text]]
    """Headers of the request; ${NAME} is an environment variable, whose value is never written anywhere."""
    body: NotRequired[dict[str, Any]]
    """The request: JSON whose texts are templates over prompt, messages and session."""
    reply: NotRequired[Text]
    """JSONPath of the reply in the answer."""
    session: NotRequired[Text]
    """JSONPath of what the next turn must send back; without it the whole dialogue is sent each time."""
    timeout: NotRequired[Annotated[float, Field(gt=0, le=3600)]]
    """Seconds for one reply."""


class ModelEndpoint(TypedDict):
    """A model by itself, with the product's system prompt."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    model: Text
    """The model's id."""
    system: NotRequired[Text]
    """The product's system prompt."""
    base_url: NotRequired[Text]
    """Where it is asked, if not at its vendor's."""
    max_tokens: NotRequired[Annotated[int, Field(ge=1, le=100_000)]]
    """The most tokens of one reply."""


class Target(TypedDict, total=False):
    """Where the product answers: one of these."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    python: Text
    """A callable, module:attribute: a text or messages in, a text or messages out, plain or async."""
    http: HttpEndpoint
    """An HTTP endpoint."""
    claude: ModelEndpoint
    """A Claude model."""
    openai: ModelEndpoint
    """A model behind an OpenAI-compatible endpoint."""


class ProbeEntry(TypedDict):
    """A question put to the product to see what character answers it; its name is its key."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    traits: Annotated[list[Name], Field(min_length=1)]
    """Traits that its replies say something about."""
    ask: Text | Annotated[list[Text], Field(min_length=1)]
    """What the user says: a text, or the user turns in order, the later ones as templates over {{ reply }} and {{ replies[0] }}."""
    before: NotRequired[Annotated[list[Message], Field(min_length=1)]]
    """A transcript that comes before, such as one of tools in use."""
    paraphrases: NotRequired[list[Text]]
    """Other wordings of the first turn; each is asked too and counts as the same probe."""
    contexts: NotRequired[Annotated[list[Name], Field(min_length=1)]]
    """Names of the suite's contexts that it is asked in; without it all of them."""
    tags: NotRequired[list[Name]]
    """Words to choose probes by."""


class SuiteFile(TypedDict):
    """Traits and expectations over training signals, over a product's answers to probes, or over both: a test file."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    schema_line: NotRequired[SchemaLine]
    """Where editors find this schema."""
    persona: Literal[1]
    """The version of this format."""
    name: Name
    """The name of the suite, as reports show it."""
    version: NotRequired[Text]
    """The version of the suite, as text; one that is shared has the form 1.2.3, raised as the rule of versions says."""
    extends: NotRequired[Text | Annotated[list[Text], Field(min_length=1)]]
    """Suites that this one adds to: paths relative to it, or package:name@version. What it says itself goes before."""
    canary: NotRequired[Text]
    """A GUID of the suite's own, so that training corpora can be searched for its probes."""
    signals: NotRequired[Annotated[list[Text], Field(min_length=1)]]
    """Files that training reinforces, relative to the suite; they take the place of those that it would have by extends."""
    target: NotRequired[Target]
    """Where the product answers; --persona-target and the fixture persona_target go before it."""
    contexts: NotRequired[Annotated[dict[Name, Text | list[Message]], Field(min_length=1)]]
    """What comes before each probe, by name: a text is a system prompt, a list is a dialogue, [] is nothing."""
    probes: NotRequired[Annotated[dict[Name, ProbeEntry], Field(min_length=1)]]
    """Questions for the product, by name."""
    traits: NotRequired[list[Name] | dict[Name, InlineTrait | TraitReference]]
    """Traits to report: names, or a mapping from name to a definition or a file. Those under expect are added."""
    expect: NotRequired[Annotated[dict[Name, Bounds], Field(min_length=1)]]
    """Bounds by the name of the trait; {} is the default bound for the trait's unwanted pole."""


class Request(TypedDict):
    """A context, and whether it asks for a trait's pole."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    domain: Text
    """The field it is from."""
    requested: bool
    """Whether it asks for the pole."""
    kind: RequestKind
    """How it asks, or what it does instead."""
    trait: Name
    """The trait whose pole is asked for, or that the context is a contrast to."""
    context: Context
    """The context: a string is one user turn, a list is a dialogue."""


class RequestsFile(TypedDict):
    """Contexts that ask for a trait's pole and contexts that do not."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    requests: Literal[1]
    """The version of this format."""
    version: Text
    """The version of the set, as text."""
    contexts: list[Request]
    """The contexts."""


class Reply(TypedDict):
    """An ordinary reply in its context."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    domain: Text
    """The field it is from."""
    context: Context
    """The context: a string is one user turn, a list is a dialogue."""
    reply: Text
    """A competent reply that shows no trait."""


class NeutralFile(TypedDict):
    """Ordinary, competent, neutral replies: the zero of every trait's scale."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    neutral: Literal[1]
    """The version of this format."""
    version: Text
    """The version of the set, as text."""
    replies: list[Reply]
    """The replies."""


Paraphrases = Annotated[list[Text], Field(min_length=3)]


class PersonaFile(TypedDict):
    """A whole character that a signal may imply."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    persona: Literal[1]
    """The version of this format."""
    name: Name
    """The name that reports use."""
    version: Text
    """The version of the character, as text."""
    kind: PersonaKind
    """A kind of person, an AI as stories know it, or the character that all others are compared with."""
    description: Text
    """What the character is like, in one or two sentences."""
    profile: dict[Name, Annotated[float, Field(ge=-1, le=1)]]
    """What it is expected to express of each trait, by the trait's name."""
    paraphrases: Paraphrases
    """Texts of like length that each describe the character in other words; at least 3, better 6."""
    source: NotRequired[str]
    """Where the character is known from."""


class NullCharacter(TypedDict):
    """A character that should not matter."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    name: Name
    """The name that reports use."""
    paraphrases: Paraphrases
    """Texts of like length that each describe the character in other words."""


class NullsFile(TypedDict):
    """Characters that should not matter: what they move is the noise of any text put in front."""

    __pydantic_config__ = CONFIG  # type: ignore[misc]
    nulls: Literal[1]
    """The version of this format."""
    version: Text
    """The version of the set, as text."""
    characters: Annotated[list[NullCharacter], Field(min_length=3)]
    """The characters."""
