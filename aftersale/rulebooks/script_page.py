"""The page of the script library: what is said when, what it must hold, and what is never sent."""

from collections.abc import Iterator

from aftersale.core.language.wording import Language
from aftersale.core.talk.script import Script
from aftersale.rulebooks import books

WORDS = {
    "zh": {
        "head": "# 话术库\n\n本页由 `scripts.yaml` 生成，请改话术库而不是本页。{placeholder} 由售后单填写。\n",
        "code": "话术", "when": "什么时候用", "must": "必须包含", "text": "内容", "source": "需求", "list": "、",
    },
    "en": {
        "head": "# The script library\n\nMade from `scripts.yaml`; change the library, not the page."
        " {placeholder} is filled from the case.\n",
        "code": "script", "when": "when", "must": "must hold", "text": "text and gloss", "source": "source", "list": ", ",
    },
}  # fmt: skip


def page(language: Language) -> str:
    """Markdown, one table for each group of quick replies."""
    return "\n".join([WORDS[language]["head"], *_groups(language)]) + "\n"


def _groups(language: Language) -> Iterator[str]:
    words, library = WORDS[language], books.scripts()
    for group in library.groups:
        found = library.in_group(group.code)
        if not found:
            continue
        heads = " | ".join(words[key] for key in ("code", "when", "must", "text", "source"))
        yield f"## {group.title if language == 'zh' else group.title_en}\n\n| {heads} |\n|---|---|---|---|---|"
        yield from (_row(one, language) for one in found)
        yield ""


def _row(one: Script, language: Language) -> str:
    zh = language == "zh"
    must = WORDS[language]["list"].join(books.title("parts", part, language) for part in one.must)
    texts = [variant.text if zh else f"{variant.text}<br>*{variant.gloss}*" for variant in one.variants]
    named = f"**{one.title if zh else one.title_en}**<br>`{one.code}`"
    cells = (named, one.when if zh else one.when_en, must, "<br><br>".join(texts), one.requirement)
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"
