"""Rulebooks and catalogues: what parses, what is refused and with which words."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from aftersale.core.facts import RulebookError, load_catalogue
from aftersale.core.language.grammar import SHANGHAI
from aftersale.core.language.saying import plain
from aftersale.core.rulebook import Book, parse_book, resolve_settings, used
from tests.core.books import SETTINGS_TEXT, catalogue

CATALOGUE = catalogue()


def book_of(*rules: str, hit: str = "first", rest: str = "") -> Book:
    """Rules as `when | then` or `when | then | more keys`, named r1, r2, …"""
    lines = [f"book: refund\nhit: {hit}\nfacts: test", SETTINGS_TEXT.strip(), "rules:"]
    for no, rule in enumerate(rules, 1):
        when, then, *more = (part.strip() for part in rule.split("|"))
        lines.append(
            f"  - {{name: r{no}, title: 规则{no}, title_en: Rule {no}, then: {{{then}}}{''.join(more)},"
        )
        lines.append('     when: "' + when.replace('"', '\\"') + '"}')
    return parse_book("\n".join([*lines, rest]), CATALOGUE)


REFUSED = """
amout > 5                           | when:1   | 没有名为 amout 的事实，最近的是 amount
shipped and amout > 5               | when:13  | 没有名为 amout 的事实，最近的是 amount
amount > :capp                      | when:10  | 没有名为 :capp 的设置，最近的是 cap
amount > 1.5                        | when:10  | 数字必须是整数（金额以分计），得到的是 1.5
amount = reason                     | when:1   | 需要金额，得到的是枚举
amount + visits > 1                 | when:1   | 金额与整数不能相加减
amount * paid > 1                   | when:1   | 乘法至少有一边是普通整数
reason = 'qualty'                   | when:1   | 取值里没有 'qualty'，最近的是 quality
reason in ('late', 'dislik')        | when:1   | 取值里没有 'dislik'，最近的是 dislike
reason in :cap                      | when:11  | :cap 不是列表设置
reason < 'late'                     | when:1   | 枚举只能用 = 或 <> 比较
shipped > insured                   | when:1   | 是非只能用 = 或 <> 比较
reason = :easy_reasons              | when:1   | 列表设置只能写成 x in :name
hours_since_seen = 72               | when:1   | 时长类事实只能用 <、<=、>、>= 与一个阈值比较
hours_since_seen + 1 > 3            | when:1   | 这里需要数字，得到的是小时数
hours_since_seen > :late_days       | when:1   | 小时数不能与天数比较
hours_since_seen < hours_until_due  | when:1   | 时长类事实只能用 <、<=、>、>= 与一个阈值比较
seen_at + 24 > due_at               | when:1   | 时间只能加减时长:hours(24)、days(7)、minutes(30) 或时长类设置
seen_at > '2017-13-01'              | when:1   | '2017-13-01' 不是时间，请写成 2017-04-21 或 2017-04-21 09:00
amount = null                       | when:1   | 与 null 比较永远是未知，请写 is null 或 is not null
paid and amount > 1                 | when:1   | 这里需要一个条件，得到的是金额
amount > 1 or paid                  | when:15  | 这里需要一个条件，得到的是金额
amount / 2 > 1                      | when:1   | 规则里不能用 amount / 2(div)
sum(amount) > 1                     | when:1   | 规则里不能用 SUM(amount)(sum)
pg_sleep(1) > 1                     | when:1   | 规则里不能用函数 PG_SLEEP(1)
amount > (select 1)                 | when:18  | 规则里不能用 (SELECT 1)(subquery)
t.amount > 1                        | when:1   | 事实没有前缀，请直接写 amount
amount::int = 1                     | when:1   | 规则里不能用 CAST(amount AS INT)(cast)
note like 'a%'                      | when:1   | 规则里不能用 note LIKE 'a%'(like)
shipped; drop table cases           | when:1   | 规则里不能用 shipped; DROP TABLE cases(block)
amount in (1, paid)                 | when:1   | in 的列表里只能写常量
case reason when 'late' then true end | when:6 | 请写成 case when 条件 then 值 … end
case when shipped then 'a' else 1 end = 'a' | when:33 | 文本与数字不能放在一起
amount >                            | when:8   | 读不成表达式，请检查括号、引号和关键字
(shipped                            | when:2   | 读不成表达式，请检查括号、引号和关键字
"""


@pytest.mark.parametrize("line", REFUSED.strip().splitlines())
def test_a_wrong_condition_is_refused_by_book_rule_position_and_reason(line: str) -> None:
    when, position, reason = (part.strip() for part in line.split(" | "))
    with pytest.raises(RulebookError) as error:
        book_of("insured | label: a", f"{when} | label: b")
    assert (error.value.book, error.value.rule) == ("refund", "r2")
    assert (error.value.position, error.value.reason) == (position, reason)
    assert str(error.value) == f"规则书 refund 的 r2（{position}）：{reason}"


@pytest.mark.parametrize("when", ["not " * 3000 + "shipped", " + ".join(["amount"] * 1500) + " > 1"])
def test_a_text_too_deep_to_read_is_refused(when: str) -> None:
    with pytest.raises(RulebookError) as error:
        book_of(f"{when} | label: a")
    assert str(error.value) == "规则书 refund 的 r1（when）：表达式太长或嵌套太深"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("hit: first", "hit: best", "规则书 refund（hit）：hit 只能是 first 或 collect，得到的是 best"),
        ("facts: test", "facts: case", "规则书 refund（facts）：规则书要事实目录 case，给的是 test"),
        ("title: 规则1", "titel: 规则1", "规则书 refund 的 r1：没有名为 titel 的项，最近的是 title"),
        ("name: r2", "name: r1", "规则书 refund 的 r1：同名的规则出现了两次"),
        ("label: x", "label: 3", "规则书 refund 的 r2（then.label）：各条规则给这一项的值类型不同"),
        ("amount: paid", "amount: reason", "规则书 refund 的 r2（then.amount:1）：需要金额，得到的是枚举"),
        ("amount: paid", "amount: 1.5", "规则书 refund 的 r2（then.amount）：1.5 不是整数"),
        (
            "[dislike, late]",
            "[dislik]",
            "规则书 refund（settings.easy_reasons）：默认值不对：取值里没有 'dislik'，最近的是 dislike",
        ),
        ("default: 1000", "default: 10.5", "规则书 refund（settings.cap）：默认值不对：10.5 不是整数"),
        ("default: true", "default: 1", "规则书 refund（settings.enabled）：默认值不对：1 不是是非值"),
        ("name: cap, type", "name: cap, name: x, type", "规则书 ?（line 5）：YAML 读不懂：name 写了两次"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_refused_in_one_line(before: str, after: str, said: str) -> None:
    text = f"""book: refund
hit: first
facts: test
{SETTINGS_TEXT.strip()}
rules:
  - {{name: r1, title: 规则1, when: reason in :easy_reasons, then: {{label: a}}}}
  - {{name: r2, title: 规则2, when: shipped, then: {{label: x, amount: paid}}}}
"""
    parse_book(text, CATALOGUE)
    assert text.count(before) == 1
    with pytest.raises(RulebookError) as error:
        parse_book(text.replace(before, after), CATALOGUE)
    assert str(error.value) == said


def test_reads_are_the_stored_facts_behind_derived_facts_and_ages() -> None:
    book = book_of("goods = 'stuck' and days_since_due > :late_days | amount: 'least(paid, :cap)'")
    assert book.reads == ("paid", "shipped", "seen_at", "due_at")


def test_the_version_follows_the_content_and_not_its_layout() -> None:
    plain = book_of("shipped and amount > 1 | label: a").version
    assert len(plain) == 12
    assert book_of("shipped   and amount > 1 | label: a").version == plain
    assert book_of("shipped and amount > 2 | label: a").version != plain
    assert book_of("note = 'a  b' | label: a").version != book_of("note = 'a b' | label: a").version


def test_the_version_follows_the_definition_of_a_derived_fact() -> None:
    from tests.core.books import CATALOGUE_TEXT

    rule = "{name: a, title: 甲, when: \"goods = 'stuck'\", then: {x: y}}"
    text = f"book: b\nhit: first\nfacts: test\nrules: [{rule}]"
    later = load_catalogue(CATALOGUE_TEXT.replace("hours_since_seen >= 72", "hours_since_seen >= 48"))
    assert parse_book(text, later).version != parse_book(text, CATALOGUE).version


def test_settings_are_the_defaults_with_the_shops_own_values() -> None:
    book = book_of("reason in :easy_reasons and amount < :cap | label: a")
    found = resolve_settings(book, {"cap": 500, "easy_reasons": ["quality"]})
    assert (found["cap"], found["easy_reasons"], found["quiet_hours"]) == (500, ("quality",), 72)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("capp", 5, "没有名为 capp 的设置，最近的是 cap"),
        ("cap", "5", "'5' 不是整数"),
        ("cap", True, "True 不是整数"),
        ("enabled", 1, "1 不是是非值"),
        ("easy_reasons", ["qualit"], "取值里没有 'qualit'，最近的是 quality"),
        ("chosen", "later", "取值里没有 'later'，最近的是 late"),
    ],
)
def test_a_wrong_setting_is_refused_by_name(name: str, value: object, said: str) -> None:
    with pytest.raises(RulebookError) as error:
        resolve_settings(book_of("reason in :easy_reasons | label: a"), {name: value})
    assert str(error.value) == f"规则书 refund（settings.{name}）：{said}"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("{name: a, type: qwx, title: 甲}", "规则书 f 的 a：没有类型 qwx"),
        ("{name: A, type: int, title: 甲}", "规则书 f 的 A：名称只能用小写字母、数字和下划线，以字母开头"),
        ("{name: a, type: enum, title: 甲}", "规则书 f 的 a：enum 必须写 values，其他类型不能写"),
        ("{name: a, type: hours, title: 甲, since: b}", "规则书 f 的 a：b 不是 timestamptz 事实"),
        ("{name: a, type: bool, title: 甲, derive: a or true}", "规则书 f 的 a（derive）：循环推导：a → a"),
        (
            "{name: a, type: bool, title: 甲, derive: 1 + 1}",
            "规则书 f 的 a（derive:1）：需要是非，得到的是数字",
        ),
    ],
)
def test_a_wrong_catalogue_is_refused(entry: str, said: str) -> None:
    with pytest.raises(RulebookError) as error:
        load_catalogue(f"facts: f\nlist:\n  - {entry}")
    assert str(error.value) == said


def test_a_value_is_checked_against_its_fact() -> None:
    facts = CATALOGUE.facts
    assert facts["amount"].fault(1230) is None
    assert facts["amount"].fault(None) is None
    assert facts["amount"].fault(12.3) == "12.3 不是整数"
    assert facts["reason"].fault("qualty") == "取值里没有 'qualty'，最近的是 quality"
    assert facts["hours_since_seen"].fault(71.5) is None


FACTS_MORE = """
facts: more
extends: test
list:
  - {name: promised, type: bool, title: 承诺过, title_en: Promised}
"""

BOOK_MORE = """
book: more
hit: collect
facts: more
uses: {refund: [cap]}
settings:
  - {name: share, type: decimal, default: "0.10", min: 0, max: 1, title: 比例}
  - name: window_days
    type: days
    default: 30
    title: 窗口
    history: [{until: 2015-01-01, value: 7}, {until: 2017-04-21, value: 28}]
  - {name: reply_s, type: int, default: 180, by_platform: {pdd: 120}, title: 回复}
rules:
  - {name: big, title: 大额, when: "promised and amount > :cap", then: {say: big}}
"""


def _more(text: str = BOOK_MORE) -> Book:
    return parse_book(
        text, load_catalogue(FACTS_MORE, CATALOGUE), {"cap": book_of("shipped | say: a").settings["cap"]}
    )


def test_a_catalogue_that_extends_another_has_its_facts_too() -> None:
    book = _more()
    assert {"amount", "promised"} <= set(book.catalogue.facts)
    assert book.reads == ("amount", "promised")
    with pytest.raises(RulebookError, match="要的是 test，给的是 None"):
        load_catalogue(FACTS_MORE)


def test_what_a_book_uses_of_another_is_defined_once() -> None:
    assert used(BOOK_MORE) == {"refund": ("cap",)}
    twice = BOOK_MORE.replace(
        "settings:\n", "settings:\n  - {name: cap, type: fen, default: 1, title: 上限}\n"
    )
    with pytest.raises(RulebookError, match="同名的设置出现了两次"):
        _more(twice)


AT = datetime(2017, 4, 21, tzinfo=SHANGHAI)
USUAL = [
    (None, None, ("0.10", 30, 180)),
    ("pdd", None, ("0.10", 30, 120)),
    ("tmall", AT, ("0.10", 30, 180)),
    ("tmall", AT - timedelta(microseconds=1), ("0.10", 28, 180)),
    ("pdd", datetime(2014, 12, 31, tzinfo=SHANGHAI), ("0.10", 7, 120)),
]


@pytest.mark.parametrize(("platform", "at", "wanted"), USUAL)
def test_defaults_of_a_platform_and_of_a_time(
    platform: str | None, at: datetime | None, wanted: tuple[str, int, int]
) -> None:
    found = resolve_settings(_more(), {}, platform, at)
    assert (str(found["share"]), found["window_days"], found["reply_s"]) == wanted


def test_the_shops_own_value_comes_before_platform_and_history() -> None:
    own = {"window_days": 3, "reply_s": 60, "share": "0.25"}
    found = resolve_settings(_more(), own, "pdd", datetime(2014, 1, 1, tzinfo=SHANGHAI))
    assert (found["window_days"], found["reply_s"], found["share"]) == (3, 60, Decimal("0.25"))
    with pytest.raises(RulebookError, match="大于允许的最大值 1"):
        resolve_settings(_more(), {"share": "1.5"})
    with pytest.raises(RulebookError, match="'many' 不是数字"):
        resolve_settings(_more(), {"share": "many"})


BOOK_FAR = """
book: far
hit: collect
facts: test
settings:
  - {name: h, type: hours, default: 1, title: 小时}
  - {name: m, type: minutes, default: 1, title: 分钟}
  - {name: d, type: days, default: 1, min: 0, title: 天}
  - {name: s, type: int, default: 1, unit: s, title: 秒}
  - {name: of_int, type: int, default: 1, unit: min, title: 分}
  - {name: n, type: int, default: 1, title: 数}
  - {name: fen, type: fen, default: 1, title: 钱}
  - {name: share, type: decimal, default: "0.1", title: 比例}
  - {name: wide, type: hours, default: 1, max: 99999999, title: 太宽}
  - {name: none, type: int, default: 0, min: 0, max: 0, title: 零}
  - {name: numbers, type: list, default: [3, 2, 1], title: 整数}
  - {name: words, type: list, default: [a], title: 文本}
  - {name: any, type: list, default: [], title: 随意}
rules: []
"""
FAR = [
    ("h", 87_600), ("m", 5_256_000), ("d", 3_650), ("s", 315_360_000), ("of_int", 5_256_000), ("n", 10**9),
    ("fen", 10**10), ("wide", 87_600),
]  # fmt: skip


@pytest.mark.parametrize(("name", "far"), FAR)
def test_no_time_and_no_sum_may_be_set_too_far(name: str, far: int) -> None:
    book = parse_book(BOOK_FAR, CATALOGUE)
    setting = book.settings[name]
    assert (setting.fault(far), setting.most) == (None, far)
    said = str(setting.fault(far + 1))
    assert "大于允许的最大值" in said
    with pytest.raises(RulebookError, match="大于允许的最大值"):
        resolve_settings(book, {name: far + 1}, exactly=True)
    assert resolve_settings(book, {name: far + 1})[name] == far, "kept by an earlier version"
    assert resolve_settings(book, {name: 10**30})[name] == far
    assert setting.fault(-far - 1) is not None
    assert setting.least == (0 if name == "d" else -far)


def test_a_limit_of_the_book_is_kept_and_a_decimal_has_one() -> None:
    book = parse_book(BOOK_FAR, CATALOGUE)
    assert (book.settings["none"].least, book.settings["none"].most) == (0, 0)
    assert book.settings["share"].fault(Decimal("1e10")) is not None
    assert resolve_settings(book, {"share": "1e999"})["share"] == 10**9
    with pytest.raises(RulebookError, match="不是数字"):
        resolve_settings(book, {"share": "NaN"})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("numbers", ("3", "2"), "('3', '2') 不是整数的列表"),
        ("numbers", (3, True), "(3, True) 不是文本或整数的列表"),
        ("numbers", (10**9 + 1,), "1000000001 大于允许的最大值 1000000000"),
        ("words", (3,), "(3,) 不是文本的列表"),
        ("numbers", (), None),
        ("numbers", (0, -1), None),
        ("words", ("3",), None),
        ("any", ("3",), None),
    ],
)
def test_a_list_holds_what_its_default_holds(name: str, value: tuple[object, ...], said: str | None) -> None:
    fault = parse_book(BOOK_FAR, CATALOGUE).settings[name].fault(value)
    assert (None if fault is None else plain(fault)) == said


def test_numbers_that_were_kept_as_texts_count_as_numbers() -> None:
    book = parse_book(BOOK_FAR, CATALOGUE)
    found = resolve_settings(book, {"numbers": ["3", "2", "1"], "words": ["3"]})
    assert (found["numbers"], found["words"]) == ((3, 2, 1), ("3",))
    with pytest.raises(RulebookError, match="不是整数的列表"):
        resolve_settings(book, {"numbers": ["3", "x"]})
