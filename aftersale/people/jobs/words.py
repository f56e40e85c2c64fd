"""What jobs are called and what came of them, in sentences. Workers write figures; the page makes the sentence."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from aftersale.people.jobs.saying import sentence


def kind(code: str) -> str:
    """What a job of this kind does."""
    known = {
        "file_look": _("读取文件"),
        "file_import": _("导入文件"),
        "file_judge": _("按规则试算"),
        "export": _("导出"),
        "bulk": _("批量处理"),
        "backtest": _("回测规则"),
    }
    return known.get(code, _("任务"))


def state(code: str) -> str:
    """The state in one word."""
    known = {
        "waiting": _("等待"),
        "running": _("进行中"),
        "done": _("完成"),
        "failed": _("失败"),
        "stopped": _("已停止"),
    }
    return known[code]


def going_on(code: str, stop_asked: bool) -> str:
    """About a job that has not ended."""
    if stop_asked:
        return _("正在停止，做到下一个安全的位置就停。")
    if code == "waiting":
        return _("在排队，前面的任务做完就开始。可以离开这个页面，稍后再回来。")
    return _("正在进行。可以离开这个页面，稍后再回来。")


def came_of_it(code: str, how: str, result: Mapping[str, Any], said: str) -> str:
    """About a job that has ended; `said` is the worker's own sentence where the figures make none."""
    make = SENTENCES.get(code)
    if how == "done" and make is not None:
        return make(result)
    if "say" in result:
        return sentence(result["say"], result["values"])
    return (
        _(said) if said else {"done": _("已经做完。"), "stopped": _("已经停止。")}.get(how, _("没有做成。"))
    )


def _looked(result: Mapping[str, Any]) -> str:
    return _("文件已经读完，请核对各列后导入。")


def _imported(result: Mapping[str, Any]) -> str:
    figures = {
        name: f"{result.get(name, 0):,}" for name in ("rows", "inserted", "updated", "unchanged", "rejected")
    }
    return (
        _("%(rows)s 行 = 新增 %(inserted)s + 更新 %(updated)s + 不变 %(unchanged)s + 拒收 %(rejected)s。")
        % figures
    )


def _judged(result: Mapping[str, Any]) -> str:
    return _("试算完成，没有改动任何售后单。")


def _exported(result: Mapping[str, Any]) -> str:
    rows = f"{result.get('rows', 0):,}"
    if result.get("cut"):
        return _("已导出前 %(rows)s 行，达到上限；请缩小筛选范围，分几次导出。") % {"rows": rows}
    return _("已导出 %(rows)s 行。") % {"rows": rows}


def _backtested(result: Mapping[str, Any]) -> str:
    return _("回测了 %(cases)s 张售后单，没有改动任何一张。") % {"cases": f"{result.get('cases', 0):,}"}


SENTENCES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "file_look": _looked,
    "file_import": _imported,
    "file_judge": _judged,
    "export": _exported,
    "backtest": _backtested,
}


def spoken() -> tuple[str, ...]:
    """The sentences of the worker itself, so that they are translated."""
    return (
        _("还没有开始就停止了，什么都没有做。"),
        _("运行它的进程每次都没有回来，任务已放弃；请缩小范围再试，或请管理员查看日志。"),
        _("这个版本不认识这种任务；请升级工作进程后重新开始。"),
        _("数据库中断了这项任务，已经做完的部分仍然有效；请稍后重新开始。"),
        _("任务出错停止了，已经做完的部分仍然有效；请管理员查看日志。"),
        _("结果文件太大，存不下；请缩小范围再试。"),
        _("停止前已经导入的行仍然有效；再导入同一个文件会接着做完。"),
        _("已停止，没有生成文件。"),
        _("回测已停止，没有结果。"),
        _("您已经没有导出这个列表的权限。"),
        _("文件已经过了 7 天的保留期；请重新上传。"),
    )
