"""The key that signs sessions."""

import os
import secrets
from pathlib import Path


def secret_key(home: Path) -> str:
    """The key of this installation: generated once into `home`/secret.key, readable by its owner only."""
    file = home / "secret.key"
    home.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f"secret.key.{os.getpid()}.{secrets.token_hex(4)}")
    if not file.exists():
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(secrets.token_urlsafe(64))
        try:
            os.link(fresh, file)  # whole or not at all, and the first process wins
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return file.read_text()
