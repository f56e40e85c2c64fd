"""`aftersale`: one command per door (design.md 6). Each subcommand lives in a module of its own and loads when called."""

import sys
from importlib import import_module
from typing import NoReturn

import click

COMMANDS = {
    "up": "up",
    "web": "web",
    "work": "work",
    "migrate": "migrate",
    "shop": "shop",
    "decide": "decide",
    "import": "import_",
    "ask": "ask",
    "draft": "draft",
    "backtest": "backtest",
    "ledger": "ledger",
    "sandbox": "sandbox",
    "bench": "bench",
    "doctor": "operate.doctor",
    "backup": "operate.backup:backup",
    "restore": "operate.backup:restore",
    "instance": "operate.instance",
    "user": "operate.user",
}


log_option = click.option(
    "--log",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    envvar="AFTERSALE_LOG",
    help="How the log is written to stderr, one event a line.",
)


class Lazy(click.Group):
    """Loads a subcommand's module only when it is called, so that `--help` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        module = COMMANDS.get(name)
        if module is None:
            return None
        path, _, attribute = module.partition(":")
        command: click.Command = getattr(import_module(f"aftersale.cli.{path}"), attribute or "command")
        return command


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="aftersale")
def main() -> None:
    """Aftersale 售后台: the after-sales desk for online shops.

    \b
    aftersale up                     everything on this machine, with a demo shop
    aftersale decide orders.csv      what the rules would do with an export, no server needed
    aftersale ask questions.jsonl    put questions to the rulebooks
    """


def fail(message: str, code: int = 1) -> NoReturn:
    """One clear line to stderr, then exit with `code`."""
    click.echo(message, err=True)
    sys.exit(code)
