"""What each kind of event does to the journey, after the events before it."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from aftersale.core.tracking.journey import FINAL, LEAVING, NEAR_BUYER, Journey
from aftersale.core.tracking.places import Place
from aftersale.core.tracking.wording import OF_RETURN, Meaning

BEFORE_COLLECTION = ("ordered", "to_collect", "collect_failed", "not_seen")
REUSED_AFTER = timedelta(days=20)


def take(journey: Journey, said: Meaning, at: datetime | None) -> bool:
    """True where the event changed or confirmed the state."""
    journey.plan(said)
    said = _of_its_own(journey, said)
    before, journey.doubt = journey.doubt, None
    step = STEPS.get(said.kind)
    if step is None or not step(journey, said, at):
        journey.doubt = before
        return False
    if said.leaves:
        _moved(journey, replace(said, kind="departed"), at)
    if said.suspected:
        journey.doubt = "suspected"
    elif journey.state == "signed" and said.mixed:
        journey.doubt = "mixed"
    journey.visit(said)
    journey.last_at = at or journey.last_at
    return True


def _of_its_own(journey: Journey, said: Meaning) -> Meaning:
    """Goods that go back on a waybill of their own go forward on it, to whoever signs in the shop."""
    if said.hands_in and journey.state in ("no_tracking", "picked_up"):
        journey.own = True
        return replace(said, kind="collected")
    if said.kind == "sender_refused" and journey.own:
        journey.own = False
        return replace(said, kind="refused")
    if said.kind not in OF_RETURN:
        return said
    if journey.state == "no_tracking" and said.onward in BEFORE_COLLECTION:
        return replace(said, kind=said.onward)
    if journey.own:
        by = said.by or ("colleague" if said.kind == "sender_signed" else None)
        onward = "signed" if said.kind == "sender_signed" else said.onward
        return replace(said, kind=onward, by=by)
    if said.kind == "sender_signed" and said.of_trade and journey.straight(said.places.at):
        return replace(said, kind="signed", by=said.by or "colleague")
    return said


def _ordered(journey: Journey, _said: Meaning, _at: datetime | None) -> bool:
    return journey.state == "no_tracking" and journey.become("no_tracking")


def _collected(journey: Journey, said: Meaning, at: datetime | None) -> bool:
    if said.asks and journey.state in ("out_for_delivery", "delivery_failed", "waiting_pickup"):
        return _asked(journey, said, at)
    gap = journey.last_at is not None and at is not None and at - journey.last_at > REUSED_AFTER
    going = journey.state not in ("no_tracking", "picked_up", *FINAL) and not gap
    if going and journey.customs:
        return _moved(journey, said, at)
    if going and (journey.forwarding or journey.state == "forwarded"):
        return journey.become("forwarded")
    if going and (journey.back or journey.refusal):
        return journey.go_back(by_route=not journey.back)
    fresh = Journey()
    for name in Journey.__dataclass_fields__:
        setattr(journey, name, getattr(fresh, name))
    journey.began, journey.own = True, said.hands_in
    return journey.become("picked_up")


def _not_seen(journey: Journey, said: Meaning, at: datetime | None) -> bool:
    """No such thing has been handed over: not yet collected at the start, missing on the way."""
    return _ordered(journey, said, at) if journey.state == "no_tracking" else _lost(journey, said, at)


def _taken(journey: Journey, said: Meaning, at: datetime | None) -> bool:
    elsewhere = journey.customs or journey.forwarding or journey.back or journey.refusal
    if journey.state in ("no_tracking", "picked_up", "forwarded", *FINAL) or elsewhere:
        return _collected(journey, said, at)
    return _fetched(journey, said, at) if journey.state == "waiting_pickup" else False


def _packed(journey: Journey, said: Meaning, at: datetime | None) -> bool:
    place = said.places.at
    if journey.state in ("picked_up", "no_tracking") and (
        place is None or place == journey.origin or not journey.origin
    ):
        return journey.become("picked_up")
    return _moved(journey, said, at)


def _moved(journey: Journey, said: Meaning, _at: datetime | None) -> bool:
    heading = _heading(said)
    place, onward = said.places.at, said.places.to
    if journey.back and not _turns_again(journey, heading):
        return journey.go_back(by_route=journey.turned)
    if journey.state == "returned":
        return False
    if _turned(journey, said):
        journey.doubt = _turn_doubt(journey, heading)
        return journey.go_back(by_route=True)
    stays = (
        journey.near
        and onward is None
        and (place is None or place == journey.goal or (journey.goal is None and not place.hub))
    )
    if said.kind in ("arrived", "packed", "moving") and stays and journey.state in NEAR_BUYER:
        return False
    if journey.state == "signed":
        journey.doubt = "after_signing"
        if said.kind == "arrived":
            return True
    journey.back = journey.customs = False
    return journey.become("in_transit")


def _turns_again(journey: Journey, heading: Place | None) -> bool:
    """A way back that was read off the route alone, and now leads elsewhere."""
    if not journey.turned or journey.refusal or journey.wanted_back or heading is None:
        return False
    return heading not in journey.route and not journey.homewards(heading)


def _turned(journey: Journey, said: Meaning) -> bool:
    place, onward, heading = said.places.at, said.places.to, _heading(said)
    if journey.state == "no_tracking":
        return False
    if journey.refusal and journey.state in NEAR_BUYER:
        leaves = said.kind in LEAVING and not (onward is not None and journey.at_goal(onward))
        unknown = journey.goal is None and place is not None and not place.hub
        return leaves or not (place is None or place == journey.goal or journey.at_goal(place) or unknown)
    if journey.wanted_back and journey.state in NEAR_BUYER and said.kind in LEAVING:
        lead = journey.origin is None or journey.near
        return not journey.at_goal(onward) and (
            lead or journey.homewards(heading, place) or journey.retraces(heading)
        )
    stands = journey.here
    passing = stands is not None and stands.hub and not journey.near and not journey.wanted_back
    back = journey.homewards(heading, place) or (journey.retraces(heading) and not passing)
    return back and not journey.strayed


def _heading(said: Meaning) -> Place | None:
    """Where the parcel is now bound for; leaving a place says nothing of it."""
    return said.places.to or (None if said.kind in LEAVING else said.places.at)


def _turn_doubt(journey: Journey, heading: Place | None) -> str | None:
    if journey.refusal or journey.wanted_back:
        return None
    if not journey.began and journey.state in ("delivery_failed", "held"):
        return "turned"
    if journey.state == "signed":
        return "after_signing"
    reason = journey.wanted_back or journey.state in NEAR_BUYER
    return None if reason or journey.homewards(heading) else "turned"


def _domestic(journey: Journey, said: Meaning, at: datetime | None) -> bool:
    """Handed to a carrier inland: after customs its leg begins, otherwise the parcel changed carriers."""
    return _moved(journey, said, at) if journey.customs else _forwarded(journey, said, at)


def _misrouted(journey: Journey, _said: Meaning, _at: datetime | None) -> bool:
    if journey.back:
        return journey.go_back(by_route=journey.turned)
    journey.near, journey.strayed = False, True
    return journey.become("in_transit")


def _out(journey: Journey, said: Meaning, _at: datetime | None) -> bool:
    place = said.places.at
    if journey.back and not (journey.at_goal(place) or (said.agrees and not journey.homewards(place))):
        return journey.go_back(by_route=journey.turned)
    if journey.near and journey.homewards(place):
        return journey.go_back(by_route=True)
    if journey.state == "signed" and journey.signed_by == "self":
        journey.doubt = "after_signing"
    if journey.state == "held" and journey.wanted_back and not said.agrees and said.kind != "out_again":
        journey.doubt = "intercepted"
    journey.back = journey.refusal = journey.wanted_back = journey.customs = journey.strayed = False
    return journey.become("out_for_delivery")


def _agreed_out(journey: Journey, said: Meaning, at: datetime | None) -> bool:
    journey.back = False
    return _out(journey, said, at)


def _agreed(journey: Journey, _said: Meaning, _at: datetime | None) -> bool:
    """The buyer takes it after all; the state is that of the next movement."""
    journey.back = journey.wanted_back = False
    return False


def _stored(journey: Journey, said: Meaning, at: datetime | None) -> bool:
    if journey.back:
        return journey.become("returned")
    if journey.state == "refused" and not said.asks:
        return True
    journey.storage = said.storage or journey.storage or "station"
    journey.refusal = journey.wanted_back = False
    if said.signs and not said.asks:
        return _signed(journey, said, at)
    return journey.become("waiting_pickup")


def _awaiting(journey: Journey, said: Meaning, at: datetime | None) -> bool:
    """待取件: by the courier before collection, by the buyer after it."""
    if journey.state == "no_tracking":
        return journey.become("no_tracking")
    return _asked(journey, said, at)


def _asked(journey: Journey, said: Meaning, _at: datetime | None) -> bool:
    """Asks to fetch, and says no more."""
    if journey.state in ("no_tracking", "picked_up", "returned", "refused", "signed") or journey.back:
        return False
    journey.storage = said.storage or journey.storage
    return journey.become("waiting_pickup")


def _shelved(journey: Journey, said: Meaning, at: datetime | None) -> bool:
    """Stored in a warehouse: the sender's, once on the way back."""
    return journey.become("returned") if journey.back else _moved(journey, said, at)


