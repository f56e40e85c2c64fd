"""A history read by DuckDB, streaming: memory does not grow with the rows."""

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Thread
from typing import Any

import duckdb

from aftersale.core.language.dialects import Dialect
from aftersale.plan.source import UnusableData

MEMORY = "400MB"
WATCHED_S = 0.2
ZONE = "Asia/Shanghai"
TYPES = {
    "BOOLEAN": "bool",
    "VARCHAR": "text",
    "TIMESTAMP": "timestamp",
    "TIMESTAMP_S": "timestamp",
    "TIMESTAMP_MS": "timestamp",
    "TIMESTAMP WITH TIME ZONE": "timestamptz",
    **dict.fromkeys(("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER"), "int"),
}
CSV_TYPES = {"bool": "BOOLEAN", "int": "BIGINT", "fen": "BIGINT", "timestamptz": "TIMESTAMPTZ"}


class Duck:
    """`kinds`: types of the columns that a CSV file does not tell, by their names; empty cells are unknown."""

    dialect: Dialect = "duckdb"

    def __init__(
        self,
        path: Path,
        kinds: Mapping[str, str] | None = None,
        *,
        memory: str = MEMORY,
        progress: Callable[[float], None] | None = None,
    ) -> None:
        self._progress = progress
        self._conn = duckdb.connect()
        self._conn.execute("SET memory_limit = ?", [memory])
        self._conn.execute("SET TimeZone = ?", [ZONE])
        self._conn.execute("SET preserve_insertion_order = false")
        self._conn.execute("SET enable_progress_bar = ?", [progress is not None])
        self._conn.execute("SET enable_progress_bar_print = false")
        self.relation = self._relation(path, kinds or {})
        told = self._asked(f"DESCRIBE SELECT * FROM {self.relation}")
        self.columns: Mapping[str, str] = {row[0]: _kind(row[1]) for row in told}

    def _relation(self, path: Path, kinds: Mapping[str, str]) -> str:
        quoted = str(path).replace("'", "''")
        if path.suffix != ".csv":
            return f"read_parquet('{quoted}')"
        plain = f"read_csv('{quoted}', header = true, all_varchar = true"
        there = {row[0] for row in self._asked(f"DESCRIBE SELECT * FROM {plain})")}
        typed = {name: CSV_TYPES.get(kind, "VARCHAR") for name, kind in kinds.items() if name in there}
        types = ", ".join(f"'{name}': '{kind}'" for name, kind in typed.items())
        return f"read_csv('{quoted}', header = true, types = {{{types}}})" if types else f"{plain})"

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        if self._progress is None:
            return self._asked(sql)
        found: list[list[tuple[Any, ...]]] = []
        faults: list[UnusableData] = []

        def ask() -> None:
            try:
                found.append(self._asked(sql))
            except UnusableData as error:
                faults.append(error)

        asking = Thread(target=ask)
        asking.start()
        while asking.is_alive():
            asking.join(WATCHED_S)
            self._progress(max(0.0, self._conn.query_progress()) / 100)
        if faults:
            raise faults[0]
        return found[0]

    def smallest(self, text: str, count: int) -> str:
        return f"min({text}, {count})"

    def close(self) -> None:
        self._conn.close()

    def _asked(self, sql: str) -> list[tuple[Any, ...]]:
        try:
            return self._conn.execute(sql).fetchall()
        except (duckdb.IOException, duckdb.InvalidInputException, duckdb.ConversionException) as error:
            raise UnusableData(_line(str(error))) from None
        except duckdb.OutOfMemoryException as error:
            raise UnusableData("内存不够：%(why)s", why=_line(str(error))) from None


def _kind(name: str) -> str:
    return "text" if name.startswith("ENUM") else TYPES.get(name, name)


def _line(text: str) -> str:
    """The first sentence of what DuckDB says, and the line of the file where it names one."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    kept = [line for line in lines[:8] if line.startswith(("CSV Error", "Original Line", "Error when"))]
    return f"数据读不了：{'；'.join(dict.fromkeys([lines[0], *kept]))}"[:300]
