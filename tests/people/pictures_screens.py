"""Every screen that is pictured: its name, its address, who looks at it."""

from dataclasses import dataclass

from tests.people.pictures_day import (
    AGENT,
    LEAD,
    MATCHED,
    NAMELESS,
    NEW,
    PAID_CASE,
    QUALITY,
    STAYS,
    STOCK,
    WAITS,
    Day,
)

HERE = f"document.querySelector('#row-tea-{WAITS} .c-kind').click()"
REFUSING = f"""document.querySelector('#row-tea-{QUALITY} .c-kind').click();
new Promise((done) => setTimeout(done, 600)).then(() => document.querySelector('#dock [data-key=r]').click())"""
PICKED = "document.querySelectorAll('[name=pick]').forEach((box, n) => n < 3 && box.click())"


@dataclass(frozen=True, slots=True)
class Screen:
    """`before`: JavaScript that a person's hand would do first. Nobody (''): before signing in. `stopped`: with some of
    the shops' automation stopped, which shows on every page."""

    name: str
    title: str
    path: str
    who: str = LEAD
    before: str = ""
    stopped: bool = False


def screens(day: Day) -> list[Screen]:
    return [*_desk(day), *_floor(day), *_house(day), *_empty()]


def _desk(day: Day) -> list[Screen]:
    return [
        Screen("queue", "队列 queue", "/queue"),
        Screen("queue-row", "队列：这一单能做什么 what may be done here", "/queue", AGENT, HERE),
        Screen("queue-picked", "队列：选中几单 selected rows", "/queue", LEAD, PICKED),
        Screen("bulk", "批量预览 bulk preview", day.bulk),
        Screen("case", "售后单，等人 case that waits", f"/case/tea/{WAITS}", AGENT),
        Screen(
            "case-evidence",
            "售后单，有凭证和承诺 evidence and promises",
            f"/case/tea/{QUALITY}#evidence",
            AGENT,
            "document.querySelector('#evidence details').open = true",
        ),
        Screen("case-why", "售后单：为什么 why", f"/case/tea/{WAITS}#why", AGENT),
        Screen("case-automatic", "售后单，自动 automatic case", f"/case/tea/{STAYS}", AGENT),
        Screen("refuse", "拒绝申请 refusing", f"/case/tea/{QUALITY}/refuse", AGENT),
        Screen("refuse-row", "队列：拒绝这一单 refusing in the queue", "/queue", AGENT, REFUSING),
        Screen("case-refunded", "售后单，已退款 refunded case", f"/case/tea/{PAID_CASE}", AGENT),
        Screen("todo", "待办 to do", "/todo"),
        Screen("search", "搜索 search", "/search?q=4321"),
        Screen("search-words", "按商品名搜索 search by goods", "/search?q=龙井"),
        Screen("approvals", "复核 approvals", "/approvals"),
        Screen("switches", "总闸 kill switch", "/switches", stopped=True),
        Screen("money", "资金 money", "/money"),
        Screen("board", "今日看板 today's board", "/board"),
    ]


def _floor(day: Day) -> list[Screen]:
    return [
        Screen("work_orders", "工单 work orders", "/work-orders?dept=desk"),
        Screen("work_order", "一张工单 one work order", day.order),
        Screen("work_order-new", "开工单 new work order", f"/work-orders/tea/new?case={QUALITY}", AGENT),
        Screen("parcels", "退回的包裹 parcels coming back", "/work-orders/parcels"),
        Screen("claims", "快递索赔 carrier claims", "/work-orders/claims"),
        Screen("returns", "仓库扫描 return scan", "/returns", STOCK),
        Screen("returns-matched", "仓库扫描：找到了 matched", f"/returns?code={MATCHED}", STOCK),
        Screen("returns-nameless", "匿名件 parcel without a name", day.scan, STOCK),
        Screen("returns-list", "匿名件列表 parcels without names", "/returns/nameless", STOCK),
        Screen("returns-day", "当天的退货 the day's returns", "/returns/day", STOCK),
        Screen(
            "returns-likely", "仓库扫描：很像哪一单 likely cases", f"/returns?code={NAMELESS[:-1]}3", STOCK
        ),
    ]


def _house(day: Day) -> list[Screen]:
    return [
        Screen("rules", "规则 rules", "/rules"),
        Screen("rule-book", "一本规则 one book", "/rules/tea/book/refund"),
        Screen("rule-edit", "改规则 edit", "/rules/tea/edit"),
        Screen("rule-row", "一条规则 one rule", "/rules/tea/edit/rule/amount_above_paid"),
        Screen("rule-backtest", "回测 backtest", day.backtest),
        Screen("files", "导入文件 import", "/files"),
        Screen("file", "看过的文件 a file looked at", day.file),
        Screen("jobs", "任务 jobs", "/jobs"),
        Screen("job", "一个任务 one job", day.job),
        Screen("audit", "操作日志 audit log", "/audit"),
        Screen("settings", "设置：店铺 shops", "/settings/shops"),
        Screen("settings-people", "设置：人员 people", "/settings/people/tea"),
        Screen("settings-rights", "设置：权限 rights", "/settings/rights/tea"),
        Screen("settings-thresholds", "设置：阈值 thresholds", "/settings/thresholds/tea"),
        Screen("settings-hours", "设置：时间 hours", "/settings/hours/tea"),
        Screen("settings-scripts", "设置：话术 scripts", "/settings/scripts"),
        Screen("settings-health", "设置：连接 connections", "/settings/health"),
        Screen("account", "我的账号 my account", "/account"),
        Screen("tokens", "程序用的令牌 tokens for programs", "/account/tokens"),
        Screen("login", "登录 sign in", "/login", ""),
    ]


def _empty() -> list[Screen]:
    return [
        Screen("empty-queue", "空：队列 nothing waits", "/queue", NEW),
        Screen("empty-approvals", "空：复核 nothing to approve", "/approvals", NEW),
        Screen("empty-todo", "空：待办 nothing to do", "/todo", NEW),
        Screen("empty-search", "空：搜索 nothing found", "/search?q=没有的东西", NEW),
        Screen("empty-money", "空：资金 no money moved", "/money", NEW),
        Screen("empty-work_orders", "空：工单 no work orders", "/work-orders", NEW),
        Screen("missing", "没有这一页 no such page", "/case/tea/0", NEW),
        Screen("no-right", "没有权限 no right", "/files", STOCK),
    ]
