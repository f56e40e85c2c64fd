"""`aftersale sandbox`: the marketplace, courier and warehouse to try the product on."""

from datetime import datetime, timedelta, timezone
from pathlib import Path

import click
import msgspec

SHANGHAI = timezone(timedelta(hours=8))

EXAMPLES = """\b
Examples:
  aftersale sandbox --port 8999
  aftersale sandbox --applications 20000 --speed 600 --start 2026-11-11 --push-url http://127.0.0.1:8000/hooks
  aftersale sandbox --replay orders.csv --speed 3600 --ledger paid.jsonl --json
"""


@click.command("sandbox", epilog=EXAMPLES, help=__doc__)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=0, show_default=True, help="Port to listen on; 0 takes a free one.")
@click.option("--seed", default=7, show_default=True, help="The same seed makes the same day.")
@click.option(
    "--applications", type=click.IntRange(0, 200_000), default=1000, show_default=True, help="In total."
)
@click.option(
    "--days", type=click.IntRange(1, 60), default=1, show_default=True, help="Length of the promotion."
)
@click.option(
    "--speed", type=click.FloatRange(0, 1e6), default=60.0, show_default=True, help="Virtual s per second."
)
@click.option("--shops", type=click.IntRange(1, 500), default=1, show_default=True, help="demo1 … demoN.")
@click.option("--shop-prefix", default="demo", show_default=True, help="What shop codes begin with.")
@click.option("--push-url", help="Where webhooks go: {url}/taobao|kuaidi100|warehouse/{shop}.")
@click.option(
    "--replay", "report", type=click.Path(path_type=Path), help="Order report whose times and amounts to use."
)
@click.option(
    "--ledger", type=click.Path(path_type=Path), help="Append every payment to this JSON-lines file."
)
@click.option(
    "--qps", type=click.FloatRange(1), default=50.0, show_default=True, help="Calls a second and app."
)
@click.option("--start", help="Virtual start, ISO 8601 (Shanghai); the present moment when absent.")
@click.option("--json", "as_json", is_flag=True, help="Print the address as JSON.")
def command(
    *,
    host: str,
    port: int,
    seed: int,
    applications: int,
    days: int,
    speed: float,
    shops: int,
    shop_prefix: str,
    push_url: str | None,
    report: Path | None,
    ledger: Path | None,
    qps: float,
    start: str | None,
    as_json: bool,
) -> None:
    from aftersale.sandbox.days.replay import BadFile
    from aftersale.sandbox.run import Settings, serve

    def tell(url: str) -> None:
        click.echo(
            msgspec.json.encode({"url": url}).decode()
            if as_json
            else f"Sandbox ready at {url} (Ctrl-C stops it)"
        )

    settings = Settings(
        host=host,
        port=port,
        seed=seed,
        applications=applications,
        days=days,
        speed=speed,
        shops=shops,
        shop_prefix=shop_prefix,
        push_url=push_url,
        report=report,
        ledger=ledger,
        qps=qps,
        start=_moment(start),
    )
    try:
        serve(settings, tell)
    except BadFile as error:
        raise click.ClickException(str(error)) from None
    except OSError as error:
        where = f"{host}:{port}" if error.filename is None else error.filename
        raise click.ClickException(f"{where}: {error.strerror}") from None


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(f"{text!r} is no ISO 8601 moment", param_hint="--start") from None
    return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)
