"""One signed TOP call whose outcome is always a value (platforms: TOP doc 101617)."""

import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

import httpx2
import msgspec

from aftersale.connectors.outcome import Answer, Ok, Rejected, TryLater, Unknown
from aftersale.connectors.taobao.signing import sign

ANSWER_BYTES_MAX = 10_000_000
TIMEOUT = httpx2.Timeout(8.0, connect=3.0)
WHOLE_ANSWER_S = 8.0
SHANGHAI = timezone(timedelta(hours=8))
RETRY_AFTER_S = 5.0
LIMIT_CODES = frozenset({4, 5, 6, 7, 8})
PLATFORM_CODES = frozenset({10, 15, 50})
SESSION_CODES = frozenset({26, 27})
TIMESTAMP_CODE = 31  # our clock is wrong
AUTHORISATION = "authorisation"  # how the code of a TryLater begins when the seller's authorisation is over
READ_ENDINGS = (".get", ".search", ".render", ".check", ".validate", ".consume")
_BAN = re.compile(r"(\d+) more second")


class Upload(NamedTuple):
    """A byte[] parameter: sent as a multipart part and not signed."""

    name: str
    filename: str
    content: bytes


class TopClient:
    """Calls one TOP gateway (or a relay before it) for one seller's session."""

    def __init__(
        self,
        base_url: str,
        app_key: str,
        app_secret: str,
        session: str,
        *,
        now: Callable[[], datetime],
        http: httpx2.Client,
        sign_method: str = "hmac-sha256",
    ) -> None:
        self._url = base_url
        self._app_key, self._secret, self._session = app_key, app_secret, session
        self._now, self._http, self._sign_method = now, http, sign_method

    def call(self, method: str, upload: Upload | None = None, **params: str | int | bool | None) -> Answer:
        """Send `method` with the parameters that are not None.

        A write that was sent without a readable answer is Unknown; a read in the same position is TryLater.
        """
        fields = self._signed(method, params)
        unclear = _unclear_read if method.endswith(READ_ENDINGS) else Unknown
        try:
            status, body = self._post(fields, upload)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout) as error:
            return TryLater(RETRY_AFTER_S, f"not-connected: {type(error).__name__}")
        except httpx2.HTTPError as error:
            return unclear(f"{method}: no answer ({type(error).__name__})")
        if body is None:
            return unclear(f"{method}: the answer is longer than {ANSWER_BYTES_MAX} bytes")
        if status >= 500:
            return unclear(f"{method}: HTTP {status}")
        return _read(method, status, body, unclear)

    def _signed(self, method: str, params: Mapping[str, str | int | bool | None]) -> dict[str, str]:
        fields = {name: _text(value) for name, value in params.items() if value is not None}
        fields |= {
            "method": method,
            "app_key": self._app_key,
            "session": self._session,
            "timestamp": self._now().astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S"),
            "format": "json",
            "v": "2.0",
            "sign_method": self._sign_method,
        }
        fields["sign"] = sign(fields, self._secret, self._sign_method)
        return fields

    def _post(self, fields: dict[str, str], upload: Upload | None) -> tuple[int, bytes | None]:
        """Status and body; the body is None when it is too long to be read."""
        files = {upload.name: (upload.filename, upload.content)} if upload else None
        body = bytearray()
        until = time.monotonic() + WHOLE_ANSWER_S
        with self._http.stream("POST", self._url, data=fields, files=files, timeout=TIMEOUT) as answer:
            for chunk in answer.iter_bytes():
                if time.monotonic() > until:
                    raise httpx2.ReadTimeout("the answer trickles")
                body += chunk
                if len(body) > ANSWER_BYTES_MAX:
                    return answer.status_code, None
            return answer.status_code, bytes(body)


def _text(value: str | int | bool | None) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _unclear_read(why: str) -> TryLater:
    return TryLater(RETRY_AFTER_S, why)


def _read(method: str, status: int, body: bytes, unclear: Callable[[str], Answer]) -> Answer:
    try:
        payload = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return unclear(f"{method}: HTTP {status} with an answer that is not JSON")
    if not isinstance(payload, dict):
        return unclear(f"{method}: the answer is no JSON object")
    error = payload.get("error_response")
    if isinstance(error, dict):
        return _refused(method, error, unclear)
    answer = payload.get(method.removeprefix("taobao.").replace(".", "_") + "_response")
    return Ok(answer) if isinstance(answer, dict) else unclear(f"{method}: the answer lacks its envelope")


def _refused(method: str, error: dict[str, Any], unclear: Callable[[str], Answer]) -> Answer:
    """A limit or a session refuses before anything is done; other platform trouble tells nothing about a write."""
    code, sub_code = _code(error.get("code")), str(error.get("sub_code") or "")
    message = str(error.get("sub_msg") or error.get("msg") or "")
    if code in LIMIT_CODES or "call-limited" in sub_code or sub_code.startswith("accesscontrol."):
        ban = _BAN.search(message)
        return TryLater(float(ban.group(1)) if ban else RETRY_AFTER_S, sub_code or str(code))
    if code in SESSION_CODES:
        return TryLater(RETRY_AFTER_S, f"{AUTHORISATION}: {code} {sub_code} {message}".rstrip())
    if code == TIMESTAMP_CODE:
        return TryLater(RETRY_AFTER_S, f"timestamp: {message}")
    if sub_code.startswith("isp.") or (code in PLATFORM_CODES and not sub_code):
        return unclear(f"{method}: {sub_code or code}: {message}")
    if "sms-code" in sub_code:
        return Rejected("sms_code", sub_code, message)
    return Rejected(str(code), sub_code, message)


def _code(told: object) -> object:
    return (
        int(told) if isinstance(told, str) and told.isascii() and told.isdigit() and len(told) < 9 else told
    )
