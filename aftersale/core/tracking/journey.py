"""What is remembered of a parcel's way: its state, and the route, so that the way back can be seen."""

from dataclasses import dataclass, field
from datetime import datetime

from aftersale.core.tracking.places import Place
from aftersale.core.tracking.wording import Meaning

FINAL = ("signed", "returned")
LEAVING = ("departed", "moved_on", "moving")
NEAR_BUYER = (
    "delivery_failed",
    "refused",
    "address_problem",
    "out_of_area",
    "waiting_pickup",
    "held",
    "damaged",
)


@dataclass
class Journey:
    """State after the events so far. `near`: an attempt was made or trouble met, so that a way back has a reason."""

    state: str = "no_tracking"
    signed_by: str | None = None
    doubt: str | None = None  # a key of the lexicon's `why`
    turned: bool = False  # recognised by the route alone
    origin: Place | None = None
    here: Place | None = None
    goal: Place | None = None  # where delivery was tried
    route: list[Place] = field(default_factory=list)
    near: bool = False
    refusal: bool = False
    trouble: bool = False  # delivery failed, or the parcel was stopped, at least once
    back: bool = False
    wanted_back: bool = False  # a return was asked for, or the parcel intercepted
    forwarding: bool = False
    customs: bool = False
    began: bool = False  # its collection was seen
    own: bool = False  # its own waybill was handed in for goods that go back: its sender is the buyer
    bound: Place | None = None  # where the last movement leads
    strayed: bool = False  # mis-sorted: going back through the same places is the way onward
    storage: str | None = None
    last_at: datetime | None = None

    def plan(self, said: Meaning) -> None:
        if said.plans & {"intercept_asked", "return_planned"}:
            self.wanted_back = True
        if "intercept_void" in said.plans and not self.refusal:
            self.wanted_back = False
        if "about_return" in said.plans and not self.own:
            self.back = True
        if "forward_planned" in said.plans:
            self.forwarding = True
        if "unreturned" in said.takes_back:
            self.back = self.wanted_back = self.refusal = False
            if self.state == "returning":
                self.state = "delivery_failed" if self.near else "in_transit"

    def visit(self, said: Meaning) -> None:
        at = said.places.at
        started = self.state in ("picked_up", "in_transit", "no_tracking") and not self.near
        if self.origin is None and at is not None and started and not self.route:
            self.origin = at
        if at is not None and said.kind != "returning":
            self.here = at
        self.route += [spot for spot in (at, said.places.to) if spot is not None and spot not in self.route]
        if self.state in ("out_for_delivery", *NEAR_BUYER) and not self.back:
            self.near = self.near or self.state != "held"
            known = at or self.bound or (self.here if self.here != self.origin else None)
            self.goal = self.goal if self.state in ("held", "damaged") else known
        if said.places.to is not None or at is not None:
            self.bound = said.places.to or at

    def become(self, state: str, signed_by: str | None = None) -> bool:
        self.state = state
        self.signed_by = signed_by if state == "signed" else None
        return True

    def go_back(self, *, by_route: bool = False) -> bool:
        self.turned = by_route if not self.back else self.turned and by_route
        self.back = True
        return self.become("returning")

    def homewards(self, place: Place | None, at: Place | None = None) -> bool:
        """The place lies at the start of the route, and delivery is tried elsewhere."""
        if place is None or self.origin is None:
            return False
        far = next((spot.city for spot in (self.goal, at, self.here) if spot is not None and spot.city), None)
        if place == self.origin:
            return self.goal != place
        return (
            place.city is not None
            and place.city == self.origin.city
            and far is not None
            and far != place.city
        )

    def straight(self, at: Place | None) -> bool:
        """Brought to the end of its way, and nothing on it gave a reason to go back."""
        trouble = self.trouble or self.refusal or self.back or self.wanted_back
        elsewhere = at is None or at != self.origin
        return not trouble and elsewhere and self.state == "out_for_delivery"

    def retraces(self, place: Place | None) -> bool:
        """The place was passed before the present one."""
        if place is None or place not in self.route or self.here is None:
            return False
        return place not in (self.here, self.goal) and place in self.route[: self._index(self.here)]

    def _index(self, place: Place) -> int:
        return self.route.index(place) if place in self.route else len(self.route)

    def at_goal(self, place: Place | None) -> bool:
        """The place is where delivery was tried, or in its city, which is not the origin's."""
        if place is None or self.goal is None:
            return False
        if place == self.goal:
            return place != self.origin
        same = place.city is not None and place.city == self.goal.city
        return same and not place.hub and (self.origin is None or self.origin.city != place.city)
