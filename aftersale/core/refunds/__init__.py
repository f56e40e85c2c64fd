"""Refund arithmetic: who paid which fen of which piece, and what any refund gives back to whom.

    split = freeze(Purchase(lines, sources, freight_fen))       # once, at purchase; Split or Refusal
    one = refund(split, history, key, Quantity("L1", 2), Freight())   # Refund, or a Refusal and nothing
    given_back(split, [one])                                    # {"cash": 9000, "points": 300}: to the buyer
    given_back(split, [one], "platform")                        # what the shop owes the platform
    standing(split, [*history, one]).refundable_fen()           # what the buyer can still have
    derivation(split, history, one)                             # how it came about, line by line

`Source` is a discount or a payment; sources apply in their order and add up to the value of the order. Each is
split by largest remainder over lines, over a line's units and over a kit's parts, once: later refunds read these
shares and never spread a discount anew. `Unit` is one piece, `FREIGHT` the freight.

Wants: `Units`, `Quantity` (goods leave), `Amount` (goods stay), `Freight`, `Everything`; several make one refund.
What would pass a ceiling is an `OverCeiling` with what is still refundable: of a piece, a line, a line's
quantity, the freight, the order, a payment. A repeated key gives back the refund it made. `history` holds all
refunds that were paid or may yet be (held, unknown); a cancelled one is left out of it.

Held by tests: nothing is negative; refunded + refundable = paid after every refund, per piece, payment and in
total; any sequence that ends in `Everything` sums to what was paid, per funder; whole pieces give the same in
any order. Where a minimum breaks or a gift stays behind, the declared policy keeps it or withholds its worth;
what is withheld comes back when the reason is gone.

Requirements: R-008 (promotions, gifts, points, deposits of an order), R-104 (a missing gift). The limits of
persons and days (R-341, R-344) are not arithmetic and live with the intents.
"""

from aftersale.core.refunds.order import (
    FREIGHT,
    FREIGHT_LINE,
    RECIPIENTS,
    Funder,
    Gift,
    Line,
    Part,
    Policy,
    Purchase,
    Recipient,
    Source,
    Split,
    Unit,
    freeze,
)
from aftersale.core.refunds.printed import derivation
from aftersale.core.refunds.remainder import Claim, Standing
from aftersale.core.refunds.wants import (
    Amount,
    Entry,
    Everything,
    Freight,
    OverCeiling,
    Quantity,
    Refund,
    Units,
    Want,
    given_back,
    refund,
    standing,
)

__all__ = [
    "FREIGHT",
    "FREIGHT_LINE",
    "RECIPIENTS",
    "Amount",
    "Claim",
    "Entry",
    "Everything",
    "Freight",
    "Funder",
    "Gift",
    "Line",
    "OverCeiling",
    "Part",
    "Policy",
    "Purchase",
    "Quantity",
    "Recipient",
    "Refund",
    "Source",
    "Split",
    "Standing",
    "Unit",
    "Units",
    "Want",
    "derivation",
    "freeze",
    "given_back",
    "refund",
    "standing",
]
