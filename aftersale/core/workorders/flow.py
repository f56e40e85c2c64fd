"""Work orders that go from role to role by themselves, and agents who take the stages they know (R-305, R-306)."""

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FlowState:
    """`current`: the role whose turn it is, a list where steps run side by side, None when all is done.
    `notify`: who is told when the last step is finished."""

    current: str | tuple[str, ...] | None
    notify: tuple[str, ...]
    finished: bool
    manual_forward_needed: bool = False


@dataclass(frozen=True, slots=True)
class StageTicket:
    id: int | str
    stage: str | None = None


@dataclass(frozen=True, slots=True)
class Assigned:
    assigned: tuple[int | str, ...]


def flow_state(*, flow: tuple[tuple[str, ...] | str, ...], done: tuple[str, ...] = ()) -> FlowState:
    """The first step that is not done; steps in a list of their own run side by side (R-305).

    A role that stands twice in the flow has to be done twice."""
    left = Counter(done)
    for step in flow:
        waiting = []
        for role in (step,) if isinstance(step, str) else step:
            if left[role]:
                left[role] -= 1
            else:
                waiting.append(role)
        if waiting:
            roles = tuple(waiting)
            return FlowState(roles[0] if len(roles) == 1 else roles, roles, False)
    return FlowState(None, (), True)


def pipeline_tickets(
    *,
    stages: tuple[str, ...],
    agent_stage: str | tuple[str, ...] | None = None,
    tickets: tuple[StageTicket, ...],
) -> Assigned:
    """The tickets in stages that the agent knows, in their order; none of a stage that is not on the line (R-306)."""
    known = {agent_stage} if isinstance(agent_stage, str) else set(agent_stage or ())
    return Assigned(tuple(one.id for one in tickets if one.stage in known & set(stages)))