def _fetched(journey: Journey, said: Meaning, at: datetime | None) -> bool:
    if said.asks:
        return _stored(journey, said, at)
    if journey.back or said.by_sender:
        return journey.become("returned")
    if journey.state == "no_tracking" and not (said.signs or said.by_code or said.storage or said.by):
        return _collected(journey, said, at)
    if said.by_code:
        return journey.become("signed", journey.storage or said.storage or "station")
    person = said.by if said.by in ("family", "colleague", "property", "other") else None
    return journey.become("signed", person or "self")


def _signed(journey: Journey, said: Meaning, _at: datetime | None) -> bool:
    place = said.places.at
    if said.asks and said.storage and said.by in (None, "station", "locker", "self"):
        journey.storage = said.storage
        return journey.become("returned" if journey.back else "waiting_pickup")
    if journey.back:
        if not journey.at_goal(place):
            return journey.become("returned")
        journey.doubt = "signed_while_back"
    elif journey.state == "returned":
        return True
    elif place is not None and place != journey.here and journey.homewards(place):
        journey.doubt = None if journey.refusal else "turned"
        return journey.become("returned")
    elif journey.refusal and journey.state == "refused" and said.by is None:
        journey.doubt = "refused_then_signed"
    return journey.become("signed", said.by or "self")


