"""An editable mapping for an unknown layout: written with best guesses, read back when corrected."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml

from aftersale.intake.files.layouts import (
    FIELDS,
    KINDS,
    REQUIRED,
    Layout,
    flat_words,
    known_layouts,
    matches,
    normal,
)
from aftersale.intake.files.trouble import WrongMapping

IGNORE = "ignore"
MAPPING_BYTES_MAX = 1_000_000

_HEAD = """\
# 「{name}」的列映射：核对后，用 --mapping 指向本文件再运行一次。
# kind（每一行是什么）：refund 售后单，order 订单，suborder 子订单，compensation 打款赔付
# like：状态词照哪种版式理解；words 可补充，例如  words: {{state: {{refunded: [已退]}}}}
# columns：列名 → 字段；不需要的列写 ignore。可用的字段：
#   {fields}
"""


def mapping_path(path: Path) -> Path:
    """Where the proposal for a file is written."""
    return path.with_name(path.name + ".mapping.yaml")


def propose(path: Path, headers: Sequence[str]) -> Path | None:
    """Writes the best guess beside the file, never over an existing one; None when it cannot be written."""
    target = mapping_path(path)
    nearest = matches([normal(header) for header in headers])[0].layout
    body = {
        "kind": nearest.kind,
        "like": nearest.name,
        "platform": nearest.platform,
        "columns": guess(headers, nearest),
        "words": {},
    }
    text = _HEAD.format(name=path.name, fields=" ".join(FIELDS))
    try:
        with target.open("x", encoding="utf-8") as file:
            file.write(text + yaml.safe_dump(body, allow_unicode=True, sort_keys=False))
    except FileExistsError:
        return target
    except OSError:
        return None
    return target


def guess(headers: Sequence[str], nearest: Layout) -> dict[str, str]:
    """Header → field, each field once: headers of the nearest layout, of the others, like-sounding ones."""
    known = {
        h: name
        for lay in (*reversed(known_layouts()), nearest)
        for name, hs in lay.columns.items()
        for h in hs
    }
    taken: set[str] = set()
    found: dict[str, str] = {}
    for header in headers:
        like = get_close_matches(normal(header), known, n=1, cutoff=0.75)
        name = known[like[0]] if like else IGNORE
        found[header] = IGNORE if name in taken else name
        taken.add(name)
    return found


def load_mapping(path: Path) -> Layout:
    """The layout that a mapping file describes; raises `WrongMapping` naming the entry that is wrong."""
    data = _load(path)
    kind = data.get("kind")
    if kind not in KINDS:
        raise WrongMapping(
            path.name, "kind 是「%(kind)s」，应为 %(kinds)s 之一", kind=str(kind), kinds=[*KINDS]
        )
    columns = _columns(path, data.get("columns"))
    if missing := [name for name in REQUIRED[kind] if name not in columns]:
        raise WrongMapping(path.name, "还缺字段 %(fields)s；请把对应的列指给它", fields=missing)
    if kind == "order" and not {"paid", "net_paid"} & columns.keys():
        raise WrongMapping(
            path.name,
            "还缺字段 %(field)s 或 %(fields)s；请把对应的列指给它",
            field="paid",
            fields=["net_paid"],
        )
    return Layout(
        name=path.name,
        title=f"映射 {path.name}",
        title_en=f"mapping {path.name}",
        kind=kind,
        platform=data.get("platform"),
        required=tuple(REQUIRED[kind]),
        columns={name: (normal(header),) for name, header in columns.items()},
        words=_words(path, data),
    )


def _load(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > MAPPING_BYTES_MAX:
            raise WrongMapping(path.name, "映射文件过大")
        data = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise WrongMapping(path.name, "映射文件打不开（%(why)s）", why=error.strerror) from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise WrongMapping(path.name, "映射文件不是合法的 UTF-8 YAML；请检查缩进和冒号") from error
    if not isinstance(data, dict):
        raise WrongMapping(path.name, "映射文件应含 kind 和 columns")
    return data


def _columns(path: Path, given: object) -> dict[str, str]:
    if not isinstance(given, dict):
        raise WrongMapping(path.name, "缺少 columns（列名 → 字段）")
    columns: dict[str, str] = {}
    for header, name in given.items():
        if name in (IGNORE, None):
            continue
        if name not in FIELDS:
            raise _no_field(path, str(header), str(name))
        if name in columns:
            raise WrongMapping(
                path.name,
                "「%(one)s」和「%(other)s」都指给了 %(field)s；每个字段只能有一列",
                one=columns[name], other=str(header), field=name,
            )  # fmt: skip
        columns[name] = str(header)
    return columns


def _no_field(path: Path, header: str, name: str) -> WrongMapping:
    near = get_close_matches(name, FIELDS, n=1)
    if not near:
        return WrongMapping(
            path.name,
            "列「%(header)s」指给了不存在的字段「%(given)s」；不需要的列写 ignore",
            header=header,
            given=name,
        )
    return WrongMapping(
        path.name,
        "列「%(header)s」指给了不存在的字段「%(given)s」；是不是 %(field)s？",
        header=header, given=name, field=near[0],
    )  # fmt: skip


def _words(path: Path, data: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    like = data.get("like")
    base = {layout.name: layout.words for layout in known_layouts()}
    if like is not None and like not in base:
        raise WrongMapping(
            path.name, "like 是「%(like)s」，没有这种版式；可用：%(known)s", like=str(like), known=[*base]
        )
    merged = {name: dict(words) for layout in known_layouts() for name, words in layout.words.items()}
    for name, known in base.get(str(like), {}).items():
        merged[name] = merged[name] | dict(known)
    extra = data.get("words") or {}
    for name, codes in extra.items() if isinstance(extra, dict) else ():
        allowed = set(merged.get(name, {}).values())
        if not isinstance(codes, dict) or not all(
            isinstance(v, list) and k in allowed for k, v in codes.items()
        ):
            raise WrongMapping(
                path.name,
                "words.%(given)s 应为 代码: [说法, …]；可用的代码：%(known)s",
                given=str(name),
                known=sorted(allowed),
            )
        merged[name] = merged[name] | flat_words(codes)
    return merged
