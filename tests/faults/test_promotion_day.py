"""A small promotion day with everything broken once, as part of the suite; `make faults` runs the large one."""

from pathlib import Path

from tests.faults.promotion_day import Plan, run


def test_nothing_is_paid_twice_or_lost_while_everything_breaks(tmp_path: Path) -> None:
    plan = Plan(applications=300, kills=2, database_kills=1, day_s=12.0, patience_s=200.0)
    judgement = run(plan, tmp_path)
    assert judgement.wrong == []
    assert judgement.figures["killed"] == {"work": 2, "database": 1}
    assert judgement.figures["applications"] >= 300
    assert judgement.figures["by"].get("automatic", 0) > 0
