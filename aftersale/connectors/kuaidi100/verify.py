"""Is this push from Kuaidi100? The form's `sign` is MD5(param + salt), upper case hex."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qsl

from aftersale.core.refusal import Refusal


def verify(headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> Refusal | None:
    """None when the signature fits; `secret` is the salt. The protocol has no time stamp."""
    fields = form(body)
    param, given = fields.get("param"), fields.get("sign")
    if not param or not given:
        return Refusal("unsigned", "the form needs param and sign")
    expected = hashlib.md5((param + secret).encode()).hexdigest().upper()
    if not hmac.compare_digest(expected.encode(), given.encode()):
        return Refusal("bad_signature", "the signature does not fit param")
    return None


def form(body: bytes) -> dict[str, str]:
    """The form's fields; none when the body is no form of at most 20 fields."""
    try:
        return dict(parse_qsl(body.decode(), max_num_fields=20))
    except ValueError:
        return {}
