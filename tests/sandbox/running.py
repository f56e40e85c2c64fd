"""A sandbox in a process of its own, at 2026-11-11 00:00 of a standing clock."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import httpx2
import msgspec

from aftersale.connectors.taobao.client import TopClient
from aftersale.sandbox.control import Control

SHANGHAI = timezone(timedelta(hours=8))
START = datetime(2026, 11, 11, tzinfo=SHANGHAI)


@dataclass(frozen=True)
class Running:
    """One sandbox process with its control client and TOP clients."""

    url: str
    control: Control
    http: httpx2.Client

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    def top(
        self, shop: str = "demo1", secret: str = "sandbox-app-secret", method: str = "hmac-sha256"
    ) -> TopClient:
        return TopClient(
            f"{self.url}/router/rest",
            "12345678",
            secret,
            f"session-{shop}",
            now=lambda: self.control.state().now,
            http=self.http,
            sign_method=method,
        )


@contextmanager
def running(*options: str) -> Iterator[Running]:
    """Start `aftersale sandbox` with a standing clock and stop it again."""
    command = [
        sys.executable,
        "-m",
        "aftersale.sandbox",
        "--json",
        "--speed",
        "0",
        "--start",
        "2026-11-11",
        *options,
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = msgspec.json.decode(process.stdout.readline())["url"]
            with Control(url) as control, httpx2.Client(trust_env=False) as http:
                yield Running(url, control, http)
        finally:
            process.terminate()
    assert process.returncode == 0
