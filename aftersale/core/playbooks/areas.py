"""Which courier reaches a region, by the register of areas that proved out of range (R-140)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OutOfArea:
    """One entry of the register; a region holds every place whose name begins with it."""

    courier: str
    region: str


@dataclass(frozen=True, slots=True)
class Reach:
    """`suggest`: the first of the shop's couriers that reaches, in the shop's order; `beyond`: couriers of full
    reach the shop may turn to when none of its own does."""

    suggest: str | None
    avoid: tuple[str, ...]
    reaching: tuple[str, ...]
    beyond: tuple[str, ...]


def reaching_courier(
    *,
    region: str,
    register: tuple[OutOfArea, ...] = (),
    couriers: tuple[str, ...] = (),
    full_reach_couriers: tuple[str, ...],
) -> Reach:
    """Couriers for a region: those not registered as out of range there."""
    place = _plain(region)
    out = {one.courier for one in register if _plain(one.region) and place.startswith(_plain(one.region))}
    reaching = tuple(one for one in couriers if one not in out)
    beyond = () if reaching else tuple(one for one in full_reach_couriers if one not in out)
    return Reach(
        reaching[0] if reaching else None, tuple(one for one in couriers if one in out), reaching, beyond
    )


def _plain(region: str) -> str:
    return "".join(region.split())
