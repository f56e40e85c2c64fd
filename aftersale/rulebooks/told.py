"""Settings as people write them on a command line: `name=value`."""

from collections.abc import Iterable

from aftersale.core.expression import Value
from aftersale.core.facts import RulebookError
from aftersale.core.language.saying import Saying, closest, saying
from aftersale.core.language.setting import WHOLE
from aftersale.core.money import fen_from_yuan
from aftersale.core.rulebook import Book, Setting, setting_value
from aftersale.rulebooks import books


def told_settings(book: Book, words: Iterable[str]) -> dict[str, Value]:
    """`advance_limit=50` (yuan), `no_update_hours=48`, `auto_agree_return=false`, `reasons=a,b`.

    Raises RulebookError naming the setting and what was expected."""
    found: dict[str, Value] = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign or name not in book.settings:
            if not sign:
                raise RulebookError(book.name, None, f"--set {word}", "请写成 名称=值")
            near, say = closest(name, book.settings), "没有名为 %(name)s 的设置%(nearest)s"
            raise RulebookError(book.name, None, f"--set {word}", say, name=name, nearest=near)
        found[name] = told_value(book, book.settings[name], text.strip())
    return found


def home(name: str) -> Book:
    """The first shipped book that reads this setting. Raises RulebookError naming the nearest known one."""
    known = {setting: one for one in books.shipped() for setting in books.book(one).settings}
    if name not in known:
        near, say = closest(name, known), "没有名为 %(name)s 的设置%(nearest)s"
        raise RulebookError("refund", None, f"settings.{name}", say, name=name, nearest=near)
    return books.book(known[name])


def told_value(book: Book, setting: Setting, text: str) -> Value:
    """Raises RulebookError when the text is no value of this setting."""
    value: object = text
    match setting.type.kind:
        case "fen":
            value = fen_from_yuan(text)
        case "bool":
            value = {"true": True, "false": False}.get(text.lower())
        case "int" | "hours" | "minutes" | "days":
            value = _whole(text)
        case "list":
            parts = tuple(part.strip() for part in text.split(",") if part.strip())
            value = _numbers(parts) if setting.whole else parts
        case "decimal":
            value = setting_value("decimal", text)
    fault = setting.fault(value) if value is not None else _no_value(setting, text)
    if fault:
        raise RulebookError(book.name, None, f"settings.{setting.name}", fault)
    return value  # type: ignore[return-value]


def _whole(text: str) -> int | None:
    return int(text) if WHOLE.fullmatch(text) else None


def _numbers(parts: tuple[str, ...]) -> tuple[int, ...] | None:
    """None when one of them is no whole number."""
    numbers = tuple(number for number in map(_whole, parts) if number is not None)
    return numbers if len(numbers) == len(parts) else None


def _no_value(setting: Setting, text: str) -> Saying:
    if setting.type.kind == "fen":
        return saying("%(value)s 不是以元计的金额", value=repr(text))
    return saying("%(value)s 不是这个设置的值", value=repr(text))
