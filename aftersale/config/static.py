"""Static files from memory: few, hashed in their address, so that browsers keep them for ever."""

import gzip
import mimetypes
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Mapping[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

SHRINKS = (".css", ".js", ".svg", ".json")
HEADERS = [
    (b"cache-control", b"public, max-age=31536000, immutable"),
    (b"x-content-type-options", b"nosniff"),
]


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is sent; `small` is its gzip, None where that saves nothing."""

    kind: bytes
    body: bytes
    small: bytes | None


@cache
def files() -> Mapping[str, File]:
    """By address. Read once: what is not in the list does not exist."""
    found: dict[str, File] = {}
    for finder in get_finders():
        for path, storage in finder.list([]):
            body = Path(storage.path(path)).read_bytes()
            kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
            small = gzip.compress(body, 6) if path.endswith(SHRINKS) and len(body) > 1000 else None
            found.setdefault(settings.STATIC_URL + path, File(kind.encode(), body, small))
    return found


def with_files(pages: App) -> App:
    """Answers what lies under STATIC_URL; the rest goes on to the pages."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(settings.STATIC_URL):
            await pages(scope, receive, send)
            return
        file = files().get(scope["path"]) if scope["method"] in ("GET", "HEAD") else None
        if file is None:
            await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
            return
        accepted = dict(scope["headers"]).get(b"accept-encoding", b"")
        small = file.small if b"gzip" in accepted else None
        body = file.body if small is None else small
        headers = [(b"content-type", file.kind), (b"content-length", str(len(body)).encode()), *HEADERS]
        headers += [(b"vary", b"accept-encoding")] + (
            [(b"content-encoding", b"gzip")] if small is not None else []
        )
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

    return answer
