"""Over sixty days every case is decided when a threshold passes, and hardly ever looked at in vain."""

from datetime import timedelta

from aftersale.core.look import decide, next_look
from aftersale.core.rulebook import resolve_settings
from aftersale.rulebooks import books
from tests.conftest import Database
from tests.flow.desk import NOON, Desk, application, order
from tests.flow.varied import facts_read, tell_all

END = NOON + timedelta(days=60)
CASES = 400
LIVE = "SELECT shop_id, case_id, rule, action, queue, amount_fen FROM handling"


def test_sixty_days_without_a_late_decision_and_with_few_looks_in_vain(embedded_database: Database) -> None:
    desk, book = Desk(embedded_database), books.book()
    settings = resolve_settings(book, {})
    tell_all(desk, CASES)
    facts = facts_read(desk)
    assert len(facts) == CASES
    looks = {(shop, case): at for shop, case, at in desk.all("SELECT shop_id, case_id, at FROM look")}
    assert looks == {
        key: at for key, read in facts.items() if (at := next_look(book, read, settings, NOON)) is not None
    }
    looked = vain = steps = 0
    while (at := desk.one("SELECT min(at) FROM look")) is not None and at <= END:
        assert at > desk.now or not steps
        due = set(desk.all("SELECT shop_id, case_id FROM look WHERE at <= %s", at))
        before = {row[:2]: row[2:] for row in desk.all(LIVE)}
        desk.now = at
        assert desk.look() == len(due)
        after = {row[:2]: row[2:] for row in desk.all(LIVE)}
        changed = {key for key in after if after[key] != before[key]}
        assert changed <= due
        looked, vain, steps = looked + len(due), vain + len(due - changed), steps + 1
        if steps % 8 == 1:
            _as_the_book_says(desk, facts, after)
    assert desk.all("SELECT case_id FROM look WHERE at <= %s", desk.now) == []
    desk.now = END
    _as_the_book_says(desk, facts, {row[:2]: row[2:] for row in desk.all(LIVE)})
    assert looked > 60
    assert vain <= looked * 0.01
    desk.close()


def _as_the_book_says(desk: Desk, facts: dict, live: dict) -> None:  # type: ignore[type-arg]
    book = books.book()
    settings = resolve_settings(book, {})
    for key, read in facts.items():
        found = decide(book, read, settings, desk.now)
        said = (
            found.rule or "otherwise",
            found.outcome["action"],
            found.outcome.get("queue"),
            found.outcome.get("amount"),
        )
        assert live[key] == said, (key, desk.now)


def test_a_worker_takes_no_more_than_a_batch_and_leaves_none_behind(desk: Desk) -> None:
    opens = NOON + timedelta(hours=1)
    told = [order(f"T{n}", locked_until=opens) for n in range(30)]
    desk.tell(*told, *[application(f"R{n}", order_id=f"T{n}") for n in range(30)])
    desk.now = opens
    taken = []
    while True:
        with desk.conn.transaction():
            count = desk.decider.claim_due(desk.now, 12)
            if count:
                desk.decider.decide(desk.now)
        if not count:
            break
        taken.append(count)
    assert taken == [12, 12, 6]
    assert desk.one("SELECT count(*) FROM handling WHERE rule = 'unshipped_auto'") == 30
    assert desk.all("SELECT at FROM look") == []


def test_a_look_goes_with_what_it_waited_for(desk: Desk) -> None:
    opens = NOON + timedelta(hours=1)
    desk.tell(order("T1", locked_until=opens), application("R1", order_id="T1"))
    assert desk.all("SELECT at FROM look") == [opens]
    desk.tell(application("R1", 2, order_id="T1", state="closed"))
    assert desk.all("SELECT at FROM look") == []
