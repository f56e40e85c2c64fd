"""Logs hold ids and nothing of people, one record an event, and never hold up work (F60, P22)."""

import json
import logging
import os
import subprocess
import sys
import time

import pytest

from aftersale.config.log import Lines, line_of, shown

PEOPLE = (
    "欧阳若曦", "浙江省杭州市西湖区文三路 138 号 3 幢 201 室", "13800138000", "138 0013 8000", "+86-13912345678", "0571-88776655",
    "ming.wang@example.cn", "𠮷野家",
)  # fmt: skip


def record(template: str, *args: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("aftersale.act.run", logging.WARNING, "run.py", 1, template, args or None, None)
    made.__dict__.update(extra)
    return made


@pytest.mark.parametrize("person", PEOPLE)
@pytest.mark.parametrize(
    "around", ["{}", "收件人 {} 拒收", "buyer {} refused", 'Key (name)=("{}") exists', "x={}&y=1"]
)
def test_no_person_gets_into_a_log(person: str, around: str) -> None:
    text = around.format(person)
    told = [
        record("a message: %s", text),
        record("of %(it)s", {"it": text}),
        record("raw: %s", text.encode()),
    ]
    told += [record("list %s", [text]), record("ids", shop_id=1, case_id=text), record(text)]
    try:
        raise ValueError(text)
    except ValueError:
        failed = record("a turn failed")
        failed.exc_info = sys.exc_info()
        told.append(failed)
    for one in told:
        for kind in ("json", "text"):
            line = line_of(one, kind)  # type: ignore[arg-type]
            assert person not in line
            assert person not in json.dumps(line, ensure_ascii=True).encode().decode("unicode_escape")


@pytest.mark.parametrize(
    "id_", ["R1", "284567120045123456", "fetch:application", "agree_refund", "2026-11-22T01:02:03+00:00", "http://127.0.0.1:8000/x"]
)  # fmt: skip
def test_ids_stay_whole(id_: str) -> None:
    assert shown(id_) == id_


@pytest.mark.parametrize(
    "evil",
    ["a\r\nCRITICAL forged", "\x1b[31mred\x1b[0m", "a\u2028b", "\x00", "\x9b31m", "\u202egnp", "\ud800"],
)
@pytest.mark.parametrize("kind", ["json", "text"])
def test_one_record_an_event(evil: str, kind: str) -> None:
    line = line_of(record("got %s", evil, case_id=evil), kind)  # type: ignore[arg-type]
    assert not any(ord(one) < 32 or 127 <= ord(one) < 160 or one in "\u2028\u2029\u202e" for one in line)
    line.encode("utf-8")
    if kind == "json":
        told = json.loads(line)
        assert (told["level"], told["part"]) == ("WARNING", "act.run")


def test_what_a_failure_says_is_where_and_of_which_kind() -> None:
    try:
        int("13800138000x")
    except ValueError:
        failed = record("a turn failed")
        failed.exc_info = sys.exc_info()
    line = line_of(failed, "text")
    assert "a turn failed | ValueError: " in line
    assert "test_log.py:" in line


def test_a_reader_that_does_not_read_holds_up_nobody() -> None:
    read_end, write_end = os.pipe()
    handler = Lines("text", write_end)
    began = time.monotonic()
    for n in range(20_000):
        handler.emit(record("event %s of many, long enough to fill the pipe", n))
    assert time.monotonic() - began < 10.0
    assert handler._lost > 0
    os.close(read_end)


def test_a_closed_sink_fails_nobody() -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    handler = Lines("text", write_end)
    handler.emit(record("into the void"))
    handler.flush()
    handler.emit(record("again"))
    os.close(write_end)
    handler.emit(record("and again"))
    handler.flush()
    assert handler._lost == 3


def test_a_full_disk_fails_nobody() -> None:
    program = """
import logging, sys
from aftersale.config.log import flush, to_stderr
to_stderr("json")
for n in range(100):
    logging.getLogger("aftersale.x").warning("event %s", n)
flush()
print("worked")
"""
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", program], stderr=full, stdout=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stdout) == (0, "worked\n")


def test_a_record_that_cannot_be_told_fails_nobody() -> None:
    read_end, write_end = os.pipe()
    handler = Lines("text", write_end)
    handler.emit(record("%s and %s", "one"))
    handler.flush()
    assert b"a record could not be written (TypeError)\n" in os.read(read_end, 10_000)
    os.close(read_end)
    os.close(write_end)
