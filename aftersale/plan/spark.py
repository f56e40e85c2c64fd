"""A history read by Spark: the same rulebook text for what one machine cannot hold. Needs the extra `spark`."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aftersale.core.language.dialects import Dialect
from aftersale.plan.duck import ZONE
from aftersale.plan.source import UnusableData

JAVA_MIN = 17
TYPES = {
    "boolean": "bool",
    "string": "text",
    "timestamp": "timestamptz",
    "timestamp_ntz": "timestamp",
    **dict.fromkeys(("tinyint", "smallint", "int", "bigint"), "int"),
}
CSV_TYPES = {"bool": "boolean", "int": "bigint", "fen": "bigint", "timestamptz": "timestamp"}
VIEW = "aftersale_history"


def missing() -> str | None:
    """Why Spark cannot be used here, as one line; None when it can."""
    try:
        import pyspark  # noqa: F401
    except ImportError:
        return "没有安装 PySpark：pip install 'aftersale[spark]'"
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        return f"Spark 需要 Java {JAVA_MIN} 或更新的版本，这台机器上没有 java"
    return None


class Spark:
    """`master`: where it runs, e.g. local[*], local-cluster[2,1,1024], spark://host:7077. Raises UnusableData."""

    dialect: Dialect = "spark"
    relation = VIEW

    def __init__(
        self, path: Path, kinds: Mapping[str, str] | None = None, *, master: str = "local[*]"
    ) -> None:
        why = missing()
        if why is not None:
            raise UnusableData(why)
        self._session = session(master)
        self._view(path, kinds or {})
        table = self._session.table(VIEW)
        self.columns: Mapping[str, str] = {name: TYPES.get(kind, kind) for name, kind in table.dtypes}

    def _view(self, path: Path, kinds: Mapping[str, str]) -> None:
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException

        reader = self._session.read
        try:
            if path.suffix != ".csv":
                frame = reader.parquet(str(path))
            else:
                names = reader.option("header", True).csv(str(path)).columns
                schema = ", ".join(
                    f"`{name}` {CSV_TYPES.get(kinds.get(name, ''), 'string')}" for name in names
                )
                frame = reader.option("header", True).option("mode", "FAILFAST").schema(schema).csv(str(path))
        except (PySparkException, Py4JError) as error:
            raise UnusableData(_line(error)) from None
        frame.createOrReplaceTempView(VIEW)

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException

        try:
            return [tuple(row) for row in self._session.sql(sql).collect()]
        except (PySparkException, Py4JError) as error:
            raise UnusableData(_line(error)) from None

    def smallest(self, text: str, count: int) -> str:
        return f"slice(sort_array(collect_set({text})), 1, {count})"

    def close(self) -> None:
        self._session.stop()


def session(master: str) -> Any:
    """One session a process; executors use this Python and the shops' zone."""
    from pyspark.sql import SparkSession

    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = {
        "spark.sql.session.timeZone": ZONE,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "8",
        "spark.sql.codegen.wholeStage": "false",
        "spark.log.level": "ERROR",
    }
    builder = SparkSession.builder.appName("aftersale backtest").master(master)
    for name, value in settings.items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def _line(error: Exception) -> str:
    """What Spark says, without the stack and the code."""
    said = str(error).partition("SparkException: ")[2] or str(error)
    return f"Spark：{' '.join(said.split('SQLSTATE')[0].split())}"[:300]
