"""Signatures of Standard Webhooks (standardwebhooks.com), as relays and warehouses push to us."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime

from aftersale.core.refusal import Refusal

TOLERANCE_S = 300.0


def verify(
    headers: Mapping[str, str], body: bytes, secret: str, now: datetime, tolerance_s: float = TOLERANCE_S
) -> Refusal | None:
    """None when one of the v1 signatures fits and the timestamp is near `now`. Header names in lower case."""
    message_id, stamp = headers.get("webhook-id"), headers.get("webhook-timestamp")
    signatures = headers.get("webhook-signature")
    if not message_id or not stamp or not signatures:
        return Refusal("unsigned", "webhook-id, webhook-timestamp and webhook-signature are required")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= 12):
        return Refusal("bad_timestamp", "webhook-timestamp is no number of seconds")
    expected = signature(message_id, stamp, body, secret)
    given = (part[3:] for part in signatures.split(" ") if part.startswith("v1,"))
    if not any(hmac.compare_digest(expected.encode(), one.encode()) for one in given):
        return Refusal("bad_signature", "the signature does not fit the body")
    if abs(now.timestamp() - int(stamp)) > tolerance_s:
        return Refusal("stale", f"webhook-timestamp is more than {tolerance_s:.0f} s away from our clock")
    return None


def signature(message_id: str, stamp: str, body: bytes, secret: str) -> str:
    """base64(HMAC-SHA256(secret, 'id.timestamp.body')); a secret written `whsec_…` is base64."""
    text = f"{message_id}.{stamp}.".encode()
    return base64.b64encode(hmac.new(_key(secret), text + body, hashlib.sha256).digest()).decode()


def _key(secret: str) -> bytes:
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        return secret.encode()
