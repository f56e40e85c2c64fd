"""A backtest in sentences."""

from collections.abc import Iterator

from aftersale.cli.backtest.trial import Trial
from aftersale.core.expression import Value
from aftersale.core.money import yuan_text
from aftersale.plan.backtest import Backtest
from aftersale.plan.compare import Comparison

RULES_SHOWN = 20
CHANGES_SHOWN = 20
OVERLAPS_SHOWN = 20
SILENT_SHOWN = 12
WAYS = {"automatic": "自动", "person": "人工", "nothing": "无需动"}


def lines(trial: Trial) -> list[str]:
    """Everything found, most important first."""
    return [
        *_result(trial.result, trial),
        *(_compared(trial.compared) if trial.compared else ()),
        *_swept(trial),
        *_overlapping(trial),
        *_missing(trial),
    ]


def hours(minutes: int) -> str:
    return f"{minutes / 60:,.1f} 小时"


def shown(value: Value, kind: str | None) -> str:
    """A setting's value as people write it."""
    if kind == "fen" and isinstance(value, int):
        return yuan_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return "、".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _result(found: Backtest, trial: Trial) -> Iterator[str]:
    yield f"{trial.data}：{found.cases:,} 行，规则书 {found.book}（版本 {found.version}）。"
    yield (
        f"自动处理 {found.total('automatic'):,}，需要人 {found.total('person'):,}，无需再动"
        f" {found.total('nothing'):,}；自动占 {found.automatic_share:.1%}。"
    )
    yield f"自动付款 {yuan_text(found.pays_fen)}；人工 {hours(found.minutes)}。"
    yield ""
    yield "按规则："
    for line in found.lines[:RULES_SHOWN]:
        time = f"，{hours(line.minutes)}" if line.minutes else ""
        money = f"，自动付 {yuan_text(line.pays_fen)}" if line.pays_fen else ""
        yield (
            f"  {line.cases:>12,}  {WAYS[line.way]}  {line.title}（{line.rule}）"
            f"  申请 {yuan_text(line.amount_fen)}{money}{time}"
        )
    if len(found.lines) > RULES_SHOWN:
        yield f"  另有 {len(found.lines) - RULES_SHOWN} 条，见 --out 或 --json"


def _compared(found: Comparison) -> Iterator[str]:
    share = found.changed / found.cases if found.cases else 0
    yield ""
    yield f"与 --against 相比：{found.changed:,} 行的决定不同（{share:.2%}）。"
    yield (
        f"自动处理 {found.old_automatic:,} → {found.new_automatic:,}；自动付款"
        f" {yuan_text(found.old_pays_fen)} → {yuan_text(found.new_pays_fen)}；"
        f"人工 {hours(found.old_minutes)} → {hours(found.new_minutes)}。"
    )
    changed = [move for move in found.moves if move.changed]
    for move in changed[:CHANGES_SHOWN]:
        ids = f"  例：{'、'.join(move.examples)}" if move.examples else ""
        money = (
            f"  {yuan_text(move.old_pays_fen)} → {yuan_text(move.new_pays_fen)}"
            if move.changed_amounts
            else ""
        )
        yield f"  {move.cases:>12,}  {move.old} → {move.new}{money}{ids}"
    if len(changed) > CHANGES_SHOWN:
        yield f"  另有 {len(changed) - CHANGES_SHOWN} 种变化，见 --out 或 --json"


def _swept(trial: Trial) -> Iterator[str]:
    if not trial.swept:
        return
    yield ""
    yield f"设置 {trial.swept_setting} 取不同的值："
    for point in trial.swept:
        yield (
            f"  {shown(point.value, trial.swept_kind):>12}  自动 {point.automatic:,}，人工 {point.person:,}，"
            f"自动付 {yuan_text(point.pays_fen)}，{hours(point.minutes)}"
        )


def _overlapping(trial: Trial) -> Iterator[str]:
    if not trial.overlapping:
        return
    yield ""
    yield "后面的规则本来也会命中："
    for one in trial.overlapping[:OVERLAPS_SHOWN]:
        yield f"  {one.cases:>12,}  {one.first} 在先，{one.later} 也成立"
    if len(trial.overlapping) > OVERLAPS_SHOWN:
        yield f"  另有 {len(trial.overlapping) - OVERLAPS_SHOWN} 对，见 --out 或 --json"


def _missing(trial: Trial) -> Iterator[str]:
    if trial.ignored:
        yield ""
        yield f"没有用到的列：{'、'.join(trial.ignored)}。"
    if not trial.missing:
        return
    yield ""
    yield f"文件里没有的事实（当作未知）：{'、'.join(trial.missing)}。"
    silent = trial.result.silent
    if silent:
        yield "因此永远说不上话的规则："
    for one in silent[:SILENT_SHOWN]:
        yield f"  {one.title}（{one.rule}），缺 {'、'.join(one.lacking)}"
    if len(silent) > SILENT_SHOWN:
        yield f"  另有 {len(silent) - SILENT_SHOWN} 条，见 --out 或 --json"
