"""The couriers' own codes: read where a text says nothing, and compared where it says signed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aftersale.core.tracking.lexicon import Lexicon
from aftersale.core.tracking.trace import Event
from aftersale.core.tracking.wording import Meaning

AGAINST_SIGNED = ("refused", "returning", "sender_signed")


@dataclass(frozen=True, slots=True)
class Codes:
    """The scheme of one trace; no scheme where its codes do not show one."""

    lexicon: Lexicon
    scheme: str | None

    def kind(self, code: str | None) -> str | None:
        """None where the code is absent or unknown."""
        if code is None or self.scheme is None:
            return None
        return self.lexicon.codes[self.scheme].get(code.lower())

    def complete(self, said: Meaning, code: str | None) -> Meaning:
        """The text rules; the code stands in where the text is not understood, and names a signer left open."""
        kind = self.kind(code)
        if kind is None or code is None:
            return said
        if said.kind == "unknown":
            said = replace(said, kind=kind, of_code=True, signs=kind == "signed")
        signers = self.lexicon.code_signers.get(self.scheme or "", {})
        if said.kind == "signed" and said.by is None and signers:
            return replace(said, by=signers.get(code))
        return said

    def contradicts(self, said: Meaning, code: str | None) -> str | None:
        """The kind of the code, where the text says signed and the code says that it came back."""
        kind = self.kind(code)
        return kind if kind in AGAINST_SIGNED and said.kind in ("signed", "stored", "fetched") else None


def courier_code(given: str | None, lexicon: Lexicon) -> str | None:
    """Our code of a courier named by code, Chinese or English name; None where it is not known."""
    return lexicon.couriers.get((given or "").strip().lower())


def codes_of(events: Sequence[Event], courier: str | None, lexicon: Lexicon) -> Codes:
    """Schemes overlap: the first that some code of the trace shows; kuaidi100 where all codes are common."""
    given = [event.code.lower() for event in events if event.code]
    for scheme in lexicon.schemes:
        fits = scheme.courier is None or scheme.courier == courier
        if fits and any(scheme.shown_by.fullmatch(code) for code in given):
            return Codes(lexicon, scheme.name)
    return Codes(lexicon, "kuaidi100" if given else None)
