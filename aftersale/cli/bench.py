"""`aftersale bench`."""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aftersale.cli import fail

if TYPE_CHECKING:
    from aftersale.bench.run import Plan, Report

DOCS = Path("docs/performance.md")
WIDTH_MIN = 125


@click.command("bench")
@click.option("--quick", is_flag=True, help="A minute instead of ten: to see that it runs, not how fast.")
@click.option(
    "--only",
    type=click.Choice(["start", "online", "webhook", "bulk", "execution", "claims", "desk"]),
    multiple=True,
    help="Measure only this part; may be repeated.",
)
@click.option("--rows", type=click.IntRange(1000), help="Rows of the bulk part [default: 10 million].")
@click.option(
    "--cases",
    type=click.IntRange(1000),
    help="Cases in the record of the online part [default: 200,000] and of the desk's [default: 10 million].",
)
@click.option("--again", is_flag=True, help="The desk once more over the record that its last run filled.")
@click.option("--repetitions", type=click.IntRange(1), help="How often everything is measured [default: 5].")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures to this JSON file."
)
@click.option("--write-docs", is_flag=True, help=f"Put the table into {DOCS}.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def command(
    quick: bool,
    only: tuple[str, ...],
    rows: int | None,
    cases: int | None,
    again: bool,
    repetitions: int | None,
    out: Path | None,
    write_docs: bool,
    as_json: bool,
) -> None:
    """Measure the speed of the real paths as ratios to anchors measured in between.

    \b
    aftersale bench                  everything, about ten minutes
    aftersale bench --quick          a smoke run
    aftersale bench --only online --out bench.json

    It works in AFTERSALE_HOME/bench with a database server of its own; nothing else is touched. Exit code 1
    when a figure misses what the design asks; docs/performance.md explains each.
    """
    from aftersale.bench import run as bench
    from aftersale.pg import Refused
    from aftersale.pg.connect import home_folder

    if write_docs and not DOCS.exists():
        fail(f"{DOCS} is not here: run it in the folder of the project", 2)
    plan = _plan(bench.QUICK if quick else bench.Plan(), only, rows, cases, repetitions)
    plan = replace(plan, again=again)
    try:
        report = bench.run(home_folder() / "bench", plan, lambda line: click.echo(line, err=True))
    except Refused as refused:
        fail(refused.why, 2)
    except OSError as error:
        fail(f"{error.filename or home_folder()}: {error.strerror}", 2)
    _tell(report, out, write_docs, as_json)


def _plan(
    plan: "Plan", only: tuple[str, ...], rows: int | None, cases: int | None, repetitions: int | None
) -> "Plan":
    size = replace(
        plan.online,
        cases=cases or plan.online.cases,
        repetitions=repetitions or plan.online.repetitions,
    )
    return replace(
        plan,
        parts=only or plan.parts,
        online=size,
        rows=rows or plan.rows,
        waiting=cases or plan.waiting,
        repetitions=repetitions or plan.repetitions,
    )


def _tell(report: "Report", out: Path | None, write_docs: bool, as_json: bool) -> None:
    from rich.console import Console

    from aftersale.bench.figures import table
    from aftersale.bench.run import write_docs as write

    text = json.dumps(report.plain(), ensure_ascii=False, indent=2)
    try:
        if out:
            out.write_text(text + "\n", "utf-8")
        if write_docs:
            write(DOCS, report)
    except (OSError, ValueError) as error:
        fail(str(error), 2)
    if as_json:
        click.echo(text)
    else:
        Console(width=max(Console().width, WIDTH_MIN)).print(table(report.figures))
    if not report.met:
        raise SystemExit(1)
