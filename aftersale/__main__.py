"""`python -m aftersale` is the command `aftersale`."""

from aftersale.cli import main

main()
