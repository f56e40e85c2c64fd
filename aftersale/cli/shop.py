"""`aftersale shop`."""

import json
import os
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from aftersale.cli import fail

PLATFORMS = ("tmall", "taobao", "pdd")
ROLES = ("agent", "lead", "finance", "warehouse", "owner", "helper")
HELPS = ("reception", "complaints", "refunds")
DAYS = ("30", "90", "365", "never")
PASSWORD_LENGTH_MIN = 10


@click.group("shop")
def command() -> None:
    """The shops of this desk and who works for them.

    \b
    aftersale shop add ming --name 小明的店 --platform tmall      a shop whose data comes as files
    aftersale shop staff alan --shop ming --role lead
    aftersale shop list
    """


@command.command("add")
@click.argument("code")
@click.option("--name", required=True, help="What people call it.")
@click.option("--platform", type=click.Choice(PLATFORMS), required=True)
@click.option("--base-url", default="", help="The platform's gateway, or your relay before it.")
@click.option("--app-key", default="", help="Key of your application at the platform.")
@click.option("--json", "as_json", is_flag=True, help="Print the shop as JSON.")
def add(code: str, name: str, platform: str, base_url: str, app_key: str, as_json: bool) -> None:
    """Add the shop CODE. Secrets are read from the environment, never from the command line.

    \b
    aftersale shop add ming --name 小明的店 --platform tmall
    TOP_APP_SECRET=… TOP_SESSION=… TOP_PUSH_SECRET=… aftersale shop add ming --name 小明的店 \\
      --platform tmall --base-url https://eco.taobao.com/router/rest --app-key 12345678
    """
    from aftersale.cases.shops import Access, add_shop
    from aftersale.core.refusal import Refusal
    from aftersale.pg import Refused
    from aftersale.pg.connect import check, connect

    secret, session = os.environ.get("TOP_APP_SECRET", ""), os.environ.get("TOP_SESSION", "")
    if base_url and not (app_key and secret and session):
        fail("接上平台还要 --app-key，以及环境变量 TOP_APP_SECRET 和 TOP_SESSION", 2)
    pushed = os.environ.get("TOP_PUSH_SECRET", "")
    access = (
        Access(base_url, app_key, secret, session, {"taobao": pushed} if pushed else {}) if base_url else None
    )
    try:
        with connect(application="aftersale shop") as conn:
            check(conn)
            made = add_shop(conn, code, name, platform, access)
    except Refused as refused:
        fail(refused.why)
    if isinstance(made, Refusal):
        fail(made.why)
    click.echo(
        json.dumps({"id": made, "code": code}) if as_json else f"店铺 {code} 已添加。Shop {code} added."
    )


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print the shops as JSON.")
def shops(as_json: bool) -> None:
    """Every shop, with how many cases the record holds.

    \b
    aftersale shop list --json
    """
    from aftersale.pg import Refused
    from aftersale.pg.connect import check, connect

    query = """SELECT s.code, s.name, s.platform, s.base_url IS NOT NULL,
      (SELECT count(*) FROM cases c WHERE c.shop_id = s.id) FROM shop s ORDER BY s.code"""
    try:
        with connect(application="aftersale shop") as conn:
            check(conn)
            rows = conn.execute(query).fetchall()
    except Refused as refused:
        fail(refused.why)
    names = ("code", "name", "platform", "connected", "cases")
    if as_json:
        click.echo(json.dumps([dict(zip(names, row, strict=True)) for row in rows], ensure_ascii=False))
    for code, name, platform, connected, cases in () if as_json else rows:
        click.echo(f"{code}  {name}  {platform}  {'已接通' if connected else '只收文件'}  {cases:,} 单")
    if not rows and not as_json:
        click.echo("还没有店铺：aftersale shop add CODE --name … --platform tmall")


