"""The bench runs through every part and tells every figure; how fast it is here says nothing."""

import json
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from aftersale.bench import wire
from aftersale.bench.figures import ASKED, Figure
from aftersale.bench.load import Post, own
from aftersale.bench.online import Size
from aftersale.bench.run import BEGIN, END, Plan, Report, run, write_docs
from aftersale.bench.world import START, Stream, application, parcel
from aftersale.core.records import Application, Arrival, Parcel
from aftersale.intake.sources import SOURCES

SMALL = Plan(
    online=Size(cases=400, repetitions=1, seconds=0.3, stored_events=200, lone_events=5, latency_s=0.5),
    repetitions=1, seconds=0.4, scale=1, rows=5_000, refunds=40, starts=1, finished=2_000, claims=5, waiting=2_000, pages=4,
)  # fmt: skip
MAY_BE_ZERO = {
    "webhook.lost",
    "execution.twice",
    "execution.wrong",
    "online.wal_images",
    "desk.counters_wrong",
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return run(tmp_path_factory.mktemp("bench"), SMALL, lambda line: None)


def test_every_figure_is_told_and_positive(report: Report) -> None:
    assert {figure.key for figure in report.figures} == set(ASKED)
    silent = {figure.key for figure in report.figures if min(figure.values) <= 0}
    assert silent <= MAY_BE_ZERO


def test_nothing_is_lost_and_nothing_is_paid_twice(report: Report) -> None:
    found = {figure.key: figure.values for figure in report.figures}
    assert found["webhook.lost"] == (0.0, 0.0)
    assert found["execution.twice"] == (0.0,)
    assert found["execution.wrong"] == (0.0,)
    assert found["execution.refunds"] == (40.0,)


def test_the_report_is_json_and_a_block_of_the_document(report: Report, tmp_path: Path) -> None:
    assert json.loads(json.dumps(report.plain()))["figures"][0].keys() >= {
        "key",
        "median",
        "min",
        "max",
        "bound",
    }
    page = tmp_path / "performance.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n", "utf-8")
    write_docs(page, report)
    write_docs(page, report)
    text = page.read_text("utf-8")
    assert text == f"before\n{BEGIN}\n{report.markdown()}\n{END}\nafter\n"
    page.write_text("no markers", "utf-8")
    with pytest.raises(ValueError, match="are missing"):
        write_docs(page, report)


@pytest.mark.parametrize(
    ("key", "values", "met", "verdict"),
    [
        ("online.one_ratio", (4.0,), True, "met"),
        ("online.one_ratio", (1.0, 3.0, 9.0), False, "short by 25 %"),
        ("online.p99", (60.0,), False, "over by 20 %"),
        ("execution.twice", (0.0,), True, "met"),
        ("execution.twice", (2.0,), False, "2 too many"),
        ("online.anchor", (7000.0,), None, ""),
    ],
)
def test_a_figure_says_whether_it_keeps_its_bound(
    key: str, values: tuple[float, ...], met: bool | None, verdict: str
) -> None:
    figure = Figure(key, values)
    assert (figure.met, figure.verdict) == (met, verdict)


def test_what_is_pushed_is_read_back_as_what_was_made() -> None:
    """Else the stored bodies would measure another mix than the records in memory."""
    for number in range(300):
        made = application(number, 7)
        (source, body), *more = wire.bodies([Arrival(made, "a", START)], 1)
        (read,) = SOURCES[source].read(body)
        assert not more
        assert isinstance(read, Arrival)
        assert read.record == replace(made, reason_text=read.record.reason_text)  # type: ignore[union-attr]
        trace = parcel(number, 4)
        ((source, body),) = wire.bodies([Arrival(trace, "p", START)], 1)
        (read,) = SOURCES[source].read(body)
        assert isinstance(read, Arrival)
        assert isinstance(read.record, Parcel)
        assert (read.record.tracking_no, read.record.version, read.record.tracking_state, len(read.record.events)) == (
            trace.tracking_no, trace.version, trace.tracking_state, 4,
        )  # fmt: skip


def test_two_streams_never_speak_of_the_same_case() -> None:
    told = [
        {
            one.record.case_id
            for one in Stream(500, 200, no, 2).take(2000)
            if isinstance(one.record, Application)
        }
        for no in range(2)
    ]
    assert not told[0] & told[1]
    assert min(map(len, told)) > 200


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def test_however_short_the_time_each_connection_posts_once() -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Door) as door:
        Thread(target=door.serve_forever, daemon=True).start()
        load = own(f"http://127.0.0.1:{door.server_port}", [Post("/", {}, b"{}")], 4, 1e-9)
        door.shutdown()
    assert (load.answered, load.refused) == (4, 0)
