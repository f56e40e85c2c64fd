"""What a reply says and what it lacks: apology, explanation, plan, deadline (R-230, annex 4)."""

from dataclasses import dataclass

from aftersale.core.talk.folding import fold, sentences
from aftersale.core.talk.lexicon import Lexicon
from aftersale.core.talk.script import Script

SHOP_FAULT = ("apology", "explanation", "plan")
"""What every reply to a problem of the shop's own making holds."""
DATED = {"new_ship_time", "named_day", "next_answer_time", "promise_time", "resend_at_once", "deadline"}
"""Parts of a script that set a time."""


@dataclass(frozen=True, slots=True)
class Parts:
    """`missing`: of apology, explanation, plan, and deadline where the script wants a time and the plan names none;
    `script_missing`: of the parts that the script of this plan holds."""

    complete: bool
    present: tuple[str, ...]
    missing: tuple[str, ...]
    script_missing: tuple[str, ...]


def said(message: str, lexicon: Lexicon) -> frozenset[str]:
    """The parts that some sentence of the message, or all of it together, says."""
    folded = fold(message)
    texts = (*sentences(folded), folded) if folded else ()
    return frozenset(
        name for name, signs in lexicon.parts.items() if any(signs.found(text) for text in texts)
    )


def parts_of(message: str, lexicon: Lexicon, script: Script | None) -> Parts:
    """`script`: the one of the plan that was chosen, if any; one that apologises answers a fault of the shop."""
    found = said(message, lexicon)
    wanted = script.must if script else ()
    lacking = tuple(one for one in wanted if one not in found)
    if script is not None and "apology" not in wanted:
        missing = list(lacking)
    else:
        missing = [one for one in SHOP_FAULT if one not in found]
        if DATED & set(wanted) and "deadline" not in found and "plan" in found:
            missing.append("deadline")
    present = tuple(one for one in lexicon.parts if one in found)
    return Parts(not missing and not lacking, present, tuple(missing), lacking)
