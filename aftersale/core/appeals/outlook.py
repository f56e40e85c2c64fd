"""What is predicted of an appeal, and which open cases are likeliest to reach the platform."""

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal


@dataclass(frozen=True, slots=True)
class Prediction:
    """`reason`: the first of `reasons`, which stand in the order of the book."""

    predicted: Literal["fail", "no_known_obstacle"]
    warn: bool
    reason: str | None
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OpenCase:
    """An open case as far as it is known. `anger_words`: those found in what the buyer wrote."""

    id: str | int | None = None
    fault: str | None = None
    refusals: int | None = None
    modifications: int | None = None
    hours_unanswered: Fraction | None = None
    anger_words: tuple[str, ...] = ()
    no_tracking: bool | None = None


@dataclass(frozen=True, slots=True)
class Risk:
    """`risk_reasons`: what added to the score, the largest share first."""

    escalation_risk: int
    risk_reasons: tuple[str, ...]
    queue: Literal["senior"] | None
    id: str | int | None = None


@dataclass(frozen=True, slots=True)
class RiskOrder:
    """Cases by risk, highest first; of equal ones the order given. `first`: the id at the front."""

    first: str | int | None
    order: tuple[str | int | None, ...]
    risks: tuple[Risk, ...]


def predicted_failure(*, reasons: tuple[str, ...] = ()) -> Prediction:
    """An appeal fails when the book `appeal_checks` names any reason (R-202 – R-214)."""
    return Prediction(
        "fail" if reasons else "no_known_obstacle",
        bool(reasons),
        reasons[0] if reasons else None,
        tuple(reasons),
    )


def escalation_risk(
    *,
    fault: str | None = None,
    refusals: int | None = None,
    modifications: int | None = None,
    hours_unanswered: Fraction | None = None,
    anger_words: tuple[str, ...] = (),
    no_tracking: bool | None = None,
    risk_own_fault: int,
    risk_refusal: int,
    risk_modification: int,
    risk_unanswered_day: int,
    risk_anger: int,
    risk_no_tracking: int,
    senior_queue_risk: int,
) -> Risk:
    """The score of one open case: what is unknown adds nothing (R-217)."""
    days = max(Fraction(0), hours_unanswered or Fraction(0)) // 24
    shares = {
        "own_fault": risk_own_fault if fault == "seller" else 0,
        "refusals": risk_refusal * max(0, refusals or 0),
        "modifications": risk_modification * max(0, modifications or 0),
        "unanswered": risk_unanswered_day * days,
        "anger": risk_anger * len(set(anger_words)),
        "no_tracking": risk_no_tracking if no_tracking else 0,
    }
    score = sum(shares.values())
    reasons = sorted((name for name, share in shares.items() if share), key=lambda name: -shares[name])
    return Risk(score, tuple(reasons), "senior" if score >= senior_queue_risk else None)


def escalation_order(
    *,
    cases: tuple[OpenCase, ...],
    risk_own_fault: int,
    risk_refusal: int,
    risk_modification: int,
    risk_unanswered_day: int,
    risk_anger: int,
    risk_no_tracking: int,
    senior_queue_risk: int,
) -> RiskOrder:
    """Open cases as the senior queue takes them (R-217)."""
    found = []
    for one in cases:
        risk = escalation_risk(
            fault=one.fault, refusals=one.refusals, modifications=one.modifications,
            hours_unanswered=one.hours_unanswered, anger_words=one.anger_words, no_tracking=one.no_tracking,
            risk_own_fault=risk_own_fault, risk_refusal=risk_refusal, risk_modification=risk_modification,
            risk_unanswered_day=risk_unanswered_day, risk_anger=risk_anger, risk_no_tracking=risk_no_tracking,
            senior_queue_risk=senior_queue_risk,
        )  # fmt: skip
        found.append(Risk(risk.escalation_risk, risk.risk_reasons, risk.queue, one.id))
    ordered = tuple(sorted(found, key=lambda risk: -risk.escalation_risk))
    return RiskOrder(ordered[0].id if ordered else None, tuple(one.id for one in ordered), ordered)