@command.command("staff")
@click.argument("name")
@click.option(
    "--shop", "codes", multiple=True, required=True, help="Code of a shop they work for; may be repeated."
)
@click.option(
    "--role", type=click.Choice(ROLES), default="agent", show_default=True, help="What they are there."
)
@click.option("--limit", help="Their own limit of one refund in yuan, instead of the role's.")
@click.option(
    "--refunds/--no-refunds", default=True, show_default=True, help="Whether an agent may refund at all."
)
@click.option("--job", type=click.Choice(HELPS), help="What a helper helps with.")
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M"]), help="When a helper's access ends."
)
@click.password_option(help="Asked for when absent.")
def staff(
    name: str,
    codes: tuple[str, ...],
    role: str,
    limit: str | None,
    refunds: bool,
    job: str | None,
    until: datetime | None,
    password: str,
) -> None:
    """Add a person, or give them a new password and exactly these shops and rights.

    \b
    aftersale shop staff alan --shop ming --role lead      asks for the password
    aftersale shop staff lan --shop ming --limit 50
    aftersale shop staff li --shop ming --role helper --job refunds --until 2026-11-13
    """
    from aftersale.core.money import fen_from_yuan
    from aftersale.pg import Refused
    from aftersale.pg.connect import check, connect

    if len(password) < PASSWORD_LENGTH_MIN:
        fail(f"密码至少 {PASSWORD_LENGTH_MIN} 个字符", 2)
    limit_fen = None if limit is None else fen_from_yuan(limit)
    if limit is not None and (limit_fen is None or limit_fen < 0):
        fail(f"--limit {limit} 不是金额，例如 50 或 50.00", 2)
    if {bool(job), bool(until)} != {role == "helper"}:
        fail("支援人员要写明 --job 和 --until，其他角色不写", 2)
    _django()
    from aftersale.people.accounts import Rights, ensure_user

    ends_at = until.replace(tzinfo=ZoneInfo("Asia/Shanghai")) if until else None
    try:
        with connect(application="aftersale shop") as conn:
            check(conn)
        ensure_user(name, password, dict.fromkeys(codes, role), Rights(refunds, limit_fen, job, ends_at))
    except Refused as refused:
        fail(refused.why)
    except LookupError as unknown:
        fail(str(unknown))
    click.echo(f"{name} 可以登录了。{name} may log in.")


@command.command("set")
@click.argument("code")
@click.argument("values", nargs=-1, metavar="[NAME=VALUE]...")
@click.option("--unset", multiple=True, metavar="NAME", help="Back to the default; may be repeated.")
def set_command(code: str, values: tuple[str, ...], unset: tuple[str, ...]) -> None:
    """Set thresholds and switches of the rulebooks for the shop CODE; without values show what it has set.

    Money in yuan. Open cases are decided again with the new values. The names are in docs/rulebook.

    \b
    aftersale shop set ming small_amount_max=15 auto_agree_return=false
    aftersale shop set ming --unset small_amount_max
    aftersale shop set ming
    """
    import getpass

    from aftersale.cases.settings import set_settings
    from aftersale.clock import Clock
    from aftersale.core.facts import RulebookError
    from aftersale.core.refusal import Refusal
    from aftersale.pg import Refused
    from aftersale.pg.connect import check, connect
    from aftersale.rulebooks.told import home, told_settings

    given: dict[str, object] = {}
    try:
        for word in values:
            given |= told_settings(home(word.partition("=")[0]), [word])
        given |= {home(name).settings[name].name: None for name in unset}
    except RulebookError as error:
        fail(str(error), 2)
    try:
        with connect(application="aftersale shop") as conn:
            check(conn)
            now = Clock(lambda: connect(application="aftersale clock")).now()
            done = set_settings(conn, code, given, getpass.getuser(), now)
            row = conn.execute("SELECT settings::text FROM shop WHERE code = %s", (code,)).fetchone()
    except Refused as refused:
        fail(refused.why)
    if isinstance(done, Refusal):
        fail(done.why)
    click.echo(row[0] if row else "{}")
    if given:
        click.echo(f"{done:,} 张未结的售后单会按新的设置重新判断。", err=True)


@command.command("token")
@click.argument("person")
@click.option("--name", required=True, help="What the token is for, e.g. erp or reports.")
@click.option("--days", type=click.Choice(DAYS), default="90", show_default=True, help="When it ends.")
@click.option("--acts", is_flag=True, help="It may also act, not only read.")
@click.option("--revoke", is_flag=True, help="End the token of this name instead.")
def token(person: str, name: str, days: str, acts: bool, revoke: bool) -> None:
    """A token with which a program uses the API as PERSON, with that person's rights. It is shown once.

    \b
    aftersale shop token alan --name reports               reads only, for 90 days
    aftersale shop token boss --name erp --acts --days never   without an end for owners alone
    aftersale shop token alan --name reports --revoke
    curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8000/api/ask
    """
    import getpass

    from aftersale.core.refusal import Refusal
    from aftersale.pg import Refused
    from aftersale.pg.connect import check, connect

    _django()
    from aftersale.api.tokens import make_token, revoke_token

    by = f"server:{getpass.getuser()}"
    try:
        with connect(application="aftersale shop") as conn:
            check(conn)
    except Refused as refused:
        fail(refused.why)
    if revoke:
        if not revoke_token(person, name, by):
            fail(f"{person} 没有叫 {name} 的有效令牌")
        click.echo(f"令牌 {name} 已吊销。Token {name} revoked.")
        return
    made = make_token(person, name, None if days == "never" else int(days), acts=acts, by=by)
    if isinstance(made, Refusal):
        fail(made.why)
    click.echo(made)


def _django() -> None:
    """Accounts are Django's."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aftersale.config.settings")
    import django

    django.setup()
