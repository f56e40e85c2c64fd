"""The bodies in which others push: one JSON object or an array of at most 1000."""

import msgspec

from aftersale.core.records import BadInput

MESSAGES_MAX = 1000

_list = msgspec.json.Decoder(list[msgspec.Raw])


def messages(body: bytes, where: str) -> list[bytes] | BadInput:
    """The bytes of each object, so that one bad message does not spoil its neighbours."""
    if body.lstrip()[:1] != b"[":
        return [body]
    try:
        parts = _list.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return BadInput(where, f"the body is no JSON array: {error}", body)
    if len(parts) > MESSAGES_MAX:
        return BadInput(where, f"{len(parts)} messages in one body: at most {MESSAGES_MAX}", body)
    return [bytes(part) for part in parts]
