"""Ask the courier, through Kuaidi100, to send a parcel back (label/order, method interceptOrder)."""

import hashlib
from datetime import datetime

import httpx2
import msgspec

from aftersale.connectors.outcome import Answer, Ok, Rejected, TryLater, Unknown

TIMEOUT = httpx2.Timeout(10.0, connect=3.0)


def intercept(
    http: httpx2.Client,
    url: str,
    key: str,
    secret: str,
    *,
    courier: str,
    tracking_no: str,
    case_id: str,
    now: datetime,
) -> Answer:
    """Ok = the courier takes the request; whether it succeeds is told later by the warehouse's push."""
    wish = {"kuaidicom": courier, "kuaidinum": tracking_no, "orderId": case_id, "interceptType": "RETURN"}
    param = msgspec.json.encode(wish).decode()
    stamp = str(int(now.timestamp() * 1000))
    sign = hashlib.md5((param + stamp + key + secret).encode()).hexdigest().upper()
    form = {"key": key, "method": "interceptOrder", "t": stamp, "param": param, "sign": sign}
    try:
        answer = http.post(url, data=form, timeout=TIMEOUT)
        payload = msgspec.json.decode(answer.content)
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
        return TryLater(5.0, f"not-connected: {type(error).__name__}")
    except (httpx2.HTTPError, msgspec.DecodeError) as error:
        return Unknown(f"interceptOrder: no readable answer ({type(error).__name__})")
    if answer.status_code >= 500 or not isinstance(payload, dict):
        return Unknown(f"interceptOrder: HTTP {answer.status_code}")
    if payload.get("result") is True:
        return Ok(payload)
    return Rejected(str(payload.get("returnCode") or ""), "", str(payload.get("message") or ""))
