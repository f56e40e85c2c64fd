"""docs/rulebook/, made from the books: `python -m aftersale.rulebooks.documentation docs/rulebook`."""

import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from aftersale.core.expression import Knob, Lit, Value, walk
from aftersale.core.language.wording import Language, Wording, bare
from aftersale.core.look import environment
from aftersale.core.rulebook import Book, Const, Output, Rule, Setting, resolve_settings
from aftersale.rulebooks import books, metric_page, script_page

WORDS: Mapping[Language, Mapping[str, str]] = {
    "zh": {
        "made": "本页由规则书 `{book}.yaml` 生成，请改规则书而不是本页。",
        "first": "{n} 条规则，自上而下，第一条成立的说了算；未知的事实不会让规则成立。",
        "collect": "{n} 条规则，凡成立的都算；未知的事实不会让规则成立。",
        "only": "这本规则书只有设置，由公式读取。",
        "rules": "规则", "settings": "设置", "queues": "队列", "when": "什么时候", "then": "怎么办", "source": "需求",
        "rule": "规则", "always": "总是", "otherwise": "其他情况", "default": "默认", "read_by": "读它的规则",
        "borrowed": "{name}（定义在 {book}）", "platforms": "平台：{names}", "tab": "页签", "yes": "是", "no": "否",
        "until": "{at} 之前 {value}", "at_platform": "{platform} {value}", "none": "无", "list": "、", "other": "English",
        "output": "**{title}**（`{key}`）：{value}",
        "option": "{title}（`{code}`）",
    },
    "en": {
        "made": "This page is made from the book `{book}.yaml`; change the book, not the page.",
        "first": "{n} rules, from the top, the first that holds decides; what is unknown makes no rule hold.",
        "collect": "{n} rules, all that hold count; what is unknown makes no rule hold.",
        "only": "This book has only settings, which formulas read.",
        "rules": "Rules", "settings": "Settings", "queues": "Queues", "when": "when", "then": "what follows",
        "source": "source", "rule": "rule", "always": "always", "otherwise": "otherwise", "default": "default",
        "read_by": "read by", "borrowed": "{name} (defined in {book})", "platforms": "platforms: {names}", "tab": "tab",
        "yes": "yes", "no": "no", "until": "before {at} {value}", "at_platform": "{platform} {value}", "none": "none",
        "list": ", ", "other": "中文", "output": "**{title}** (`{key}`): {value}",
        "option": "{title} (`{code}`)",
    },
}  # fmt: skip


LANGUAGES: tuple[Language, ...] = ("zh", "en")


def pages() -> dict[str, str]:
    """Path below docs/rulebook → text: the list of books, and each book in both languages."""
    found = {"README.md": _index()}
    for name in books.shipped():
        for language in LANGUAGES:
            found[f"{language}/{name}.md"] = "\n".join(_Page(books.book(name), language).lines()) + "\n"
    for language in LANGUAGES:
        found[f"{language}/metric_definitions.md"] = metric_page.page(language)
        found[f"{language}/scripts.md"] = script_page.page(language)
    return found


def _index() -> str:
    lines = [
        "# 规则书 · The rulebooks\n",
        "Made by `python -m aftersale.rulebooks.documentation docs/rulebook`.\n",
        "| 规则书 book | 规则 rules | 设置 settings | 中文 | English |",
        "|---|--:|--:|---|---|",
    ]
    for name in books.shipped():
        book = books.book(name)
        counts = f"{len(book.rules)} | {sum(own_book(one) == name for one in book.settings)}"
        title = f"**{book.title}**<br>{book.title_en}"
        lines.append(f"| {title} | {counts} | [zh](zh/{name}.md) | [en](en/{name}.md) |")
    for title, page in (
        ("**指标**<br>Indexes", "metric_definitions"),
        ("**话术库**<br>The script library", "scripts"),
    ):
        lines.append(f"| {title} | | | [zh](zh/{page}.md) | [en](en/{page}.md) |")
    return "\n".join(lines) + "\n"


def own_book(setting: str) -> str:
    """The book in which a setting is defined."""
    return next(
        name
        for name in books.shipped()
        if setting in books.book(name).settings
        and not any(setting in names for names in books.borrowed(name).values())
    )


