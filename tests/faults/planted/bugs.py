"""The planted bugs. Each is one that somebody has shipped, or nearly: docs/safety.md names the promises."""

from typing import Any

from aftersale.act import claim, run
from aftersale.cases import actions, approvals, people
from aftersale.connectors.outcome import Ok, Rejected, TryLater, Unknown
from aftersale.connectors.taobao import refunds
from aftersale.intake import arrive, pull
from aftersale.work import Desk
from tests.faults.planted.plant import Bug, both, code, function, schema, text

LIVE = "AND i.money AND i.state IN ('planned', 'approved', 'sending', 'unknown', 'done', 'with_person'))"
NO_LIVE = LIVE.replace("'planned', 'approved', 'sending', 'unknown', 'done', 'with_person'", "'never'")
OLDER = "WHERE excluded.application_version > c.application_version"


def _unknown_is(made: Any) -> Any:
    """What was not heard counts as `made` of it."""
    return lambda real: (
        lambda item, answer, now, **more: real(
            item, made if isinstance(answer, Unknown) else answer, now, **more
        )
    )


def _newest_version(real: Any) -> Any:
    """The version is what the platform has now, not what was decided on."""

    def agree(client: Any, agreements: Any, *more: Any) -> Any:
        def now(one: Any) -> Any:
            answer = refunds.detail(client, one.refund_id)
            return one._replace(version=int(answer.body["refund_version"])) if isinstance(answer, Ok) else one

        return real(client, [now(one) for one in agreements], *more)

    return agree


