"""The single faults whose full size make test does not have: 50,000 rows of an import that is killed."""

import sys
from pathlib import Path

import pytest

ROWS = 50_000

if __name__ == "__main__":
    sys.exit(
        pytest.main(["-q", str(Path(__file__).parent / "test_import_killed.py"), "--import-rows", str(ROWS)])
    )
