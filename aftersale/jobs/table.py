"""A table that a job leaves: kept as it was found, written out in the language of whoever takes it away."""

import json
from collections.abc import Iterable, Mapping, Sequence

MIME = "application/vnd.aftersale.table+json"
Cell = int | str | Mapping[str, object]
"""A number, a text as it stands, or a sentence with its values: `{"say": …, "values": …}`."""


def packed(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """The table as it is kept; `columns` are sentences of the pages."""
    return json.dumps({"columns": list(columns), "rows": [list(row) for row in rows]}).encode()
