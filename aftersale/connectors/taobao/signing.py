"""TOP request signatures (doc 101617): md5, hmac (HMAC-MD5) and hmac-sha256, upper case hex."""

import hashlib
import hmac
from collections.abc import Mapping


def sign(params: Mapping[str, str], secret: str, method: str) -> str:
    """The signature of `params` without `sign`; empty values take no part. Unknown method: ValueError."""
    base = "".join(key + params[key] for key in sorted(params) if key != "sign" and params[key] != "")
    if method == "md5":
        return hashlib.md5((secret + base + secret).encode()).hexdigest().upper()
    if method == "hmac":
        return hmac.new(secret.encode(), base.encode(), hashlib.md5).hexdigest().upper()
    if method == "hmac-sha256":
        return hmac.new(secret.encode(), base.encode(), hashlib.sha256).hexdigest().upper()
    raise ValueError(f"TOP knows no signature method {method!r}: use md5, hmac or hmac-sha256")
