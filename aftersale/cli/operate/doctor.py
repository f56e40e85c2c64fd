"""`aftersale doctor`."""

import json
import sys
from dataclasses import asdict

import click

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
        click.echo(json.dumps([asdict(one) for one in found], ensure_ascii=False))
    elif not found:
        click.echo("一切正常。Nothing is wrong.")
    else:
        for one in found:
            since = f" ({_span(one.since_s)})" if one.since_s is not None else ""
            click.echo(f"{MARKS[one.level]} {one.code}{since}: {one.what}\n    → {one.do}")
    sys.exit(1 if any(one.level != "note" for one in found) else 0)


def _span(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"
