"""A person who refuses applications while releases change: planned as the new release plans it."""

from collections.abc import Iterator
from typing import Any

from aftersale.cases import actions
from aftersale.cases.people import Refusing
from aftersale.pg.connect import SETTINGS, opened
from tests.faults.upgrade.place import TROUBLE, Place, Process, refused

AGENT = "客服小明"
WORDS = "亲，很抱歉，商品已经使用过，这次的申请我们没法同意。"
REFUSE = "taobao.refund.refuse"
UNDO_S, SLOW_S = 1, 20.0
MINE = "FROM intent WHERE kind = 'refuse' AND case_id = ANY (%s)"


class Refusals:
    """What is planned here is planned once; the answers are by case id."""

    def __init__(self, here: Place) -> None:
        self.here = here
        self._used: set[str] = set()

    def plan(self, wanted: int) -> list[str]:
        """So many refusals, each of an application that people have and that the platform lets the seller refuse."""
        planned: list[str] = []

        def enough() -> bool:
            planned.extend(self._some(wanted - len(planned)))
            return len(planned) >= wanted

        self.here.until(enough)
        return planned

    def _some(self, wanted: int) -> Iterator[str]:
        for row in self._refusable()[:wanted]:
            self._used.add(row["refund_id"])
            if self._plan(row):
                yield row["refund_id"]

    def _refusable(self) -> list[dict[str, Any]]:
        waiting = set(self.here.all("SELECT case_id FROM queue_item"))
        return [
            row for row in self.here.control.applications()
            if row["refund_id"] in waiting - self._used and row["shop"] == "demo2"
            and (row["status"], row["dispute_type"]) == ("WAIT_SELLER_AGREE", "REFUND_AND_RETURN")
            and "无理由" not in row["reason"] and row["cs_status"] == 1 and "platform_opened:0" in row["attribute"]
            and refused(row) == 0
        ]  # fmt: skip

    def _plan(self, row: dict[str, Any]) -> bool:
        """False where the buyer has changed it just now."""
        here, version = self.here, int(row["refund_version"])
        with opened(here.database.app, settings=SETTINGS) as conn:
            now = conn.execute("SELECT moment()").fetchone()
            assert now is not None
            said = Refusing(2, "商品影响二次销售", WORDS)
            what = (here.shops[row["shop"]], row["refund_id"], "refuse", 0, version)
            return actions.person_intent(conn, *what, AGENT, now[0], UNDO_S, refusing=said) is None

    def states(self, case_ids: list[str]) -> set[str]:
        return set(self.here.all(f"SELECT state {MINE}", case_ids))

    def due(self, case_ids: list[str]) -> bool:
        return bool(self.here.all(f"SELECT bool_and(due_at <= moment()) {MINE}", case_ids)[0])

    def unsent(self, case_ids: list[str]) -> bool:
        """Nobody has touched them, but for those whose buyer has changed the application meanwhile."""
        states = self.states(case_ids)
        return "approved" in states and states <= {"approved", "cancelled"}

    def ended(self, case_ids: list[str]) -> bool:
        return self.states(case_ids) <= {"done", "refused", "cancelled"}

    def lose(self, worker: Process) -> list[str]:
        """One that the platform has done when its worker is killed, waiting for the answer."""
        self.here.control.faults({"rules": [{"match": {"method": REFUSE}, "do": {"slow": SLOW_S}}]})
        lost = self.plan(1)
        while not self._heard_there(lost):
            lost = self.plan(1)
        worker.kill()
        self.here.control.faults(TROUBLE)
        return lost

    def _heard_there(self, case_ids: list[str]) -> bool:
        """False where its buyer was faster."""
        self.here.until(lambda: self.ended(case_ids) or self._told(case_ids[0]))
        return not self.ended(case_ids)

    def abandoned(self, case_ids: list[str]) -> bool:
        """Its lease has been over for long."""
        return bool(self.here.all(f"SELECT sent_at < clock_timestamp() - interval '2 s' {MINE}", case_ids)[0])

    def _told(self, case_id: str) -> int:
        return next(refused(row) for row in self.here.control.applications() if row["refund_id"] == case_id)

    def each_once(self, *batches: list[str]) -> None:
        """Each reached the platform once, or its buyer was faster; of every batch some did."""
        for case_ids in batches:
            ours = dict(self.here.all(f"SELECT case_id, state {MINE}", case_ids))
            assert {one: self._told(one) for one in ours} == {one: int(ours[one] == "done") for one in ours}
            assert "done" in ours.values()
            said = self.here.all(f"SELECT outcome {MINE} AND state = 'refused'", case_ids)
            assert all(one.startswith("changed") for one in said), said
