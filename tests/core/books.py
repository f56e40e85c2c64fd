"""A small fact set with every type, rows on and beside every threshold, rulebooks of random expressions."""

from datetime import UTC, datetime, timedelta
from itertools import product
from random import Random

from hypothesis import strategies as st

from aftersale.core.expression import Value
from aftersale.core.facts import Catalogue, load_catalogue

NOW = datetime(2026, 11, 11, 0, 0, 0, 7, tzinfo=UTC)
CATALOGUE_TEXT = """
facts: test
list:
  - {name: platform, type: enum, values: [tmall, pdd], title: 平台, title_en: Platform, unknown: 没有平台}
  - {name: amount, type: fen, title: 申请金额, title_en: Amount, unknown: 平台没有给出金额}
  - {name: paid, type: fen, title: 实付, title_en: Paid}
  - {name: visits, type: int, title: 联系次数, title_en: Contacts}
  - {name: shipped, type: bool, title: 已发货, title_en: Shipped}
  - {name: insured, type: bool, title: 有运费险, title_en: Insured}
  - {name: reason, type: enum, values: [quality, dislike, late], title: 原因, title_en: Reason}
  - {name: note, type: text, title: 备注, title_en: Note}
  - {name: seen_at, type: timestamptz, title: 物流最后更新, title_en: Last seen}
  - {name: due_at, type: timestamptz, title: 截止时间, title_en: Due}
  - name: hours_since_seen
    type: hours
    since: seen_at
    title: 物流未更新的时间
    title_en: Hours unseen
    unknown: 没有物流信息
  - {name: hours_until_due, type: hours, until: due_at, title: 距离截止的时间, title_en: Hours left}
  - {name: minutes_since_seen, type: minutes, since: seen_at, title: 未更新分钟, title_en: Minutes unseen}
  - {name: days_since_due, type: days, since: due_at, title: 逾期天数, title_en: Days overdue}
  - name: goods
    type: enum
    values: [kept, moving, stuck]
    title: 货物状态
    title_en: Goods
    derive: >-
      case when shipped and hours_since_seen >= 72 then 'stuck'
        when shipped then 'moving' when not shipped then 'kept' end
"""
SETTINGS_TEXT = """
settings:
  - {name: cap, type: fen, default: 1000, title: 小金额的上限, title_en: Small amount}
  - {name: times, type: int, default: 2, title: 次数上限, title_en: Times}
  - {name: enabled, type: bool, default: true, title: 自动退款, title_en: Automatic}
  - {name: quiet_hours, type: hours, default: 72, title: 停滞时限, title_en: Quiet hours}
  - {name: late_days, type: days, default: 3, title: 逾期上限, title_en: Late days}
  - {name: chosen, type: enum, values: [quality, dislike, late], default: late, title: 选定, title_en: Chosen}
  - {name: easy_reasons, type: list, default: [dislike, late], title: 容易的原因, title_en: Easy reasons}
  - {name: no_reasons, type: list, default: [], title: 无, title_en: None}
"""
COLUMNS = {
    "platform": "text", "amount": "bigint", "paid": "bigint", "visits": "bigint", "shipped": "boolean",
    "insured": "boolean", "reason": "text", "note": "text", "seen_at": "timestamptz", "due_at": "timestamptz",
}  # fmt: skip
Row = dict[str, Value | None]


def catalogue() -> Catalogue:
    return load_catalogue(CATALOGUE_TEXT)


def rows(count: int, seed: int = 618) -> list[Row]:
    """Every value of every fact occurs many times, a third of them unknown."""
    luck = Random(seed)
    steps = [timedelta(microseconds=us) for us in (-1, 0, 1)]
    spans = [timedelta(hours=h) for h in (0, 24, 72, 73, -1, -24)] + [
        timedelta(minutes=30),
        timedelta(days=-3),
    ]
    moments: list[Value | None] = [NOW - span + step for span, step in product(spans, steps)]
    pools: dict[str, list[Value | None]] = {
        "platform": ["tmall", "pdd"],
        "amount": [0, 1, 999, 1000, 1001, 2500, -750],
        "paid": [0, 1000, 2500, 99],
        "visits": [0, 1, 2, 3],
        "shipped": [True, False],
        "insured": [True, False],
        "reason": ["quality", "dislike", "late"],
        "note": ["", "o'clock", "退款 100%", "quality"],
        "seen_at": moments,
        "due_at": moments,
    }
    return [
        {name: None if luck.random() < 0.33 else luck.choice(pool) for name, pool in pools.items()}
        for _ in range(count)
    ]


