"""What the assistant offers an agent: a script and a plan, an answer to the point, the opening (R-266, R-267, R-270)."""

from collections.abc import Mapping
from dataclasses import dataclass

from aftersale.core.talk.folding import fold
from aftersale.core.talk.script import Library

GREETING = "greeting"


@dataclass(frozen=True, slots=True)
class Advice:
    """`script`: code of the library; `plan`: steps to take, in order."""

    has_script: bool
    has_plan: bool
    script: str | None
    plan: tuple[str, ...]
    text: str | None


@dataclass(frozen=True, slots=True)
class Targeted:
    """`attributes`: those the question names, with their values; empty: the product data does not say."""

    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Opening:
    use_greeting: bool
    script: str | None


def advise(question: str | None, phase: str | None, library: Library) -> Advice:
    """The first topic of the library that the question touches; its last ones take every question of their phase."""
    asked = fold(question or "")
    if not asked:
        return Advice(False, False, None, (), None)
    for topic in library.topics:
        if topic.phase not in (None, phase) and phase is not None:
            continue
        if not topic.words or any(fold(word) in asked for word in topic.words):
            text = library.scripts[topic.script].variants[0].text
            return Advice(True, bool(topic.plan), topic.script, topic.plan, text)
    return Advice(False, False, None, (), None)


def targeted_answer(*, question: str, attributes: Mapping[str, str]) -> Targeted:
    """The attributes that the buyer asked for instead of all selling points (R-266)."""
    asked = fold(question)
    return Targeted({name: value for name, value in attributes.items() if fold(name) in asked})


def opening(*, messages_sent: int | None = None) -> Opening:
    """The greeting comes first in a session, and once (R-267)."""
    first = not messages_sent
    return Opening(first, GREETING if first else None)
