"""`Reader.read`: the state of a whole trace at its latest event (R-047 … R-071, R-127 … R-146; docs/tracking.md)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from aftersale.core.records import BadInput
from aftersale.core.tracking.codes import Codes, codes_of, courier_code
from aftersale.core.tracking.journey import FINAL, Journey
from aftersale.core.tracking.lexicon import Lexicon
from aftersale.core.tracking.places import located
from aftersale.core.tracking.steps import take
from aftersale.core.tracking.trace import SHANGHAI, Event, events_of, in_order
from aftersale.core.tracking.wording import SILENT, Meaning, meaning_of

STATES = (
    "no_tracking", "picked_up", "in_transit", "out_for_delivery", "waiting_pickup", "signed", "delivery_failed",
    "refused", "returning", "returned", "address_problem", "out_of_area", "damaged", "lost", "held", "forwarded",
    "customs",
)  # fmt: skip
SIGNED = (*FINAL, "waiting_pickup")
CONTRARY = [{"signed", other} for other in ("refused", "returning", "delivery_failed", "lost")]
SIGNATURES = ("signed", "fetched", "sender_signed")
DAY = re.compile(r"(\d{1,2})[月/-](\d{1,2})")
RANKS = ("ordered", "collected", "departed", "arrived", "out_for_delivery", "signed")


@dataclass(frozen=True, slots=True)
class Reading:
    """`signed_by` only where signed. `doubtful`: a person should look, for the reason `why` (a Chinese sentence).
    `evidence`: the event that decided, None in an empty trace."""

    state: str
    signed_by: str | None
    doubtful: bool
    why: str
    evidence: Event | None


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads by one lexicon; pure."""

    lexicon: Lexicon

    def read(self, courier: str | None, events: object) -> Reading | BadInput:
        """`events`: a list of {time, text, code?}, any order. `courier`: code or name, a hint for codes only."""
        if not isinstance(courier, str | None):
            return BadInput("courier", "courier 应当是文字")
        found = events_of(events)
        return found if isinstance(found, BadInput) else self.read_events(courier, found)

    def read_events(self, courier: str | None, events: Sequence[Event], scheme: str | None = None) -> Reading:
        """Events of which `no` is the place in the sequence. `scheme`: whose codes they have, if that is known."""
        guessed = codes_of(events, courier_code(courier, self.lexicon), self.lexicon)
        codes = Codes(self.lexicon, scheme) if scheme else guessed
        texts = {event.text: meaning_of(event.text, self.lexicon) for event in events}
        towns = located((one.places for one in texts.values()), self.lexicon.places)
        texts = {text: replace(one, places=towns[one.places]) for text, one in texts.items()}
        said = {event.no: codes.complete(texts[event.text], event.code) for event in events}
        ranks = {no: RANKS.index(one.kind) for no, one in said.items() if one.kind in RANKS}
        return self._fold(in_order(events, ranks), said, codes)

    def _fold(self, ordered: Sequence[Event], said: Mapping[int, Meaning], codes: Codes) -> Reading:
        gone = _taken_back(ordered, said)
        journey, evidence, against = Journey(), None, False
        for event in ordered:
            if event.no in gone:
                continue
            meaning, was = said[event.no], (journey.state, journey.last_at)
            kind = None if journey.back else codes.contradicts(meaning, event.code)
            told = take(journey, replace(meaning, kind=kind or meaning.kind), event.at)
            if not told and "signer_fixed" in meaning.takes_back and journey.state in SIGNED:
                told = take(journey, replace(meaning, kind="signer_fixed"), event.at)
            if told:
                evidence, against = event, kind is not None
                if event.at is not None and was[1] == event.at and {was[0], journey.state} in CONTRARY:
                    journey.doubt = "same_moment"
        return self._reading(journey, evidence, ordered, said, against)

    def _reading(
        self,
        journey: Journey,
        evidence: Event | None,
        ordered: Sequence[Event],
        said: Mapping[int, Meaning],
        against: bool,
    ) -> Reading:
        why = self.lexicon.why
        doubt = "code_against" if against else journey.doubt
        if doubt is None and ordered and said[ordered[-1].no].kind == "unknown":
            doubt = "unknown"
        told = why["none"] if not ordered else why["nothing"] if evidence is None else why["stated"]
        if evidence is not None and said[evidence.no].of_code:
            told = why["code"]
        if journey.back and journey.turned:
            told = why["turned"]
        return Reading(
            journey.state, journey.signed_by, doubt is not None, why[doubt] if doubt else told, evidence
        )


NAMED = {
    "unsigned": SIGNATURES, "unrefused": ("refused",), "unreturned": ("returning",), "uncollected": ("collected",),
    "unlost": ("lost", "claim", "damaged"),
}  # fmt: skip


def _taken_back(ordered: Sequence[Event], said: Mapping[int, Meaning]) -> set[int]:
    """The events that later ones take back: of the kind named, the one whose day or signer is named, else the
    latest that still stands."""
    gone: set[int] = set()
    for place, event in enumerate(ordered):
        for name in said[event.no].takes_back:
            standing = [
                one for one in reversed(ordered[:place]) if one.no not in gone and _is(name, said[one.no])
            ]
            meant = [one for one in standing if _meant(event, one, said)] or standing
            gone |= {meant[0].no} if meant else set()
    return gone


def _is(name: str, said: Meaning) -> bool:
    if name == "unlast":
        return said.kind not in SILENT
    return said.kind in NAMED.get(name, ()) or (name == "unsigned" and said.kind == "stored" and said.signs)


def _meant(event: Event, earlier: Event, said: Mapping[int, Meaning]) -> bool:
    day = DAY.search(event.text)
    if day and earlier.at is not None:
        local = earlier.at.astimezone(SHANGHAI)
        return (int(day[1]), int(day[2])) == (local.month, local.day)
    named = said[event.no].storage
    return named is not None and said[earlier.no].by == named