SIGNS = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
ORDERS = st.sampled_from(["<", "<=", ">", ">="])
FEN = st.recursive(
    st.sampled_from(["amount", "paid", ":cap", "0", "1000", "-1"]),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from(["+", "-"]), inner),
        st.builds("({} * 2)".format, inner),
        st.builds(
            "({} * {})".format, st.sampled_from(["amount", ":cap"]), st.sampled_from(["visits", ":times"])
        ),
        st.builds("{}({}, {})".format, st.sampled_from(["coalesce", "least", "greatest"]), inner, inner),
        st.builds("percent_of({}, {})".format, inner, st.sampled_from(["15", "visits", "-15"])),
        st.builds("case when shipped then {} else {} end".format, inner, inner),
        st.builds("case when amount > paid then {} when insured then null end".format, inner),
    ),
    max_leaves=4,
)
INT = st.sampled_from(["visits", ":times", "2", "visits + 1", "visits * 2 - :times", "coalesce(visits, 0)"])
WORD = st.sampled_from([
    "reason", "'late'", ":chosen", "coalesce(reason, 'quality')",
    "case when insured then reason else 'late' end",
])  # fmt: skip
MOMENT = st.sampled_from([
    "seen_at", "due_at", "seen_at + hours(24)", "due_at - days(:times)", "seen_at + :quiet_hours",
    "greatest(seen_at, due_at)", "coalesce(due_at, seen_at)", "least(due_at, seen_at + minutes(30 * visits))",
    "'2026-11-11 08:00:00.000007+08:00'", "'2026-11-08'",
])  # fmt: skip
AGE = st.one_of(
    st.builds(
        "hours_since_seen {} {}".format, ORDERS,
        st.sampled_from(["72", ":quiet_hours", ":quiet_hours * 2", "24 * visits"]),
    ),
    st.builds("{} {} hours_until_due".format, st.sampled_from(["24", "0", ":quiet_hours - 48"]), ORDERS),
    st.builds("minutes_since_seen {} 30".format, ORDERS),
    st.builds("days_since_due {} {}".format, ORDERS, st.sampled_from([":late_days", "0", "-3", "visits"])),
    st.sampled_from([
        "hours_since_seen between 24 and 72", "hours_since_seen is null", "not hours_until_due is null",
    ]),
)  # fmt: skip
ATOM = st.one_of(
    st.sampled_from(["shipped", "insured", ":enabled", "shipped = insured", "true", "null", "false"]),
    st.builds("{} {} {}".format, FEN, SIGNS, FEN),
    st.builds("{} {} {}".format, INT, SIGNS, INT),
    st.builds(
        "{} {} {}".format, WORD, st.sampled_from(["=", "<>"]), st.sampled_from(["reason", "'dislike'", ":chosen"]),
    ),
    st.builds("{} {} {}".format, MOMENT, SIGNS, st.sampled_from(["seen_at", "due_at"])),
    AGE,
    st.sampled_from([
        "amount between 1 and :cap", "amount not between 0 and paid", "reason in ('late', 'quality')",
        "reason not in ('late')", "reason in :easy_reasons", "reason not in :no_reasons", "visits in (1, 3)",
        "amount in (1000, 1)", "note = 'o''clock'", "note in ('退款 100%', '')", "note is null",
        "goods = 'stuck'", "goods <> 'moving'", "goods in ('kept', 'stuck')", "goods is not null",
        "coalesce(goods, 'kept') = 'kept'", "platform = 'pdd'", "coalesce(shipped, insured)",
        "note <> reason", "reason = 'late'", "reason <> 'quality'", "reason is null",
    ]),
)  # fmt: skip
CONDITION = st.recursive(
    ATOM,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("not ({})".format, inner),
        st.builds(
            "({}) is {}".format, inner, st.sampled_from(["true", "not true", "false", "not false", "null"])
        ),
        st.builds("case when {} then {} else {} end".format, inner, inner, inner),
    ),
    max_leaves=6,
)


@st.composite
def book_texts(draw: st.DrawFn) -> str:
    """A whole rulebook file, of either kind, with effective dates and platforms here and there."""
    hit = draw(st.sampled_from(["first", "collect"]))
    count = draw(st.integers(1, 8))
    lines = [f"book: random\nhit: {hit}\nfacts: test", SETTINGS_TEXT.strip(), "rules:"]
    for no in range(1, count + 1):
        lines += [f"  - name: rule_{no}", f"    title: 规则{no}", f"    when: {_quoted(draw(CONDITION))}"]
        if draw(st.booleans()):
            lines.append(f"    platforms: [{draw(st.sampled_from(['tmall', 'pdd', 'pdd, tmall']))}]")
        if draw(st.booleans()):
            date = draw(st.sampled_from(["2017-04-21", "2026-11-12"]))
            lines.append(f"    {draw(st.sampled_from(['from', 'until']))}: {date}")
        amount, due, why = _quoted(draw(FEN)), _quoted(draw(MOMENT)), _quoted("=" + draw(WORD))
        lines.append(f"    then: {{label: L{no % 2}, amount: {amount}, due_at: {due}, why: {why}}}")
    if hit == "first":
        lines.append("otherwise: {label: '%', amount: null, tags: [a, \"o'b\"], more: {k: [1]}}")
    return "\n".join(lines)


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'
