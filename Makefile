# What one does with this repository. Every target works on a fresh machine.

PYTHON ?= python3
AFTERSALE_HOME ?= $(CURDIR)/var
export AFTERSALE_HOME

# Tests and fault runs start processes by the hundred: what they import is compiled once.
unexport PYTHONDONTWRITEBYTECODE
SYNC = .venv/bin/uv sync --locked --inexact --quiet --compile-bytecode --python .venv/bin/python

# As root, or with a sudo that asks nothing, a missing venv module is installed.
VENV_OR_SAY = $(PYTHON) -c 'import ensurepip' 2>/dev/null || .ci/machine python3-venv

# When make itself is killed, what it runs is asked to stop (Ctrl-C reaches both anyway).
WITH_MAKE = $(shell setpriv --pdeathsig TERM true 2>/dev/null && echo setpriv --pdeathsig TERM)

.PHONY: help setup up test lint types bench faults mutants spark pictures

help:  ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## /  make \1	/p' $(MAKEFILE_LIST) | expand -t 18

setup:  ## the locked environment in .venv; afterwards the command is .venv/bin/aftersale
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Python 3.11 or newer is needed: make PYTHON=python3.12 setup' >&2; exit 1; }
	@test -x .venv/bin/pip || { $(VENV_OR_SAY); echo 'setup: Python environment in .venv'; $(PYTHON) -m venv .venv; }
	@test -x .venv/bin/uv || { echo 'setup: uv, from PyPI'; .venv/bin/pip install --quiet uv; }
	@$(SYNC)

up: setup  ## database, demo shops with live traffic, a worker and the pages; Ctrl-C stops it all
	@exec $(WITH_MAKE) .venv/bin/aftersale up $(ARGS)

test: setup  ## all tests; says what it installs for them (browser, fonts, a second PostgreSQL, faketime, strace)
	@.ci/machine chromium fonts-noto-cjk postgresql faketime strace
	.venv/bin/pytest -n auto --dist loadfile $(ARGS)

lint: setup  ## style and format
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

types: setup  ## mypy --strict
	.venv/bin/mypy

bench: setup  ## speed, as ratios to what the database itself does in the same run
	@exec $(WITH_MAKE) .venv/bin/aftersale bench $(ARGS)

faults: setup  ## breaks everything that can break, judged by the marketplace's own ledger; ARGS=--short, ARGS='--soak 8h'
	@exec $(WITH_MAKE) .venv/bin/python -m tests.faults $(ARGS)

mutants: setup  ## breaks the arithmetic on purpose; lists what no test notices
	.venv/bin/mutmut run --max-children 2
	.venv/bin/mutmut results

spark: setup  ## the tests that need Spark and Java, on a cluster of two workers on this machine
	@.ci/machine default-jre-headless
	@$(SYNC) --extra spark
	.venv/bin/pytest tests/spark $(ARGS)

pictures: setup  ## the screenshots in docs/screens
	@.ci/machine chromium fonts-noto-cjk
	.venv/bin/python -m tests.people.pictures $(ARGS)