class _Page:
    """One book in one language."""

    def __init__(self, book: Book, language: Language) -> None:
        self.book = book
        self.language = language
        settings: dict[str, Value] = resolve_settings(book, {})
        env = environment(book, {}, settings, datetime(2026, 1, 1, tzinfo=UTC))
        self.wording = Wording(book, env, language, general=True)

    def say(self, word: str, **parts: object) -> str:
        return WORDS[self.language][word].format(**parts)

    def lines(self) -> Iterator[str]:
        book = self.book
        yield f"# {book.title if self.language == 'zh' else book.title_en}\n"
        other = "en" if self.language == "zh" else "zh"
        yield f"[{self.say('other')}](../{other}/{book.name}.md) · {self.say('made', book=book.name)}\n"
        yield self.say(book.hit if book.rules else "only", n=len(book.rules))
        if book.rules:
            yield from self._rules()
        yield from self._settings()
        if book.name == "refund":
            yield from self._queues()

    def _rules(self) -> Iterator[str]:
        heads = (self.say(word) for word in ("rule", "when", "then", "source"))
        yield f"\n## {self.say('rules')}\n\n| # | {' | '.join(heads)} |\n|--:|---|---|---|---|"
        for no, rule in enumerate(self.book.rules, 1):
            named = f"**{self.wording.title(rule)}**<br>`{rule.name}`"
            cells = (named, self._when(rule), self._then(rule.then), rule.requirement)
            yield f"| {no} | {' | '.join(cells)} |"
        if self.book.otherwise:
            yield f"| | {self.say('otherwise')} | | {self._then(self.book.otherwise)} | |"

    def _when(self, rule: Rule) -> str:
        parts = "<br>".join(_cell(self.wording.text(part)) for part in rule.conjuncts)
        return parts or self.say("always")

    def _then(self, then: Mapping[str, Output]) -> str:
        return "<br>".join(
            self.say("output", title=self._key(key), key=key, value=self._output(key, output))
            for key, output in then.items()
        )

    def _key(self, key: str) -> str:
        return books.output(self.book.name, key, self.language)

    def _output(self, key: str, output: Output) -> str:
        if isinstance(output, (Lit, Const)):
            return _cell(self._value(key, output.value))
        if isinstance(output, Knob) and self.book.settings[output.name].type.kind in ("enum", "list"):
            told = self._value(output.name, self.wording.env.settings[output.name])
            return _cell(f"{self.wording.title(self.book.settings[output.name])} {told}")
        return _cell(self.wording.side(output, None))

    def _value(self, key: str, value: object) -> str:
        match value:
            case None:
                return self.say("none")
            case bool():
                return self.say("yes" if value else "no")
            case list() | tuple():
                return self.say("list").join(self._value(key, one) for one in value) or self.say("none")
            case dict():
                return self.say("list").join(
                    f"{self._key(part)}: {self._value(part, one)}" for part, one in value.items()
                )
            case str():
                return books.title(key, value, self.language)
        return self.wording.show(value, self.book.outputs[key].kind if key in self.book.outputs else None)  # type: ignore[arg-type]

    def _settings(self) -> Iterator[str]:
        if not self.book.settings:
            return
        heads = f"{self.say('settings')} | {self.say('default')} | {self.say('read_by')}"
        yield f"\n## {self.say('settings')}\n\n| {heads} |\n|---|---|---|"
        for name, setting in self.book.settings.items():
            home, title = own_book(name), self.wording.title(setting)
            if home != self.book.name:
                title = self.say("borrowed", name=title, book=home)
            readers = [f"`{rule.name}`" for rule in self.book.rules if name in _knobs(rule)]
            yield f"| {title}<br>`:{name}` | {_cell(self._default(setting))} | {' '.join(readers)} |"

    def _default(self, setting: Setting) -> str:
        def shown(value: Value) -> str:
            if setting.type.kind == "enum":
                title = books.title(setting.name, str(value), self.language)
                return self.say("option", title=title, code=value)
            text = self.wording.show(value, setting.type.kind, setting.unit)
            return f"{text} {setting.unit}" if bare(setting) else text

        parts = [shown(setting.default)]
        for platform, value in setting.by_platform.items():
            at = books.title("platform", platform, self.language)
            parts.append(self.say("at_platform", platform=at, value=shown(value)))
        for until, value in setting.history:
            parts.append(self.say("until", at=f"{until:%Y-%m-%d}", value=shown(value)))
        return "<br>".join(parts)

    def _queues(self) -> Iterator[str]:
        chinese = self.language == "zh"
        yield f"\n## {self.say('queues')}\n\n| {self.say('queues')} | {self.say('tab')} |\n|---|---|"
        tabs = {one.code: one.title if chinese else one.title_en for one in books.tabs()}
        for queue in books.queues().values():
            yield f"| {queue.title if chinese else queue.title_en}<br>`{queue.code}` | {tabs[queue.tab]} |"


def _knobs(rule: Rule) -> set[str]:
    outputs = [one for one in rule.then.values() if not isinstance(one, Const)]
    return {part.name for node in (rule.when, *outputs) for part in walk(node) if isinstance(part, Knob)}


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def main(folder: Path) -> None:
    """Writes every page, and removes those of books that are no more."""
    wanted = pages()
    for path in folder.glob("*/*.md"):
        if str(path.relative_to(folder)) not in wanted:
            path.unlink()
    for name, text in wanted.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit("usage: python -m aftersale.rulebooks.documentation docs/rulebook")
    main(Path(sys.argv[1]))