def _sender_signed(journey: Journey, _said: Meaning, _at: datetime | None) -> bool:
    journey.back = True
    return journey.become("returned")


def _signer_fixed(journey: Journey, said: Meaning, at: datetime | None) -> bool:
    return _signed(journey, said, at) if said.by else False


def _refused(journey: Journey, _said: Meaning, _at: datetime | None) -> bool:
    if journey.back:
        return journey.go_back(by_route=journey.turned)
    journey.refusal = journey.near = journey.trouble = True
    return journey.become("refused")


def _returning(journey: Journey, _said: Meaning, _at: datetime | None) -> bool:
    if journey.state == "returned":
        return True
    journey.turned = False
    return journey.go_back()


def _failing(state: str) -> Callable[[Journey, Meaning, datetime | None], bool]:
    def step(journey: Journey, _said: Meaning, _at: datetime | None) -> bool:
        if journey.back and state != "damaged":
            return journey.go_back(by_route=journey.turned)
        if journey.state in FINAL:
            return False
        if journey.state == "refused" and state == "damaged":
            return True
        journey.near = journey.trouble = True
        return journey.become(state)

    return step


def _back_to_outlet(journey: Journey, said: Meaning, at: datetime | None) -> bool:
    if journey.back:
        return journey.go_back(by_route=journey.turned)
    if journey.state in ("out_for_delivery", "waiting_pickup"):
        return journey.become("delivery_failed")
    return journey.state in NEAR_BUYER or _moved(journey, said, at)


