"""docs/rulebook.md, made from the refund book: `python -m aftersale.rulebooks.documentation`."""

import sys
from collections.abc import Iterator
from typing import Any

from aftersale.core.facts import read_yaml
from aftersale.core.money import yuan_text
from aftersale.core.rulebook import Book, Rule, Setting
from aftersale.rulebooks import books


def render() -> str:
    """The whole document: rules in order, settings, queues, what no rule covers."""
    book = books.book("refund")
    return "\n".join((*_head(book), *_rules(book), *_settings(book), *_queues(), *_coverage(), ""))


def coverage() -> dict[str, Any]:
    """Requirements that no rule names: `elsewhere` and `open`, each number → what is said about it."""
    return read_yaml(books.text("coverage.yaml"), "coverage")


def _head(book: Book) -> Iterator[str]:
    yield "# 退款规则书 · The refund book\n"
    yield f"{len(book.rules)} 条规则，自上而下，第一条成立的规则说了算；未知的事实不会让规则成立。"
    yield f"{len(book.rules)} rules, first match wins, what is unknown makes no rule speak.\n"
    yield "本页由 `python -m aftersale.rulebooks.documentation` 生成，请改 `refund.yaml`。\n"


def _rules(book: Book) -> Iterator[str]:
    yield "## 规则 · Rules\n"
    yield "| # | 规则 rule | 平台 | 条件 when | 动作 action | 队列 queue | 需求 |"
    yield "|--:|---|---|---|---|---|---|"
    for no, rule in enumerate(book.rules, 1):
        yield _row(no, rule)
    yield ""


def _row(no: int, rule: Rule) -> str:
    action, queue = _literal(rule, "action"), _literal(rule, "queue")
    platforms = "、".join(books.title("platform", one) for one in rule.platforms) or "全部"
    when = rule.text.strip().replace("|", "\\|").replace("\n", " ")
    cells = (
        f"**{rule.title}**<br>{rule.title_en}<br>`{rule.name}`",
        platforms,
        f"`{when}`",
        f"{books.title('action', str(action))}<br>`{action}`",
        f"{books.title('queue', str(queue))}<br>`{queue}`" if queue else "自动",
        rule.requirement,
    )
    return f"| {no} | {' | '.join(cells)} |"


def _literal(rule: Rule, key: str) -> object:
    return getattr(rule.then.get(key), "value", None)


def _settings(book: Book) -> Iterator[str]:
    yield "## 设置 · Settings\n\n| 设置 setting | 默认 default | 读它的规则 read by |\n|---|---|---|"
    for name, setting in book.settings.items():
        readers = [f"`{rule.name}`" for rule in book.rules if f":{name}" in _reads(rule)]
        title = f"{setting.title}<br>{setting.title_en}<br>`:{name}`"
        yield f"| {title} | {_default(setting)} | {' '.join(readers)} |"
    yield ""


def _reads(rule: Rule) -> list[str]:
    words = f"{rule.text} {' '.join(map(_named, rule.then.values()))}"
    return words.replace("(", " ").replace(")", " ").split()


def _named(output: object) -> str:
    name = getattr(output, "name", None)
    return f":{name}" if name else ""


def _default(setting: Setting) -> str:
    value = setting.default
    match setting.type.kind:
        case "fen":
            return yuan_text(int(str(value)))
        case "bool":
            return "开" if value else "关"
        case "list":
            return "、".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return f"{value} {setting.unit or ''}".strip()


def _queues() -> Iterator[str]:
    yield "## 队列 · Queues\n\n| 队列 queue | 页签 tab |\n|---|---|"
    tabs = {one.code: one for one in books.tabs()}
    for queue in books.queues().values():
        tab = tabs[queue.tab]
        yield f"| {queue.title}<br>{queue.title_en}<br>`{queue.code}` | {tab.title} {tab.title_en} |"
    yield ""


def _coverage() -> Iterator[str]:
    found = coverage()
    yield "## R-014…R-091 里规则没有直接写的需求 · Requirements that no rule names\n"
    yield "| 需求 | 在哪里成立 held by | 说明 |\n|---|---|---|"
    for number, said in found["elsewhere"].items():
        yield f"| {number} | {said['by']} | {said['zh']} |"
    for number, said in found["open"].items():
        yield f"| {number} | – ({said['why']}) | {said['zh']} |"


if __name__ == "__main__":
    sys.stdout.write(render())
