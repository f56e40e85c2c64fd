"""What people do in a schedule, through the product's own functions, two at once when the fates want it."""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from random import Random
from typing import Any

from aftersale.cases import actions
from aftersale.cases.approvals import decide_approval
from aftersale.cases.people import Refusing
from aftersale.core.refusal import Refusal
from tests.faults.judge import Finding
from tests.faults.simulation.crew import AGENT, LEAD, OWNER
from tests.faults.simulation.place import Place

SEEN = """
SELECT c.shop_id, c.case_id, c.application_version, c.amount_fen,
  NOT EXISTS (SELECT FROM impossible(c.shop_id, c.case_id, 'agree_refund')) AS offered
FROM cases c ORDER BY c.case_id
"""
WAITING = """
SELECT shop_id, id, case_id, amount_fen, platform_version FROM approval WHERE state = 'requested' ORDER BY 1, 2
"""
THEIRS = """
SELECT FROM intent WHERE case_id = %s AND platform_version = %s AND amount_fen = %s AND planned_by = %s AND money
"""
FIT = """
SELECT a.expires_at <= %s, a.platform_version <> c.application_version FROM approval a
JOIN cases c ON c.shop_id = a.shop_id AND c.case_id = a.case_id WHERE a.shop_id = %s AND a.id = %s
"""
REFUSING = Refusing(2, "商品影响二次销售", "亲，很抱歉，这次的申请我们没法同意。")
SWITCHES = ((0, ""), (1, ""), (2, ""), (1, "agree_refund"), (2, "agree_refund"), (1, "automatic_money"))


class People:
    """Three people who see the record as it is and act on what they saw."""

    def __init__(self, place: Place, chance: Random, now: Callable[[], datetime]) -> None:
        self.place, self.chance, self.now = place, chance, now
        self.seen: list[Any] = []
        self.waiting: list[Any] = []
        self.findings: list[Finding] = []

    def _looks(self, stale: float) -> tuple[list[Any], list[Any]]:
        """What they see now, or what they saw when they last looked."""
        if not self.seen or self.chance.random() >= stale:
            self.seen = self.place.admin.execute(SEEN).fetchall()
            self.waiting = self.place.admin.execute(WAITING).fetchall()
        return self.seen, self.waiting

    def draw(self, switches: bool, stale: float, wishes: Sequence[str]) -> tuple[str, Callable[[], Any]]:
        """Who acts, and how."""
        name = self.chance.choice((AGENT, LEAD, OWNER))
        if switches and self.chance.random() < 0.5:
            shop_id, action = self.chance.choice(SWITCHES)
            return name, partial(self._switch, name, shop_id, action, self.chance.random() < 0.7)
        seen, waiting = self._looks(stale)
        if not seen:
            return name, lambda: 0
        chosen = self.chance.choice(seen)
        if waiting and self.chance.random() < 0.6:
            return name, partial(self.decide, name, self.chance.choice(waiting), self.chance.random() < 0.8)
        deed = self.chance.choice(wishes)
        offered = [row for row in seen if row[-1]] if deed == "agree" else []
        if offered and not chosen[-1]:  # the page shows no button for what cannot be
            chosen = offered[seen.index(chosen) % len(offered)]
        shop_id, case_id, version, amount_fen, _ = chosen
        if deed == "agree" and self.chance.random() < 0.3:
            amount_fen = max(1, (amount_fen or 1) // 2)
        return name, partial(self.do, deed, name, shop_id, case_id, version, amount_fen or 0)

    def do(self, deed: str, name: str, shop_id: int, case_id: str, version: int, amount_fen: int) -> str:
        conn, now = self.place.wired[name], self.now()
        match deed:
            case "undo":
                refused = actions.undo(conn, shop_id, case_id, "agree_refund", name, now)
            case "note":
                refused = actions.note(conn, shop_id, case_id, name, "已电话联系", now)
            case "undo_refuse":
                refused = actions.undo(conn, shop_id, case_id, "refuse", name, now)
            case "refuse":
                refused = actions.person_intent(
                    conn, shop_id, case_id, "refuse", 0, version, name, now, refusing=REFUSING
                )
            case "agree":
                refused = actions.person_intent(
                    conn, shop_id, case_id, "agree_refund", amount_fen, version, name, now
                )
            case _:
                refused = actions.person_intent(conn, shop_id, case_id, "agree_return", 0, version, name, now)
        if refused is None and deed == "agree":
            self._is_theirs(name, case_id, version, amount_fen)
        return f"{deed} {case_id} {refused.code if isinstance(refused, Refusal) else 'yes'}"

    def _is_theirs(self, name: str, case_id: str, version: int, amount_fen: int) -> None:
        """A yes that counted has its intent, of exactly what was seen (P11)."""
        if not self.place.admin.execute(THEIRS, (case_id, version, amount_fen, name)).rowcount:
            what = (
                f"{name} was told yes to {amount_fen} fen of {case_id} at version {version}, and it is not so"
            )
            self.findings.append(Finding("P11", what))

    def decide(self, name: str, waiting: tuple[int, int, str, int, int], yes: bool) -> str:
        shop_id, approval_id, case_id, amount_fen, version = waiting
        refused = decide_approval(self.place.wired[name], shop_id, approval_id, yes, name, "演练", self.now(),
                                  seen_amount_fen=amount_fen, seen_version=version)  # fmt: skip
        if refused is None and yes:
            late, changed = self.place.admin.execute(FIT, (self.now(), shop_id, approval_id)).fetchone() or (
                True,
                True,
            )
            if late or changed:
                what = f"{name} approved {case_id}, which {'ran out' if late else 'was changed'} before"
                self.findings.append(Finding("P14", what))
        return f"decide {case_id} {yes} {refused.code if isinstance(refused, Refusal) else 'done'}"

    def _switch(self, name: str, shop_id: int, action: str, stopped: bool) -> str:
        actions.set_switch(self.place.wired[name], shop_id, action, stopped, "演练", name, self.now())
        return f"switch {shop_id} {action} {stopped}"

    def release(self) -> None:
        """Every switch is released by a person."""
        conn = self.place.connection(OWNER)
        for shop_id, action in self.place.admin.execute(
            "SELECT shop_id, action FROM switch WHERE stopped"
        ).fetchall():
            actions.set_switch(conn, shop_id, action, False, "演练结束", OWNER, self.now())
        conn.commit()
