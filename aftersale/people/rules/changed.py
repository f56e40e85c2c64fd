"""What a draft or a version changes, in words: titles in the page's language, money in yuan, defaults by their value."""

from collections.abc import Iterator
from dataclasses import replace

from django.utils.translation import gettext as _

from aftersale.core.rulebook import Book, Setting
from aftersale.people import words
from aftersale.people.rules.thresholds import shown_value, title_of
from aftersale.rulebooks.editing.difference import Change, Line


def in_words(found: tuple[Change, ...], book: Book | None) -> tuple[Change, ...]:
    """Names and expressions stay as the text of the book has them."""
    return tuple(_one(one, book) for one in found) if book else found


def _one(one: Change, book: Book) -> Change:
    title, setting = _title(one, book), book.settings.get(one.name)
    if one.kind == "value" and setting is not None:
        lines = tuple(Line(_("数值"), _value(x.before, setting), _value(x.after, setting)) for x in one.lines)
    else:
        lines = tuple(_lines(one))
    return replace(one, title=title, lines=lines)


def _title(one: Change, book: Book) -> str:
    if one.kind in ("value", "setting") and one.name in book.settings:
        return title_of(book.settings[one.name])
    return one.title_en if one.title_en and words.language() == "en" else one.title


def _lines(one: Change) -> Iterator[Line]:
    known = {
        "when": _("什么时候"), "then": _("怎么办"), "title": _("标题"), "title_en": _("英文标题"), "name": _("名称"),
        "requirement": _("来源"), "platforms": _("平台"), "from": _("从这天起"), "until": _("到这天前"),
        "note": _("备注"), "default": _("默认"),
    }  # fmt: skip
    return (replace(line, key=known.get(line.key, line.key)) for line in one.lines)


def _value(text: str | None, setting: Setting) -> str:
    if text in (None, "null"):
        return _("默认 %(usual)s") % {"usual": shown_value(setting, setting.default)}
    return shown_value(setting, int(text) if text.lstrip("-").isdigit() else text)
