"""The code of the release before, out of the repository's own history."""

import io
import shutil
import subprocess
import tarfile
from pathlib import Path

from tests.conftest import ROOT

# The last commit without any of migrations 0024 to 0030: whoever upgrades to what is here runs that one. It cannot send a
# `refuse`, so it is also the release that meets a kind of intent it has never heard of. Once the release before is one
# that can, that part of the test has no old worker any more; test_kinds.py goes on holding the rule.
PREVIOUS = "42842545a021fb5e7d4d8c5586ed418aa926d3bc"


def unpacked(folder: Path) -> Path | None:
    """Where its package `aftersale` lies now; None where no history reaches back to it."""
    if shutil.which("git") is None:
        return None
    asked = ["git", "cat-file", "-e", f"{PREVIOUS}^{{commit}}"]
    known = subprocess.run(asked, cwd=ROOT, capture_output=True, check=False)
    if known.returncode:
        return None
    archive = ["git", "archive", PREVIOUS, "aftersale"]
    packed = subprocess.run(archive, cwd=ROOT, capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as tar:
        tar.extractall(folder, filter="data")
    return folder
