"""Which functions answer questions, and whose settings they read: (book, functions)."""

from collections.abc import Callable, Sequence
from typing import Any

from aftersale.ask.listing import strategy_list
from aftersale.ask.thresholds import threshold
from aftersale.ask.traces import read_trace
from aftersale.core.alerts import telling
from aftersale.core.appeals import addresses, complaints, items, outlook
from aftersale.core.casework import complexity, freight_texts, promises, urgency, weights
from aftersale.core.clocks.formulas import deadline_alert
from aftersale.core.contact import channels, moments
from aftersale.core.desk import attitude, cards, outsourcing, phrases, places, reviews, routing, selling
from aftersale.core.evidence import kit
from aftersale.core.metrics import disputes, handling, promotion, quality, replies, standing
from aftersale.core.playbooks import areas, notes, report, wording
from aftersale.core.refund_runs import limits, routes, scan, tracking_list
from aftersale.core.returns import anonymous, log, steps
from aftersale.core.talk import assist
from aftersale.core.workorders import flow, follow_up, matrix, order
from aftersale.rulebooks import talk
from aftersale.rulebooks.appeal import appeal_window
from aftersale.rulebooks.definitions import promo_goals
from aftersale.rulebooks.permission import plan_batch

METRICS: Sequence[Callable[..., Any]] = (
    replies.three_min_reply_rate, replies.inquiry_counts, replies.thirty_sec_rate, replies.inquiry_conversion,
    disputes.dispute_rate, disputes.counts_dispute, standing.composite_index,
    standing.event_gate, standing.index_target, standing.daily_change, standing.comparison, standing.dsr_state,
    standing.register_gates, standing.trend, standing.events_in_window, standing.topic_available,
    quality.quality_refund_rate, quality.logistics_abnormal_rate, quality.orders_needed,
    quality.one_more_quality_refund, quality.quality_tail, quality.reason_counts_quality,
    quality.product_qualities, quality.aftersale_orders, handling.refund_duration, handling.self_completion,
    handling.operations, handling.complaint_repurchase,
)  # fmt: skip
PROMOTION: Sequence[Callable[..., Any]] = (
    promotion.hour_mode, promotion.staffing, promotion.hour_load, promotion.night_roster,
    promo_goals,
)  # fmt: skip
REFUND_RUNS: Sequence[Callable[..., Any]] = (
    limits.limit_what_if, limits.throughput, scan.scan_return, scan.scan_returns, tracking_list.tracking_list,
    anonymous.match_parcel,
)  # fmt: skip
DESK: Sequence[Callable[..., Any]] = (
    talk.check_reply, talk.banned_check, talk.banned_scan, talk.reply_parts, talk.buyer_mood, talk.script_categories,
    talk.quick_groups, talk.guide_text, talk.assistant, talk.team_script_rights, talk.provider_result,
    assist.targeted_answer, assist.opening, phrases.quick_code, phrases.quick_suggestions, phrases.segments,
    phrases.quick_reply_overuse, routing.route_conversations, selling.lowest_price, selling.recommend_products,
    cards.qr_card, cards.product_card_reply, cards.robot_parts, reviews.register_review, reviews.review_dashboard,
    reviews.voice_list, places.team_scripts_place, places.batches_offered,
)  # fmt: skip
WORK_ORDERS: Sequence[Callable[..., Any]] = (
    flow.flow_state, flow.pipeline_tickets, matrix.priority_quadrant, matrix.order_tickets,
    follow_up.follow_up_today, follow_up.node_times, order.work_order_state,
)  # fmt: skip

TABLES: Sequence[tuple[str | None, Sequence[Callable[..., Any]]]] = (
    (
        None,
        (
            strategy_list,
            read_trace,
            threshold,
            routes.refund_route,
            routes.executed_once,
            steps.four_steps,
            steps.step_times,
            log.audit,
        ),
    ),
    ("permissions", (plan_batch,)),
    ("desk", DESK),
    ("payment_reminders", (selling.may_set_reminder_price,)),
    ("outsourcing", (outsourcing.outsourcing_contract,)),
    ("complaints", (attitude.attitude_complaint,)),
    ("deadlines", (talk.promises_made,)),
    ("workorders", WORK_ORDERS),
    ("refund_runs", REFUND_RUNS),
    ("metrics", METRICS),
    ("promotion", PROMOTION),
    (
        "deadlines",
        (replies.unreplied_alarm, wording.must_say, wording.promised_reply, moments.answer_promise),
    ),
    ("playbooks", (areas.reaching_courier, report.logistics_risk)),
    ("contact", (channels.contact_channels,)),
    (
        None,
        (
            report.dunning_methods,
            notes.note_state,
            kit.evidence_kit,
            kit.pictures,
            kit.proof_validity,
            moments.contact_time,
            moments.contact_override,
        ),
    ),
    (
        None,
        (
            complexity.order_complexity,
            urgency.most_urgent,
            promises.promise_covers,
            freight_texts.cover_display,
        ),
    ),
    ("remedies", (weights.compare_weights,)),
    ("promises", (promises.promise_standing,)),
    ("freight_cover", (freight_texts.address_notice, freight_texts.cover_reply)),
    (
        "appeals",
        (
            items.appeal_items,
            appeal_window,
            complaints.complaint_orders,
            complaints.complaints_this_month,
            outlook.predicted_failure,
        ),
    ),
    ("interventions", (addresses.address_supply, outlook.escalation_risk, outlook.escalation_order)),
    (
        "alerts",
        (
            deadline_alert,
            telling.alert_state,
            telling.work_order_alert,
            telling.double11_timer,
            telling.tail_alert,
        ),
    ),
)
