"""A work order on its way through departments: what may happen to it next, and nothing else may."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from aftersale.core.refusal import Refusal
from aftersale.core.workorders.flow import flow_state

StepState = Literal["waiting", "open", "taken", "done"]
State = Literal["open", "done", "cancelled"]
ENDED = Refusal("ended", "这张工单已经结束")
TAKEN = Refusal("taken", "同事已经接手这一步")
NOT_ITS_TURN = Refusal("not_its_turn", "还没有轮到这一步，或者它已经做完")


@dataclass(frozen=True, slots=True)
class Step:
    """`stage` from 0: steps of a stage run side by side, a stage begins when the one before is done."""

    code: str
    stage: int
    state: StepState = "waiting"
    owner: str | None = None

    @property
    def active(self) -> bool:
        return self.state in ("open", "taken")


@dataclass(frozen=True, slots=True)
class Order:
    state: State
    steps: tuple[Step, ...]

    def step(self, code: str) -> Step | None:
        return next((one for one in self.steps if one.code == code), None)


def begun(stages: Sequence[Sequence[str]]) -> Order:
    """A new order: the steps of its first stage are open."""
    return _turned(Order("open", tuple(Step(code, n) for n, stage in enumerate(stages) for code in stage)))


def take(order: Order, code: str, by: str) -> Order | Refusal:
    """Somebody does an open step; what another took is theirs until they give it back."""
    step = _active(order, code)
    if isinstance(step, Refusal):
        return step
    if step.state == "taken":
        return TAKEN
    return _with(order, replace(step, state="taken", owner=by))


def give_back(order: Order, code: str) -> Order | Refusal:
    """A taken step waits for anybody of its department again."""
    step = _active(order, code)
    if isinstance(step, Refusal):
        return step
    return _with(order, replace(step, state="open", owner=None)) if step.state == "taken" else NOT_ITS_TURN


def finish(order: Order, code: str, by: str) -> Order | Refusal:
    """The step is done; the last one of a stage hands the order on, the last one of all ends it (R-305)."""
    step = _active(order, code)
    if isinstance(step, Refusal):
        return step
    if step.state == "taken" and step.owner != by:
        return TAKEN
    return _turned(_with(order, replace(step, state="done", owner=by)))


def send_back(order: Order, code: str, to: str) -> Order | Refusal:
    """An earlier step has to be done again before this one; what is done besides it stays done."""
    step, earlier = _active(order, code), order.step(to)
    if isinstance(step, Refusal):
        return step
    if earlier is None or earlier.stage >= step.stage or earlier.state != "done":
        return Refusal("not_earlier", "只能退回给前面已经做完的一步")
    return _turned(_with(order, replace(earlier, state="waiting", owner=None)))


def cancel(order: Order) -> Order | Refusal:
    """Nobody goes on with it."""
    return ENDED if order.state != "open" else replace(order, state="cancelled")


def _active(order: Order, code: str) -> Step | Refusal:
    step = order.step(code)
    if order.state != "open":
        return ENDED
    return step if step is not None and step.active else NOT_ITS_TURN


def _with(order: Order, changed: Step) -> Order:
    return replace(order, steps=tuple(changed if one.code == changed.code else one for one in order.steps))


def _turned(order: Order) -> Order:
    """Whose turn it is now, as `flow_state` says of what is done; a later step that lost its turn waits."""
    stages = range(max(one.stage for one in order.steps) + 1)
    flow = tuple(tuple(one.code for one in order.steps if one.stage == n) for n in stages)
    now = flow_state(flow=flow, done=tuple(one.code for one in order.steps if one.state == "done"))
    turn = (now.current,) if isinstance(now.current, str) else now.current or ()
    return Order(
        "done" if now.finished else "open", tuple(_placed(one, one.code in turn) for one in order.steps)
    )


def _placed(step: Step, its_turn: bool) -> Step:
    if step.state == "waiting" and its_turn:
        return replace(step, state="open")
    return replace(step, state="waiting", owner=None) if step.active and not its_turn else step
