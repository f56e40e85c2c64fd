"""The webhook body of our relay: one TMC message or an array of at most 1000 (docs/connectors.md)."""

import msgspec

from aftersale.connectors.batch import messages
from aftersale.connectors.taobao.mapping import NotUnderstood, ident, moment, read_refund, read_trade
from aftersale.connectors.taobao.shapes import Content, TmcMessage
from aftersale.core.records import Arrival, BadInput, Notice

REFUND_TOPIC = "taobao_refund_"
TRADE_TOPIC = "taobao_trade_"

_message = msgspec.json.Decoder(TmcMessage)
_content = msgspec.json.Decoder(Content)


def push(body: bytes) -> list[Arrival | BadInput]:
    """One result per message, in order; a body that is no such list is one BadInput."""
    parts = messages(body, "taobao push")
    return [parts] if isinstance(parts, BadInput) else [_arrival(raw) for raw in parts]


def _arrival(raw: bytes) -> Arrival | BadInput:
    where = "taobao push"
    try:
        message = _message.decode(raw)
        where = f"taobao push {message.id} {message.topic}"
        content = _content.decode(message.content)
        if message.topic.startswith(REFUND_TOPIC):
            return _refund_arrival(message, content, raw)
        if message.topic.startswith(TRADE_TOPIC):
            return _trade_arrival(message, content, raw)
    except (msgspec.MsgspecError, NotUnderstood, UnicodeDecodeError, RecursionError) as error:
        return BadInput(where, str(error), raw)
    return BadInput(where, f"topic {message.topic!r} is unknown", raw)


def _refund_arrival(message: TmcMessage, content: Content, raw: bytes) -> Arrival:
    if content.refund is not None:
        record = read_refund(content.refund)
        key = f"{message.topic}:{record.case_id}:{record.version}"
        return Arrival(record, key, moment(content.refund.modified), raw)
    if content.refund_id is None:
        raise NotUnderstood("content has neither refund nor refund_id")
    return _notice("application", ident(content.refund_id), message, content, raw)


def _trade_arrival(message: TmcMessage, content: Content, raw: bytes) -> Arrival:
    if content.trade is not None:
        record = read_trade(content.trade)
        return Arrival(
            record, f"{message.topic}:{record.order_id}:{record.version}", moment(content.trade.modified), raw
        )
    if content.tid is None:
        raise NotUnderstood("content has neither trade nor tid")
    return _notice("order", ident(content.tid), message, content, raw)


def _notice(kind: str, external_id: str, message: TmcMessage, content: Content, raw: bytes) -> Arrival:
    at = content.modified or message.pub_time
    if at is None:
        raise NotUnderstood("content has no modified")
    key = f"{message.topic}:{external_id}:{message.id}"
    return Arrival(Notice(kind, external_id), key, moment(at), raw)