BUGS = (
    # P1: at most one payment
    Bug("two lives", "P1", "the unique index on live money and the question before it are gone",
        both(schema("DROP INDEX intent_one_live_money"), text(people, "_SQL", "live_money", ("AND money", "AND money AND false")),
             text(actions, "_RECORD", "plan_intents", (LIVE, NO_LIVE)), text(actions, "_RECORD", "check_money", (LIVE, NO_LIVE)))),
    Bug("no record first", "P1", "the amount sent is not the one on record",
        code(refunds, "agree", lambda real: lambda client, wishes, *more: real(
            client, [one._replace(amount_fen=max(1, one.amount_fen - 1)) for one in wishes], *more))),
    Bug("version not sent", "P1", "the platform's newest version is sent, so its fence lets everything through",
        code(refunds, "agree", _newest_version)),
    # P2: every approved refund ends
    Bug("abandoned for ever", "P2", "what a dead sender left stays in sending", text(run, "_SQL", "abandon", ("'sending' AND", "'sending' AND false AND"))),
    Bug("never asked", "P2", "nobody asks about the unknown", text(run, "_SQL", "claim_unknown", ("i.state = 'unknown' AND", "i.state = 'unknown' AND false AND"))),
    Bug("nobody told", "P2", "what the platform refused is put into no queue", text(actions, "_OUTCOME", "settle", ("(s.state = 'with_person' OR s.state = 'refused' AND", "(s.state = 'never' AND"))),
    # P3: to the fen
    Bug("no ledger", "P3", "a payment that is done is not written down", text(actions, "_OUTCOME", "settle", ("FROM settled WHERE money AND state = 'done'", "FROM settled WHERE money AND state = 'never'"))),
    Bug("hold forgotten", "P3", "planned money is not held", text(actions, "_RECORD", "plan_intents", ("m.held_fen + p.held_fen", "m.held_fen"))),
    Bug("freed on timeout", "P3", "a timeout releases the money", text(actions, "_OUTCOME", "settle", ("WHERE money AND state IN ('refused', 'cancelled')\n", "WHERE money AND state IN ('refused', 'cancelled', 'unknown')\n"))),
    Bug("not freed", "P3", "what is withdrawn keeps its money held", text(actions, "_RECORD", "cancel_stale", ("m.held_fen - s.freed_fen", "m.held_fen"))),
    # P4: unknown is unknown
    Bug("retry", "P4", "what was not heard is sent again without a question", code(run, "outcome", _unknown_is(TryLater(0.0, "lost")))),
    Bug("no answer is no", "P4", "what was not heard counts as refused", code(run, "outcome", _unknown_is(Rejected("lost", "", "")))),
    Bug("no answer is yes", "P4", "what was not heard counts as done", code(run, "outcome", _unknown_is(Ok({})))),
    Bug("one question", "P4", "one answer of not done is enough", function("nones_needed", ("THEN 2 ELSE 1", "THEN 1 ELSE 1"))),
    Bug("dead is not sent", "P4", "what a dead sender left is approved again", both(
        text(run, "_SQL", "abandon", ("state = 'unknown', epoch = epoch + 1, outcome = '发送的进程没有回来'", "state = 'approved', epoch = epoch + 1, outcome = 'later: dead'")))),
    # P7, P8, P11: what is accepted is taken in, once, in the order of versions
    Bug("eaten", "P7", "bodies leave the queue before they are read", code(Desk, "_decide", lambda real: lambda self, batch: None)),
    Bug("pull forgets", "P7", "a pull notes nothing", code(pull.Puller, "_want_newer", lambda real: lambda self, shop_id, page: None)),
    Bug("stored later", "P7", "a push is acknowledged before it is stored", code(arrive, "store", lambda real: lambda conn, bodies: real(conn, bodies[:-1]) if len(bodies) > 1 else real(conn, bodies))),
    Bug("last word wins", "P8", "an older version overwrites a newer one", code(actions, "APPLICATIONS", lambda real: _swapped(real, OLDER, "WHERE true"))),
    Bug("older is newer", "P8", "only the first version counts", code(actions, "APPLICATIONS", lambda real: _swapped(real, OLDER, "WHERE false"))),
    Bug("not decided anew", "P11", "a changed application keeps its old decision", text(actions, "_RECORD", "handlings", ("WHERE changed", "WHERE changed AND prior_decision IS NULL"))),
    Bug("stale click", "P11", "a person's yes counts for what they did not see", both(
        code(people, "_refused", lambda real: lambda kind, amount, version, seen, *more: real(kind, amount, seen, seen, *more)),
        text(people, "_SQL", "person_intent", ("AND c.application_version = %(version)s", "AND %(version)s > 0")))),
    # P9: who lost the lease is out
    Bug("no epoch", "P9", "who was thought dead settles all the same", both(
        text(actions, "_OUTCOME", "settle", ("AND i.epoch = t.epoch", "")), text(run, "_SQL", "may_go", ("JOIN intent i USING (case_id, platform_version, amount_fen, epoch)", "JOIN intent i USING (case_id, platform_version, amount_fen)"), ("AND i.state = 'sending'", "")))),
    Bug("lease for ever", "P9", "who was stopped for long sends all the same", both(
        code(run.Actor, "_lease", lambda real: lambda self: lambda: True), text(run, "_SQL", "may_go", ("(case_id, platform_version, amount_fen, epoch)\n", "(case_id, platform_version, amount_fen)\n"), ("AND i.state = 'sending'", "")))),
    # P12, P14, P13, P17, P18
    Bug("withdrawn and paid", "P12", "what the buyer withdrew stays approved", text(actions, "_RECORD", "cancel_stale", ("i.state IN ('planned', 'approved', 'with_person')", "i.state IN ('planned')"))),
    Bug("no limit", "P13", "nobody looks at a person's limit", both(
        schema("DROP TRIGGER intent_limit ON intent", "DROP TRIGGER intent_limit_new ON intent"),
        text(people, "_SQL", "may", ("SELECT allowed, why, needs_approval", "SELECT true, why, false")))),
    Bug("own approval", "P14", "who asked may say yes", both(
        schema("ALTER TABLE approval DROP CONSTRAINT approval_check1"),
        code(approvals, "_unfit", lambda real: lambda same, own, late: real(same, False, late)))),
    Bug("switch unread", "P17", "no switch is read", function("held_back", ("SELECT EXISTS", "SELECT false AND EXISTS"))),
    Bug("null switch", "P17", "a guard that is NULL lets pass", function("held_back", ("SELECT EXISTS", "SELECT NULL::bool AND EXISTS"))),
    Bug("no budget", "P18", "the windows are not kept and not asked", both(
        schema("DROP TRIGGER intent_money ON intent"), text(claim, "_SQL", "money_left", ("SELECT refunds, fen FROM money_left(%s)", "SELECT 1000000, 1000000000000 FROM shop WHERE id = %s")))),
    # P15
    Bug("no seal", "P15", "a ledger row is not sealed", schema("DROP TRIGGER ledger_sealed ON ledger")),
    Bug("other seal", "P15", "a seal does not hold the one before it", function("ledger_seal_row", ("coalesce(last.hash, ", "coalesce(NULL, "))),
)  # fmt: skip


def _swapped(query: str, old: str, new: str) -> str:
    assert old in query, f"the merge no longer says {old!r}"
    return query.replace(old, new)
