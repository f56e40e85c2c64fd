"""Who may push to us, how their signature is checked and how their bodies are read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from aftersale.connectors.kuaidi100 import push as kuaidi100
from aftersale.connectors.kuaidi100 import verify as kuaidi100_signature
from aftersale.connectors.taobao import mapping as taobao_mapping
from aftersale.connectors.taobao import push as taobao
from aftersale.connectors.taobao import verify as taobao_signature
from aftersale.connectors.warehouse import push as warehouse
from aftersale.connectors.warehouse import verify as warehouse_signature
from aftersale.core.records import Arrival, BadInput
from aftersale.core.refusal import Refusal

Verify = Callable[..., Refusal | None]
Read = Callable[[bytes], list[Arrival | BadInput]]


@dataclass(frozen=True, slots=True)
class Source:
    """One kind of body: `verify(headers, body, secret, now)` and `read(body)`; unsigned ones we fetched ourselves.

    `late`: the source under which a body is kept whose signature fits but whose time does not (F33). It is `hint`: what
    it names is asked of the platform, if that has more than we know, and nothing of it is believed.
    """

    read: Read
    verify: Verify | None = None
    late: str | None = None
    hint: bool = False


def _fetched(
    body: bytes, one: Callable[[Mapping[str, object]], object], kind: str
) -> list[Arrival | BadInput]:
    record = one(msgspec.json.decode(body))
    if isinstance(record, BadInput):
        return [record]
    version: int = record.version  # type: ignore[attr-defined]
    external_id = getattr(record, "case_id", None) or record.order_id  # type: ignore[attr-defined]
    occurred_at = datetime.fromtimestamp(version / 1000, UTC)
    return [Arrival(record, f"{kind}:{external_id}:{version}", occurred_at, body, asked=True)]  # type: ignore[arg-type]


SOURCES: Mapping[str, Source] = {
    "taobao": Source(taobao.push, taobao_signature.verify, late="taobao.late"),
    "taobao.late": Source(taobao.push, hint=True),
    "kuaidi100": Source(kuaidi100.push, kuaidi100_signature.verify),
    "warehouse": Source(warehouse.push, warehouse_signature.verify),
    "taobao.refund": Source(lambda body: _fetched(body, taobao_mapping.application, "refund")),
    "taobao.trade": Source(lambda body: _fetched(body, taobao_mapping.order, "trade")),
}
