"""The reading as Prometheus metrics: aftersale_*, the unit last."""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from aftersale.health.findings import Finding
from aftersale.health.state import Reading

TYPE = b"text/plain; version=0.0.4; charset=utf-8"


def text(reading: Reading | None, found: Iterable[Finding]) -> bytes:
    """In the Prometheus text format; only aftersale_up when the database is away."""
    registry = CollectorRegistry()
    registry.register(_Reading(reading, list(found)))
    return generate_latest(registry)


class _Reading(Collector):
    def __init__(self, reading: Reading | None, found: list[Finding]) -> None:
        self._reading, self._found = reading, found

    def collect(self) -> Iterator[Metric]:
        up = self._reading is not None
        yield GaugeMetricFamily("aftersale_up", "1 when the database answers", float(up))
        yield _labelled(
            "aftersale_finding", "1 for each thing that is wrong", ("code", "level"),
            sorted({((one.code, one.level), 1.0) for one in self._found}),
        )  # fmt: skip
        if self._reading is not None:
            yield from _metrics(self._reading)


def _metrics(reading: Reading) -> Iterator[Metric]:
    ages = [((kind,), age or 0.0) for kind, age in reading.ages_s.items()]
    yield _labelled(
        "aftersale_oldest_due_seconds", "How long the oldest due item has waited", ("kind",), ages
    )
    counts = [((name,), float(count)) for name, count in reading.counts.items() if name != "ledger_rows"]
    yield _labelled("aftersale_items", "Numbers, not counted beyond 10,000", ("kind",), counts)
    yield GaugeMetricFamily(
        "aftersale_ledger_rows", "Sealed rows of the ledger", float(reading.counts["ledger_rows"])
    )
    stages = sorted({one.stage for one in reading.workers})
    alive = [
        ((stage,), float(sum(one.alive for one in reading.workers if one.stage == stage))) for stage in stages
    ]
    yield _labelled("aftersale_workers", "Stages of workers seen within 30 s", ("stage",), alive)
    turns = [
        ((stage,), max((one.turn_s or 0.0 for one in reading.workers if one.stage == stage and one.alive), default=0.0))
        for stage in stages
    ]  # fmt: skip
    yield _labelled("aftersale_turn_seconds", "How long the present turn has taken", ("stage",), turns)
    single = {
        "aftersale_reconcile_only_seconds": (
            "Since when only questions are sent",
            reading.reconcile_s or 0.0,
        ),
        "aftersale_copy_unaccepted": ("1 while a copy waits for a person", float(not reading.accepted)),
        "aftersale_disk_free_bytes": ("Free space for the embedded database", reading.disk_free_bytes),
        "aftersale_backup_age_seconds": ("Since the last moment that a backup reaches", reading.backup_s),
        "aftersale_transaction_seconds": (
            "Age of our oldest open transaction",
            reading.server.get("transaction_s"),
        ),
    }
    for name, (what, value) in single.items():
        if value is not None:
            yield GaugeMetricFamily(name, what, float(value))


def _labelled(
    name: str, what: str, labels: tuple[str, ...], values: Iterable[tuple[tuple[str, ...], float]]
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, what, labels=labels)
    for given, value in values:
        family.add_metric(given, value)
    return family
