"""What is judged while it happens: every submit of money against the record at that very moment."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.faults.judge import Call, Finding
from tests.faults.simulation.market import SHOPS
from tests.faults.simulation.place import Place

Key = tuple[str, str, int, int]
ON_RECORD = """
SELECT i.state, c.state IN ('refunded', 'closed'), i.approved_by LIKE 'rule:%%' FROM intent i
JOIN cases c ON c.shop_id = i.shop_id AND c.case_id = i.case_id
WHERE i.case_id = %s AND i.amount_fen = %s AND i.platform_version = %s AND i.money
"""
OUT = "SELECT case_id, kind, platform_version, amount_fen, epoch FROM intent WHERE state = 'sending'"
NOW = "SELECT case_id, kind, platform_version, amount_fen, epoch, xmin::text FROM intent"
SENT = "SELECT state FROM intent WHERE case_id = %s AND money AND sends > 0 ORDER BY sent_at DESC LIMIT 1"
STOPPED = "SELECT shop_id, action FROM switch WHERE stopped"


@dataclass
class Watch:
    """Sees each submit with the worker's turn it came from."""

    place: Place
    findings: list[Finding]
    fresh: bool = True
    worker: str = ""
    calls: int = 0
    stopped: set[tuple[int, str]] = field(default_factory=set)
    acts: bool = False
    before: set[Any] = field(default_factory=set)
    out: dict[str, dict[Key, int]] = field(default_factory=dict)
    taken: dict[Key, str] = field(default_factory=dict)

    def begins(self, worker: str, calls: int, *, halted: bool = False, acts: bool = False) -> None:
        """A turn begins, or goes on after a halt; of the latter less can be said. `calls` were made before."""
        self.worker, self.fresh, self.calls = worker, not halted, calls
        self.acts = acts
        self.before = set(self.place.admin.execute(OUT).fetchall()) if acts else set()
        if acts:
            self.stopped = set(self.place.admin.execute(STOPPED).fetchall())

    def halts(self, worker: str) -> None:
        """It stands still over what it claimed in this turn."""
        if self.acts:
            rows = set(self.place.admin.execute(OUT).fetchall()) - self.before
            self.out[worker] = {row[:4]: row[4] for row in rows}

    def resumes(self, worker: str) -> None:
        """What of that was taken over meanwhile is not its to touch any more (P9)."""
        mine = self.out.pop(worker, {})
        rows = self.place.admin.execute(NOW).fetchall()
        self.taken = {row[:4]: row[5] for row in rows if row[:4] in mine and row[4] != mine[row[:4]]}

    def resumed(self) -> None:
        rows = {row[:4]: row[5] for row in self.place.admin.execute(NOW)} if self.taken else {}
        for key, before in self.taken.items():
            if rows.get(key) != before:
                self._found("P9", f"{key[0]} {key[1]} was taken over, and who had lost it settles it")
        self.taken = {}

    def ends(self, calls: Sequence[Call]) -> None:
        """A turn ends alive: what it sent and heard nothing of is unknown, neither failed nor done (P4)."""
        mine = calls[self.calls :]
        lost = {one.refund_id for one in mine if one.submit and one.heard == "nothing"}
        asked = {one.refund_id for one in mine if not one.submit}
        for refund_id in sorted(lost - asked) if self.fresh else ():
            row = self.place.admin.execute(SENT, (refund_id,)).fetchone()
            if row and row[0] not in ("unknown", "sending"):
                self._found("P4", f"{refund_id} was sent, nothing was heard, and it counts as {row[0]}")

    def submit(self, fields: dict[str, str]) -> None:
        """Money is asked for at the marketplace."""
        shop_id = 1 + SHOPS.index(fields["session"].removeprefix("session-"))
        for entry in fields["refund_infos"].split(","):
            refund_id, amount, version = entry.split("|")[:3]
            row = self.place.admin.execute(ON_RECORD, (refund_id, int(amount), int(version))).fetchone()
            self._one(refund_id, shop_id, row)

    def _one(self, refund_id: str, shop_id: int, row: tuple[str, bool, bool] | None) -> None:
        if row is None:
            return self._found("P1", f"{refund_id} is sent and no such intent is on record")
        state, finished, automatic = row
        if any(key[0] == refund_id for key in self.taken):
            self._found("P9", f"{refund_id} was taken over, and who had lost it sends it")
        if not self.fresh:
            return None
        if state != "sending":
            self._found("P9", f"{refund_id} is sent while its intent is {state}")
        if finished:
            self._found("P12", f"{refund_id} is sent and the case is known to be over")
        held = {"", "agree_refund", "automatic_money"} if automatic else {"", "agree_refund"}
        if any(shop in (0, shop_id) and action in held for shop, action in self.stopped):
            self._found("P17", f"{refund_id} is sent although a switch stands")
        return None

    def _found(self, promise: str, what: str) -> None:
        self.findings.append(Finding(promise, f"{what} (by {self.worker})"))
