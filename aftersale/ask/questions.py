"""What can be asked: `questions/<family>.yaml` says which books and formulas answer, and under which names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from aftersale.core.facts import RulebookError, check_keys, read_yaml
from aftersale.core.language.grammar import nearest

_FAMILY_KEYS = {
    "family", "title", "title_en", "like", "fields", "assumed", "ignored", "outcomes", "questions",
}  # fmt: skip
_QUESTION_KEYS = {"by", "title", "fields", "assumed", "ignored", "outcomes", "always"}
_STAGE_KEYS = {"name", "needs", "lacks", "ends"}


class Unclear(Exception):
    """A question that cannot be answered as it is put; the text is one line for people."""


@dataclass(frozen=True, slots=True)
class Stage:
    """One book or formula by name. Skipped unless all of `needs` are given and none of `lacks`; `ends`: the
    stages behind it are not asked."""

    name: str
    needs: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    ends: bool = False


@dataclass(frozen=True)
class Question:
    """`fields`: how given fields reach facts, settings and parameters; `assumed`: facts of the ordinary case;
    `ignored`: known to the field, read by nothing; `outcomes`: outcome key → the name that is answered;
    `always`: outcome keys with the value they have when no stage says otherwise."""

    family: str
    slug: str
    stages: tuple[Stage, ...]
    fields: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    assumed: Mapping[str, Any] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    outcomes: Mapping[str, str] = field(default_factory=dict)
    always: Mapping[str, Any] = field(default_factory=dict)


@cache
def families() -> Mapping[str, Mapping[str, Question]]:
    """Family → slug → question. A large family may stand in several files (`triage.yaml`, `triage-returns.yaml`).
    Raises RulebookError when a file is wrong."""
    folder = files("aftersale.ask").joinpath("questions")
    found: dict[str, dict[str, Question]] = {}
    for name in sorted(
        one.name.removesuffix(".yaml") for one in folder.iterdir() if one.name.endswith(".yaml")
    ):
        known = found.setdefault(str(_read(name)["family"]), {})
        for slug, one in _family(name).items():
            if slug in known:
                raise RulebookError(f"questions/{name}.yaml", slug, None, "同名的问题出现了两次")
            known[slug] = one
    return found


@cache
def titles() -> Mapping[str, tuple[str, str]]:
    """Family → its Chinese and English title."""
    return {name: (_read(name)["title"], str(_read(name).get("title_en") or name)) for name in families()}


def question(ask: object) -> Question:
    """The question `family:slug`. Raises Unclear naming the nearest known family or question."""
    family, _, slug = str(ask or "").partition(":")
    if family not in families():
        raise Unclear(f"没有名为 {family} 的问题类别{nearest(family, families())}")
    known = families()[family]
    if slug not in known:
        raise Unclear(f"{family} 没有名为 {slug} 的问题{nearest(slug, known)}")
    return known[slug]


@cache
def _read(file: str) -> Mapping[str, Any]:
    name = f"questions/{file}.yaml"
    data = read_yaml(files("aftersale.ask").joinpath(name).read_text("utf-8"), name)
    check_keys(name, None, data, _FAMILY_KEYS, ("family", "title", "questions"))
    if data["family"] != file.partition("-")[0]:
        raise RulebookError(name, None, "family", f"文件名是 {file}，写的是 {data['family']}")
    return data


def _family(file: str) -> Mapping[str, Question]:
    """A family that is `like` another has the other's fields, assumptions and names besides its own."""
    data = _read(file)
    above = (_read(str(data["like"])), data) if data.get("like") else (data,)
    return {slug: _question(file, slug, entry, above) for slug, entry in data["questions"].items()}


def _question(file: str, slug: str, entry: Any, above: tuple[Mapping[str, Any], ...]) -> Question:
    """A list alone is `by`; what a question says of its own comes before what its family says."""
    family, file = file.partition("-")[0], f"questions/{file}.yaml"
    entry = {"by": entry} if isinstance(entry, list) else entry
    check_keys(file, slug, entry, _QUESTION_KEYS, ("by",))
    if not isinstance(entry["by"], list) or not entry["by"]:
        raise RulebookError(file, slug, "by", "by 是至少有一个规则书或公式的列表")

    def joined(key: str) -> dict[str, Any]:
        return {name: one for part in (*above, entry) for name, one in (part.get(key) or {}).items()}

    ignored = frozenset(name for part in (*above, entry) for name in part.get("ignored") or ())
    stages = tuple(_stage(file, slug, one) for one in entry["by"])
    return Question(
        family, slug, stages, joined("fields"), joined("assumed"), ignored, joined("outcomes"),
        entry.get("always") or {},
    )  # fmt: skip


def _stage(file: str, slug: str, entry: Any) -> Stage:
    if isinstance(entry, str):
        return Stage(entry)
    check_keys(file, slug, entry, _STAGE_KEYS, ("name",))

    def names(key: str) -> tuple[str, ...]:
        given = entry.get(key) or ()
        return (given,) if isinstance(given, str) else tuple(given)

    return Stage(entry["name"], names("needs"), names("lacks"), bool(entry.get("ends")))
