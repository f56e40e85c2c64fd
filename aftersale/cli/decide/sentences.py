"""What a file came to, in sentences: for the screen and for the workbook's last sheet."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from aftersale.cli.decide.summary import Summary
from aftersale.cli.decide.verdicts import Tally
from aftersale.core.facts import Fact
from aftersale.core.money import yuan_text
from aftersale.core.rulebook import Book

RULES_SHOWN = 12
LACKING_SHOWN = 4
SOURCES = {"售后单上的": ("application", "shop"), "订单上的": ("order",)}
OTHER_SOURCES = "物流、仓库和人工核实的（导出文件里从来没有）"


def lines(
    found: Summary, book: Book, queues: Mapping[str, str], now: datetime, *, shown: int = RULES_SHOWN
) -> list[str]:
    """The summary, most important first; at most `shown` rules of each kind."""
    text = [
        f"{found.file}：{found.layout}，{found.rows:,} 行（坏行 {found.bad:,}，重复 {found.repeated:,}）；"
        f"订单 {found.orders:,}，售后单 {_of(found.cases)}。",
        f"已退款 {_of(found.refunded)}"
        f"（全额 {found.refunded_full:,} 单，部分 {found.refunded_partial:,} 单）。",
    ]
    if found.finished and found.as_applied:
        text.append(f"{found.finished:,} 单已经完结；以下当作刚刚申请来判定（未同意、拒绝、寄回、介入）。")
        text.append("要按现状判定，请加 --as-is。")
    text += [
        "",
        f"自动处理  {_of(found.auto)}",
        f"需要人    {_of(found.person)}",
        f"无需再动  {_of(found.done)}",
    ]
    if found.by_queue:
        text += ["", "按队列："]
        text += [f"  {queues.get(t.name, t.name)}  {_of(t)}" for t in found.by_queue]
    if found.by_rule:
        titles = {rule.name: rule.title for rule in book.rules}
        text += ["", "按规则："]
        text += [f"  {titles[t.name]}（{t.name}）  {_of(t)}" for t in found.by_rule[:shown]]
    return [*text, "", *_deadline_lines(found, now), "", *_lacking_lines(found, book, shown)]


def _of(tally: Tally) -> str:
    return f"{tally.cases:,} 单，{yuan_text(tally.amount_fen)}"


def _deadline_lines(found: Summary, now: datetime) -> list[str]:
    due = found.deadlines
    still = found.cases.cases - found.finished
    if not still:
        return ["时限：没有未完结的售后单。"]
    if due.unknown.cases == still:
        return [f"时限：文件没有平台截止时间，{still:,} 单未完结的售后单看不出谁会超时。"]
    return [
        f"时限（截至 {now:%Y-%m-%d %H:%M}）：已超时 {_of(due.passed)}；2 小时内 {_of(due.within_2_h)}；"
        f"24 小时内 {_of(due.within_24_h)}；时限未知 {due.unknown.cases:,} 单。"
    ]


def _lacking_lines(found: Summary, book: Book, shown: int) -> list[str]:
    if not found.cases.cases:
        return ["文件里没有售后单，规则无事可做。"]
    facts = book.catalogue.facts
    decided = found.cases.cases - found.undecided.cases
    text = [f"不补事实就能定的有 {decided:,} 单；其余 {found.undecided.cases:,} 单要补齐事实或由人来定。"]
    if found.lacking:
        text.append("文件里没有的事实：")
        text += _by_source(found.lacking, facts)
    if found.silent:
        text.append("因为事实未知而说不上话的规则（会自动处理的在前）：")
    for silent in found.silent[:shown]:
        text.append(
            f"  {silent.title}（{silent.rule}）  {silent.cases:,} 单，缺 {_some(silent.lacking, facts)}"
        )
    if len(found.silent) > shown:
        text.append(f"  另有 {len(found.silent) - shown} 条，见 --out 或 --json")
    return text


def _by_source(names: Sequence[str], facts: Mapping[str, Fact]) -> list[str]:
    group = {source: title for title, sources in SOURCES.items() for source in sources}
    found: dict[str, list[str]] = {title: [] for title in (*SOURCES, OTHER_SOURCES)}
    for name in names:
        found[group.get(facts[name].source, OTHER_SOURCES)].append(facts[name].title)
    return [f"  {title}：{'、'.join(titles)}" for title, titles in found.items() if titles]


def _some(names: Sequence[str], facts: Mapping[str, Fact]) -> str:
    shown = "、".join(facts[name].title for name in names[:LACKING_SHOWN])
    more = f" 等 {len(names)} 项" if len(names) > LACKING_SHOWN else ""
    return f"{shown}{more}" if shown else "这些单自己的某个事实"
