"""`aftersale ask FILE.jsonl`: puts questions to the rulebooks, one answer a line, in order."""

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TextIO

import click

from aftersale.ask.answer import Answer, answer
from aftersale.cli.progress import Bar, unusable
from aftersale.core.facts import RulebookError
from aftersale.core.language.grammar import moment

LINE_LENGTH_MAX = 1_000_000


@click.command()
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the answers here, not to the screen.",
)
@click.option("--now", "now_text", help="The moment of questions that name none (ISO; default: this moment).")
@click.option("--strict", is_flag=True, help="Assume nothing: what a question leaves out is unknown.")
@click.option(
    "--trace/--no-trace", default=True, show_default=True, help="Say why, and what would change the answer."
)
@click.option("--json", "as_json", is_flag=True, help="The closing summary as JSON, on stderr.")
def command(
    *, file: Path, out: Path | None, now_text: str | None, strict: bool, trace: bool, as_json: bool
) -> None:
    """Put questions to the rulebooks; `-` reads from standard input.

    FILE holds one question a line: {"id": …, "given": {"ask": "family:slug", …facts…}}, amounts in yuan,
    times without offset in Asia/Shanghai. Each answer is one line: id, outcome, rule, what was assumed,
    trace (why so, why not otherwise, what would change it) – or `error`.
    Exit code: 0 all answered, 1 some not, 2 the input cannot be used.

    \b
    aftersale ask questions.jsonl
    aftersale ask questions.jsonl --out answers.jsonl --no-trace
    echo '{"id": 1, "given": {"ask": "auto_strategy:tpl_hold", "platform": "pdd",
      "aftersale_type": "unshipped_refund_only", "goods_state": "hold", "amount": 12,
      "strategy": {"template": "hold_auto_refund", "max_amount": 100}}}' | tr -d '\\n' | aftersale ask -
    """
    now = datetime.now(UTC) if now_text is None else moment(now_text)
    if now is None:
        unusable(f"--now {now_text}：不是时间，请写成 2017-11-11T09:00:00")
    with ExitStack() as stack:
        questions, size = _opened(file, stack)
        target = _target(out, stack)
        try:
            total, failed = _run(questions, size, target, now, strict=strict, trace=trace)
        except (UnicodeDecodeError, OSError) as error:
            unusable(f"{file}：不是 UTF-8 文本或读写失败，请检查文件（{error.__class__.__name__}）")
        except RulebookError as error:
            unusable(str(error))
    if total == 0:
        unusable(f"{file}：没有问题，每行应有一个 JSON 问题")
    _summary(total, failed, as_json)
    sys.exit(1 if failed else 0)


def _run(
    questions: TextIO, size: int, target: TextIO, now: datetime, *, strict: bool, trace: bool
) -> tuple[int, int]:
    """(questions, those not answered)."""
    total = failed = read = 0
    with Bar("正在回答", quiet=target is sys.stdout) as bar:
        for line_no, line in _lines(questions):
            found = _answered(line_no, line, now, strict=strict, trace=trace)
            target.write(json.dumps(found, ensure_ascii=False) + "\n")
            total, failed, read = total + 1, failed + ("error" in found), read + len(line.encode())
            if size and total % 50 == 0:
                bar.show(min(1.0, read / size))
    return total, failed


def _answered(line_no: int, line: str, now: datetime, *, strict: bool, trace: bool) -> Answer:
    if len(line) > LINE_LENGTH_MAX:
        return {"id": None, "error": f"第 {line_no} 行超过 {LINE_LENGTH_MAX} 个字符"}
    try:
        question = json.loads(line, parse_float=Decimal, parse_constant=_no_number)
    except ValueError as error:
        return {"id": None, "error": f"第 {line_no} 行不是 JSON:{error}"}
    except RecursionError:
        return {"id": None, "error": f"第 {line_no} 行嵌套太深"}
    return answer(question, now, strict=strict, trace=trace)


def _no_number(text: str) -> float:
    raise ValueError(f"{text} 不是数字")


def _lines(questions: TextIO) -> Iterator[tuple[int, str]]:
    return ((no, line) for no, line in enumerate(questions, 1) if line.strip())


def _opened(file: Path, stack: ExitStack) -> tuple[TextIO, int]:
    """The questions with their size in bytes, 0 when it is not known."""
    if str(file) == "-":
        return sys.stdin, 0
    try:
        return stack.enter_context(file.open(encoding="utf-8-sig")), file.stat().st_size
    except OSError as error:
        unusable(f"{file}：打不开（{error.strerror}），请检查路径")


def _target(out: Path | None, stack: ExitStack) -> TextIO:
    if out is None:
        return sys.stdout
    try:
        return stack.enter_context(out.open("w", encoding="utf-8"))
    except OSError as error:
        unusable(f"{out}：写不了（{error.strerror}），请换一个路径")


def _summary(total: int, failed: int, as_json: bool) -> None:
    counts = {"questions": total, "answered": total - failed, "unanswered": failed}
    text = (
        json.dumps(counts) if as_json else f"{total} 个问题，回答了 {total - failed} 个，{failed} 个没有回答"
    )
    click.echo(text, err=True)
