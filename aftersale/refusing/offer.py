"""What can be chosen for a refusal of this application, or why it cannot be refused here and now."""

from dataclasses import dataclass
from datetime import datetime

from aftersale.cases.access import Case
from aftersale.cases.approvals import impossible
from aftersale.cases.casework.place import Place
from aftersale.cases.casework.refusing import Reason, reasons
from aftersale.cases.rows import first, read, record_connection
from aftersale.connectors.taobao.refunds import REFUSE_MESSAGE_CHARS, REFUSE_PROOF_NEEDED
from aftersale.core.look import decide
from aftersale.core.refusal import Refusal
from aftersale.pg.sql import queries
from aftersale.rulebooks import books

SQL = queries("aftersale.refusing")
MESSAGE_MIN, MESSAGE_MAX = REFUSE_MESSAGE_CHARS
PATIENCE_S = 12.0
FACTS = ("operation_limit", "fault", "goods_problem", "reason", "courier_checked", "contact_count")
NOT_ASKED = Refusal("not_asked", "正在向平台询问可以选的理由，请稍等几秒")
NO_ANSWER = Refusal("no_answer", "平台没有回答可以选的理由，请稍后再试，或到平台后台拒绝")


@dataclass(frozen=True, slots=True)
class Seen:
    """The application as it is now. `permitted`: may this person refuse?"""

    version: int
    state: str | None
    order_id: str
    amount_fen: int | None
    operation_limit: str | None
    fault: str | None
    goods_problem: bool | None
    reason: str | None
    courier_checked: bool | None
    contact_count: int | None
    inbound_success: bool | None
    return_tracking_state: str | None
    settings: str
    wired: bool
    permitted: bool | None


@dataclass(frozen=True, slots=True)
class Picture:
    id: int
    kind: str
    name: str
    at: datetime
    bytes: int


@dataclass(frozen=True, slots=True)
class Video:
    held: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """`refusal`: why not, when there is a reason; `waits`: the platform has not answered yet and still may;
    `video_missing`: the goods came back, and no video of opening them is among the evidence (R-168)."""

    seen: Seen
    reasons: tuple[Reason, ...]
    pictures: tuple[Picture, ...]
    proof_needed: bool
    refusal: Refusal | None
    waits: bool = False
    video_missing: bool = False


def seen_of(case: Case, by: str, channel: str = "web") -> Seen:
    where = {"shop_id": case.shop.id, "case_id": case.case_id, "by": by, "channel": channel}
    found = first(Seen, SQL["seen"], where)
    assert found is not None, "a case that was just seen"
    return found


def barred(seen: Seen, now: datetime) -> Refusal | None:
    """Why this application may not be refused, by the person's rights and the book `refusing`."""
    if not seen.permitted:
        return Refusal("not_in_role", "这不在您的权限之内，没有执行")
    if not seen.wired:
        return Refusal("no_way", "这个店铺没有接上平台的拒绝接口，请到平台后台操作")
    facts = {name: getattr(seen, name) for name in FACTS}
    said = decide(books.book("refusing"), facts, {}, now).outcome
    if said["refuse_allowed"] is True:
        return None
    code = str(said["refuse_why"])
    return Refusal(code, f"现在不能拒绝：{books.title('refuse_why', code)}")


def offer(case: Case, by: str, now: datetime, channel: str = "web", any_age: bool = False) -> Offer:
    """Asks a worker for the platform's reasons where they are not known; calls nobody.
    `any_age`: for a form that was built on them and came back, they need not be fresh."""
    seen = seen_of(case, by, channel)
    needed = case.shop.platform in REFUSE_PROOF_NEEDED
    refusal = barred(seen, now) or impossible(record_connection(), case.shop.id, case.case_id, "refuse")
    if refusal:
        return Offer(seen, (), (), needed, refusal)
    found = reasons(record_connection(), Place(case.shop.id, case.case_id, by, now), seen.version, any_age)
    where = {"shop_id": case.shop.id, "case_id": case.case_id}
    pictures, video = tuple(read(Picture, SQL["pictures"], where)), first(Video, SQL["video"], where)
    waits = found.waited_s is not None and found.waited_s < PATIENCE_S
    if found.fault:
        refusal = Refusal("platform", found.fault)
    elif found.waited_s is not None:
        refusal = NOT_ASKED if waits else NO_ANSWER
    missing = _video_missing(seen, bool(video and video.held), now)
    return Offer(seen, found.reasons, pictures, needed, refusal, waits, missing)


def _video_missing(seen: Seen, held: bool, now: datetime) -> bool:
    facts = {name: getattr(seen, name) for name in ("inbound_success", "return_tracking_state")}
    return (
        decide(books.book("refusal_video"), {**facts, "return_video": held}, {}, now).outcome["warn"] is True
    )
