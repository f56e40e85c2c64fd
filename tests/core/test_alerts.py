"""What all alerts of a case together mean, and timers told in hours, days and ranks (group U)."""

from fractions import Fraction
from typing import Any

import pytest

from aftersale.core.alerts.telling import (
    AlertState,
    ExtendedTimer,
    TailAlert,
    alert_state,
    double11_timer,
    tail_alert,
    work_order_alert,
)
from aftersale.core.clocks.formulas import DeadlineAlert


def test_one_alert_is_enough_and_an_immediate_one_opens_by_itself() -> None:
    assert alert_state() == AlertState(False, False)
    assert alert_state(alerts=("abnormal_order",), levels=("reminder",)) == AlertState(True, False)
    assert alert_state(alerts=("a", "penalty"), levels=("reminder", "immediate")) == AlertState(
        "immediate", True
    )


@pytest.mark.parametrize(
    ("hours", "done", "alert", "breached"),
    [("43.99", False, False, False), ("44", False, True, False), ("48", False, True, False),
     ("48.01", False, True, True), ("60", True, False, False)],
)  # fmt: skip
def test_a_work_order_is_told_of_before_and_after_its_end(
    hours: str, done: bool, alert: bool, breached: bool
) -> None:
    found = work_order_alert(
        hours_since_created=Fraction(hours), evidence_hours=Fraction(48), deadline_lead_hours=Fraction(4),
        evidence_submitted=done,
    )  # fmt: skip
    assert found == DeadlineAlert(alert, breached, 48 - Fraction(hours))


ORDINARY = ExtendedTimer(False, None, None, False, False)


@pytest.mark.parametrize(
    ("promo", "age", "after", "found"),
    [
        ("double11", "2", "3", ExtendedTimer(True, 12, Fraction(10), False, False)),
        ("double11", "2", "6.99", ExtendedTimer(True, 12, Fraction(10), False, False)),
        ("double11", "2", "7", ORDINARY),
        ("double11", "2", None, ExtendedTimer(True, 12, Fraction(10), False, False)),
        ("618", "2", "3", ORDINARY),
        (None, "2", "3", ORDINARY),
        ("double11", None, "3", ExtendedTimer(True, 12, None, False, False)),
        ("double11", "11.5", "3", ExtendedTimer(True, 12, Fraction(1, 2), True, False)),
        ("double11", "11.4", "3", ExtendedTimer(True, 12, Fraction(3, 5), False, False)),
        ("double11", "12", "3", ExtendedTimer(True, 12, Fraction(0), True, False)),
        ("double11", "12.5", "3", ExtendedTimer(True, 12, Fraction(-1, 2), True, True)),
    ],
)
def test_the_extended_timer(
    promo: str | None, age: str | None, after: str | None, found: ExtendedTimer
) -> None:
    told: dict[str, Any] = {
        "days_since_applied": age and Fraction(age),
        "days_after_promo": after and Fraction(after),
    }
    assert (
        double11_timer(
            promo=promo,
            **told,
            d11_timeout_days=12,
            d11_extension_hours=168,
            deadline_lead_hours=Fraction(12),
        )
        == found
    )


def test_a_product_in_the_tail_risks_a_spot_check() -> None:
    share = Fraction(1, 10)
    assert tail_alert(rank=18, ranked=20, quality_tail_share=share) == TailAlert(False, None)
    assert tail_alert(rank=19, ranked=20, quality_tail_share=share) == TailAlert(True, "spot_check")
    assert tail_alert(rank=None, ranked=20, quality_tail_share=share) == TailAlert(False, None)
    assert tail_alert(rank=20, quality_tail_share=share) == TailAlert(False, None)
