"""TOP's envelope: who calls, is it signed, is it in time, may it call now (doc 101617)."""

import hashlib
import hmac
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone

from aftersale.sandbox.clock import Clock

SHANGHAI = timezone(timedelta(hours=8))
APP_KEY, APP_SECRET = "12345678", "sandbox-app-secret"
TOLERANCE_MS = 600_000


class TopError(Exception):
    """An error_response: TOP answers it with HTTP 200."""

    def __init__(self, code: int, msg: str, sub_code: str = "", sub_msg: str = "") -> None:
        super().__init__(code, msg, sub_code, sub_msg)
        self.code, self.msg, self.sub_code, self.sub_msg = code, msg, sub_code, sub_msg

    def body(self, request_id: str) -> dict[str, object]:
        """The JSON answer."""
        error: dict[str, object] = {"code": self.code, "msg": self.msg, "request_id": request_id}
        if self.sub_code:
            error |= {"sub_code": self.sub_code, "sub_msg": self.sub_msg}
        return {"error_response": error}


def isv(sub_code: str, sub_msg: str) -> TopError:
    """A refusal of the business side."""
    return TopError(15, "Remote service error", f"isv.{sub_code}", sub_msg)


def session_of(shop: str) -> str:
    """The seller's token of a sandbox shop."""
    return f"session-{shop}"


def signed(fields: Mapping[str, str], secret: str, method: str) -> str:
    """The signature TOP expects."""
    joined = "".join(f"{key}{fields[key]}" for key in sorted(fields) if key != "sign" and fields[key])
    digest = {"hmac": "md5", "hmac-sha256": "sha256"}.get(method)
    if digest is None:
        return hashlib.md5(f"{secret}{joined}{secret}".encode()).hexdigest().upper()
    return hmac.digest(secret.encode(), joined.encode(), digest).hex().upper()


class Quota:
    """A token bucket in real time, one per app; a call beyond it is banned for a second."""

    def __init__(self, per_second: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._monotonic = per_second, monotonic
        self._tokens, self._at = per_second, monotonic()

    def take(self) -> None:
        """Raises TopError when the app calls too often."""
        now = self._monotonic()
        self._tokens = min(self._rate, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            sub_code = "accesscontrol.limited-by-app-access-count"
            raise TopError(7, "App Call Limited", sub_code, "This ban will last for 1 more seconds")
        self._tokens -= 1


class Gate:
    """Checks what every call needs before its method is looked at."""

    def __init__(self, clock: Clock, shops: Mapping[str, object], quota: Quota) -> None:
        self._clock, self._quota = clock, quota
        self._shops = {session_of(code): code for code in shops}

    def admit(self, fields: Mapping[str, str]) -> str:
        """The shop whose session calls. Raises TopError."""
        self._known_words(fields)
        self._in_time(fields["timestamp"])
        if not hmac.compare_digest(
            signed(fields, APP_SECRET, fields.get("sign_method", "md5")).encode(), fields["sign"].encode()
        ):
            raise TopError(25, "Invalid Signature")
        session = fields.get("session")
        if not session:
            raise TopError(26, "Missing Session")
        if session not in self._shops:
            raise TopError(
                27, "Invalid Session", "isv.invalid-session", "the session belongs to no shop here"
            )
        self._quota.take()
        return self._shops[session]

    def _known_words(self, fields: Mapping[str, str]) -> None:
        required = (("method", 21, "Method"), ("app_key", 28, "App Key"), ("sign", 24, "Signature"))
        for name, code, title in (*required, ("timestamp", 30, "Timestamp"), ("v", 32, "Version")):
            if not fields.get(name):
                raise TopError(code, f"Missing {title}")
        if fields["app_key"] != APP_KEY:
            raise TopError(29, "Invalid App Key")
        if fields["v"] != "2.0":
            raise TopError(34, "Unsupported Version")
        if fields.get("format") != "json":
            raise TopError(23, "Invalid Format")
        if fields.get("sign_method", "md5") not in ("md5", "hmac", "hmac-sha256"):
            raise TopError(25, "Invalid Signature")

    def _in_time(self, stamp: str) -> None:
        """Ten minutes around our virtual time (wider at speed), or around the caller's real time."""
        at_ms = _stamp_ms(stamp)
        if at_ms is None:
            raise TopError(31, "Invalid Timestamp")
        near_virtual = abs(at_ms - self._clock.now_ms()) <= TOLERANCE_MS * max(1.0, self._clock.speed)
        near_real = abs(at_ms - int(time.time() * 1000)) <= TOLERANCE_MS
        if not (near_virtual or near_real):
            raise TopError(31, "Invalid Timestamp")


def _stamp_ms(stamp: str) -> int | None:
    if stamp.isascii() and stamp.isdigit():
        return int(stamp) if len(stamp) == 13 else None
    return moment_ms(stamp)


def moment_ms(text: str) -> int | None:
    """'yyyy-MM-dd HH:mm:ss' of Shanghai in ms; None when it is no such text."""
    try:
        at = datetime.strptime(text, "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI)
    except ValueError:
        return None
    return int(at.astimezone(UTC).timestamp() * 1000)


def number(fields: Mapping[str, str], name: str, default: int | None = None) -> int:
    """A required (or defaulted) integer parameter. Raises TopError."""
    value = fields.get(name, "")
    if value == "" and default is not None:
        return default
    if value == "":
        raise TopError(
            40, "Missing Required Arguments", f"isv.missing-parameter:{name}", f"{name} is missing"
        )
    if not (value.isascii() and value.lstrip("-").isdigit() and len(value) < 20):
        raise TopError(41, "Invalid Arguments", f"isv.invalid-parameter:{name}", f"{name} is no number")
    return int(value)


def required(fields: Mapping[str, str], name: str) -> str:
    """A required text parameter. Raises TopError."""
    value = fields.get(name, "")
    if not value:
        raise TopError(
            40, "Missing Required Arguments", f"isv.missing-parameter:{name}", f"{name} is missing"
        )
    return value
