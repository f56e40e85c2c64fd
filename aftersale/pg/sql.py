"""SQL in named files: blocks headed `-- name: some_name`."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

HEAD = re.compile(r"^--[ ]*name:[ ]*(\w+)[ ]*$", re.MULTILINE)


@cache
def queries(package: str, name: str = "queries.sql") -> Mapping[str, str]:
    """The blocks of file `name` in `package`, by their names. Text before the first is a comment."""
    parts = HEAD.split(files(package).joinpath(name).read_text("utf-8"))
    names = parts[1::2]
    assert names, f"{package}/{name} has no `-- name:` block"
    assert len(names) == len(set(names)), f"{package}/{name} names a block twice"
    return MappingProxyType({key: text.strip() for key, text in zip(names, parts[2::2], strict=True)})
