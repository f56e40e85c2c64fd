"""One of every kind of thing that somebody else has: of 老吴杂货 (shop 3, another's) or private to its owner."""

from typing import Any

from psycopg import Connection

from tests.people.shops import case_id

OWNER = "matrix-elsewhere"
CASE = case_id(3, 0)
NUMBER = 2
"""What all of them are numbered, and nothing of 青山茶铺 or 阿团零食 is."""
SHA = "0" * 64
WAYBILL = "SF3300000000"
THINGS = """
INSERT INTO job (id, kind, shop_id, by_whom, state, created_at, ended_at) OVERRIDING SYSTEM VALUE
VALUES (2, 'backtest', 3, :who, 'done', now(), now());
INSERT INTO job_file (id, job_id, name, mime, body) OVERRIDING SYSTEM VALUE VALUES (2, 2, 'x.csv', 'text/csv', 'x');
INSERT INTO upload (id, shop_id, by_whom, name, body) OVERRIDING SYSTEM VALUE VALUES (2, 3, :who, 'x.csv', 'x');
INSERT INTO column_mapping (shop_id, header, mapping, by_whom, at) VALUES (3, 'x', '{}', :who, now());
INSERT INTO saved_view (id, by_whom, title, address, created_at) OVERRIDING SYSTEM VALUE
VALUES (2, :who, 'x', '?tab=all', now());
INSERT INTO saved_view (id, by_whom, shop_id, title, address, created_at) OVERRIDING SYSTEM VALUE
VALUES (3, :who, 3, 'x', '?tab=all', now());
INSERT INTO bulk (id, by_whom, act, made_at) OVERRIDING SYSTEM VALUE VALUES (2, :who, 'refuse', now());
INSERT INTO bulk_case (bulk_id, no, shop_id, case_id, amount_fen, fate) VALUES (2, 1, 3, :case, 1, 'will');
INSERT INTO evidence_file (shop_id, sha256, mime, bytes, content) VALUES (3, :sha, 'image/jpeg', 1, 'x');
INSERT INTO evidence (shop_id, case_id, id, kind, sha256, name, by_whom, at) OVERRIDING SYSTEM VALUE
VALUES (3, :case, 2, 'package_photo', :sha, 'x.jpg', :who, moment());
INSERT INTO refuse_reasons (shop_id, case_id, platform_version, reasons, wanted_at, answered_at)
VALUES (3, :case, 1, '[[1, "x", ""]]', clock_timestamp(), clock_timestamp());
INSERT INTO refusing (shop_id, case_id, platform_version, reason_id, reason, message, evidence_id, sha256, by_whom, at)
VALUES (3, :case, 7, 1, 'x', 'xx', 2, :sha, :who, moment());
INSERT INTO return_scan (shop_id, id, key, waybill, found, by_whom, at) OVERRIDING SYSTEM VALUE
VALUES (3, 2, gen_random_uuid(), :waybill, 'anonymous', :who, moment());
INSERT INTO return_scan_case (shop_id, scan_id, case_id, order_id) VALUES (3, 2, :case, 'x');
INSERT INTO return_scan_unit (shop_id, scan_id, no, order_id, title, condition) VALUES (3, 2, 1, 'x', 'x', 'intact');
INSERT INTO return_scan_photo (shop_id, scan_id, sha256, kept_in, by_whom, at) VALUES (3, 2, :sha, 3, :who, moment());
INSERT INTO return_told (shop_id, waybill, version, success, at) VALUES (3, :waybill, 1, true, moment());
INSERT INTO work_order (shop_id, id, key, template, source, subject, urgent, important, fields, created_by, created_at,
  changed_by, changed_at) OVERRIDING SYSTEM VALUE
VALUES (3, 2, 'x', 'x', 'desk', 'x', false, false, '{}', :who, moment(), :who, moment());
INSERT INTO work_order_case (shop_id, work_order_id, case_id) VALUES (3, 2, :case);
INSERT INTO work_order_step (shop_id, work_order_id, code, stage, place, template, department, hours, state, started_at, due_at,
  live) VALUES (3, 2, 'x', 0, 0, 'x', 'agent', 1, 'open', moment(), moment(), true);
INSERT INTO work_order_remark (shop_id, work_order_id, id, at, who, kind) OVERRIDING SYSTEM VALUE
VALUES (3, 2, 1002, moment(), :who, 'created');
INSERT INTO parcel (shop_id, tracking_no) VALUES (3, :waybill) ON CONFLICT DO NOTHING;
INSERT INTO parcel_back (shop_id, tracking_no, way, since) VALUES (3, :waybill, 'returning', moment());
INSERT INTO carrier_claim (shop_id, id, tracking_no, courier, kind, rule, most_fen, asked_fen, filed_by, filed_at, due_at, pay_days,
  changed_by, changed_at) OVERRIDING SYSTEM VALUE
VALUES (3, 2, :waybill, 'sf', 'lost', 'x', 2, 1, :who, moment(), moment(), 1, :who, moment());
INSERT INTO promise (shop_id, case_id, id, kind, text, due_at, by_whom, at) OVERRIDING SYSTEM VALUE
VALUES (3, :case, 2, 'answer', 'x', moment(), :who, moment());
INSERT INTO contact (shop_id, case_id, id, channel, purpose, reached, counts, by_whom, at) OVERRIDING SYSTEM VALUE
VALUES (3, :case, 2, 'im', 'x', true, true, :who, moment());
INSERT INTO contact_override (shop_id, case_id, id, why, asked_by, asked_at) OVERRIDING SYSTEM VALUE
VALUES (3, :case, 2, 'x', 'another', moment());
INSERT INTO handover (shop_id, case_id, id, from_whom, to_whom, found, promised, next_step, due, at) OVERRIDING SYSTEM VALUE
VALUES (3, :case, 2, 'another', :who, 'x', 'x', 'x', 'x', moment());
INSERT INTO said (shop_id, case_id, key, text, by_whom, at) VALUES (3, :case, 'said_000000000000', 'x', :who, moment());
INSERT INTO playbook_step (shop_id, case_id, id, step, outcome, by_whom, at) OVERRIDING SYSTEM VALUE
VALUES (3, :case, 2, 'x', 'done', :who, moment());
INSERT INTO approval (shop_id, id, case_id, kind, platform_version, amount_fen, channel, requested_by, requested_at, expires_at)
OVERRIDING SYSTEM VALUE VALUES (3, 2, :case, 'agree_refund', 1, 1, 'x', 'another', moment(), moment() + interval '1 day');
INSERT INTO ledger (shop_id, case_id, order_id, amount_fen, origin, at) VALUES (3, :case, 'x', 1, 'platform', moment());
INSERT INTO reconciliation (shop_id, id, since, until, at, ours, ours_fen, theirs, theirs_fen, differences, waiting, by_whom,
  head_seq, head_hash) OVERRIDING SYSTEM VALUE
VALUES (3, 2, moment() - interval '1 day', moment(), moment(), 1, 1, 0, 0, 1, 0, 'worker', 0, '');
INSERT INTO difference (shop_id, id, case_id, kind, ours_fen, theirs_fen, found_at, reconciliation_id) OVERRIDING SYSTEM VALUE
VALUES (3, 2, :case, 'only_ours', 1, 0, moment(), 2);
INSERT INTO invitation (id, kind, token_hash, shop_id, role, by_whom, at, ends_at) OVERRIDING SYSTEM VALUE
VALUES (2, 'join', sha256('x'), 3, 'agent', :who, clock_timestamp(), clock_timestamp() + interval '1 day');
INSERT INTO temporary_right (id, user_id, shop_id, refund_right, starts_at, ends_at, why, by_whom, at) OVERRIDING SYSTEM VALUE
SELECT 2, m.user_id, 3, true, moment(), moment() + interval '1 day', 'x', :who, moment() FROM membership m
JOIN auth_user u ON u.id = m.user_id WHERE m.shop_id = 3 AND u.username = :who;
INSERT INTO book_edit (id, shop_id, book, text, sha256, authors, changed_by, changed_at) OVERRIDING SYSTEM VALUE
VALUES (2, 3, 'refund', 'x', 'x', ARRAY['another'], 'another', moment());
INSERT INTO book_approval (id, edit_id, sha256, asked_by, asked_at, why) OVERRIDING SYSTEM VALUE
VALUES (2, 2, 'x', 'another', moment(), 'x');
INSERT INTO book_check (version, passes, findings, checked_at) SELECT version, true, '[]', moment() FROM book_version
ON CONFLICT DO NOTHING;
INSERT INTO book_release (id, shop_id, book, version, text, sha256, settings, shipped, money, authors, published_by, published_at, why)
OVERRIDING SYSTEM VALUE SELECT 2, 3, 'refund', min(version), 'x', 'x', '{}', true, true, '{another}', :who, moment(), 'x'
FROM book_version;
INSERT INTO book_live (shop_id, book, release_id) VALUES (3, 'refund', 2);
INSERT INTO draft (id, shop_id, book_version, started_by, started_at) OVERRIDING SYSTEM VALUE
SELECT 2, 3, min(version), :who, moment() FROM book_version;
INSERT INTO shadow (draft_id, shop_id, case_id, decided_at, canary, rule, action, money, live_rule, live_action, live_money)
VALUES (2, 3, :case, moment(), false, 'x', 'x', false, 'x', 'x', false);
INSERT INTO setting_log (id, shop_id, name, by_whom, at) OVERRIDING SYSTEM VALUE VALUES (2, 3, 'x', :who, moment());
INSERT INTO switch (shop_id, action, stopped, why, by_whom) VALUES (3, 'intercept', true, 'x', :who);
INSERT INTO audit (at, who, shop_id, what, target, why) VALUES (moment(), :who, 3, 'unmask', 'x', 'x');
INSERT INTO happening (shop_id, case_id, at, kind, actor, what) VALUES (3, :case, moment(), 'note', :who, 'x');
INSERT INTO tracking_event (shop_id, tracking_no, at, text) VALUES (3, :waybill, moment(), 'x') ON CONFLICT DO NOTHING;
INSERT INTO queue_item (shop_id, case_id, queue, since) VALUES (3, 'another', 'manual', moment());
INSERT INTO missed_deadline (shop_id, case_id, kind, due_at, noticed_at, cause)
VALUES (3, :case, 'target', moment(), moment(), 'down');
INSERT INTO switch_log (shop_id, action, stopped, why, by_whom) VALUES (3, 'intercept', true, 'x', :who);
INSERT INTO arrival (shop_id, source, body) VALUES (3, 'x', 'x');
INSERT INTO parked (shop_id, source, place, why, raw) VALUES (3, 'x', 'x', 'x', 'x');
INSERT INTO pull_cursor (shop_id, kind, since) VALUES (3, 'refunds', moment());
INSERT INTO to_fetch (shop_id, kind, external_id) VALUES (3, 'order', 'x');
INSERT INTO note_gram (shop_id, gram, at, case_id) VALUES (3, 'xx', moment(), :case);
INSERT INTO goods_title (id, shop_id, title) OVERRIDING SYSTEM VALUE VALUES (2, 3, 'x');
INSERT INTO titled_case (title_id, shop_id, seen_at, case_id) VALUES (2, 3, moment(), :case);
"""
LATER = """SELECT setval(format('%I', relname), 1000) FROM pg_class
WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace AND relname LIKE '%\\_id\\_seq'"""


def plant(conn: Connection[Any]) -> None:
    """As the tables' owner; `OWNER` owns 老吴杂货 already. Later ones are numbered from 1000 on."""
    for name, value in (("who", OWNER), ("case", CASE), ("sha", SHA), ("waybill", WAYBILL)):
        conn.execute("SELECT set_config(%s, %s, false)", (f"planted.{name}", value))
    text = THINGS
    for name in ("waybill", "case", "who", "sha"):
        text = text.replace(f":{name}", f"current_setting('planted.{name}')")
    conn.execute(text.encode())
    conn.execute(LATER)
