"""`python -m aftersale.sandbox` is `aftersale sandbox`."""

from aftersale.cli.sandbox import command

command()
