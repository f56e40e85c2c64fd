"""What a parcel should bring back, and what the pieces found in it say about a case (R-023, R-084)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

CONDITIONS = ("intact", "damaged", "missing_item", "wrong_item", "swapped")
"""In the order of the keys 1 to 5 of the scan page."""
_LOUDEST_FIRST = ("swapped", "wrong_item", "damaged", "missing_item", "intact")
WAYBILL_FROM = (
    7  # characters: nobody says the state of so many pieces in one breath, and no waybill is shorter
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of an order: what was bought and what was paid for it."""

    line_id: str
    title: str
    sku: str | None
    quantity: int
    paid_fen: int


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece that should come back; `line_id` None: the order's lines are not known."""

    line_id: str | None
    title: str
    sku: str | None


@dataclass(frozen=True, slots=True)
class Unit:
    """One piece as the warehouse found it."""

    line_id: str | None
    condition: str


def expected(
    lines: Sequence[Line], line_id: str | None, amount_fen: int | None, title: str | None
) -> tuple[Piece, ...]:
    """The pieces that an application is about: of its line as many as the amount pays for, else the whole order."""
    own = [line for line in lines if line.line_id == line_id] or list(lines)
    if not own:
        return (Piece(None, title or "", None),)
    many = {line.line_id: line.quantity for line in own}
    if len(own) == 1 and amount_fen is not None and own[0].paid_fen > 0:
        paid_for = -(-amount_fen * own[0].quantity // own[0].paid_fen)
        many[own[0].line_id] = min(max(paid_for, 1), own[0].quantity)
    return tuple(Piece(line.line_id, line.title, line.sku) for line in own for _ in range(many[line.line_id]))


def outstanding(pieces: Sequence[Piece], here: Iterable[Unit]) -> tuple[Piece, ...]:
    """What has not come back in an earlier parcel. A missing piece has not; a damaged one has."""
    came = Counter(unit.line_id for unit in here if unit.condition != "missing_item")
    left = []
    for piece in pieces:
        if came[piece.line_id]:
            came[piece.line_id] -= 1
        else:
            left.append(piece)
    return tuple(left)


def condition_of(pieces: Sequence[Piece], units: Sequence[Unit]) -> str | None:
    """One word for all parcels of a case: the worst piece; a piece that is not here is missing. None: nothing came."""
    if not units:
        return None
    found = [unit.condition for unit in units if unit.condition != "missing_item"]
    return worst([*found, "missing_item"] if outstanding(pieces, units) else found)


def worst(conditions: Iterable[str | None]) -> str | None:
    """The loudest; None beside others counts as missing, since those cases' goods are not here."""
    told = list(conditions)
    if not any(told):
        return None
    return min((one or "missing_item" for one in told), key=_LOUDEST_FIRST.index)


def spoken(text: str, pieces: int) -> tuple[str, ...] | None:
    """`0` all intact, else one digit 1–5 a piece; None: it is none of these, such as the next parcel's waybill."""
    if text == "0":
        return ("intact",) * pieces
    fits = len(text) == pieces < WAYBILL_FROM and all(one in "12345" for one in text)
    return tuple(CONDITIONS[int(one) - 1] for one in text) if fits else None
