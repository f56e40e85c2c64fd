"""The page of the indexes, made from their definitions: sentence, unit, what is counted, what is still lacking."""

from collections.abc import Iterator
from typing import Literal

from aftersale.core.metrics.definition import Measure, Metric
from aftersale.rulebooks.definitions import definitions

Language = Literal["zh", "en"]
WORDS = {
    "zh": {
        "head": "# 指标\n\n本页由 `metric_definitions.yaml` 生成，请改定义而不是本页。\n",
        "top": "计入", "bottom": "分母", "sum": "{column} 之和", "count": "不同的 {column} 数",
        "window": "窗口：`:{setting}`", "better": {"smaller_better": "越小越好", "larger_better": "越大越好"},
        "needs": "记录里还没有{what}，暂时量不出", "without": "没有{what}，按没有发生计",
        "formula": "公式：`{function}`", "entered": "由平台给出，可以填写或导入", "page": "平台的数字在：{page}",
        "by": "按 {column} 分别计算", "list": "、",
    },
    "en": {
        "head": "# Indexes\n\nMade from `metric_definitions.yaml`; change the definitions, not the page.\n",
        "top": "counted", "bottom": "of", "sum": "sum of {column}", "count": "distinct {column}",
        "window": "window: `:{setting}`", "better": {"smaller_better": "smaller is better", "larger_better": "larger is better"},
        "needs": "the record lacks {what}: not measurable yet", "without": "without {what}, which count as none",
        "formula": "formula: `{function}`", "entered": "given by the platform, typed in or imported",
        "page": "the platform's own figure: {page}", "by": "per {column}", "list": ", ",
    },
}  # fmt: skip


def page(language: Language) -> str:
    """Markdown, one section a metric."""
    sections = [line for metric in definitions().metrics.values() for line in _section(metric, language)]
    return "\n".join([str(WORDS[language]["head"]), *sections]) + "\n"


def _section(metric: Metric, language: Language) -> Iterator[str]:
    zh = language == "zh"
    yield f"## {metric.title if zh else metric.title_en}\n"
    yield f"{metric.says if zh else metric.says_en}\n"
    better = WORDS[language]["better"]
    assert isinstance(better, dict)
    yield f"- `{metric.code}` · {metric.unit} · {better[metric.better]} · {metric.requirement}"
    for name, measure in (("top", metric.top), ("bottom", metric.bottom)):
        if measure is not None:
            yield f"- {WORDS[language][name]}: {_counted(measure, language)}"
    yield from (f"- {line}" for line in _notes(metric, language))
    yield ""


def _counted(measure: Measure, language: Language) -> str:
    rows = definitions().rows[measure.rows]
    what = _say(language, "count" if measure.key else "sum", column=f"`{measure.key or measure.total}`")
    condition = " ".join(measure.when.split())
    return f"{rows.title if language == 'zh' else rows.title_en} · {what} · `{condition}`"


def _notes(metric: Metric, language: Language) -> Iterator[str]:
    lacking, without = definitions().missing(metric)
    for key, value in (("window", metric.window), ("formula", metric.function), ("by", metric.by)):
        if value:
            yield _say(language, key, setting=value, function=value, column=f"`{value}`")
    if metric.kind == "entered":
        yield _say(language, "entered")
    if metric.page:
        yield _say(language, "page", page=metric.page)
    for key, lacks in (("needs", lacking), ("without", without)):
        if lacks:
            named = (one.needs if language == "zh" else one.needs_en for one in lacks)
            yield _say(language, key, what=str(WORDS[language]["list"]).join(named))


def _say(language: Language, key: str, **values: str) -> str:
    return str(WORDS[language][key]).format(**values)
