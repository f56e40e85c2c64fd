"""`aftersale doctor`."""

import json
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from aftersale.health.findings import Finding

MARKS = {"critical": "✗", "warning": "!", "note": "·"}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def command(as_json: bool) -> None:
    """What is wrong with this installation, since when, and what to do; worst first.

    \b
    aftersale doctor
    aftersale doctor --json | jq '.[].code'

    docs/operation.md explains each line. Exit code 1 when something is wrong; notes alone are not wrong.
    """
    from aftersale.health.reader import SETTINGS, Reader
    from aftersale.pg.connect import connect, home_folder

    reader = Reader(lambda: connect(application="aftersale doctor", settings=SETTINGS), home_folder())
    _, found = reader.report()
    if as_json:
        told = [
            {
                "code": one.code,
                "level": one.level,
                "since_s": one.since_s,
                **one.told(),
                "given": dict(one.given),
            }
            for one in found
        ]
        click.echo(json.dumps(told, ensure_ascii=False))
    elif not found:
        click.echo("一切正常。Nothing is wrong.")
    else:
        click.echo("\n".join(_lines(one) for one in found))
    sys.exit(1 if any(one.level != "note" for one in found) else 0)


def _lines(one: "Finding") -> str:
    since = f" ({_span(one.since_s)})" if one.since_s is not None else ""
    told = one.told()
    return (
        f"{MARKS[one.level]} {one.code}{since}\n    {told['what']} → {told['do']}\n"
        f"    {told['what_en']} → {told['do_en']}"
    )


def _span(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