def _lost(journey: Journey, _said: Meaning, _at: datetime | None) -> bool:
    return journey.become("lost")


def _claim(journey: Journey, _said: Meaning, _at: datetime | None) -> bool:
    return journey.become("damaged" if journey.state == "damaged" else "lost")


def _found(journey: Journey, _said: Meaning, _at: datetime | None) -> bool:
    if journey.state != "lost":
        return False
    journey.doubt = "found"
    return journey.become("returning" if journey.back else "in_transit")


def _held(journey: Journey, said: Meaning, _at: datetime | None) -> bool:
    if journey.state in (*FINAL, "refused", "customs") and said.kind != "intercepted":
        return False
    journey.wanted_back = journey.wanted_back or said.kind == "intercepted"
    journey.trouble = journey.trouble or journey.wanted_back
    return journey.become("held")


def _waiting(journey: Journey, said: Meaning, at: datetime | None) -> bool:
    settled = (*FINAL, *NEAR_BUYER, "lost", "customs", "returning", "no_tracking")
    return False if journey.state in settled or said.plans else _held(journey, said, at)


def _forwarded(journey: Journey, _said: Meaning, _at: datetime | None) -> bool:
    if journey.back:
        return journey.go_back(by_route=journey.turned)
    journey.refusal = journey.forwarding = journey.wanted_back = False
    return journey.become("forwarded")


def _customs(journey: Journey, _said: Meaning, _at: datetime | None) -> bool:
    if journey.back:
        return journey.go_back(by_route=journey.turned)
    journey.customs = True
    return journey.become("customs")


def _stalled(journey: Journey, _said: Meaning, _at: datetime | None) -> bool:
    journey.doubt = "stalled"
    return journey.state not in ("no_tracking", *FINAL)


def _disputed(journey: Journey, _said: Meaning, _at: datetime | None) -> bool:
    journey.doubt = "disputed"
    return journey.state in (*FINAL, "waiting_pickup")


Step = Callable[[Journey, Meaning, datetime | None], bool]
STEPS: Mapping[str, Step] = {
    "ordered": _ordered, "collect_failed": _ordered, "collected": _collected, "taken": _taken, "not_seen": _not_seen, "packed": _packed,
    "departed": _moved, "arrived": _moved, "moving": _moved, "moved_on": _moved, "domestic": _domestic,
    "misrouted": _misrouted, "asked": _asked, "awaiting": _awaiting, "shelved": _shelved, "to_collect": _ordered, "agreed_out": _agreed_out,
    "agreed": _agreed, "out_for_delivery": _out, "out_again": _out, "on_the_way": _out,
    "courier_took": _out, "stored": _stored, "fetched": _fetched, "signed": _signed, "signer_fixed": _signer_fixed,
    "sender_signed": _sender_signed, "sender_refused": _returning, "refused": _refused, "returning": _returning,
    "attempt_failed": _failing("delivery_failed"), "station_refused": _failing("delivery_failed"),
    "address_problem": _failing("address_problem"), "out_of_area": _failing("out_of_area"),
    "damaged": _failing("damaged"), "back_to_outlet": _back_to_outlet, "lost": _lost, "claim": _claim,
    "found": _found, "held": _held, "intercepted": _held, "waiting": _waiting, "forwarded": _forwarded,
    "customs": _customs, "disputed": _disputed, "stalled": _stalled,
}  # fmt: skip
