"""The planted bugs. Each is one that somebody has shipped, or nearly: docs/safety.md names the promises."""

from datetime import UTC, datetime, timedelta
from typing import Any

from aftersale import instance
from aftersale.act import breaker, claim, run
from aftersale.cases import actions, approvals, ledger, people
from aftersale.connectors.outcome import Ok, Rejected, TryLater, Unknown
from aftersale.connectors.taobao import mapping, refunds
from aftersale.intake import arrive, pull
from aftersale.work import Desk
from tests.faults.planted import checks
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
    Bug("freed on timeout", "P3", "a timeout releases the money", text(actions, "_OUTCOME", "settle", ("WHERE money AND state IN ('refused', 'cancelled')\n", "WHERE money AND state IN ('refused', 'cancelled', 'unknown')\n")), theme="budget"),
    Bug("full for ever", "P3", "an order that we filled is believed exact though the platform paid beyond it", schema("DROP TRIGGER order_money_said ON order_money"), check=checks.overpaid),
    Bug("not freed", "P3", "what is withdrawn keeps its money held", text(actions, "_RECORD", "cancel_stale", ("m.held_fen - s.freed_fen", "m.held_fen"))),
    # P4: unknown is unknown
    Bug("retry", "P4", "what was not heard is sent again without a question", code(run, "outcome", _unknown_is(TryLater(0.0, "lost")))),
    Bug("no answer is no", "P4", "what was not heard counts as refused", code(run, "outcome", _unknown_is(Rejected("lost", "", "")))),
    Bug("no answer is yes", "P4", "what was not heard counts as done", code(run, "outcome", _unknown_is(Ok({})))),
    Bug("one question", "P4", "one answer of not done is enough", function("nones_needed", ("THEN 2 ELSE 1", "THEN 1 ELSE 1")), theme="takeover"),
    Bug("dead is not sent", "P4", "what a dead sender left is approved again", both(
        text(run, "_SQL", "abandon", ("state = 'unknown', epoch = epoch + 1, outcome = '发送的进程没有回来'", "state = 'approved', epoch = epoch + 1, outcome = 'later: dead'")))),
    # P7, P8, P11: what is accepted is taken in, once, in the order of versions
    Bug("eaten", "P7", "bodies leave the queue before they are read", code(Desk, "_merge", lambda real: lambda self, batch, decide: None)),
    Bug("pull forgets", "P7", "a pull notes nothing", code(pull.Puller, "_want_newer", lambda real: lambda self, shop_id, page: None)),
    Bug("stored later", "P7", "a push is acknowledged before it is stored", code(arrive, "store", lambda real: lambda conn, bodies: real(conn, bodies[:-1]) if len(bodies) > 1 else real(conn, bodies))),
    Bug("last word wins", "P8", "an older version overwrites a newer one", code(actions, "APPLICATIONS", lambda real: _swapped(real, OLDER, "WHERE true"))),
    Bug("other is newer", "P8", "whatever differs from what is known counts as news", code(actions, "APPLICATIONS", lambda real: _swapped(real, OLDER, "WHERE excluded.application_version <> c.application_version"))),
    Bug("older is newer", "P8", "only the first version counts", code(actions, "APPLICATIONS", lambda real: _swapped(real, OLDER, "WHERE false"))),
    Bug("not decided anew", "P11", "a changed application keeps its old decision", text(actions, "_RECORD", "handlings", ("WHERE v.changed", "WHERE NOT v.changed"))),
    Bug("stale click", "P11", "a person's yes counts for what they did not see", both(
        code(people, "_refused", lambda real: lambda conn, wish, seen, asked: real(conn, {**wish, "version": seen}, seen, asked)),
        text(people, "_SQL", "person_intent", ("AND c.application_version = %(version)s", "AND %(version)s > 0"))), check=checks.stale_click),
    # P5, P6: deadlines
    Bug("later than due", "P5", "what waits may wait past its deadline", function("put_off", ("CASE WHEN latest > now THEN least(again_at, latest) ELSE again_at END", "again_at")), check=checks.put_off),
    Bug("no margin", "P5", "what waits may wait until the deadline itself", function("put_off", ("deadline_at - make_interval(mins => (setting_of(shop, 'act_margin_minutes') #>> '{}')::int)", "deadline_at")), check=checks.put_off),
    Bug("newest first", "P5", "the latest deadline goes first", text(claim, "_SQL", "due", ("ORDER BY o.deadline_at NULLS LAST", "ORDER BY o.deadline_at DESC")), check=checks.nearest_first),
    Bug("missed in silence", "P5", "a missed deadline is not written down", text(actions, "_DEADLINES", "notice", ("LIMIT 1000", "LIMIT 0")), check=checks.missed),
    Bug("our clock", "P6", "the deadline is reckoned from the moment at which we read", code(mapping, "_due_at", lambda real: lambda refund: datetime.now(UTC) + timedelta(days=2))),
    Bug("eight hours off", "P6", "the platform's local time is taken for UTC", code(mapping, "_due_at", lambda real: lambda refund: real(refund) and real(refund) + timedelta(hours=8))),
    Bug("first deadline stays", "P6", "a changed application keeps the deadline it had", code(actions, "APPLICATIONS", lambda real: _swapped(real, "due_at = excluded.due_at", "due_at = c.due_at"))),
    # P9: who lost the lease is out
    Bug("no epoch", "P9", "who was thought dead settles all the same", both(
        text(actions, "_OUTCOME", "settle", ("AND i.epoch = t.epoch", "")), text(run, "_SQL", "may_go", ("amount_fen, epoch)\nJOIN", "amount_fen, no_epoch)\nJOIN"), ("USING (case_id, platform_version, amount_fen, epoch)", "USING (case_id, platform_version, amount_fen)"), ("AND i.state = 'sending'", ""))), theme="takeover"),
    Bug("lease for ever", "P9", "who was stopped for long sends all the same", both(
        code(run.Actor, "_lease", lambda real: lambda self: lambda: True), code(run.Actor, "_may_go", lambda real: lambda self, batch: {item.case_id for item in batch})), theme="takeover"),
    Bug("same epoch", "P9", "taking over what a dead sender left does not outdo it", both(
        text(run, "_SQL", "abandon", ("epoch = epoch + 1, ", "")), text(run, "_SQL", "claim_unknown", ("SET epoch = i.epoch + 1, asked_at", "SET asked_at")), function("intent_edge", ("NEW.epoch := OLD.epoch + 1", "NEW.epoch := OLD.epoch"))), theme="takeover"),
    # P10: no dead worker keeps what it had taken
    Bug("fetched for ever", "P10", "what a dead puller was to fetch stays its own", text(pull, "_SQL", "lease_fetch", ("interval '60 seconds'", "interval '100 years'")), theme="dead"),
    Bug("pulled for ever", "P10", "the shop of a dead puller stays its own", text(pull, "_SQL", "lease_pull", ("interval '60 seconds'", "interval '100 years'")), theme="dead"),
    Bug("sent for ever", "P10", "the lease of a sender never ends", text(run, "_SQL", "abandon", ("make_interval(secs => %(lease_s)s)", "make_interval(secs => %(lease_s)s + 1e9)")), theme="dead"),
    # P11: of several who decide, one wins, and the others are told
    Bug("all are told yes", "P11", "who comes second is told yes, too", code(people, "_plan", lambda real: lambda conn, wish: _unless(real(conn, wish), "already", "changed")), theme="click"),
    # P12: nothing leaves after the buyer has withdrawn
    Bug("withdrawn and paid", "P12", "what the buyer withdrew stays approved", text(actions, "_RECORD", "cancel_stale", ("i.state IN ('planned', 'approved', 'with_person')", "i.state IN ('planned')")), theme="withdrawal"),
    Bug("closed is open", "P12", "a closed application counts as open", text(actions, "_RECORD", "cancel_stale", ("WHERE v.prior_decision IS NOT NULL AND", "WHERE v.state <> 'closed' AND v.prior_decision IS NOT NULL AND")), theme="withdrawal"),
    Bug("no is later", "P12", "what the platform refuses since it was withdrawn is tried again", code(run, "outcome", lambda real: lambda item, answer, now, **more: real(
        item, TryLater(0.0, "refused") if isinstance(answer, Rejected) else answer, now, **more)), theme="withdrawal"),
    # P13: nobody above their limit
    Bug("no limit", "P13", "nobody looks at a person's limit", both(
        schema("DROP TRIGGER intent_limit ON intent", "DROP TRIGGER intent_limit_new ON intent"),
        text(people, "_SQL", "may", ("SELECT allowed, why, needs_approval", "SELECT true, why, false"))), theme="approval"),
    Bug("everybody is the owner", "P13", "the limit is the owner's, whoever asks", function("person_permitted_each", ("permitted(m.shop_id, m.role,", "permitted(m.shop_id, 'owner',")), theme="approval"),
    Bug("in yuan", "P13", "fen are taken for a hundredth of what they are", function("person_permitted_each", ("person_permitted_each.amount_fen + sisters", "person_permitted_each.amount_fen / 100 + sisters")), theme="approval"),
    # P14: four eyes on exactly this
    Bug("own approval", "P14", "who asked may say yes", both(
        schema("ALTER TABLE approval DROP CONSTRAINT approval_check1", "DROP TRIGGER approval_edge ON approval", "DROP TRIGGER intent_limit ON intent"),
        code(approvals, "_not_yours", lambda real: lambda conn, where: None), code(approvals, "_unfit", lambda real: lambda same, own, late: real(same, False, late))), theme="approval"),
    Bug("late yes", "P14", "a request that ran out may be approved", both(
        schema("DROP TRIGGER approval_edge ON approval", "DROP TRIGGER intent_limit ON intent"),
        code(approvals, "_unfit", lambda real: lambda same, own, late: real(same, own, False))), check=checks.late_yes),
    Bug("yes to something else", "P14", "an approval outlives the change of what was approved", both(
        schema("DROP TRIGGER approval_falls ON intent", "DROP TRIGGER approval_edge ON approval", "DROP TRIGGER intent_limit ON intent"),
        text(actions, "_RECORD", "cancel_stale", ("i.state IN ('planned', 'approved', 'with_person')", "i.state IN ('approved', 'with_person')")),
        code(approvals, "_unfit", lambda real: lambda same, own, late: real(True, own, late))), theme="approval"),
    # P15: the ledger stays as it was written
    Bug("no seal", "P15", "a ledger row is not sealed", schema("DROP TRIGGER ledger_sealed ON ledger")),
    Bug("other seal", "P15", "a seal does not hold the one before it", function("ledger_seal_row", ("coalesce(last.hash, ", "coalesce(NULL, "))),
    Bug("rewritable", "P15", "the application may change what was paid", schema("DROP TRIGGER append_only ON ledger", "GRANT UPDATE, DELETE ON ledger TO aftersale_app"), check=checks.tamper),
    Bug("blind verification", "P15", "the chain is said to be whole without a look", code(ledger, "verify", lambda real: lambda *told, **more: []), check=checks.tamper),
    # P17: switches
    Bug("switch unread", "P17", "no switch is read", function("held_back", ("SELECT EXISTS", "SELECT false AND EXISTS")), theme="switch"),
    Bug("null switch", "P17", "a guard that is NULL lets pass", function("held_back", ("SELECT EXISTS", "SELECT NULL::bool AND EXISTS")), theme="switch"),
    Bug("not for all", "P17", "a switch for all shops stops none", function("held_back", ("w.shop_id IN (0, shop)", "w.shop_id = shop")), theme="switch"),
    # P18: automatic money is bounded
    Bug("no budget", "P18", "the windows are not kept and not asked", both(
        schema("DROP TRIGGER intent_money ON intent"), text(claim, "_SQL", "money_left", ("SELECT refunds, fen FROM money_left(%s)", "SELECT 1000000, 1000000000000 FROM shop WHERE id = %s"))), theme="budget"),
    Bug("unknown is free", "P18", "what was not heard is given back to the budget", function("intent_money", ("n.state IN ('approved', 'refused', 'cancelled')", "n.state IN ('approved', 'refused', 'cancelled', 'unknown')")), theme="budget"),
    Bug("in silence", "P18", "what does not fit waits, and no breaker opens and nobody is told", code(breaker, "over", lambda real: lambda *told: False), theme="budget"),
    # P28: after a restore, first ask
    Bug("sends at once", "P28", "after a restore everything is sent as it stands", both(
        text(claim, "_SQL", "due", ("n.reconcile_since IS NOT NULL AND", "n.reconcile_since IS NOT NULL AND false AND")), text(claim, "_SQL", "claim", ("n.reconcile_since IS NOT NULL AND", "n.reconcile_since IS NOT NULL AND false AND"))), theme="restored"),
    Bug("asks nothing", "P28", "after a restore nobody asks about what is approved", text(run, "_SQL", "claim_unasked", ("i.state = 'approved' AND", "i.state = 'approved' AND false AND")), theme="restored"),
    Bug("soon forgotten", "P28", "that it may only ask is forgotten before it has asked", code(instance, "_SETTLE", lambda real: "UPDATE instance SET reconcile_since = NULL, reconcile_moment = NULL WHERE reconcile_since IS NOT NULL RETURNING true"), theme="restored"),
    Bug("done is not heard", "P28", "after a restore the platform's word that it has paid is not believed", text(actions, "_OUTCOME", "settle", ("OR i.state = 'approved' AND t.asked)", "OR i.state = 'approved' AND t.asked AND t.state <> 'done')")), theme="restored"),
    # P30: what is finished costs nothing
    Bug("no index", "P30", "what is due has no index", schema("DROP INDEX intent_due"), check=checks.fast),
    Bug("index of everything", "P30", "the index of what is due holds what is finished, too", schema("DROP INDEX intent_due", "CREATE INDEX intent_due ON intent (due_at)"), check=checks.fast),
    Bug("hidden from the index", "P30", "the search for dead senders cannot use the index", text(run, "_SQL", "abandon", ("WHERE state = 'sending' AND", "WHERE state || '' = 'sending' AND")), check=checks.fast),
)  # fmt: skip


def _unless(refused: Any, *codes: str) -> Any:
    return None if refused and refused.code in codes else refused


def _swapped(query: str, old: str, new: str) -> str:
    assert old in query, f"the merge no longer says {old!r}"
    return query.replace(old, new)
